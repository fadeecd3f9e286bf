// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/part_assembly.h"

#include <algorithm>
#include <string>

namespace comity::gateway {

bool SendParts(const SealedWhole& whole, ByteView octets,
               const std::function<bool(const v1::SealedMessage&)>& send) {
  for (std::size_t offset = 0; offset < octets.size(); offset += kMaxPart) {
    const ByteView data = octets.subspan(offset, std::min(kMaxPart, octets.size() - offset));
    v1::SealedMessage message;
    v1::SealedPart& part = *message.mutable_part();
    part.set_kind(whole.kind);
    part.set_list(whole.list);
    part.set_binding(whole.binding.bytes.data(), Digest::kSize);
    part.set_number(whole.number);
    part.set_probe(whole.probe);
    part.set_offset(offset);
    part.set_size(octets.size());
    part.set_data(data.data(), data.size());
    if (!send(message)) return false;
  }
  return true;
}

Status PartAssembly::Add(const v1::SealedPart& part) {
  const auto wrong = [](const char* what) {
    return Fail(ErrorCode::kInvalidArgument, std::string("a part of another ") + what);
  };
  if (part.kind() != expected_.kind || part.list() != expected_.list) return wrong("whole");
  if (AsText(expected_.binding.view()) != part.binding()) return wrong("binding");
  if (part.number() != expected_.number || part.probe() != expected_.probe) return wrong("number");
  if (part.size() != expected_.size) return wrong("size");
  const std::size_t left = expected_.size - octets_.size();
  if (part.offset() != octets_.size() || part.data().empty() || part.data().size() > kMaxPart ||
      part.data().size() > left) {
    return wrong("place");
  }
  if (octets_.empty()) octets_.reserve(expected_.size);
  const ByteView data = AsBytes(part.data());
  octets_.insert(octets_.end(), data.begin(), data.end());
  return {};
}

}  // namespace comity::gateway
