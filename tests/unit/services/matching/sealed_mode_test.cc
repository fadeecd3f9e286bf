// SPDX-License-Identifier: Apache-2.0
#include "services/matching/sealed_mode.h"

#include <gtest/gtest.h>

#include "tests/unit/services/matching/holder_world.h"

namespace comity::matching {
namespace {

using policy::SearchMode;
using testing::AgreementKnobs;
using testing::HolderWorld;
using testing::kNow;
using testing::Named;

TEST(SealedMode, AThresholdIsRoundedUpAndNeverPastItsOwnMultiple) {
  EXPECT_EQ(TauOf(0.42), 4200);  // 0.42 * 1e4 is above 4200 in binary
  EXPECT_EQ(TauOf(0.29), 2900);
  EXPECT_EQ(TauOf(0.42001), 4201);
  EXPECT_EQ(TauOf(1), 10000);
  for (int tau = 1; tau <= 10000; ++tau) EXPECT_EQ(TauOf(tau / 1e4), tau);
}

TEST(SealedMode, TheCapIsTheAgreementsUpToEight) {
  EXPECT_EQ(SealedCap(1), 1U);
  EXPECT_EQ(SealedCap(8), 8U);
  EXPECT_EQ(SealedCap(100), 8U);
}

constexpr std::string_view kOther = "northshire-eastvale-live";

class ChosenMode : public ::testing::Test {
 protected:
  RequesterTerms TermsIn(std::optional<SearchMode> asked) {
    RequesterTerms terms = world_.CouncilTerms();
    terms.agreements.push_back(Named<policy::AgreementId>(kOther));
    auto order = std::make_shared<SearchOrder>(*terms.order);
    order->request.mode = asked;
    terms.order = std::move(order);
    return terms;
  }
  SearchMode Choose(std::optional<SearchMode> asked) {
    const RequesterTerms terms = TermsIn(asked);
    return ChooseMode(*terms.order, terms.holder, terms.agreements,
                      *world_.CouncilPorts().agreements(), world_.clock.Now());
  }
  // What becomes of a face whose search leaves the mode open.
  policy::Decision Outlook() {
    RequesterTerms terms = TermsIn({});
    terms.mode = Choose({});
    terms.order = InMode(terms.order, terms.mode);
    const RequesterPorts ports = world_.CouncilPorts();
    return RequesterSession(std::move(terms), ports).Outlook(world_.clock.Now());
  }
  static AgreementKnobs Sealed() {
    AgreementKnobs knobs;
    knobs.mode = SearchMode::kSealed;
    return knobs;
  }
  static AgreementKnobs OtherDirect() {
    AgreementKnobs knobs;
    knobs.id = kOther;
    return knobs;
  }
  HolderWorld world_;
};

TEST_F(ChosenMode, IsTheOneAskedForWhateverIsPermitted) {
  EXPECT_EQ(Choose(SearchMode::kDirect), SearchMode::kDirect);
  EXPECT_EQ(Choose(SearchMode::kSealed), SearchMode::kSealed);
}

TEST_F(ChosenMode, IsTheAgreementsWhenItIsLeftOpen) {
  EXPECT_EQ(Choose({}), SearchMode::kDirect);
  world_.Agree(Sealed());
  EXPECT_EQ(Choose({}), SearchMode::kSealed);
}

TEST_F(ChosenMode, IsSealedWhereOneOfTwoAgreementsIs) {
  world_.Agree({OtherDirect(), Sealed()});
  EXPECT_EQ(Choose({}), SearchMode::kSealed);
  EXPECT_TRUE(Outlook().permitted());
}

// A holder that stops the sealed agreement does not get the faces under the other one.
TEST_F(ChosenMode, DoesNotBecomeDirectBecauseTheSealedAgreementDoesNotHold) {
  AgreementKnobs suspended = Sealed();
  suspended.last_word = policy::StatementKind::kSuspension;
  AgreementKnobs terminated = Sealed();
  terminated.last_word = policy::StatementKind::kTermination;
  AgreementKnobs unsigned_yet = Sealed();
  unsigned_yet.signed_by_all = false;
  AgreementKnobs expired = Sealed();
  expired.effective_until = kNow - 1;
  AgreementKnobs unattached = Sealed();
  unattached.attachment_until = kNow - 1;
  for (const AgreementKnobs& knobs : {suspended, terminated, unsigned_yet, expired, unattached}) {
    world_.Agree({knobs, OtherDirect()});
    EXPECT_EQ(Choose({}), SearchMode::kSealed);
    EXPECT_FALSE(Outlook().permitted());
    EXPECT_EQ(Choose(SearchMode::kDirect), SearchMode::kDirect);
  }
}

TEST_F(ChosenMode, DoesNotBecomeDirectByAProposalThatNobodyHasAgreedTo) {
  AgreementKnobs first = Sealed();
  first.signed_by_all = false;
  AgreementKnobs second;
  second.version = 2;
  second.signed_by_all = false;
  world_.Agree({first, second, OtherDirect()});
  EXPECT_EQ(Choose({}), SearchMode::kSealed);
}

TEST_F(ChosenMode, FollowsALaterVersionThatBothHaveAgreedTo) {
  AgreementKnobs later;
  later.version = 2;
  world_.Agree({Sealed(), later});
  EXPECT_EQ(Choose({}), SearchMode::kDirect);
  EXPECT_TRUE(Outlook().permitted());
}

TEST_F(ChosenMode, MindsPermissionsOfThePurposeAndEngineOnly) {
  world_.Agree({Sealed(), OtherDirect()});
  const RequesterTerms terms = TermsIn({});
  const auto choose = [&](auto change) {
    SearchOrder order = *terms.order;
    change(order.request);
    return ChooseMode(order, terms.holder, terms.agreements, *world_.CouncilPorts().agreements(),
                      world_.clock.Now());
  };
  EXPECT_EQ(choose([](auto&) {}), SearchMode::kSealed);
  EXPECT_EQ(choose([](auto& request) { request.threshold = 0.1; }), SearchMode::kSealed);
  EXPECT_EQ(choose([](auto& request) { request.engine->version = "2019"; }), SearchMode::kDirect);
  EXPECT_EQ(
      choose([](auto& request) { request.purpose = Named<policy::PurposeCode>("missing-people"); }),
      SearchMode::kDirect);
}

TEST_F(ChosenMode, IsSettledInACopyOfTheOrder) {
  auto open = std::make_shared<SearchOrder>(*world_.CouncilTerms().order);
  open->request.mode.reset();
  EXPECT_EQ(InMode(open, SearchMode::kSealed)->request.mode, SearchMode::kSealed);
  EXPECT_FALSE(open->request.mode.has_value());
}

}  // namespace
}  // namespace comity::matching
