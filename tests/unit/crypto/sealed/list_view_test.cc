// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/list_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/result_matchers.h"
#include "tests/unit/crypto/sealed/sample_list.h"

namespace comity::sealed {
namespace {

using comity::testing::FailsWith;

class ListViews : public ::testing::Test {
 protected:
  ListViews() : list_({.dimension = 128}, 1) {
    testing::Faces faces(128, 5);
    list_.Seal(0, faces.Templates(3));
    list_.Seal(2, faces.Templates(2));
  }
  testing::SampleList list_;
};

TEST_F(ListViews, BothEndsSeeTheSameListAndState) {
  const auto view = list_.view();
  const auto epoch = list_.epoch();
  EXPECT_EQ(view->header_digest(), HeaderDigest(list_.header()));
  EXPECT_EQ(view->state_digest(), StateDigest(list_.state()));
  EXPECT_EQ(epoch->header_digest(), view->header_digest());
  EXPECT_EQ(epoch->state_digest(), view->state_digest());
  EXPECT_THAT(view->slots().numbers(), ::testing::ElementsAre(1, 2, 3, 2049, 2050));
  EXPECT_EQ(epoch->slots().size(), view->slot_count());
}

TEST_F(ListViews, ALaterStateSharesWhatDidNotChange) {
  const auto before = list_.view();
  list_.Withdraw({2});
  const auto after = list_.view(before.get());
  EXPECT_EQ(&after->matrix(), &before->matrix());
  EXPECT_EQ(after->blocks()[0], before->blocks()[0]);
  EXPECT_NE(after->state_digest(), before->state_digest());
  EXPECT_EQ(after->slot_count(), 4U);
}

TEST_F(ListViews, BlocksThatAreNotTheStatesAreRefused) {
  auto blocks = list_.blocks();
  std::swap(blocks[0], blocks[1]);
  EXPECT_THAT(ListView::Create(list_.header(), list_.state(), blocks, nullptr),
              FailsWith(ErrorCode::kInvalidArgument));
  blocks = list_.blocks();
  blocks[1] = nullptr;
  EXPECT_THAT(ListView::Create(list_.header(), list_.state(), blocks, nullptr),
              FailsWith(ErrorCode::kInvalidArgument));
  blocks.pop_back();
  EXPECT_THAT(ListView::Create(list_.header(), list_.state(), blocks, nullptr),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(ListViews, SecretsThatAreNotOneABlockAreRefused) {
  auto secrets = list_.secrets();
  secrets.pop_back();
  EXPECT_THAT(EpochView::Create(list_.header(), list_.state(), secrets),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(ListViews, AStateOfAnotherHeaderIsRefused) {
  ListHeader other = list_.header();
  ++other.epoch;
  EXPECT_THAT(ListView::Create(other, list_.state(), list_.blocks(), nullptr),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(EpochView::Create(other, list_.state(), list_.secrets()),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(ListViews, AFalseDeltaIsRefused) {
  ListHeader other = list_.header();
  --other.delta;
  ListState state = list_.state();
  state.header = HeaderDigest(other);
  EXPECT_THAT(ListView::Create(other, state, list_.blocks(), nullptr),
              FailsWith(ErrorCode::kCorrupt));
}

}  // namespace
}  // namespace comity::sealed
