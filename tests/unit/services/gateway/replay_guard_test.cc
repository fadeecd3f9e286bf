// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/wire/replay_guard.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/support/agency_store.h"
#include "tests/support/result_matchers.h"

namespace comity::gateway {
namespace {

using testing::AgencyStore;
using testing::FailsWith;
using testing::IsOk;

const policy::AgencyId kPeer = policy::AgencyId::Parse("eastvale-council").value();
const policy::AgencyId kOther = policy::AgencyId::Parse("westmere-council").value();

TEST(ReplayGuard, AdmitsAnExchangeOnce) {
  AgencyStore agency;
  ReplayGuard guard(agency.store(), agency.clock);
  EXPECT_THAT(guard.Admit(kPeer, "x1"), IsOk());
  EXPECT_THAT(guard.Admit(kPeer, "x1"), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(guard.Admit(kPeer, "x2"), IsOk());
  EXPECT_THAT(guard.Admit(kPeer, "x1"), FailsWith(ErrorCode::kConflict));
}

TEST(ReplayGuard, LetsNoPeerUseUpTheIdsOfAnother) {
  AgencyStore agency;
  ReplayGuard guard(agency.store(), agency.clock);
  EXPECT_THAT(guard.Admit(kPeer, "x1"), IsOk());
  EXPECT_THAT(guard.Admit(kOther, "x1"), IsOk());
}

TEST(ReplayGuard, RemembersAcrossARestart) {
  AgencyStore agency;
  EXPECT_THAT(ReplayGuard(agency.store(), agency.clock).Admit(kPeer, "x1"), IsOk());
  agency.Reopen();
  ReplayGuard guard(agency.store(), agency.clock);
  EXPECT_THAT(guard.Admit(kPeer, "x1"), FailsWith(ErrorCode::kConflict));
}

TEST(ReplayGuard, RemembersForAsLongAsTheMessageIsAcceptable) {
  AgencyStore agency;
  ReplayGuard guard(agency.store(), agency.clock);
  ASSERT_THAT(guard.Admit(kPeer, "x1"), IsOk());
  // A message dated 60 s ahead is acceptable until 60 s after its date.
  agency.clock.Advance(2 * kMaxClockSkew);
  EXPECT_THAT(guard.Admit(kPeer, "x1"), FailsWith(ErrorCode::kConflict));
  agency.clock.Advance(std::chrono::seconds(1));
  EXPECT_THAT(guard.Admit(kPeer, "x1"), FailsWith(ErrorCode::kConflict));
}

TEST(ReplayGuard, ForgetsOnceTheMessageIsRefusedForItsAge) {
  AgencyStore agency;
  ReplayGuard guard(agency.store(), agency.clock);
  ASSERT_THAT(guard.Admit(kPeer, "x1"), IsOk());
  agency.clock.Advance(kReplayWindow);
  EXPECT_THAT(guard.Admit(kPeer, "x2"), IsOk());
  EXPECT_THAT(guard.Admit(kPeer, "x1"), IsOk());
}

TEST(ReplayGuard, AdmitsOneOfManyThatComeAtOnce) {
  AgencyStore agency;
  ReplayGuard guard(agency.store(), agency.clock);
  std::atomic<int> admitted = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        if (guard.Admit(kPeer, "x1")) ++admitted;
      });
    }
  }
  EXPECT_EQ(admitted, 1);
}

}  // namespace
}  // namespace comity::gateway
