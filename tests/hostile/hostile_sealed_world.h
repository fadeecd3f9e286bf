// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <string>

#include "services/audit/events.h"
#include "tests/hostile/sealed_peer.h"
#include "tests/integration/direct_search_world.h"
#include "tests/integration/opened_log.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {

inline constexpr std::uint64_t kFarBeyond = std::numeric_limits<std::uint64_t>::max();

inline std::string Changed(std::string octets) {
  octets.front() = static_cast<char>(octets.front() ^ 1);
  return octets;
}

// A council that has an agreement on sealed search with the police and papers that are in order,
// and is up to no good.
class HostileSealedRequester : public DirectSearchWorld {
 protected:
  void SetUp() override {
    police_.Configure("[sealed]\nanswer_after = 0\n");
    DirectSearchWorld::SetUp();
    text_.mode = "sealed";
    text_.probes_per_day = probes_a_day_;
    Agree();
    ImportEntries(10);
    Connect();
    lists_ = peer_->AwaitLists();
    ASSERT_EQ(lists_.size(), 1U);
  }
  void Connect() { peer_ = std::make_unique<SealedPeer>(SetupOf(council_)); }
  SealedPeer::Setup SetupOf(const LiveAgency& requester) {
    policy::SearchRequest terms = Terms();
    terms.requester = policy::AgencyId::Parse(requester.name()).value();
    terms.mode = policy::SearchMode::kSealed;
    return {requester.unchecked_towards(police_), police_.pki() / "gateway.pem", terms, clock_};
  }
  std::unique_ptr<SealedSession> NewSession() { return peer_->NewSession(lists_); }
  std::unique_ptr<SealedSession> ReadySession() {
    auto session = NewSession();
    EXPECT_THAT(session->BeReady(), IsOk());
    return session;
  }
  v1::SealedProbes OneProbe(SealedSession& session) {
    const Template face = RandomTemplate(random_);
    return session.Probes({&face, 1});
  }
  void ExpectFinds(SealedSession& session, std::size_t entry) {
    const auto answers = session.Search(entries_[entry]);
    ASSERT_THAT(answers, IsOk());
    ASSERT_EQ(answers->answers_size(), 1);
    ASSERT_EQ(answers->answers(0).hits_size(), 1) << answers->DebugString();
    EXPECT_EQ(answers->answers(0).hits(0).reference(), "ref-" + std::to_string(entry));
  }
  // Somebody who asks as agreed is served as ever.
  void ExpectServes() {
    const auto session = ReadySession();
    const auto answers = session->Search(RandomTemplate(random_));
    ASSERT_THAT(answers, IsOk());
    ASSERT_EQ(answers->answers_size(), 1);
    EXPECT_EQ(answers->answers(0).decision().code(), v1::DECISION_CODE_PERMIT);
    EXPECT_EQ(answers->answers(0).entries(), entries_.size());
  }
  void Shred() {
    v1::ShredWatchlistRequest request;
    v1::ShredWatchlistResponse response;
    grpc::ClientContext context;
    request.set_watchlist("lantern");
    request.set_reason("a copy was stolen");
    ASSERT_TRUE(police_.watchlists("supervisor-1")->Shred(&context, request, &response).ok());
  }
  OpenedLog StoppedLog() {
    police_.Stop();
    return OpenedLog::Of(police_).value();
  }
  static void ExpectEverySessionClosed(const OpenedLog& log) {
    const auto exchange = [](const OpenedLog::Entry& entry) { return entry.entry.exchange; };
    std::set<std::string> opened;
    for (const auto& [id, times] : log.Times(audit::kSearchOpened, exchange)) opened.insert(id);
    log.ExpectEachOnce(audit::kSearchClosed, exchange, opened);
  }

  std::uint64_t probes_a_day_ = 1'000'000;
  std::unique_ptr<SealedPeer> peer_;
  gateway::SealedLists lists_;
};

}  // namespace comity::testing
