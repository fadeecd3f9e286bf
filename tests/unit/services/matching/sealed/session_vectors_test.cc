// SPDX-License-Identifier: Apache-2.0
// One whole search against tests/vectors/sealed/session.json, message by message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "crypto/base/encoding.h"
#include "crypto/hash/blake2b.h"
#include "crypto/ot/base_ot.h"
#include "crypto/ot/pads.h"
#include "crypto/ot/softspoken.h"
#include "tests/support/vectors.h"
#include "tests/unit/services/matching/sealed/session.h"

namespace comity::matching {
namespace {

using comity::testing::ReadJsonVector;
using nlohmann::json;
using testing::Template;

Template Int8FromHex(const json& text) {
  const Bytes bytes = *ParseHex(text.get<std::string>());
  return {bytes.begin(), bytes.end()};
}
std::string Hex(ByteView bytes) {
  return EncodeHex(bytes);
}

class SessionVectors : public ::testing::Test {
 protected:
  SessionVectors() : list_({.dimension = 128}, 9) {
    for (const std::uint32_t number : {0U, 2U}) {
      list_.Seal(number, Int8FromHex(v_["entries_int8"][std::to_string(number)]));
    }
    list_.Withdraw(v_["withdrawn"].get<std::vector<std::uint32_t>>());
  }
  const json v_ = ReadJsonVector("sealed/session.json");
  testing::SampleList list_;
};

TEST_F(SessionVectors, HeaderAndStateAreThoseOfTheFormats) {
  EXPECT_EQ(Hex(EncodeListHeader(list_.header())), v_["header"].get<std::string>());
  EXPECT_EQ(Hex(EncodeListState(list_.state())), v_["state"].get<std::string>());
  EXPECT_EQ(Hex(list_.view()->header_digest().view()), v_["header_digest"].get<std::string>());
  EXPECT_EQ(Hex(list_.view()->state_digest().view()), v_["state_digest"].get<std::string>());
}

TEST_F(SessionVectors, EveryMessageOfASearch) {
  testing::Session session(list_);
  EXPECT_EQ(Hex(session.requester().sid().view()), v_["sid"].get<std::string>());
  auto open = session.Begin({Int8FromHex(v_["q_int8"])}, {0});
  const SealedRequester::Begun& begun = open[0].begun;
  EXPECT_EQ(Hex(begun.binding.view()), v_["binding"].get<std::string>());
  EXPECT_EQ(Hex(begun.openings[0].seed.Expose()), v_["z"].get<std::string>());
  EXPECT_EQ(Hex(hash::Blake2b256({begun.probes[0]}).view()),
            v_["blinded_probe"].get<std::string>());
  const Bytes offsets = *session.holder().Offsets(*open[0].holder_round, 0);
  EXPECT_EQ(Hex(offsets), v_["offsets"].get<std::string>());
  sealed::Sketch masks{.cap = 5};
  const Bytes tables = *session.requester().Tables(*begun.round, 0, offsets, masks);
  EXPECT_EQ(Hex(tables), v_["tables"].get<std::string>());
  EXPECT_EQ(Hex(sealed::EncodeSketch(masks)), v_["sketch"].get<std::string>());
  sealed::Sketch bits{.cap = 5};
  ASSERT_TRUE(session.holder().Open(*open[0].holder_round, 0, tables, bits).has_value());
  const SealedHolder::Round* rounds[] = {open[0].holder_round.get()};
  const auto outcome = DecodeOutcome(bits, *ParseHex(v_["sketch"].get<std::string>()), rounds);
  std::vector<std::uint32_t> hits;
  for (const SealedHit& hit : outcome->hits) hits.push_back(hit.slot);
  EXPECT_EQ(json(hits), v_["hits"]);
}

// What the oblivious transfer leaves is taken from the library itself: that it is what both ends
// of the session draw, in the order in which they draw it.
TEST_F(SessionVectors, PadsAreThoseOfTheSameDraws) {
  const json ot = ReadJsonVector("sealed/session_pads.json");
  const Digest sid = SessionId(testing::TermsFor(list_.state().header));
  testing::SeededRandom requester_random(11);
  testing::SeededRandom holder_random(22);
  ot::BaseOtSender sender(sid, holder_random);
  auto receiver = *ot::BaseOtReceiver::Answer(sid, sender.offer(), requester_random);
  auto keys = *std::move(sender).Finish(receiver.answer());
  const ot::Block hash_key = ot::PadHashKey(sid, keys.transcript);
  const ot::Kernel kernel = ot::FastestKernel();
  ot::SoftSpokenHolder holder(sid, std::move(keys), holder_random, kernel);
  auto requester = *ot::SoftSpokenRequester::Create(sid, std::move(receiver).TakeKeys(),
                                                    holder.tree_message(), kernel);
  const PadBatch batch = PadBatchFor(list_.view()->slot_count());
  ASSERT_TRUE(requester.Begin(batch.ots).has_value());
  ASSERT_TRUE(requester.Receive(*holder.Begin(batch.ots)).has_value());
  ot::HolderPadPool holder_pool(hash_key, kernel);
  ot::RequesterPadPool requester_pool(hash_key, kernel);
  ot::HolderRows ours;
  ot::RequesterRows theirs;
  while (*holder.Read(ours)) holder_pool.Add(ours);
  while (*requester.Read(theirs)) requester_pool.Add(theirs);

  const std::size_t slots = list_.view()->slot_count();
  Bytes pads(8 * slots);
  std::move(*requester_pool.Take(slots)).Cover(pads);
  Bytes choices(slots);
  std::move(*holder_pool.Take(slots)).Offsets(Bytes(slots), choices);
  for (auto& choice : choices) choice = static_cast<std::uint8_t>((64 - choice) % 64);
  Bytes fresh(32);
  requester_random.Fill(fresh);
  EXPECT_EQ(Hex(pads), ot["pads"].get<std::string>());
  EXPECT_EQ(Hex(choices), ot["choices"].get<std::string>());
  EXPECT_EQ(Hex(fresh), ot["fresh"].get<std::string>());
}

}  // namespace
}  // namespace comity::matching
