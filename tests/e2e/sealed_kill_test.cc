// SPDX-License-Identifier: Apache-2.0
// kill -9 of either gateway while lists are sealed, fetched and searched: no probe is answered
// twice, no block lets out more than its budget, and both logs tell the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include "services/audit/events.h"
#include "tests/e2e/exported_log.h"
#include "tests/e2e/killed_gateways.h"
#include "tests/e2e/live_engine.h"
#include "tests/e2e/two_agencies.h"
#include "tests/integration/opened_log.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using Entry = OpenedLog::Entry;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr int kUsualKills = 8;
constexpr auto kPatience = 60s;
constexpr std::uint64_t kBudget = 8;  // hits that leave under one secret of a block

class SealedKill : public ::testing::Test {
 protected:
  void SetUp() override {
    agencies_.ImportEntries(20);
    deployment_ = agencies_.CreateDeployment();
    engine_ = std::make_unique<LiveEngine>([this] { return gateways_.engine(council()); },
                                           agencies_.entries());
    gateways_.Start();
    engine_->Start(deployment_);
  }
  LiveAgency& police() { return agencies_.police(); }
  LiveAgency& council() { return agencies_.council(); }

  // So many that a block is sealed again and fetched meanwhile, every other time.
  void AwaitHits() {
    gateways_.Step("await hits", [&] {
      const std::uint64_t enough = engine_->told().hits + 5;
      const auto until = steady_clock::now() + kPatience;
      while (engine_->told().hits < enough && steady_clock::now() < until) {
        std::this_thread::sleep_for(20ms);
      }
      EXPECT_GE(engine_->told().hits, enough) << engine_->told().last;
    });
  }
  void Shred() {
    gateways_.Step("shred", [&] {
      v1::ShredWatchlistRequest request;
      v1::ShredWatchlistResponse response;
      request.set_watchlist("lantern");
      request.set_reason("a copy was stolen");
      gateways_.Do(police(), "supervisor-1", [&](const auto& channel, auto& context) {
        return v1::Watchlists::NewStub(channel)->Shred(&context, request, &response);
      });
    });
  }
  void Live() {
    AwaitHits();
    AwaitHits();
    Shred();
    AwaitHits();
  }

  // The blocks of each state of each list that the holder has signed: hashes in hex.
  static std::map<std::string, std::set<std::string>> BlocksOf(const OpenedLog& holder) {
    std::map<std::string, std::set<std::string>> blocks;
    for (const Entry& entry : holder.entries()) {
      if (entry.entry.type != audit::kSealedListPublished) continue;
      std::istringstream lines(entry.Field("blocks"));
      std::string number, count, hash;
      while (lines >> number >> count >> hash) blocks[entry.Message("state")].insert(hash);
    }
    return blocks;
  }
  // A list of so few entries has one block. Under each of its secrets, however often the gateway
  // was killed in between, no more hits leave than one may give.
  static void CheckBudgets(const OpenedLog& holder) {
    const auto blocks = BlocksOf(holder);
    std::map<std::string, std::uint64_t> released;
    for (const Entry& entry : holder.entries()) {
      if (entry.entry.type != audit::kSearchHit) continue;
      const auto lists = nlohmann::json::parse(entry.Field("sealed"));
      ASSERT_EQ(lists.size(), 1U);
      const auto state = blocks.find(lists[0].at("state").get<std::string>());
      ASSERT_NE(state, blocks.end()) << "a hit in a state that was not published";
      ASSERT_EQ(state->second.size(), 1U);
      released[*state->second.begin()] += std::stoull(entry.Count("hits"));
    }
    for (const auto& [hash, hits] : released) EXPECT_LE(hits, kBudget) << hash;
    EXPECT_GE(released.size(), 2U) << "no block was ever sealed again";
  }
  // Every alert is of a hit that the holder knows of, and what the engine was told of is there.
  void CheckAlerts(const OpenedLog& requester, const OpenedLog& holder) {
    const auto probe = [](const Entry& entry) {
      return entry.entry.exchange + " " + entry.Message("answer");
    };
    requester.ExpectNoneTwice(audit::kAlertRaised, probe);
    // One probe is answered once.
    holder.ExpectNoneTwice(audit::kSearchHit, [](const Entry& e) { return e.entry.exchange; });
    const auto hits = holder.Times(audit::kSearchHit, probe);
    std::set<std::string> exchanges;
    for (const auto& [alert, times] : requester.Times(audit::kAlertRaised, probe)) {
      EXPECT_TRUE(hits.contains(alert)) << "the holder knows nothing of " << alert;
      exchanges.insert(alert.substr(0, alert.find(' ')));
    }
    for (const auto& [exchange, alert] : engine_->told().alert_of) {
      EXPECT_TRUE(exchanges.contains(exchange)) << alert << " was acknowledged and is lost";
    }
  }
  // Nothing was searched that was not published, and the holder knows what its partner has.
  static void CheckLists(const OpenedLog& requester, const OpenedLog& holder) {
    const auto state = [](const Entry& entry) { return entry.Message("state"); };
    const auto header = [](const Entry& entry) { return entry.Message("header"); };
    const auto published = holder.Times(audit::kSealedListPublished, state);
    holder.ExpectNoneTwice(audit::kSealedListPublished, state);
    holder.ExpectNoneTwice(audit::kSealedListShredded, header);
    requester.ExpectNoneTwice(audit::kSealedListReceived, state);
    requester.ExpectNoneTwice(audit::kSealedListErased, header);
    for (const auto& [one, times] : requester.Times(audit::kSealedListReceived, state)) {
      EXPECT_TRUE(published.contains(one)) << one << " was received and never published";
    }
    const auto held = requester.Times(audit::kSealedListReceived, header);
    for (const auto& [one, times] : holder.Times(audit::kSealedListAcknowledged, header)) {
      EXPECT_TRUE(held.contains(one)) << one << " was acknowledged and never received";
    }
  }
  // What the last face had sealed again is fetched, and said to be held, after it; what it followed
  // is erased after that, and said to be.
  void AwaitNewestCopy() {
    const auto until = steady_clock::now() + kPatience;
    while (!HasNewestCopy()) {
      ASSERT_LT(steady_clock::now(), until)
          << "the requester has other copies than what was sealed last";
      std::this_thread::sleep_for(200ms);
    }
  }
  bool HasNewestCopy() {
    const auto holder = WholeLog::Of(*v1::Audit::NewStub(gateways_.ChannelOf(police(), "auditor")));
    const auto requester =
        WholeLog::Of(*v1::Audit::NewStub(gateways_.ChannelOf(council(), "auditor")));
    if (!holder || !requester) return false;
    std::set<Digest> held;
    std::set<Digest> lists;
    for (const tlog::LogEntry& entry : requester->entries()) {
      if (entry.type == audit::kSealedListReceived) {
        held.insert(entry.messages.at("state"));
        lists.insert(entry.messages.at("header"));
      }
      if (entry.type == audit::kSealedListErased) lists.erase(entry.messages.at("header"));
    }
    std::optional<Digest> newest;
    for (const tlog::LogEntry& entry : holder->entries()) {
      if (entry.type == audit::kSealedListPublished) newest = entry.messages.at("state");
    }
    return newest && held.contains(*newest) && lists.size() == 1;
  }
  void Check() {
    engine_->Stop();
    ASSERT_NO_FATAL_FAILURE(AwaitNewestCopy());
    gateways_.ExpectSettled();
    gateways_.Stop();
    const auto holder = OpenedLog::Of(police());
    const auto requester = OpenedLog::Of(council());
    ASSERT_THAT(holder, IsOk());
    ASSERT_THAT(requester, IsOk());
    CheckBudgets(*holder);
    CheckAlerts(*requester, *holder);
    CheckLists(*requester, *holder);
    ExpectMessagesArrivedOnce(*holder, *requester);
    ExpectMessagesArrivedOnce(*requester, *holder);
  }

  TwoAgencies agencies_{128, [](AgreementText& text, LiveAgency& police, LiveAgency&) {
                          text.mode = "sealed";
                          police.Configure("[sealed]\nanswer_after = 0\n");
                        }};
  KilledGateways gateways_{{&agencies_.police(), &agencies_.council()}, kUsualKills};
  std::unique_ptr<LiveEngine> engine_;
  std::string deployment_;
};

TEST_F(SealedKill, LeavesNothingHalfAnswersNothingTwiceAndForgetsNoRelease) {
  do {
    Live();
  } while (gateways_.has_kills_left() && !HasFailure());
  if (!HasFailure()) Check();
}

}  // namespace
}  // namespace comity::testing
