// SPDX-License-Identifier: Apache-2.0
#include "services/matching/holder_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "services/audit/events.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/matching/holder_world.h"

namespace comity::matching {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using policy::ReasonCode;
using testing::AgreementKnobs;
using testing::Ask;
using testing::At;
using testing::Category;
using ::testing::ElementsAre;
using testing::HolderWorld;
using ::testing::IsEmpty;
using testing::kDimension;
using testing::kNow;
using testing::SealedAs;
using ::testing::SizeIs;

const HolderSession::SealOpening kSealOpening = [](const SessionOpening&) { return Digest{}; };

std::vector<std::string> References(const ProbeAnswer& answer) {
  std::vector<std::string> references;
  for (const ReleasedHit& hit : answer.hits) references.push_back(hit.reference);
  return references;
}

ReasonCode CodeOf(const Result<ProbeAnswer>& answer) {
  EXPECT_THAT(answer, IsOk());
  return answer ? answer->decision.code : ReasonCode::kStateUnreadable;
}

AgreementKnobs Knobs(const std::function<void(AgreementKnobs&)>& change) {
  AgreementKnobs knobs;
  change(knobs);
  return knobs;
}

TEST(HolderSession, OpeningIsDurableAndSaysHowManyEntriesAreSearched) {
  HolderWorld world;
  const SearchTerms terms = world.Terms();
  const auto opened = HolderSession::Open(terms, world.Ports(), kSealOpening);
  ASSERT_THAT(opened, IsOk());
  ASSERT_NE(opened->session, nullptr);
  EXPECT_EQ(opened->opening.entries, 5U);  // all but the witness
  const auto events = world.journal->Events(audit::kSearchOpened);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].exchange, terms.exchange);
  EXPECT_THAT(events[0].parties, ElementsAre(world.police, world.council));
  EXPECT_EQ(events[0].messages.at("open"), terms.message);
  EXPECT_EQ(events[0].clauses.back(), "p1");
}

TEST(HolderSession, DoesNotOpenWhenTheLogCannotBeWritten) {
  HolderWorld world;
  world.journal->Refuse(true);
  EXPECT_THAT(HolderSession::Open(world.Terms(), world.Ports(), kSealOpening),
              FailsWith(ErrorCode::kUnavailable));
}

TEST(HolderSession, RefusesTermsThatAreNotOfTheirForm) {
  HolderWorld world;
  SearchTerms terms = world.Terms();
  terms.exchange = "../x";
  EXPECT_THAT(HolderSession::Open(terms, world.Ports(), kSealOpening),
              FailsWith(ErrorCode::kInvalidArgument));
  terms = world.Terms();
  terms.deployment = "Not An Id";
  EXPECT_THAT(HolderSession::Open(terms, world.Ports(), kSealOpening),
              FailsWith(ErrorCode::kInvalidArgument));
  terms = world.Terms();
  terms.request.list_categories.resize(17, Category("victim"));
  EXPECT_THAT(HolderSession::Open(terms, world.Ports(), kSealOpening),
              FailsWith(ErrorCode::kInvalidArgument));
  terms = world.Terms();
  terms.request.engine->name = std::string(65, 'x');
  EXPECT_THAT(HolderSession::Open(terms, world.Ports(), kSealOpening),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST(HolderSession, AHitReleasesWhatTheAgreementReleasesAndIsLoggedOnce) {
  HolderWorld world;
  const auto session = world.Open();
  const auto answer = Ask(*session, world.Probe(1, 2));
  ASSERT_THAT(answer, IsOk());
  ASSERT_THAT(answer->hits, SizeIs(1));
  EXPECT_EQ(answer->hits[0].reference, "r2");
  EXPECT_EQ(answer->hits[0].category, "wanted-by-courts");
  EXPECT_EQ(answer->hits[0].response_code, "detain");
  EXPECT_EQ(answer->hits[0].similarity, std::nullopt);
  EXPECT_EQ(answer->entries, 5U);
  const auto events = world.journal->Events(audit::kSearchHit);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].exchange, session->terms().exchange + "/1");
  EXPECT_EQ(events[0].messages.at("answer"), SealedAs(*answer));
  EXPECT_THAT(events[0].committed.at("hits"), ::testing::HasSubstr("\"reference\":\"r2\""));
}

TEST(HolderSession, ReleasesNothingThatTheAgreementDoesNotName) {
  HolderWorld world;
  world.Agree(Knobs([](auto& k) { k.releases = {policy::ReleaseItem::kSimilarity}; }));
  const auto session = world.Open();
  const auto answer = Ask(*session, world.Probe(1, 2));
  ASSERT_THAT(answer, IsOk());
  ASSERT_THAT(answer->hits, SizeIs(1));
  EXPECT_EQ(answer->hits[0].reference, "");
  EXPECT_EQ(answer->hits[0].category, "");
  EXPECT_EQ(answer->hits[0].response_code, "");
  ASSERT_TRUE(answer->hits[0].similarity.has_value());
  EXPECT_NEAR(*answer->hits[0].similarity, 1.0, 1e-6);
}

TEST(HolderSession, NothingIsLoggedOfFacesThatHitNothing) {
  HolderWorld world;
  const auto session = world.Open();
  ASSERT_THAT(Ask(*session, world.Stranger(1)), IsOk());  // reserves a block of capacity
  const std::size_t before = world.journal->size();
  for (std::uint64_t i = 2; i <= CapacityMeter::kBlock; ++i) {
    const auto answer = Ask(*session, world.Stranger(i));
    EXPECT_EQ(CodeOf(answer), ReasonCode::kPermit);
    EXPECT_THAT(answer->hits, IsEmpty());
  }
  EXPECT_EQ(world.journal->size(), before);
  ASSERT_THAT(session->Close("stream-ended"), IsOk());
  const auto closed = world.journal->Events(audit::kSearchClosed);
  ASSERT_THAT(closed, SizeIs(1));
  EXPECT_EQ(closed[0].counts.at("faces"), static_cast<std::int64_t>(CapacityMeter::kBlock));
  EXPECT_EQ(closed[0].counts.at("hits"), 0);
}

TEST(HolderSession, FiltersCategoryAndValidityBeforeTheHitCap) {
  HolderWorld world;
  world.Agree(Knobs([](auto& k) { k.hit_cap = 2; }));
  auto builder = GalleryBuilder::Create(testing::Profile(kDimension), 5);
  const auto face = std::span(world.rows).first(kDimension);
  const auto add = [&](GalleryRow row) { ASSERT_THAT(builder->Add(row, face), IsOk()); };
  add(testing::Row("a-witness", "witness"));
  GalleryRow row = testing::Row("b-expired");
  row.expires_at = At(kNow);
  add(row);
  row = testing::Row("c-not-yet");
  row.valid_from = At(kNow) + std::chrono::microseconds(1);
  add(row);
  add(testing::Row("e"));
  add(testing::Row("d", "missing-at-risk"));
  world.galleries.Put(world.list, std::move(*builder).Build(), testing::BoundTo(world.Ref().id));
  const auto session = world.Open();
  const auto answer = Ask(*session, world.Probe(1, 0));
  ASSERT_THAT(answer, IsOk());
  EXPECT_THAT(References(*answer), ElementsAre("d", "e"));
  EXPECT_EQ(answer->entries, 2U);
}

TEST(HolderSession, MergesSeveralListsBestFirstUnderOneCap) {
  HolderWorld world;
  auto builder = GalleryBuilder::Create(testing::Profile(kDimension), 3);
  const auto face = std::span(world.rows).first(kDimension);
  for (const char* name : {"x1", "a1", "x2"}) {
    ASSERT_THAT(builder->Add(testing::Row(name), face), IsOk());
  }
  world.galleries.Put(testing::Named<policy::WatchlistId>("second"), std::move(*builder).Build(),
                      testing::BoundTo(world.Ref().id));
  const auto session = world.Open();
  const auto answer = Ask(*session, world.Probe(1, 0));
  ASSERT_THAT(answer, IsOk());
  EXPECT_THAT(References(*answer), ElementsAre("a1", "r0", "x1"));
}

TEST(HolderSession, ARepeatedSequenceEndsTheSession) {
  HolderWorld world;
  const auto session = world.Open();
  ASSERT_THAT(Ask(*session, world.Stranger(5)), IsOk());
  EXPECT_THAT(Ask(*session, world.Stranger(5)), FailsWith(ErrorCode::kConflict));
  EXPECT_TRUE(session->ended());
  EXPECT_THAT(Ask(*session, world.Stranger(6)), FailsWith(ErrorCode::kConflict));
}

TEST(HolderSession, AProbeThatCannotBeSearchedIsRefusedAndTakesNoCapacity) {
  HolderWorld world;
  world.Agree(Knobs([](auto& k) { k.probes_per_day = 1; }));
  const auto session = world.Open();
  SessionProbe probe = world.Probe(1, 0);
  const ByteView whole = probe.embedding;
  probe.embedding = whole.first(whole.size() - 1);
  EXPECT_EQ(CodeOf(Ask(*session, probe)), ReasonCode::kMalformedRequest);
  const Bytes zeros(whole.size(), 0);
  probe.sequence = 2;
  probe.embedding = zeros;
  EXPECT_EQ(CodeOf(Ask(*session, probe)), ReasonCode::kMalformedRequest);
  Bytes nan = ToBytes(whole);
  nan[2] = 0xc0;
  nan[3] = 0x7f;
  probe.sequence = 3;
  probe.embedding = nan;
  EXPECT_EQ(CodeOf(Ask(*session, probe)), ReasonCode::kMalformedRequest);
  EXPECT_EQ(CodeOf(Ask(*session, world.Probe(4, 0))), ReasonCode::kPermit);
  EXPECT_EQ(CodeOf(Ask(*session, world.Probe(5, 0))), ReasonCode::kCapacityExhausted);
}

TEST(HolderSession, ResumesAfterASuspensionIsLifted) {
  HolderWorld world;
  const auto session = world.Open();
  world.Agree(Knobs([](auto& k) { k.last_word = policy::StatementKind::kSuspension; }));
  EXPECT_EQ(CodeOf(Ask(*session, world.Probe(1, 0))), ReasonCode::kAgreementSuspended);
  world.Agree(AgreementKnobs{});
  EXPECT_EQ(CodeOf(Ask(*session, world.Probe(2, 0))), ReasonCode::kPermit);
}

TEST(HolderSession, LogsARefusalOncePerChangeOfCodeAndCountsTheRest) {
  HolderWorld world;
  const auto session = world.Open();
  const auto suspended = Knobs([](auto& k) { k.last_word = policy::StatementKind::kSuspension; });
  world.Agree(suspended);
  for (std::uint64_t i = 1; i <= 10; ++i) ASSERT_THAT(Ask(*session, world.Probe(i, 0)), IsOk());
  EXPECT_THAT(world.journal->Events(audit::kSearchRefused), SizeIs(1));
  world.Agree(AgreementKnobs{});
  ASSERT_THAT(Ask(*session, world.Stranger(11)), IsOk());
  world.Agree(suspended);
  ASSERT_THAT(Ask(*session, world.Probe(12, 0)), IsOk());
  EXPECT_THAT(world.journal->Events(audit::kSearchRefused), SizeIs(2));
  ASSERT_THAT(session->Close("stream-ended"), IsOk());
  const auto closed = world.journal->Events(audit::kSearchClosed);
  ASSERT_THAT(closed, SizeIs(1));
  EXPECT_EQ(closed[0].counts.at("refused-agreement-suspended"), 11);
  EXPECT_EQ(closed[0].counts.at("faces"), 12);
}

TEST(HolderSession, AnswersNothingThatCannotBeLogged) {
  HolderWorld world;
  const auto session = world.Open();
  ASSERT_THAT(Ask(*session, world.Stranger(1)), IsOk());
  world.journal->Refuse(true);
  EXPECT_THAT(Ask(*session, world.Probe(2, 0)), FailsWith(ErrorCode::kUnavailable));
  world.Agree(Knobs([](auto& k) { k.last_word = policy::StatementKind::kSuspension; }));
  EXPECT_THAT(Ask(*session, world.Probe(3, 0)), FailsWith(ErrorCode::kUnavailable));
  world.journal->Refuse(false);
  EXPECT_EQ(CodeOf(Ask(*session, world.Probe(4, 0))), ReasonCode::kAgreementSuspended);
  EXPECT_THAT(world.journal->Events(audit::kSearchRefused), SizeIs(1));
}

TEST(HolderSession, WithoutACapacityCounterItDenies) {
  HolderWorld world;
  const auto session = world.Open();
  world.journal->Refuse(true);  // no block can be reserved
  EXPECT_THAT(Ask(*session, world.Stranger(1)), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(world.journal->Events(audit::kSearchHit), IsEmpty());
}

TEST(HolderSession, WritesAPeriodEntryAfterTenSecondsWithFacesAndNoneWithout) {
  HolderWorld world;
  const auto session = world.Open();
  world.clock.Advance(std::chrono::seconds(30));
  ASSERT_THAT(session->Tick(), IsOk());
  EXPECT_THAT(world.journal->Events(audit::kSearchPeriod), IsEmpty());
  ASSERT_THAT(Ask(*session, world.Probe(1, 0)), IsOk());
  ASSERT_THAT(session->Tick(), IsOk());
  const auto first = world.journal->Events(audit::kSearchPeriod);
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first[0].counts.at("faces"), 1);
  EXPECT_EQ(first[0].counts.at("hits"), 1);
  ASSERT_THAT(Ask(*session, world.Stranger(2)), IsOk());
  world.clock.Advance(std::chrono::seconds(9));
  ASSERT_THAT(session->Tick(), IsOk());
  EXPECT_THAT(world.journal->Events(audit::kSearchPeriod), SizeIs(1));
  world.clock.Advance(std::chrono::seconds(1));
  ASSERT_THAT(Ask(*session, world.Stranger(3)), IsOk());
  const auto periods = world.journal->Events(audit::kSearchPeriod);
  ASSERT_THAT(periods, SizeIs(2));
  EXPECT_EQ(periods[1].counts.at("faces"), 1);
  EXPECT_EQ(periods[1].counts.at("hits"), 0);
}

TEST(HolderSession, CloseIsWrittenOnceAndNothingIsAnsweredAfterIt) {
  HolderWorld world;
  const auto session = world.Open();
  ASSERT_THAT(session->Close("stream-ended"), IsOk());
  ASSERT_THAT(session->Close("stream-ended"), IsOk());
  EXPECT_THAT(world.journal->Events(audit::kSearchClosed), SizeIs(1));
  EXPECT_THAT(Ask(*session, world.Probe(1, 0)), FailsWith(ErrorCode::kConflict));
}

TEST(HolderSession, AWithdrawnEntryIsNotFoundAgain) {
  HolderWorld world;
  const auto session = world.Open();
  world.galleries.Withdraw(world.list, std::vector<std::string>{"r0"});
  const auto answer = Ask(*session, world.Probe(1, 0));
  ASSERT_THAT(answer, IsOk());
  EXPECT_THAT(answer->hits, IsEmpty());
  EXPECT_EQ(answer->entries, 4U);
}

TEST(HolderSession, TheRealLogHoldsTheEntriesButNotWhatIsCommitted) {
  HolderWorld world;
  const auto session = world.Open();
  ASSERT_THAT(Ask(*session, world.Probe(1, 2)), IsOk());
  ASSERT_THAT(session->Close("stream-ended"), IsOk());
  std::string all;
  const auto read = [&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto entries, transaction.audit().Read(0, 100));
    for (const auto& entry : entries) all += AsText(entry.entry);
    return {};
  };
  ASSERT_THAT(world.store->Read(read), IsOk());
  EXPECT_THAT(all, ::testing::HasSubstr("search-hit"));
  EXPECT_THAT(all, ::testing::Not(::testing::HasSubstr("\"r2\"")));
  EXPECT_THAT(all, ::testing::Not(::testing::HasSubstr(session->terms().deployment)));
}

AgreementKnobs SingleSearches() {
  AgreementKnobs knobs;
  knobs.roles = {policy::RequesterRole::kOperator};
  knobs.uses = {policy::UseMode::kRetrospective};
  return knobs;
}

SearchTerms SingleTerms(HolderWorld& world) {
  SearchTerms terms = world.Terms();
  terms.request.role = policy::RequesterRole::kOperator;
  terms.request.use = policy::UseMode::kRetrospective;
  terms.deployment.clear();
  terms.ends_at = world.clock.Now() + std::chrono::seconds(10);
  return terms;
}

Result<HolderSession::Opened> OpenWith(HolderWorld& world, SearchTerms terms) {
  return HolderSession::Open(std::move(terms), world.Ports(),
                             [](const SessionOpening&) { return Digest{}; });
}

TEST(SingleSearch, HasOneProbeAndNamesNoDeployment) {
  HolderWorld world;
  world.Agree(SingleSearches());
  const auto opened = OpenWith(world, SingleTerms(world));
  ASSERT_THAT(opened, IsOk());
  ASSERT_NE(opened->session, nullptr);
  const auto answer = Ask(*opened->session, world.Probe(1, 0));
  ASSERT_THAT(answer, IsOk());
  EXPECT_THAT(answer->hits, SizeIs(1));
  EXPECT_THAT(Ask(*opened->session, world.Probe(2, 1)), FailsWith(ErrorCode::kConflict));
  EXPECT_TRUE(opened->session->ended());
  ASSERT_THAT(opened->session->Close("over"), IsOk());
  for (const auto type : {audit::kSearchOpened, audit::kSearchHit, audit::kSearchClosed}) {
    const auto events = world.journal->Events(type);
    ASSERT_THAT(events, SizeIs(1)) << type;
    EXPECT_FALSE(events[0].committed.contains("deployment")) << type;
  }
}

TEST(SingleSearch, IsRefusedWithADeploymentOrALongTime) {
  HolderWorld world;
  world.Agree(SingleSearches());
  SearchTerms named = SingleTerms(world);
  named.deployment = "d-1";
  EXPECT_THAT(OpenWith(world, named), FailsWith(ErrorCode::kInvalidArgument));
  SearchTerms live = world.Terms();
  live.deployment.clear();
  EXPECT_THAT(OpenWith(world, live), FailsWith(ErrorCode::kInvalidArgument));
  SearchTerms lasting = SingleTerms(world);
  lasting.ends_at = world.clock.Now() + std::chrono::hours(1);
  const auto opened = OpenWith(world, lasting);
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->opening.decision.code, policy::ReasonCode::kMalformedRequest);
}

TEST(HolderSession, CountsOfficerAndCaseByTheirCommitments) {
  HolderWorld world;
  AgreementKnobs knobs;
  knobs.per_officer_per_day = 3;
  knobs.per_case_per_day = 2;
  world.Agree(knobs);
  const auto session = world.Open();
  std::uint64_t sequence = 0;
  const auto ask = [&](std::uint8_t officer, std::uint8_t case_ref) {
    SessionProbe probe = world.Stranger(++sequence);
    probe.commitments.officer.bytes[0] = officer;
    probe.commitments.case_ref->bytes[0] = case_ref;
    return Ask(*session, probe).value().decision;
  };
  EXPECT_TRUE(ask(1, 1).permitted());
  EXPECT_TRUE(ask(1, 1).permitted());
  const auto of_case = ask(1, 1);
  EXPECT_EQ(of_case.code, policy::ReasonCode::kCapacityExhausted);
  EXPECT_EQ(of_case.clauses.back(), "p1.capacity.per_case");
  EXPECT_TRUE(ask(1, 2).permitted());
  const auto of_officer = ask(1, 3);
  EXPECT_EQ(of_officer.code, policy::ReasonCode::kCapacityExhausted);
  EXPECT_EQ(of_officer.clauses.back(), "p1.capacity.per_officer");
  EXPECT_TRUE(ask(2, 3).permitted()) << "another officer has a count of their own";
}

TEST(HolderSession, AProbeWithoutACaseIsRefusedWhereThePurposeDemandsOne) {
  HolderWorld world;
  const auto session = world.Open();
  SessionProbe probe = world.Stranger(1);
  probe.commitments.case_ref.reset();
  const auto answer = Ask(*session, probe);
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->decision.code, policy::ReasonCode::kCaseReferenceMissing);
}

}  // namespace
}  // namespace comity::matching
