// SPDX-License-Identifier: Apache-2.0
#include "services/casework/hit_opening.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/base/little_endian.h"
#include "crypto/envelope/aead.h"

namespace comity::casework {
namespace {

// More than there can be lists, which the form without headers began with.
constexpr std::uint8_t kForm = 0x20;
constexpr std::size_t kStart = 2;  // form, lists
constexpr std::size_t kLengthOctets = 2;

std::string Context(const std::string& exchange_id) {
  return "hit-opening|" + exchange_id;
}

// Form and how many lists, an octet each; of each list LE16 length of the header, header and seed;
// then the template.
SecretBytes Encode(const HitOpening& opening) {
  COMITY_CHECK(opening.lists.size() <= HitOpening::kMaxLists);
  std::size_t size = kStart + opening.probe.size();
  for (const HitOpening::List& list : opening.lists) {
    COMITY_CHECK(list.seed.size() == HitOpening::kSeedSize);
    COMITY_CHECK(list.header.size() <= HitOpening::kMaxHeader);
    size += kLengthOctets + list.header.size() + list.seed.size();
  }
  SecretBytes text(size);
  auto out = text.ExposeMutable().begin();
  *out++ = kForm;
  *out++ = static_cast<std::uint8_t>(opening.lists.size());
  for (const HitOpening::List& list : opening.lists) {
    out = std::ranges::copy(LittleEndian<kLengthOctets>(list.header.size()), out).out;
    out = std::ranges::copy(list.header, out).out;
    out = std::ranges::copy(list.seed.Expose(), out).out;
  }
  std::ranges::copy(opening.probe.Expose(), out);
  return text;
}

// The next list, taken off the front of `rest`; nothing if it is not there whole.
std::optional<HitOpening::List> TakeList(ByteView& rest) {
  if (rest.size() < kLengthOctets) return std::nullopt;
  const std::size_t header = ReadLittleEndian<kLengthOctets>(rest);
  rest = rest.subspan(kLengthOctets);
  if (header > HitOpening::kMaxHeader || rest.size() < header + HitOpening::kSeedSize) {
    return std::nullopt;
  }
  HitOpening::List list;
  list.header.assign(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(header));
  list.seed = SecretBytes::CopyOf(rest.subspan(header, HitOpening::kSeedSize));
  rest = rest.subspan(header + HitOpening::kSeedSize);
  return list;
}

}  // namespace

SealedOpening SealOpening(const HitOpening& opening, const std::string& exchange_id,
                          const SecretBytes& kek, RandomSource& random) {
  const SecretBytes text = Encode(opening);
  return {exchange_id, envelope::Seal(kek, text.Expose(), AsBytes(Context(exchange_id)), random)};
}

Result<HitOpening> OpenOpening(const SealedOpening& sealed, const SecretBytes& kek) {
  const auto text = envelope::Open(kek, sealed.sealed, AsBytes(Context(sealed.exchange_id)));
  if (!text) return Fail(ErrorCode::kCorrupt, "an opening does not decrypt");
  const auto other_form = [] {
    return Fail(ErrorCode::kCorrupt, "an opening has another form, perhaps of an earlier version");
  };
  ByteView rest = text->Expose();
  if (rest.size() < kStart || rest[0] != kForm || rest[1] > HitOpening::kMaxLists) {
    return other_form();
  }
  const std::size_t lists = rest[1];
  rest = rest.subspan(kStart);
  HitOpening opening;
  for (std::size_t i = 0; i < lists; ++i) {
    auto list = TakeList(rest);
    if (!list) return other_form();
    opening.lists.push_back(*std::move(list));
  }
  if (rest.size() > HitOpening::kMaxTemplate) return other_form();
  opening.probe = SecretBytes::CopyOf(rest);
  return opening;
}

}  // namespace comity::casework
