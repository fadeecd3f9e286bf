// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/offsets_intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/result_matchers.h"

namespace comity::gateway {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using ::testing::ElementsAre;

constexpr std::uint64_t kBatch = 5;
constexpr std::size_t kSize = 40;

Digest BindingOf(std::uint8_t list) {
  Digest digest;
  digest.bytes.fill(list);
  return digest;
}

v1::SealedPart Part(std::uint32_t probe, std::uint32_t list, std::size_t offset = 0,
                    std::size_t octets = kSize) {
  v1::SealedPart part;
  part.set_kind(v1::SealedPart::KIND_OFFSETS);
  part.set_list(list);
  part.set_binding(std::string(AsText(BindingOf(static_cast<std::uint8_t>(list)).view())));
  part.set_number(kBatch);
  part.set_probe(probe);
  part.set_offset(offset);
  part.set_size(kSize);
  part.set_data(std::string(octets, 'x'));
  return part;
}

// Three probes over three lists, of which the one in the middle is empty.
OffsetsIntake Intake() {
  return {kBatch, 3, {{BindingOf(0), kSize}, {BindingOf(1), 0}, {BindingOf(2), kSize}}};
}

TEST(OffsetsIntake, TakesEveryListOfEveryProbeInOrder) {
  OffsetsIntake intake = Intake();
  for (std::uint32_t probe = 0; probe < 3; ++probe) {
    for (std::uint32_t list : {0U, 2U}) {
      EXPECT_FALSE(intake.is_over());
      ASSERT_THAT(intake.Add(Part(probe, list, 0, 15)), IsOk());
      EXPECT_FALSE(intake.has_whole());
      ASSERT_THAT(intake.Add(Part(probe, list, 15, 25)), IsOk());
      const auto whole = intake.Take();
      ASSERT_TRUE(whole);
      EXPECT_EQ(whole->probe, probe);
      EXPECT_EQ(whole->list, list);
      EXPECT_EQ(whole->octets.size(), kSize);
    }
  }
  EXPECT_TRUE(intake.is_over());
  EXPECT_THAT(intake.Add(Part(0, 0)), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(OffsetsIntake, GoesOnWithThoseThatWereNotRefused) {
  OffsetsIntake intake = Intake();
  ASSERT_THAT(intake.Answer(1, true), IsOk());
  EXPECT_THAT(intake.Answer(1, true), FailsWith(ErrorCode::kInvalidArgument));
  ASSERT_THAT(intake.Add(Part(0, 0)), IsOk());
  EXPECT_THAT(intake.accepted(), ElementsAre(0U, 2U));
  EXPECT_THAT(intake.Answer(2, true), FailsWith(ErrorCode::kInvalidArgument));
  ASSERT_THAT(intake.Add(Part(0, 2)), IsOk());
  EXPECT_THAT(intake.Add(Part(1, 0)), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(intake.Add(Part(2, 0)), IsOk());
}

TEST(OffsetsIntake, IsOverWhenAllAreRefused) {
  OffsetsIntake intake = Intake();
  for (std::size_t probe = 0; probe < 3; ++probe) ASSERT_THAT(intake.Answer(probe, true), IsOk());
  EXPECT_TRUE(intake.is_over());
  EXPECT_FALSE(intake.has_whole());
}

// Else the face would be asked again for free, and its sketch would leave all the same.
TEST(OffsetsIntake, TakesNoAnswerBetweenOffsetsAndSketch) {
  const auto refused = FailsWith(ErrorCode::kInvalidArgument);
  OffsetsIntake intake = Intake();
  ASSERT_THAT(intake.Answer(1, true), IsOk());
  for (std::uint32_t list : {0U, 2U}) ASSERT_THAT(intake.Add(Part(0, list)), IsOk());
  EXPECT_THAT(intake.Answer(0, true), refused);
  for (std::uint32_t list : {0U, 2U}) ASSERT_THAT(intake.Add(Part(2, list)), IsOk());
  ASSERT_TRUE(intake.is_over());
  for (const bool is_refusal : {true, false}) {
    for (std::size_t probe = 0; probe < 4; ++probe) {
      EXPECT_THAT(intake.Answer(probe, is_refusal), refused) << probe;
    }
  }
  intake.NoteSketch(0);
  EXPECT_THAT(intake.Answer(2, true), refused);
  EXPECT_THAT(intake.Answer(0, true), IsOk());
  EXPECT_THAT(intake.Answer(0, true), refused);
  intake.NoteSketch(2);
  EXPECT_THAT(intake.Answer(2, false), IsOk());
}

TEST(OffsetsIntake, TakesNoPermitBeforeTheOffsets) {
  OffsetsIntake intake = Intake();
  EXPECT_THAT(intake.Answer(0, false), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(intake.Answer(3, true), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(OffsetsIntake, RefusesWhatIsNotNext) {
  const auto refused = FailsWith(ErrorCode::kInvalidArgument);
  const auto add = [](auto change) {
    OffsetsIntake intake = Intake();
    v1::SealedPart part = Part(0, 0);
    change(part);
    return intake.Add(part);
  };
  EXPECT_THAT(add([](auto&) {}), IsOk());
  EXPECT_THAT(add([](auto& p) { p.set_kind(v1::SealedPart::KIND_PADS); }), refused);
  EXPECT_THAT(add([](auto& p) { p.set_list(1); }), refused);
  EXPECT_THAT(add([](auto& p) { p.set_list(2); }), refused);
  EXPECT_THAT(add([](auto& p) { p.set_binding("short"); }), refused);
  EXPECT_THAT(add([](auto& p) { p.set_number(6); }), refused);
  EXPECT_THAT(add([](auto& p) { p.set_probe(1); }), refused);
  EXPECT_THAT(add([](auto& p) { p.set_offset(1); }), refused);
  EXPECT_THAT(add([](auto& p) { p.set_size(std::uint64_t{1} << 60); }), refused);
  EXPECT_THAT(add([](auto& p) { p.set_data(std::string(kSize + 1, 'x')); }), refused);
  EXPECT_THAT(add([](auto& p) { p.clear_data(); }), refused);
}

TEST(OffsetsIntake, ExpectsNothingAtFirst) {
  OffsetsIntake intake;
  EXPECT_TRUE(intake.is_over());
  EXPECT_THAT(intake.Add(Part(0, 0)), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(intake.Answer(0, true), FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace comity::gateway
