// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>  // what samples.h expects with

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "crypto/sealed/threshold.h"
#include "services/matching/sealed/holder_round.h"
#include "services/matching/sealed/requester_round.h"
#include "services/matching/sealed/sealed_holder.h"
#include "services/matching/sealed/sealed_outcome.h"
#include "services/matching/sealed/sealed_requester.h"
#include "tests/fuzz/altered_message.h"
#include "tests/unit/crypto/sealed/sample_list.h"

namespace comity::matching {
namespace {

using comity::testing::AlteredMessage;
using sealed::testing::Faces;
using sealed::testing::SampleList;
using sealed::testing::SeededRandom;

constexpr std::uint32_t kDimension = 128;
constexpr std::size_t kSlots = 5;
constexpr std::uint32_t kCap = 2;

enum Message { kOffer, kAnswer, kTrees, kPads, kProbe, kOffsets, kTables, kSketch, kMessages };

const SampleList& List() {
  static const SampleList list = [] {
    SampleList made({.dimension = kDimension}, 1);
    made.Seal(0, Faces(kDimension, 1).Templates(kSlots));
    return made;
  }();
  return list;
}

SealedSessionTerms Terms() {
  SealedSessionTerms terms;
  terms.header = List().state().header;
  terms.tau = 4000;
  terms.cap = kCap;
  return terms;
}

std::vector<sealed::SecretArray<std::int8_t>> Templates() {
  std::vector<sealed::SecretArray<std::int8_t>> templates;
  templates.emplace_back(kDimension);
  std::ranges::copy(List().Entry(2), templates[0].ExposeMutable().begin());
  return templates;
}

// Both ends of a session, set up and fed with pads until a side refuses.
struct Ends {
  SeededRandom random{7};
  std::optional<SealedHolder> holder;
  std::optional<SealedRequester> requester;
  std::uint64_t probes = 0;
};

// A search message by message. From the altered message on, a side may refuse; then its session has
// ended. Nothing else may happen.
class Search {
 public:
  Search(Message altered, ByteView input) : altered_(altered), input_(input) {}

  // Whether both ends can go on.
  bool SetUp(Ends& ends) {
    ends.holder = *SealedHolder::Create(
        {.list = List().epoch(), .terms = Terms(), .kernels = kernels_, .random = ends.random});
    auto requester = SealedRequester::Create(
        {.list = List().view(), .terms = Terms(), .kernels = kernels_, .random = ends.random},
        Sent(kOffer, ends.holder->offer()));
    if (!requester) return Refused(kOffer);
    ends.requester = std::move(*requester);
    const auto trees = ends.holder->OnAnswer(Sent(kAnswer, ends.requester->answer()));
    if (!trees) return HasEnded(*ends.holder, kAnswer);
    if (!ends.requester->OnTrees(Sent(kTrees, *trees))) return HasEnded(*ends.requester, kTrees);
    return Refill(ends);
  }

  bool Exchange(Ends& ends) {
    SealedHolder& holder = *ends.holder;
    SealedRequester& requester = *ends.requester;
    if (holder.pads() < kSlots && !Refill(ends)) return false;
    const auto begun = requester.Begin(Templates(), ++ends.probes);
    const Bytes probe = Sent(kProbe, begun->probes[0]);
    const std::array<ByteView, 1> probes{probe};
    const std::uint64_t taken = holder.pads_taken();
    const auto round = holder.Begin(probes);
    if (!round) {  // uses nothing up, but the sides are a batch apart
      COMITY_CHECK(holder.pads_taken() == taken && probe.size() != sealed::kElementBytes);
      holder.SkipBatch();
      return Refused(kProbe), true;
    }
    COMITY_CHECK(requester.Accept(*begun->round, std::array<std::size_t, 1>{0}).has_value());
    const Bytes offsets = *holder.Offsets(**round, 0);
    sealed::Sketch masks{.cap = kCap};
    const auto tables = requester.Tables(*begun->round, 0, Sent(kOffsets, offsets), masks);
    if (!tables) return HasEnded(requester, kOffsets);
    COMITY_CHECK(tables->size() == sealed::kTableBytes * kSlots);
    sealed::Sketch bits{.cap = kCap};
    if (!holder.Open(**round, 0, Sent(kTables, *tables), bits)) return HasEnded(holder, kTables);
    Decode(**round, bits, Sent(kSketch, sealed::EncodeSketch(masks)));
    return true;
  }

 private:
  Bytes Sent(Message message, ByteView honest) const {
    return message == altered_ ? AlteredMessage(honest, input_) : ToBytes(honest);
  }
  // What nobody has altered is not refused.
  bool Refused(Message latest) const {
    COMITY_CHECK(altered_ <= latest);
    return false;
  }
  bool HasEnded(SealedRequester& requester, Message latest) const {
    const auto begun = requester.Begin(Templates(), std::uint64_t{1} << 40);
    COMITY_CHECK(!begun && begun.error().code == ErrorCode::kConflict);
    COMITY_CHECK(!requester.OnPads({}) && requester.pads() == 0);
    return Refused(latest);
  }
  bool HasEnded(SealedHolder& holder, Message latest) const {
    const auto message = holder.MakePads();
    COMITY_CHECK(!message && message.error().code == ErrorCode::kConflict);
    COMITY_CHECK(holder.pads() == 0);
    return Refused(latest);
  }
  bool Refill(Ends& ends) const {
    const auto message = ends.holder->MakePads();
    if (!message) return false;  // the session's OT numbers are used up
    if (ends.requester->OnPads(Sent(kPads, *message))) return true;
    return HasEnded(*ends.requester, kPads);
  }

  void Decode(const SealedHolder::Round& round, const sealed::Sketch& bits, ByteView sketch) {
    const std::array<const SealedHolder::Round*, 1> rounds{&round};
    const auto outcome = DecodeOutcome(bits, sketch, rounds);
    if (!outcome) return static_cast<void>(Refused(kSketch));
    COMITY_CHECK(outcome->hits.size() <= kCap && !(outcome->over_cap && !outcome->hits.empty()));
    for (const SealedHit& hit : outcome->hits) {
      COMITY_CHECK(hit.list == 0 && hit.slot >= 1 && hit.slot <= kSlots);
    }
  }

  const Message altered_;
  const ByteView input_;
  const SealedKernels kernels_{.score = sealed::FastestKernel(), .ot = ot::FastestKernel()};
};

// A set-up has 128 base OTs, so a session is used for as long as it lasts. An altered tree message
// may pass (then the sides' pads differ), so what follows it is another session.
void Try(Message altered, ByteView input) {
  static std::unique_ptr<Ends> lasting;
  Search search(altered, input);
  if (altered <= kPads) {
    Ends ends;
    if (search.SetUp(ends)) search.Exchange(ends);
    return;
  }
  if (lasting == nullptr) {
    lasting = std::make_unique<Ends>();
    COMITY_CHECK(search.SetUp(*lasting));
  }
  if (!search.Exchange(*lasting)) lasting.reset();
}

}  // namespace
}  // namespace comity::matching

// The first octet chooses the message that a cheating peer has altered (few of its values those of
// the set-up, which takes long); the rest says how (altered_message.h).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity;
  if (size == 0) return 0;
  const unsigned message = data[0] < 4 ? data[0] : 4 + data[0] % 4U;
  static_assert(matching::kMessages == 8);
  matching::Try(static_cast<matching::Message>(message), ByteView(data + 1, size - 1));
  return 0;
}
