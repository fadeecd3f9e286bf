// SPDX-License-Identifier: Apache-2.0
#include "services/casework/alerts.h"

#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <thread>

#include "services/audit/events.h"
#include "tests/support/agency_store.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/casework/hit_reports.h"

namespace comity::casework {
namespace {

using comity::testing::AgencyStore;
using comity::testing::FailsWith;
using comity::testing::IsOk;
using comity::testing::IsOkAnd;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace testing;
using namespace std::chrono_literals;

class AlertDeskTest : public ::testing::Test {
 protected:
  void SetUp() override { Open(); }
  void Open() {
    desk_ = std::make_unique<AlertDesk>(AlertDeskSetup{.store = agency_.store(),
                                                       .journal = agency_.journal(),
                                                       .kek = agency_.kek(),
                                                       .random = agency_.random,
                                                       .clock = agency_.clock,
                                                       .own = agency_.own});
  }
  void Restart() {
    desk_.reset();
    agency_.Reopen();
    Open();
  }
  std::vector<Alert> List() { return desk_->List(agency_.clock.Now(), 0).value(); }

  AgencyStore agency_;
  std::unique_ptr<AlertDesk> desk_;
};

TEST_F(AlertDeskTest, KeepsAnAlertAcrossARestart) {
  const auto raised = desk_->Raise(Report("ns-1", "c1"));
  ASSERT_THAT(raised, IsOk());
  EXPECT_FALSE(raised->merged);
  EXPECT_EQ(raised->alert.expires_at, agency_.clock.Now() + 24h);
  Restart();
  EXPECT_THAT(List(), ::testing::ElementsAre(raised->alert));
  EXPECT_EQ(agency_.CountEvents(audit::kAlertRaised), 1U);
}

TEST_F(AlertDeskTest, KeepsWhatOpensASealedProbeForAsLongAsItsFrame) {
  const auto with_opening = [](const std::string& capture, std::uint8_t octet) {
    HitReport report = Report("ns-1", capture);
    HitOpening opening;
    opening.probe = SecretBytes::CopyOf(Bytes(128, octet));
    opening.lists.push_back({Bytes(220, 5), SecretBytes::CopyOf(Bytes(32, octet))});
    report.opening = std::make_shared<const HitOpening>(std::move(opening));
    return report;
  };
  ASSERT_THAT(desk_->Raise(with_opening("c0", 7)), IsOk());
  Restart();
  auto kept = List()[0].openings;
  ASSERT_THAT(kept, SizeIs(1));
  const auto opened = OpenOpening(kept[0], agency_.kek());
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->probe.Expose()[127], 7);
  EXPECT_EQ(opened->lists[0].seed.Expose()[31], 7);
  EXPECT_EQ(opened->lists[0].header, Bytes(220, 5));
  SealedOpening moved = kept[0];
  moved.exchange_id = "x-other";
  EXPECT_THAT(OpenOpening(moved, agency_.kek()), FailsWith(ErrorCode::kCorrupt));
  for (std::size_t i = 1; i <= Alert::kMaxFrames; ++i) {
    const std::string capture = "c" + std::to_string(i);
    ASSERT_THAT(desk_->Raise(i % 2 == 0 ? with_opening(capture, 8) : Report("ns-1", capture)),
                IsOk());
  }
  kept = List()[0].openings;
  EXPECT_THAT(kept, SizeIs(Alert::kMaxFrames / 2));
  EXPECT_EQ(kept[0].exchange_id, "x-c2");
}

TEST_F(AlertDeskTest, MergesFramesWithinTheWindowOnly) {
  const auto first = desk_->Raise(Report("ns-1", "c1"));
  agency_.clock.Advance(30s);
  HitReport better = Report("ns-1", "c2");
  better.hit.similarity = 0.9F;
  const auto second = desk_->Raise(better);
  ASSERT_THAT(second, IsOk());
  EXPECT_TRUE(second->merged);
  EXPECT_EQ(second->alert.id, first->alert.id);
  EXPECT_EQ(second->alert.frame_count, 2U);
  EXPECT_EQ(second->alert.hit.similarity, 0.9F);
  EXPECT_EQ(second->alert.expires_at, first->alert.expires_at);
  EXPECT_EQ(second->alert.exchange_id, "x-c1");
  agency_.clock.Advance(30s + 1us);
  EXPECT_FALSE(desk_->Raise(Report("ns-1", "c3"))->merged);
  EXPECT_THAT(List(), SizeIs(2));
  EXPECT_EQ(agency_.CountEvents(audit::kAlertRaised), 3U);  // each hit is logged
}

TEST_F(AlertDeskTest, AFrameUnderANarrowerAgreementNarrowsTheAlert) {
  using enum policy::ReceiverRole;
  ASSERT_THAT(desk_->Raise(Report("ns-1", "c1")), IsOk());
  HitReport narrower = Report("ns-1", "c2");
  narrower.releases = {{policy::ReleaseItem::kReferenceNumber, {kSupervisor, kAuditor}},
                       {policy::ReleaseItem::kCategory, {kOperator, kSupervisor}}};
  const auto merged = desk_->Raise(narrower);
  ASSERT_THAT(merged, IsOk());
  ASSERT_TRUE(merged->merged);
  const auto seen = [&](policy::ReceiverRole role) {
    return VisibleTo({role}, merged->alert.hit, merged->alert.releases);
  };
  EXPECT_EQ(seen(kEngine), ReleasedHit{});
  EXPECT_EQ(seen(kAuditor), ReleasedHit{});
  EXPECT_EQ(seen(kSupervisor).reference, "ns-1");
  EXPECT_EQ(seen(kOperator), (ReleasedHit{"", merged->alert.hit.category, "", {}}));
}

TEST_F(AlertDeskTest, MergesOnlyWhatIsTheSame) {
  ASSERT_THAT(desk_->Raise(Report("ns-1", "c1")), IsOk());
  std::vector<HitReport> others(6, Report("ns-1", "c2"));
  others[0].hit.reference = "ns-2";
  others[1].holder = policy::AgencyId::Parse("westmoor-police").value();
  others[2].deployment = policy::DeploymentId::Parse("d-station").value();
  others[3].hit.category = policy::ListCategory::Parse("victim").value();
  others[4].hit.response_code = "red: do not approach";
  others[5] = Report("ns-1", "c1");  // the very same capture: another entry of that reference
  for (const HitReport& other : others) EXPECT_FALSE(desk_->Raise(other)->merged);
}

TEST_F(AlertDeskTest, NeverMergesWithoutDeploymentOrReference) {
  for (const bool retrospective : {true, false}) {
    for (const char* capture : {"c1", "c2"}) {
      HitReport report = Report(retrospective ? "ns-1" : "", capture);
      if (retrospective) report.deployment = {};
      const auto raised = desk_->Raise(report);
      ASSERT_THAT(raised, IsOk());
      EXPECT_FALSE(raised->merged);
    }
  }
  EXPECT_THAT(List(), SizeIs(4));
}

TEST_F(AlertDeskTest, KeepsTheLastSixteenFrames) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(desk_->Raise(Report("ns-1", "c" + std::to_string(i))), IsOk());
  }
  const Alert alert = List().front();
  EXPECT_EQ(alert.frame_count, 20U);
  ASSERT_THAT(alert.frames, SizeIs(16));
  EXPECT_EQ(alert.frames.front().capture_ref, "c4");
  EXPECT_EQ(alert.frames.back().capture_ref, "c19");
}

TEST_F(AlertDeskTest, RaisesAllHitsOfAProbeOrNone) {
  std::vector<HitReport> reports = {Report("ns-1", "c1"), Report("ns-2", "c1")};
  reports[1].threshold = std::nan("");
  EXPECT_THAT(desk_->RaiseAll(reports), FailsWith(ErrorCode::kInvalidArgument));
  // Fails inside the unit of work, at the second hit: an entry above its size limit.
  reports[1] = Report("ns-2", "c1");
  reports[1].clauses.assign(1000, "clause-of-some-length");
  EXPECT_FALSE(desk_->RaiseAll(reports).has_value());
  EXPECT_THAT(List(), IsEmpty());
  EXPECT_EQ(agency_.CountEvents(audit::kAlertRaised), 0U);
  reports[1] = Report("ns-2", "c1");
  EXPECT_THAT(desk_->RaiseAll(reports), IsOkAnd(SizeIs(2)));
  EXPECT_THAT(desk_->RaiseAll({}), IsOkAnd(IsEmpty()));
  EXPECT_THAT(desk_->RaiseAll(std::vector<HitReport>(101, Report("ns-1", "c1"))),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(AlertDeskTest, RaisesAlertsTogetherWithWhatElseIsDone) {
  const std::vector<HitReport> reports = {Report("ns-1", "c1")};
  bool fails = true;
  const auto also = [&](store::Transaction&, audit::Recorder& recorder) -> Status {
    audit::Event event;
    event.type = audit::kAlertsChanged;
    event.parties = {policy::AgencyId::Parse("eastvale-council").value()};
    COMITY_RETURN_IF_ERROR(recorder.Record(event));
    if (fails) return Fail(ErrorCode::kUnavailable, "not counted");
    return {};
  };
  EXPECT_THAT(desk_->RaiseAll(reports, also), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(List(), IsEmpty());
  EXPECT_EQ(agency_.CountEvents(audit::kAlertRaised), 0U);
  EXPECT_EQ(agency_.CountEvents(audit::kAlertsChanged), 0U);
  fails = false;
  EXPECT_THAT(desk_->RaiseAll(reports, also), IsOkAnd(SizeIs(1)));
  EXPECT_THAT(List(), SizeIs(1));
  EXPECT_EQ(agency_.CountEvents(audit::kAlertRaised), 1U);
  EXPECT_EQ(agency_.CountEvents(audit::kAlertsChanged), 1U);
}

TEST_F(AlertDeskTest, RefusesReportsOverTheirBounds) {
  const auto refused = [&](auto change) {
    HitReport report = Report("ns-1", "c1");
    change(report);
    EXPECT_THAT(desk_->Raise(report), FailsWith(ErrorCode::kInvalidArgument));
  };
  refused([](HitReport& r) { r.hit.reference = std::string(65, 'x'); });
  refused([](HitReport& r) { r.hit.response_code = "a\nb"; });
  refused([](HitReport& r) { r.frame.capture_ref = std::string(129, 'x'); });
  refused([](HitReport& r) { r.frame.camera = "\xff"; });
  refused([](HitReport& r) { r.hit.similarity = std::nanf(""); });
  refused([](HitReport& r) { r.holder = {}; });
  refused([](HitReport& r) { r.alert_retention = 0s; });
}

TEST_F(AlertDeskTest, RecordsTheFirstOutcome) {
  const std::string id = desk_->Raise(Report("ns-1", "c1"))->alert.id;
  const AcknowledgeOrder order{id, Outcome::kNotAMatch, "other person", "operator"};
  const auto done = desk_->Acknowledge(order);
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(done->state, store::AlertState::kAcknowledged);
  agency_.clock.Advance(5s);
  EXPECT_THAT(desk_->Acknowledge(order), IsOkAnd(::testing::Eq(*done)));
  EXPECT_EQ(agency_.CountEvents(audit::kAlertAcknowledged), 1U);
  EXPECT_THAT(desk_->Acknowledge({id, Outcome::kTrueMatch, "", "operator"}),
              FailsWith(ErrorCode::kConflict));
  Restart();
  EXPECT_THAT(List(), ::testing::ElementsAre(*done));
}

TEST_F(AlertDeskTest, RaisesAnewAfterAnOutcome) {
  const std::string id = desk_->Raise(Report("ns-1", "c1"))->alert.id;
  ASSERT_THAT(desk_->Acknowledge({id, Outcome::kNotAMatch, "", "operator"}), IsOk());
  EXPECT_FALSE(desk_->Raise(Report("ns-1", "c2"))->merged);
}

TEST_F(AlertDeskTest, RefusesOutcomesForUnknownAndExpiredAlertsAndLongNotes) {
  const std::string id = desk_->Raise(Report("ns-1", "c1"))->alert.id;
  EXPECT_THAT(desk_->Acknowledge({"a-none", Outcome::kTrueMatch, "", "o"}),
              FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(desk_->Acknowledge({id, Outcome::kTrueMatch, std::string(1001, 'x'), "o"}),
              FailsWith(ErrorCode::kInvalidArgument));
  agency_.clock.Advance(24h);
  EXPECT_THAT(desk_->Acknowledge({id, Outcome::kTrueMatch, "", "o"}),
              FailsWith(ErrorCode::kNotFound));
}

// Counts outcomes; fails on demand.
class CountedOutcomes final : public OutcomeObserver {
 public:
  Status OnOutcome(store::Transaction&, audit::Recorder&, const Alert& alert) override {
    outcome = alert.acknowledgement->outcome;
    return fails ? Fail(ErrorCode::kUnavailable, "not now") : Status();
  }
  void AfterOutcome(const Alert&) override { ++after; }
  bool fails = false;
  int after = 0;
  std::optional<Outcome> outcome;
};

TEST_F(AlertDeskTest, TellsOfTheFirstOutcomeInTheCommitThatRecordsIt) {
  CountedOutcomes outcomes;
  desk_ = std::make_unique<AlertDesk>(AlertDeskSetup{.store = agency_.store(),
                                                     .journal = agency_.journal(),
                                                     .kek = agency_.kek(),
                                                     .random = agency_.random,
                                                     .clock = agency_.clock,
                                                     .own = agency_.own,
                                                     .outcomes = &outcomes});
  const std::string id = desk_->Raise(Report("ns-1", "c1"))->alert.id;
  const AcknowledgeOrder order{id, Outcome::kNotAMatch, "", "operator"};
  outcomes.fails = true;
  EXPECT_THAT(desk_->Acknowledge(order), FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(List().front().state, store::AlertState::kNew);
  EXPECT_EQ(agency_.CountEvents(audit::kAlertAcknowledged), 0U);
  EXPECT_EQ(outcomes.after, 0);
  outcomes.fails = false;
  ASSERT_THAT(desk_->Acknowledge(order), IsOk());
  ASSERT_THAT(desk_->Acknowledge(order), IsOk());
  EXPECT_EQ(outcomes.outcome, Outcome::kNotAMatch);
  EXPECT_EQ(outcomes.after, 1);
}

TEST_F(AlertDeskTest, ErasesWhatHasExpiredAndSaysSo) {
  ASSERT_THAT(desk_->Raise(Report("ns-1", "c1")), IsOk());
  agency_.clock.Advance(1h);
  ASSERT_THAT(desk_->Raise(Report("ns-2", "c2")), IsOk());
  EXPECT_THAT(desk_->EraseExpired(agency_.clock.Now()), IsOkAnd(0U));
  EXPECT_EQ(agency_.CountEvents(audit::kAlertsErased), 0U);
  agency_.clock.Advance(23h);
  EXPECT_THAT(desk_->EraseExpired(agency_.clock.Now()), IsOkAnd(1U));
  EXPECT_EQ(agency_.CountEvents(audit::kAlertsErased), 1U);
  EXPECT_THAT(List(), SizeIs(1));
  EXPECT_FALSE(desk_->Raise(Report("ns-1", "c3"))->merged);
}

TEST_F(AlertDeskTest, KeepsContentOutOfTheDatabaseInTheClear) {
  HitReport report = Report("ns-1", "capture-of-somebody");
  report.frame.exchange_id = "x-1";  // stands in the log in the clear
  ASSERT_THAT(desk_->Raise(report), IsOk());
  desk_.reset();
  agency_.Close();
  std::ifstream in(agency_.database(), std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  ASSERT_NE(bytes.find("eastvale-council"), std::string::npos);
  EXPECT_EQ(bytes.find("capture-of-somebody"), std::string::npos);
}

TEST_F(AlertDeskTest, TellsSubscribersOfEveryChange) {
  const auto reader = desk_->Subscribe();
  const auto next = [&] {
    return reader->Next({}, std::chrono::steady_clock::now() + 10s).value().value();
  };
  const Alert raised = desk_->Raise(Report("ns-1", "c1"))->alert;
  EXPECT_EQ(next(), raised);
  const Alert merged = desk_->Raise(Report("ns-1", "c2"))->alert;
  EXPECT_EQ(next(), merged);
  const AcknowledgeOrder order{raised.id, Outcome::kTrueMatch, "", "operator"};
  const Alert done = desk_->Acknowledge(order).value();
  EXPECT_EQ(next(), done);
}

TEST_F(AlertDeskTest, CountsEveryFrameOfManyThreadsInOrder) {
  const auto reader = desk_->Subscribe();
  constexpr int kThreads = 4;
  constexpr int kFrames = 10;
  {
    std::vector<std::jthread> engines;
    for (int t = 0; t < kThreads; ++t) {
      engines.emplace_back([&, t] {
        for (int i = 0; i < kFrames; ++i) {
          EXPECT_THAT(desk_->Raise(Report("ns-1", std::to_string(t * 100 + i))), IsOk());
        }
      });
    }
  }
  for (std::uint32_t frame = 1; frame <= kThreads * kFrames; ++frame) {
    const auto change = reader->Next({}, std::chrono::steady_clock::now() + 10s);
    ASSERT_TRUE(change && *change);
    EXPECT_EQ((*change)->frame_count, frame);
  }
}

}  // namespace
}  // namespace comity::casework
