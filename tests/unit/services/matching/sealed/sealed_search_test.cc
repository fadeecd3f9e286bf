// SPDX-License-Identifier: Apache-2.0
// Whole searches, both ends, against integer scores.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/result_matchers.h"
#include "tests/unit/services/matching/sealed/session.h"

namespace comity::matching {
namespace {

using sealed::testing::Faces;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::SampleList;
using testing::Session;
using testing::Template;

// Delta q x, the score without any noise.
std::int64_t Score(const SampleList& list, std::uint32_t slot, const Template& q) {
  const auto x = list.Entry(slot);
  std::int64_t sum = 0;
  for (std::size_t j = 0; j < q.size(); ++j) sum += std::int64_t{q[j]} * x[j];
  return sum * list.header().delta;
}

// Within half a step of the threshold, and seven standard deviations of the noise: sd 13.1 |q|,
// and the little of p u and e_1 s.
std::int64_t DitherZone(const Template& q) {
  std::int64_t squares = 0;
  for (const std::int8_t x : q) squares += std::int64_t{x} * x;
  return 65536 + static_cast<std::int64_t>(7 * 13.1 * std::sqrt(squares + 1500));
}

struct Expected {
  std::vector<std::uint32_t> certain;   // hits
  std::vector<std::uint32_t> possible;  // within the dither zone
};
Expected Reference(const SampleList& list, const Template& q, std::int32_t tau = 4000) {
  const auto view = list.view();
  const std::int64_t threshold = *view->profile().Threshold(tau);
  Expected expected;
  for (const std::uint32_t slot : view->slots().numbers()) {
    const std::int64_t above = Score(list, slot, q) - threshold;
    if (std::abs(above) <= DitherZone(q)) {
      expected.possible.push_back(slot);
    } else if (above > 0) {
      expected.certain.push_back(slot);
    }
  }
  return expected;
}

std::vector<std::uint32_t> SlotsOfList(const SealedOutcome& outcome, std::size_t list = 0) {
  std::vector<std::uint32_t> slots;
  for (const SealedHit& hit : outcome.hits) {
    if (hit.list == list) slots.push_back(hit.slot);
  }
  return slots;
}

// A list of strangers among whom some resemble one face, at known slots.
class ListOfStrangers {
 public:
  explicit ListOfStrangers(std::size_t dimension, std::uint64_t seed = 3)
      : list({.dimension = static_cast<std::uint32_t>(dimension)}, 9),
        faces(dimension, seed),
        face(faces.Unit()),
        q(faces.Quantise(face)),
        dimension_(dimension) {}

  // Seals a block in which the entries at `cosines` slots resemble the face so much.
  void Seal(std::uint32_t number, std::size_t count,
            const std::vector<std::pair<std::size_t, double>>& cosines = {}) {
    std::vector<std::int8_t> entries = faces.Templates(count);
    for (const auto& [slot, cosine] : cosines) {
      const Template mate = Near(cosine);
      std::ranges::copy(mate, entries.begin() + static_cast<std::ptrdiff_t>(slot * dimension_));
    }
    list.Seal(number, entries);
  }
  Template Near(double cosine) { return faces.Quantise(faces.UnitAt(face, cosine)); }

  SampleList list;
  Faces faces;
  std::vector<float> face;
  Template q;

 private:
  std::size_t dimension_;
};

class SealedSearchOfDimension : public ::testing::TestWithParam<std::size_t> {};

TEST_P(SealedSearchOfDimension, HitsAreThoseOfTheIntegerScores) {
  ListOfStrangers s(GetParam());
  s.Seal(0, 70, {{3, 0.9}, {69, 0.45}});
  s.Seal(2, 5, {{0, 0.43}, {2, 0.37}, {4, -0.6}});
  s.Seal(5, 1, {{0, 0.4}});  // in the dither zone
  Session session(s.list);
  std::size_t possible = 0;
  std::size_t certain = 0;
  for (const double cosine : {1.0, 0.95, 0.8, 0.5, 0.0, -0.6}) {
    const Template q = s.Near(cosine);
    const Expected expected = Reference(s.list, q);
    const SealedOutcome outcome = session.Search(q);
    ASSERT_FALSE(outcome.over_cap);
    std::vector<std::uint32_t> found = SlotsOfList(outcome);
    std::erase_if(found, [&](std::uint32_t slot) {
      return std::ranges::count(expected.possible, slot) == 1;
    });
    EXPECT_EQ(found, expected.certain) << cosine;
    possible += expected.possible.size();
    certain += expected.certain.size();
  }
  EXPECT_GE(certain, 5U);
  EXPECT_LE(possible, 12U);
}

INSTANTIATE_TEST_SUITE_P(All, SealedSearchOfDimension, ::testing::Values(128, 256, 512, 1024));

TEST(SealedSearch, TheFaceAtTheListsEdgesIsFound) {
  ListOfStrangers s(128);
  s.Seal(0, 1024, {{0, 0.9}, {1023, 0.9}});
  s.Seal(1, 1024, {{0, 0.9}});
  s.Seal(2, 17, {{16, 0.9}});
  Session session(s.list);
  EXPECT_THAT(SlotsOfList(session.Search(s.q)), ElementsAre(1, 1024, 1025, 2065));
}

TEST(SealedSearch, EveryKernelGivesTheSameMessagesAndHits) {
  ListOfStrangers s(256);
  s.Seal(0, 50, {{7, 0.8}});
  for (const sealed::Kernel score : sealed::SupportedKernels()) {
    for (const ot::Kernel pads : {ot::Kernel::kPortable, ot::FastestKernel()}) {
      Session session(s.list, 5, {.score = score, .ot = pads});
      Session fastest(s.list);
      auto open = session.Begin({s.q}, {0});
      auto open_fastest = fastest.Begin({s.q}, {0});
      EXPECT_EQ(open[0].begun.probes, open_fastest[0].begun.probes);
      EXPECT_THAT(SlotsOfList(session.Finish(open, 0, 0)), ElementsAre(8));
      EXPECT_THAT(SlotsOfList(fastest.Finish(open_fastest, 0, 0)), ElementsAre(8));
    }
  }
}

TEST(SealedSearch, ABatchGivesWhatItsProbesGiveAlone) {
  ListOfStrangers s(128);
  s.Seal(0, 200, {{11, 0.9}});
  const Template other = s.faces.Quantise(s.faces.Unit());
  s.list.Seal(1, other);
  std::vector<Template> batch;
  for (std::size_t i = 0; i < sealed::kMaxProbesInBatch; ++i) {
    batch.push_back(i % 3 == 0 ? s.q : i % 3 == 1 ? other : s.faces.Template());
  }
  Session session(s.list);
  const auto outcomes = session.Search(batch);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    EXPECT_EQ(outcomes[i], session.Search(batch[i])) << i;
    EXPECT_EQ(outcomes[i].hits.size(), i % 3 == 2 ? 0U : 1U) << i;
  }
}

TEST(SealedSearch, WithdrawnSlotsTakeNoPart) {
  ListOfStrangers s(128);
  s.Seal(0, 40, {{3, 0.9}, {20, 0.9}});
  Session session(s.list);
  EXPECT_THAT(SlotsOfList(session.Search(s.q)), ElementsAre(4, 21));
  s.list.Withdraw({4, 30});
  session.Update();
  auto open = session.Begin({s.q}, {0});
  sealed::Sketch masks{.cap = 5};
  const Bytes offsets = *session.holder().Offsets(*open[0].holder_round, 0);
  EXPECT_EQ(offsets.size(), sealed::OffsetBytes(38));
  EXPECT_EQ(session.requester().Tables(*open[0].begun.round, 0, offsets, masks)->size(), 8U * 38);
  EXPECT_THAT(SlotsOfList(session.Search(s.q)), ElementsAre(21));
}

TEST(SealedSearch, AListWhoseEntriesAreAllWithdrawnAnswersNo) {
  ListOfStrangers s(128);
  s.Seal(0, 2, {{0, 0.9}});
  s.list.Withdraw({1, 2});
  Session session(s.list);
  const SealedOutcome outcome = session.Search(s.q);
  EXPECT_FALSE(outcome.over_cap);
  EXPECT_THAT(outcome.hits, IsEmpty());
  EXPECT_EQ(session.holder().pads_taken(), 0U);
}

TEST(SealedSearch, ABlockThatIsSealedAgainIsSearchedAnew) {
  ListOfStrangers s(128);
  s.Seal(0, 30, {{3, 0.9}});
  s.Seal(1, 10);
  Session session(s.list);
  EXPECT_THAT(SlotsOfList(session.Search(s.q)), ElementsAre(4));
  s.Seal(0, 25, {{17, 0.9}});
  s.Seal(4, 3, {{2, 0.9}});  // and one more has come
  s.list.MoveOn();
  session.Update();
  EXPECT_THAT(SlotsOfList(session.Search(s.q)), ElementsAre(18, 4 * 1024 + 3));
}

TEST(SealedSearch, AnOpenRoundGoesOnWithItsState) {
  ListOfStrangers s(128);
  s.Seal(0, 30, {{3, 0.9}});
  Session session(s.list);
  auto open = session.Begin({s.q}, {0});
  s.list.Withdraw({4});
  session.Update();
  EXPECT_THAT(SlotsOfList(session.Finish(open, 0, 0)), ElementsAre(4));
  EXPECT_THAT(session.Search(s.q).hits, IsEmpty());
}

class SealedSearchCap : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(SealedSearchCap, IsReachedButNotExceeded) {
  const std::uint32_t cap = GetParam();
  ListOfStrangers s(128);
  std::vector<std::pair<std::size_t, double>> mates;
  for (std::uint32_t i = 0; i < cap; ++i) mates.emplace_back(2 * i, 0.9);
  s.Seal(0, 30, mates);
  Session at(s.list, cap);
  EXPECT_EQ(at.Search(s.q).hits.size(), cap);
  mates.emplace_back(29, 0.9);
  s.Seal(0, 30, mates);
  s.list.MoveOn();
  at.Update();
  const SealedOutcome over = at.Search(s.q);
  EXPECT_TRUE(over.over_cap);
  EXPECT_THAT(over.hits, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Caps, SealedSearchCap, ::testing::Values(1, 5, 8));

TEST(SealedSearch, ProbesThatAreRefusedUseNoPads) {
  ListOfStrangers s(128);
  s.Seal(0, 40, {{3, 0.9}});
  Session session(s.list);
  const std::vector<Template> batch = {s.faces.Template(), s.q, s.faces.Template(), s.q};
  const auto outcomes = session.Search(batch, {1, 2});
  EXPECT_EQ(outcomes[0].hits.size(), 1U);
  EXPECT_THAT(outcomes[1].hits, IsEmpty());
  EXPECT_EQ(session.holder().pads_taken(), 80U);
  EXPECT_EQ(session.requester().pads_taken(), 80U);
  EXPECT_EQ(session.requester().pads(), session.holder().pads());
  EXPECT_EQ(session.Search(s.q).hits.size(), 1U);
}

TEST(SealedSearch, ARoundThatIsDroppedUsesNothingUp) {
  ListOfStrangers s(128);
  s.Seal(0, 40, {{3, 0.9}});
  Session session(s.list);
  ASSERT_EQ(session.Search(s.q).hits.size(), 1U);
  const std::size_t pads = session.requester().pads();
  const auto secret = testing::Secretly(std::vector<Template>{s.q});
  {
    const auto dropped = *session.requester().Begin(secret, 100);
    EXPECT_EQ(dropped.binding, session.holder().NextBinding());
  }
  session.holder().SkipBatch();  // it refused the batch as a whole
  EXPECT_EQ(session.requester().pads(), pads);
  const auto next = *session.requester().Begin(secret, 101);
  EXPECT_EQ(next.batch, 2U);
  EXPECT_EQ(next.binding, session.holder().NextBinding());
}

TEST(SealedSearch, AnEmptySelectionTakesNothing) {
  ListOfStrangers s(128);
  s.Seal(0, 10);
  Session session(s.list);
  const auto begun = *session.requester().Begin(testing::Secretly(std::vector<Template>{s.q}), 7);
  EXPECT_THAT(session.requester().Accept(*begun.round, {}), comity::testing::IsOk());
  EXPECT_EQ(session.requester().pads_taken(), 0U);
}

TEST(SealedSearch, OneSketchServesAllListsOfASession) {
  ListOfStrangers first(128, 3);
  ListOfStrangers second(128, 3);  // of the same face
  ListOfStrangers third(128, 3);
  first.Seal(0, 30, {{3, 0.9}});
  first.Seal(3, 2, {{1, 0.9}});
  second.Seal(0, 20);
  third.Seal(1, 10, {{9, 0.9}});
  Session session({&first.list, &second.list, &third.list}, 3);
  const SealedOutcome outcome = session.Search(first.q);
  EXPECT_THAT(outcome.hits,
              ElementsAre(SealedHit{0, 4}, SealedHit{0, 3 * 1024 + 2}, SealedHit{2, 1024 + 10}));
}

TEST(SealedSearch, TheCapIsTheProbesOverAllLists) {
  ListOfStrangers first(128, 3);
  ListOfStrangers second(128, 3);
  first.Seal(0, 30, {{3, 0.9}, {4, 0.9}});
  second.Seal(0, 20, {{5, 0.9}, {6, 0.9}});
  Session session({&first.list, &second.list}, 3);
  EXPECT_TRUE(session.Search(first.q).over_cap);
  Session wider({&first.list, &second.list}, 4);
  EXPECT_EQ(wider.Search(first.q).hits.size(), 4U);
}

TEST(SealedSearch, AListThatGrowsMovesThoseBehindIt) {
  ListOfStrangers first(128, 3);
  ListOfStrangers second(128, 3);
  first.Seal(0, 30);
  second.Seal(0, 20, {{5, 0.9}});
  Session session({&first.list, &second.list});
  first.Seal(1, 3, {{2, 0.9}});
  first.list.MoveOn();
  session.Update();
  EXPECT_THAT(session.Search(first.q).hits, ElementsAre(SealedHit{0, 1024 + 3}, SealedHit{1, 6}));
}

// The requester keeps these for hits: what an auditor opens the probe with.
TEST(SealedSearch, OpeningsOpenTheirProbes) {
  ListOfStrangers s(128);
  s.Seal(0, 10);
  Session session(s.list);
  const auto begun = *session.requester().Begin(
      testing::Secretly(std::vector<Template>{s.q, s.faces.Template()}), 7);
  const auto view = s.list.view();
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(begun.openings[i].number, 7 + i);
    EXPECT_THAT(sealed::VerifyOpening(view->matrix(), begun.openings[i].q.Expose(),
                                      begun.openings[i].seed.Expose(), begun.probes[i]),
                comity::testing::IsOk());
  }
  EXPECT_NE(begun.probes[0], begun.probes[1]);
}

}  // namespace
}  // namespace comity::matching
