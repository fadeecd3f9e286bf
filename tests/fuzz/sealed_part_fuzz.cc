// SPDX-License-Identifier: Apache-2.0
// The parts in which the large messages of a sealed session come, as a cheating partner sends them:
// what is put together has exactly the expected size, and answers come out only in their order.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "services/gateway/federation/offsets_intake.h"
#include "services/gateway/federation/part_assembly.h"

namespace comity::gateway {
namespace {

constexpr std::size_t kProbes = 3;
constexpr std::size_t kSize = 40;

SealedWhole Expected() {
  return {.kind = v1::SealedPart::KIND_TABLES,
          .list = 1,
          .binding = {},
          .number = 7,
          .probe = 2,
          .size = kSize};
}

// Next part of a stream of them, each behind its length.
bool Take(ByteView& input, v1::SealedPart& part) {
  if (input.empty()) return false;
  const std::size_t size = std::min<std::size_t>(input[0], input.size() - 1);
  const bool known = part.ParseFromArray(input.data() + 1, static_cast<int>(size));
  input = input.subspan(1 + size);
  return known;
}

// Honest parts but for what the input says: each octet is the size of the next one, or, when odd,
// has one of its numbers changed.
void TryCut(ByteView input) {
  PartAssembly assembly(Expected());
  std::size_t done = 0;
  for (const std::uint8_t octet : input) {
    const std::size_t size = octet % 32U;
    v1::SealedPart part;
    part.set_kind(v1::SealedPart::KIND_TABLES);
    part.set_list(octet == 33 ? 0 : 1);
    part.set_binding(std::string(Digest::kSize, octet == 65 ? '\1' : '\0'));
    part.set_number(octet == 97 ? 6 : 7);
    part.set_probe(2);
    part.set_offset(octet == 129 ? done + 1 : done);
    part.set_size(kSize);
    part.set_data(std::string(size, static_cast<char>(octet)));
    const bool altered = octet == 33 || octet == 65 || octet == 97 || octet == 129;
    const bool fits = size > 0 && size <= kSize - done && !altered;
    COMITY_CHECK(assembly.Add(part).has_value() == fits);
    if (fits) done += size;
    COMITY_CHECK(assembly.is_whole() == (done == kSize));
  }
  if (assembly.is_whole()) COMITY_CHECK(assembly.Take().size() == kSize);
}

void TryAny(ByteView input) {
  PartAssembly assembly(Expected());
  v1::SealedPart part;
  while (Take(input, part)) static_cast<void>(assembly.Add(part));
  COMITY_CHECK(assembly.Take().size() <= kSize);
}

// Answers, sketches and parts in any order.
void TryOffsets(ByteView input) {
  OffsetsIntake intake(7, kProbes, {{Digest{}, kSize}, {Digest{}, 0}});
  std::size_t last = 0;
  while (!input.empty()) {
    const unsigned step = input[0];
    input = input.subspan(1);
    const std::size_t probe = step / 4 % (kProbes + 1);
    v1::SealedPart part;
    switch (step % 4) {
      case 0:
        if (!intake.Answer(probe, true)) return;
        break;
      case 1:
        if (!intake.Answer(probe, false)) return;
        break;
      case 2:
        intake.NoteSketch(probe);
        break;
      default:
        if (!Take(input, part) || !intake.Add(part)) return;
    }
    while (const auto whole = intake.Take()) {
      COMITY_CHECK(whole->octets.size() == kSize && whole->list == 0);
      COMITY_CHECK(whole->probe < kProbes && whole->probe >= last);
      last = whole->probe + 1;
    }
    COMITY_CHECK(std::ranges::is_sorted(intake.accepted()));
  }
}

}  // namespace
}  // namespace comity::gateway

// The first octet chooses what is sent: honest parts of odd sizes, any parts, or what a requester
// awaits.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity;
  if (size == 0) return 0;
  const ByteView rest(data + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      gateway::TryCut(rest);
      break;
    case 1:
      gateway::TryAny(rest);
      break;
    default:
      gateway::TryOffsets(rest);
  }
  return 0;
}
