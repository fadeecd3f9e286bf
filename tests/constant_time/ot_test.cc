// SPDX-License-Identifier: Apache-2.0
// The oblivious transfer under valgrind: choices, Delta, keys and pads. Both sides in one process,
// so that a value is public once it has gone over the wire.
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "crypto/ot/base_ot.h"
#include "crypto/ot/pads.h"
#include "crypto/ot/puncturable_tree.h"
#include "crypto/ot/softspoken.h"
#include "tests/constant_time/taint.h"
#include "tests/unit/crypto/ot/ot_session.h"

namespace comity::constant_time {
namespace {

using namespace comity::ot;
using testing::BaseKeys;
using testing::DealBaseKeys;

constexpr std::size_t kOts = 1792;  // a whole strip, and a part of one

class ObliviousTransfer : public ConstantTime {
 protected:
  static BaseKeys SecretBaseKeys() {
    BaseKeys keys = DealBaseKeys(1);
    MarkSecret(keys.sender.keys.Expose());
    MarkSecret(keys.receiver.choices.Expose());
    MarkSecret(keys.receiver.keys.Expose());
    // The choices are bits: what is secret of an octet is its lowest.
    for (std::uint8_t& choice : keys.receiver.choices.ExposeMutable()) choice &= 1;
    return keys;
  }
  SecretRandom random_{1};
};

TEST_F(ObliviousTransfer, BaseReceiver) {
  testing::SeededRandom public_random(1);
  const BaseOtSender sender({}, public_random);
  auto receiver = BaseOtReceiver::Answer({}, sender.offer(), random_);
  ASSERT_TRUE(receiver.has_value());
  EXPECT_TRUE(IsSecret(receiver->answer()));
  const BaseOtReceiverKeys keys = std::move(*receiver).TakeKeys();
  EXPECT_TRUE(IsSecret(keys.choices.Expose()));
  EXPECT_TRUE(IsSecret(keys.keys.Expose()));
}

TEST_F(ObliviousTransfer, BaseSender) {
  testing::SeededRandom public_random(1);
  BaseOtSender sender({}, random_);
  MarkPublic(sender.offer());
  const auto receiver = BaseOtReceiver::Answer({}, sender.offer(), public_random);
  ASSERT_TRUE(receiver.has_value());
  const auto keys = std::move(sender).Finish(receiver->answer());
  ASSERT_TRUE(keys.has_value());
  EXPECT_TRUE(IsSecret(keys->keys.Expose()));
}

TEST_F(ObliviousTransfer, TreesOfBothSides) {
  const BaseKeys base = SecretBaseKeys();
  const FullTrees full = MakeTrees({}, base.sender, random_);
  EXPECT_TRUE(IsSecret(full.message));
  EXPECT_TRUE(IsSecret(full.leaf_keys.Expose()));
  MarkPublic(full.message);
  const auto punctured = OpenTrees({}, base.receiver, full.message);
  ASSERT_TRUE(punctured.has_value());
  EXPECT_TRUE(IsSecret(punctured->delta.Expose()));
  EXPECT_TRUE(IsSecret(punctured->leaf_keys.Expose()));
}

// The session from the base keys to an opened bit. The portable kernel is the one that memcheck can
// run; the other is the business of the timing test.
TEST_F(ObliviousTransfer, ExtensionAndPads) {
  BaseKeys base = SecretBaseKeys();
  SoftSpokenHolder holder({}, std::move(base.sender), random_, ot::Kernel::kPortable);
  MarkPublic(holder.tree_message());
  auto requester = SoftSpokenRequester::Create({}, std::move(base.receiver), holder.tree_message(),
                                               ot::Kernel::kPortable);
  ASSERT_TRUE(requester.has_value());
  HolderPadPool holder_pads({}, ot::Kernel::kPortable);
  RequesterPadPool requester_pads({}, ot::Kernel::kPortable);

  const Bytes message = holder.Begin(kOts).value();
  EXPECT_TRUE(IsSecret(message));
  MarkPublic(message);
  ASSERT_TRUE(requester->Begin(kOts).has_value());
  ASSERT_TRUE(requester->Receive(message).has_value());
  HolderRows ours;
  RequesterRows theirs;
  while (holder.Read(ours).value()) {
    EXPECT_TRUE(IsSecret(ours.rows.Expose()));
    EXPECT_TRUE(IsSecret(ours.choices.Expose()));
    ASSERT_TRUE(requester->Read(theirs).value());
    EXPECT_TRUE(IsSecret(theirs.rows.Expose()));
    EXPECT_TRUE(IsSecret(theirs.delta.Expose()));
    holder_pads.Add(ours);
    requester_pads.Add(theirs);
  }

  const std::size_t pads = holder_pads.size();
  ASSERT_EQ(pads, kOts / 6);
  std::vector<std::uint8_t> positions(pads, 21);
  MarkSecret(positions);
  for (std::uint8_t& position : positions) position &= 63;
  std::vector<std::uint8_t> offsets(pads);
  HolderOpenings openings = std::move(*holder_pads.Take(pads)).Offsets(positions, offsets);
  EXPECT_TRUE(IsSecret(offsets));
  Bytes tables(kPadBytes * pads, 0x39);
  MarkSecret(tables);
  std::move(*requester_pads.Take(pads)).Cover(tables);
  MarkPublic(tables);
  const SecretBytes bits = std::move(openings).Open(tables);
  EXPECT_TRUE(IsSecret(bits.Expose()));
}

}  // namespace
}  // namespace comity::constant_time
