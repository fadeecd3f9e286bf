// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/entry_bundle.h"

#include <string>

namespace comity::tlog {

Status AppendToBundle(Bytes& bundle, ByteView entry) {
  if (entry.size() > kMaxBundledEntry) {
    return Fail(ErrorCode::kInvalidArgument, "an entry has at most 65,535 octets");
  }
  bundle.push_back(static_cast<std::uint8_t>(entry.size() >> 8U));
  bundle.push_back(static_cast<std::uint8_t>(entry.size() & 0xffU));
  bundle.insert(bundle.end(), entry.begin(), entry.end());
  return {};
}

Status ForEachEntry(ByteView bundle, unsigned width, const std::function<Status(ByteView)>& visit) {
  for (unsigned i = 0; i < width; ++i) {
    const std::size_t size =
        bundle.size() < 2 ? 0 : static_cast<std::size_t>(bundle[0]) << 8U | bundle[1];
    if (bundle.size() < 2 + size) {
      return Fail(ErrorCode::kCorrupt, "the bundle ends inside entry " + std::to_string(i) +
                                           " of " + std::to_string(width));
    }
    COMITY_RETURN_IF_ERROR(visit(bundle.subspan(2, size)));
    bundle = bundle.subspan(2 + size);
  }
  if (!bundle.empty()) {
    return Fail(ErrorCode::kCorrupt, "the bundle goes on for " + std::to_string(bundle.size()) +
                                         " octets after its " + std::to_string(width) + " entries");
  }
  return {};
}

Result<std::vector<Bytes>> ParseEntryBundle(ByteView bundle, unsigned width) {
  std::vector<Bytes> entries;
  COMITY_RETURN_IF_ERROR(ForEachEntry(bundle, width, [&](ByteView entry) -> Status {
    entries.push_back(ToBytes(entry));
    return {};
  }));
  return entries;
}

}  // namespace comity::tlog
