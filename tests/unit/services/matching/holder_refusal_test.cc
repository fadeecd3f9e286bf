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

ReasonCode CodeOf(const Result<ProbeAnswer>& answer) {
  EXPECT_THAT(answer, IsOk());
  return answer ? answer->decision.code : ReasonCode::kStateUnreadable;
}

struct RefusalCase {
  std::string name;
  ReasonCode code;
  std::function<void(HolderWorld&, SearchTerms&)> change;
};

class RefusedOpening : public ::testing::TestWithParam<RefusalCase> {};

TEST_P(RefusedOpening, IsLoggedAndGivesNoSession) {
  HolderWorld world;
  SearchTerms terms = world.Terms();
  GetParam().change(world, terms);
  const auto opened = HolderSession::Open(terms, world.Ports(), kSealOpening);
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->session, nullptr);
  EXPECT_EQ(policy::Name(opened->opening.decision.code), policy::Name(GetParam().code));
  EXPECT_EQ(opened->opening.entries, 0U);
  const auto events = world.journal->Events(audit::kSearchRefused);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].decision_code, policy::Name(GetParam().code));
}

AgreementKnobs Knobs(const std::function<void(AgreementKnobs&)>& change) {
  AgreementKnobs knobs;
  change(knobs);
  return knobs;
}

INSTANTIATE_TEST_SUITE_P(
    Terms, RefusedOpening,
    ::testing::Values(
        RefusalCase{"NoAgreement", ReasonCode::kNoAgreement,
                    [](auto&, auto& terms) { terms.request.agreement.reset(); }},
        RefusalCase{"StrangerAgency", ReasonCode::kNoAgreement,
                    [](auto&, auto& terms) {
                      terms.request.requester =
                          testing::Named<policy::AgencyId>("southmere-council");
                    }},
        RefusalCase{"Mismatch", ReasonCode::kAgreementMismatch,
                    [](auto& world, auto& terms) { terms.request.agreement = world.Ref(2); }},
        RefusalCase{"Purpose", ReasonCode::kPurposeNotCovered,
                    [](auto&, auto& terms) {
                      terms.request.purpose = testing::Named<policy::PurposeCode>("curiosity");
                    }},
        RefusalCase{"Category", ReasonCode::kCategoryNotCovered,
                    [](auto&, auto& terms) {
                      terms.request.list_categories.push_back(Category("witness"));
                    }},
        RefusalCase{
            "Role", ReasonCode::kRoleNotCovered,
            [](auto&, auto& terms) { terms.request.role = policy::RequesterRole::kOperator; }},
        RefusalCase{"Use", ReasonCode::kUseNotCovered,
                    [](auto&, auto& terms) {
                      terms.request.use = policy::UseMode::kRetrospective;
                      terms.deployment.clear();
                    }},
        RefusalCase{"Mode", ReasonCode::kModeNotCovered,
                    [](auto&, auto& terms) { terms.request.mode = policy::SearchMode::kSealed; }},
        RefusalCase{"SealedIsNeverSearchedAsDirect", ReasonCode::kModeNotCovered,
                    [](auto& world, auto& terms) {
                      world.Agree(Knobs([](auto& k) { k.mode = policy::SearchMode::kSealed; }));
                      terms.request.agreement = world.Ref(1);
                      terms.request.mode = policy::SearchMode::kSealed;
                    }},
        RefusalCase{"Engine", ReasonCode::kEngineNotCovered,
                    [](auto&, auto& terms) { terms.request.engine->version = "2019"; }},
        RefusalCase{"Threshold", ReasonCode::kThresholdBelowFloor,
                    [](auto&, auto& terms) { terms.request.threshold = 0.4999; }},
        RefusalCase{"NaN", ReasonCode::kMalformedRequest,
                    [](auto&, auto& terms) {
                      terms.request.threshold = std::numeric_limits<double>::quiet_NaN();
                    }},
        RefusalCase{"NotUtf8", ReasonCode::kMalformedRequest,
                    [](auto&, auto& terms) { terms.request.engine->name = "\xff"; }},
        RefusalCase{"TooLong", ReasonCode::kMalformedRequest,
                    [](auto&, auto& terms) { terms.ends_at = At(kNow + 86'400 + 61); }},
        RefusalCase{"Over", ReasonCode::kMalformedRequest,
                    [](auto&, auto& terms) { terms.ends_at = At(kNow); }},
        RefusalCase{"NotSigned", ReasonCode::kAgreementNotInForce,
                    [](auto& world, auto&) {
                      world.Agree(Knobs([](auto& k) { k.signed_by_all = false; }));
                    }},
        RefusalCase{
            "Capacity", ReasonCode::kCapacityExhausted,
            [](auto& world, auto&) { world.Agree(Knobs([](auto& k) { k.probes_per_day = 0; })); }}),
    [](const auto& parameter) { return parameter.param.name; });

struct MidSessionCase {
  std::string name;
  ReasonCode code;
  std::function<void(HolderWorld&, SessionProbe&)> change;
};

class MidSession : public ::testing::TestWithParam<MidSessionCase> {};

TEST_P(MidSession, ChangeRefusesTheNextProbe) {
  HolderWorld world;
  const auto session = world.Open();
  ASSERT_EQ(CodeOf(Ask(*session, world.Probe(1, 0))), ReasonCode::kPermit);
  SessionProbe probe = world.Probe(2, 0);
  GetParam().change(world, probe);
  const auto answer = Ask(*session, probe);
  EXPECT_EQ(policy::Name(CodeOf(answer)), policy::Name(GetParam().code));
  EXPECT_THAT(answer->hits, IsEmpty());
  EXPECT_EQ(answer->entries, 0U);
  EXPECT_THAT(world.journal->Events(audit::kSearchHit), SizeIs(1));
  const auto refused = world.journal->Events(audit::kSearchRefused);
  ASSERT_THAT(refused, SizeIs(1));
  EXPECT_EQ(refused[0].decision_code, policy::Name(GetParam().code));
  EXPECT_EQ(refused[0].exchange, session->terms().exchange + "/2");
}

INSTANTIATE_TEST_SUITE_P(
    Agreement, MidSession,
    ::testing::Values(
        MidSessionCase{"Suspended", ReasonCode::kAgreementSuspended,
                       [](auto& world, auto&) {
                         world.Agree(Knobs(
                             [](auto& k) { k.last_word = policy::StatementKind::kSuspension; }));
                       }},
        MidSessionCase{"Terminated", ReasonCode::kAgreementTerminated,
                       [](auto& world, auto&) {
                         world.Agree(Knobs(
                             [](auto& k) { k.last_word = policy::StatementKind::kTermination; }));
                       }},
        MidSessionCase{"Superseded", ReasonCode::kAgreementMismatch,
                       [](auto& world, auto&) {
                         world.Agree(std::vector{Knobs([](auto&) {}),
                                                 Knobs([](auto& k) { k.version = 2; })});
                       }},
        MidSessionCase{"SupersededAndNamed", ReasonCode::kThresholdBelowFloor,
                       [](auto& world, auto& probe) {
                         world.Agree(std::vector{Knobs([](auto&) {}), Knobs([](auto& k) {
                                                   k.version = 2;
                                                   k.threshold_floor = 0.95;
                                                 })});
                         probe.agreement = world.Ref(2);
                       }},
        MidSessionCase{"AgreementExpired", ReasonCode::kAgreementExpired,
                       [](auto& world, auto&) {
                         world.Agree(Knobs([](auto& k) { k.effective_until = kNow; }));
                       }},
        MidSessionCase{
            "ReviewOverdue", ReasonCode::kReviewOverdue,
            [](auto& world, auto&) { world.Agree(Knobs([](auto& k) { k.review_by = kNow; })); }},
        MidSessionCase{"AttachmentExpired", ReasonCode::kAttachmentNotValid,
                       [](auto& world, auto&) {
                         world.Agree(Knobs([](auto& k) { k.attachment_until = kNow; }));
                       }},
        MidSessionCase{"CategoryDropped", ReasonCode::kCategoryNotCovered,
                       [](auto& world, auto&) {
                         world.Agree(Knobs([](auto& k) { k.categories = {"wanted-by-courts"}; }));
                       }},
        MidSessionCase{
            "CapacityUsedUp", ReasonCode::kCapacityExhausted,
            [](auto& world, auto&) { world.Agree(Knobs([](auto& k) { k.probes_per_day = 1; })); }},
        MidSessionCase{"NoAgreementNamed", ReasonCode::kNoAgreement,
                       [](auto&, auto& probe) { probe.agreement.reset(); }},
        MidSessionCase{"SessionOver", ReasonCode::kMalformedRequest,
                       [](auto& world, auto&) { world.clock.Set(At(kNow + 3600)); }}),
    [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace comity::matching
