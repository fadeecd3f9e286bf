// SPDX-License-Identifier: Apache-2.0
// A session searches only what is bound to its agreement and purpose (PU-2, WL-4).
#include <gmock/gmock.h>

#include <cmath>

#include "services/audit/events.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/matching/holder_world.h"

namespace comity::matching {
namespace {

using comity::testing::IsOk;
using policy::ReasonCode;
using testing::Ask;
using testing::At;
using testing::BoundTo;
using testing::HolderWorld;
using testing::kDimension;
using testing::kNow;
using testing::Named;

class ListBinding : public ::testing::Test {
 protected:
  void Bind(const ListTerms& terms, double score_of_first = 1.0,
            policy::SubjectCategory subject = policy::SubjectCategory::kSuspect) {
    auto builder = GalleryBuilder::Create(testing::Profile(kDimension), 1);
    GalleryRow row = testing::Row("r0");
    row.subject = subject;
    ASSERT_THAT(builder->Add(row, Resembling(score_of_first)), IsOk());
    world_.galleries.Put(world_.list, std::move(*builder).Build(), terms);
  }
  ListTerms Terms() const { return BoundTo(world_.Ref().id); }
  // A unit vector whose cosine with the first row is `score`.
  testing::Matrix Resembling(double score) const {
    const auto first = std::span(world_.rows).first(kDimension);
    const auto second = std::span(world_.rows).subspan(kDimension, kDimension);
    double inner = 0;
    for (std::size_t i = 0; i < kDimension; ++i) inner += double{first[i]} * double{second[i]};
    testing::Matrix other(kDimension);
    for (std::size_t i = 0; i < kDimension; ++i) {
      other[i] = static_cast<float>(double{second[i]} - inner * double{first[i]});
    }
    testing::ScaleToUnit(other);
    for (std::size_t i = 0; i < kDimension; ++i) {
      other[i] = static_cast<float>(score * double{first[i]} +
                                    std::sqrt(1 - score * score) * double{other[i]});
    }
    return other;
  }
  ReasonCode Opening() {
    return HolderSession::Open(world_.Terms(), world_.Ports(),
                               [](const SessionOpening&) { return Digest(); })
        ->opening.decision.code;
  }
  std::size_t Hits() {
    const auto session = world_.Open();
    return Ask(*session, world_.Probe(1, 0))->hits.size();
  }

  HolderWorld world_;
};

TEST_F(ListBinding, NoSessionOpensWhereNoListIsBoundToIt) {
  EXPECT_EQ(Opening(), ReasonCode::kPermit);
  ListTerms terms = Terms();
  terms.agreements = {Named<policy::AgreementId>("another")};
  Bind(terms);
  EXPECT_EQ(Opening(), ReasonCode::kListNotCovered);
  terms = Terms();
  terms.agreements.clear();
  Bind(terms);
  EXPECT_EQ(Opening(), ReasonCode::kListNotCovered);
  terms = Terms();
  terms.purpose = Named<policy::PurposeCode>("missing-person");
  Bind(terms);
  EXPECT_EQ(Opening(), ReasonCode::kListNotCovered);
  terms = Terms();
  terms.ends_at = At(kNow);
  Bind(terms);
  EXPECT_EQ(Opening(), ReasonCode::kListNotCovered);
  EXPECT_EQ(world_.journal->Count(audit::kSearchRefused), 4U);
  Bind(Terms());
  EXPECT_EQ(Opening(), ReasonCode::kPermit);
}

TEST_F(ListBinding, ARunningSearchIsRefusedOnceItsListIsGoneAndNeverToldNoHit) {
  const auto session = world_.Open();
  EXPECT_EQ(Ask(*session, world_.Probe(1, 0))->hits.size(), 1U);
  world_.galleries.Halt({world_.list});
  auto answer = Ask(*session, world_.Probe(2, 0));
  EXPECT_EQ(answer->decision.code, ReasonCode::kListNotCovered);
  EXPECT_TRUE(answer->hits.empty());
  EXPECT_EQ(answer->entries, 0U);
  world_.galleries.Halt({});
  EXPECT_EQ(Ask(*session, world_.Probe(3, 0))->hits.size(), 1U);
  world_.galleries.Drop(world_.list);
  EXPECT_EQ(Ask(*session, world_.Probe(4, 0))->decision.code, ReasonCode::kListNotCovered);
}

TEST_F(ListBinding, NoScoreBelowTheListsThresholdIsAHit) {
  ListTerms terms = Terms();
  terms.threshold = 0.97;  // the request asks for less
  Bind(terms, 0.96);
  EXPECT_EQ(Hits(), 0U);
  Bind(terms, 0.98);
  EXPECT_EQ(Hits(), 1U);
  terms.threshold = 0.1;
  Bind(terms, 0.96);
  EXPECT_EQ(Hits(), 1U);
}

TEST_F(ListBinding, EntriesOfOtherSubjectsThanThePurposesNeverMatch) {
  Bind(Terms(), 1.0, policy::SubjectCategory::kWitness);
  EXPECT_EQ(Hits(), 0U);
  Bind(Terms(), 1.0, policy::SubjectCategory::kSuspect);
  EXPECT_EQ(Hits(), 1U);
}

}  // namespace
}  // namespace comity::matching
