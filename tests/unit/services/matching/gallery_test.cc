// SPDX-License-Identifier: Apache-2.0
#include "services/matching/gallery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "services/matching/template_check.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/matching/matching_support.h"

namespace comity::matching {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using testing::At;
using testing::Category;
using testing::kNow;
using testing::MakeGallery;
using testing::Matrix;
using testing::Named;
using testing::Profile;
using testing::RandomUnitRows;
using testing::Row;

TEST(NormalizeTemplate, ScalesInDoublePrecisionToFloat) {
  Matrix values = RandomUnitRows(1, 128, 1);
  for (float& x : values) x *= 1.0009F;
  Matrix expected = values;
  testing::ScaleToUnit(expected);
  ASSERT_THAT(NormalizeTemplate(values), IsOk());
  EXPECT_EQ(values, expected);
}

TEST(NormalizeTemplate, RefusesWhatIsNotNearlyUnitAndLeavesItUnchanged) {
  for (const float factor : {0.9989F, 1.0011F, 0.0F, 1e30F}) {
    Matrix values = RandomUnitRows(1, 128, 1);
    for (float& x : values) x *= factor;
    const Matrix before = values;
    EXPECT_THAT(NormalizeTemplate(values), FailsWith(ErrorCode::kInvalidArgument)) << factor;
    EXPECT_EQ(values, before);
  }
}

TEST(NormalizeTemplate, RefusesValuesThatAreNotFinite) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()}) {
    Matrix values = RandomUnitRows(1, 128, 1);
    values[5] = bad;
    EXPECT_THAT(NormalizeTemplate(values), FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST(ParseTemplate, ReadsLittleEndianAndRefusesEveryOtherLength) {
  const Matrix values = RandomUnitRows(1, 32, 2);
  const Bytes octets = testing::ToOctets(values);
  const auto parsed = ParseTemplate(octets, 32);
  ASSERT_THAT(parsed, IsOk());
  for (std::size_t i = 0; i < 32; ++i) EXPECT_NEAR(parsed->Expose()[i], values[i], 1e-7);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{127}}) {
    EXPECT_THAT(ParseTemplate(ByteView(octets).first(size), 32),
                FailsWith(ErrorCode::kInvalidArgument));
  }
  EXPECT_THAT(ParseTemplate(octets, 31), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(GalleryBuilder, RefusesBadRowsOneByOne) {
  auto builder = GalleryBuilder::Create(Profile(64), 2);
  ASSERT_THAT(builder, IsOk());
  const Matrix rows = RandomUnitRows(3, 64, 1);
  const auto values = std::span(rows).first(64);
  EXPECT_THAT(builder->Add(Row("a"), std::span(rows).first(63)),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(builder->Add(Row("a"), Matrix(64, 0.0F)), FailsWith(ErrorCode::kInvalidArgument));
  GalleryRow backwards = Row("a");
  backwards.expires_at = backwards.valid_from - std::chrono::seconds(1);
  EXPECT_THAT(builder->Add(backwards, values), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(builder->Add(Row("a"), values), IsOk());
  EXPECT_THAT(builder->Add(Row("a"), values), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(builder->Add(Row("b"), values), IsOk());
  EXPECT_THAT(builder->Add(Row("c"), values), FailsWith(ErrorCode::kExhausted));
  EXPECT_EQ(std::move(*builder).Build()->size(), 2U);
}

TEST(GalleryBuilder, RefusesADimensionOutsideTheBounds) {
  EXPECT_THAT(GalleryBuilder::Create(Profile(31), 1), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(GalleryBuilder::Create(Profile(2049), 1), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(GalleryBuilder, KeepsOnlyTheRowsThatCame) {
  auto builder = GalleryBuilder::Create(Profile(64), 5);
  ASSERT_THAT(builder->Add(Row("a"), RandomUnitRows(1, 64, 1)), IsOk());
  const auto gallery = std::move(*builder).Build();
  EXPECT_EQ(gallery->size(), 1U);
  EXPECT_EQ(gallery->Expose().size(), 64U);
}

TEST(GalleryBuilder, KeepsTheSameOfRowsThatCameWhetherItCopiesThemOrNot) {
  constexpr std::uint32_t kDimension = 128;
  const Matrix rows = RandomUnitRows(20, kDimension, 3);
  const auto of_row = [&](std::size_t row) {
    return std::span(rows).subspan(row * kDimension, kDimension);
  };
  for (const std::size_t announced : {std::size_t{20}, std::size_t{33}, std::size_t{100}}) {
    SCOPED_TRACE(announced);
    auto builder = GalleryBuilder::Create(Profile(kDimension), announced);
    ASSERT_THAT(builder, IsOk());
    for (std::size_t i = 0; i < 20; ++i) {
      ASSERT_THAT(builder->Add(Row("r" + std::to_string(i)), of_row(i)), IsOk());
    }
    const auto gallery = std::move(*builder).Build();
    ASSERT_EQ(gallery->size(), 20U);
    EXPECT_EQ(gallery->Expose().size(), std::size_t{20} * kDimension);
    EXPECT_EQ(gallery->proposals().rows(), 20U);
    for (std::uint32_t i = 0; i < 20; ++i) {
      EXPECT_EQ(gallery->Find("r" + std::to_string(i)), i);
      const auto found = gallery->proposals().Find(of_row(i), 0.9, sealed::Kernel::kPortable);
      ASSERT_THAT(found, IsOk());
      EXPECT_THAT(found->front(), ::testing::ElementsAre(i));
    }
  }
}

TEST(GalleryBuilder, MakesTheSameGalleryOfRowsThatManyThreadsSet) {
  constexpr std::size_t kRows = 1'100;
  constexpr std::size_t kThreads = 5;
  constexpr std::uint32_t kDimension = 128;
  const Matrix rows = RandomUnitRows(kRows, kDimension, 7);
  const auto of_row = [&](std::size_t row) {
    return std::span(rows).subspan(row * kDimension, kDimension);
  };
  auto added = GalleryBuilder::Create(Profile(kDimension), kRows);
  auto set = GalleryBuilder::Create(Profile(kDimension), kRows + 3);
  ASSERT_THAT(added, IsOk());
  ASSERT_THAT(set, IsOk());
  for (std::size_t i = 0; i < kRows; ++i) {
    ASSERT_THAT(added->Add(Row("r" + std::to_string(i)), of_row(i)), IsOk());
  }
  {
    std::vector<std::jthread> threads;
    for (std::size_t thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (std::size_t i = thread; i < kRows; i += kThreads) {
          EXPECT_THAT(set->Set(i, Row("r" + std::to_string(i)), of_row(i)), IsOk());
        }
      });
    }
  }
  const auto expected = std::move(*added).Build();
  const auto built = std::move(*set).BuildFirst(kRows);
  ASSERT_THAT(built, IsOk());
  const auto& gallery = *built;
  ASSERT_EQ(gallery->size(), kRows);
  EXPECT_TRUE(std::ranges::equal(gallery->Expose(), expected->Expose()));
  for (const std::size_t probe : {std::size_t{0}, std::size_t{300}, kRows - 1}) {
    EXPECT_EQ(gallery->row(probe).reference, expected->row(probe).reference);
    EXPECT_EQ(gallery->Find("r" + std::to_string(probe)), probe);
    const auto found = gallery->proposals().Find(of_row(probe), 0.9, sealed::Kernel::kPortable);
    ASSERT_THAT(found, IsOk());
    EXPECT_THAT(found->front(), ::testing::ElementsAre(static_cast<std::uint32_t>(probe)));
  }
}

// More rows than one thread sorts by itself; see kSortedByOne.
TEST(GalleryBuilder, FindsReferencesAndTheirRepetitionsAmongVeryManyRows) {
  constexpr std::size_t kRows = 60'001;
  const Matrix values = RandomUnitRows(1, 32, 1);
  for (const std::size_t repeated : {kRows, std::size_t{2}, kRows - 1}) {
    auto builder = GalleryBuilder::Create(Profile(32), kRows);
    ASSERT_THAT(builder, IsOk());
    for (std::size_t i = 0; i < kRows; ++i) {
      const std::size_t named = i == repeated ? kRows / 2 : i;
      ASSERT_THAT(builder->Set(i, Row("r" + std::to_string(named)), values), IsOk());
    }
    const auto gallery = std::move(*builder).BuildFirst(kRows);
    if (repeated < kRows) {
      EXPECT_THAT(gallery, FailsWith(ErrorCode::kConflict)) << repeated;
      continue;
    }
    ASSERT_THAT(gallery, IsOk());
    for (std::size_t i = 0; i < kRows; ++i) {
      ASSERT_EQ((*gallery)->Find("r" + std::to_string(i)), i);
    }
    EXPECT_EQ((*gallery)->Find("r" + std::to_string(kRows)), std::nullopt);
  }
}

TEST(GalleryBuilder, RefusesRowsThatAreSetAsItRefusesThoseThatAreAdded) {
  const Matrix rows = RandomUnitRows(1, 64, 1);
  auto builder = GalleryBuilder::Create(Profile(64), 3);
  ASSERT_THAT(builder, IsOk());
  EXPECT_THAT(builder->Set(0, Row("a"), std::span(rows).first(63)),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(builder->Set(0, Row("a"), Matrix(64, 0.0F)), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(builder->Set(3, Row("a"), rows), FailsWith(ErrorCode::kExhausted));
  for (std::size_t place = 0; place < 3; ++place) {
    EXPECT_THAT(builder->Set(place, Row(place == 1 ? "b" : "a"), rows), IsOk());
  }
  EXPECT_THAT(std::move(*builder).BuildFirst(3), FailsWith(ErrorCode::kConflict));
}

TEST(Gallery, WithoutLeavesEveryOtherRowAsItWas) {
  const auto gallery = MakeGallery(RandomUnitRows(5, 64, 1), 64);
  for (std::size_t gone = 0; gone < 5; ++gone) {
    const auto rest = gallery->Without(std::vector{"r" + std::to_string(gone), std::string("x")});
    ASSERT_EQ(rest->size(), 4U);
    for (std::size_t i = 0; i < 4; ++i) {
      const std::size_t was = i < gone ? i : i + 1;
      EXPECT_EQ(rest->row(i).reference, gallery->row(was).reference);
      EXPECT_THAT(rest->Expose().subspan(i * 64, 64),
                  ::testing::ElementsAreArray(gallery->Expose().subspan(was * 64, 64)));
    }
  }
  EXPECT_EQ(gallery->Without(std::vector<std::string>{"r5"})->size(), 5U);
  const auto rest = gallery->Without(std::vector<std::string>{"r0", "r4", "r2"});
  ASSERT_EQ(rest->size(), 2U);
  EXPECT_EQ(rest->row(1).reference, "r3");
  EXPECT_THAT(rest->Expose().subspan(64, 64),
              ::testing::ElementsAreArray(gallery->Expose().subspan(std::size_t{3} * 64, 64)));
}

constexpr policy::TermSet<policy::SubjectCategory> kSuspects{policy::SubjectCategory::kSuspect};

TEST(Gallery, CountsActiveRowsAtBothEndsOfValidity) {
  auto builder = GalleryBuilder::Create(Profile(64), 3);
  const Matrix values = RandomUnitRows(1, 64, 1);
  GalleryRow row = Row("a");
  row.valid_from = At(kNow);
  row.expires_at = At(kNow + 10);
  ASSERT_THAT(builder->Add(row, values), IsOk());
  ASSERT_THAT(builder->Add(Row("b"), values), IsOk());
  ASSERT_THAT(builder->Add(Row("c", "witness"), values), IsOk());
  const auto gallery = std::move(*builder).Build();
  const std::vector categories = {Category("wanted-by-courts")};
  const RowFilter wanted{categories, kSuspects};
  const auto microsecond = std::chrono::microseconds(1);
  EXPECT_EQ(gallery->ActiveRows(wanted, At(kNow) - microsecond), 1U);
  EXPECT_EQ(gallery->ActiveRows(wanted, At(kNow)), 2U);
  EXPECT_EQ(gallery->ActiveRows(wanted, At(kNow + 10) - microsecond), 2U);
  EXPECT_EQ(gallery->ActiveRows(wanted, At(kNow + 10)), 1U);
  const std::vector victims = {Category("victim")};
  EXPECT_EQ(gallery->ActiveRows({victims, kSuspects}, At(kNow)), 0U);
}

TEST(Gallery, FindsEveryRowByItsReferenceAndNothingElse) {
  auto builder = GalleryBuilder::Create(Profile(64), 20);
  const Matrix values = RandomUnitRows(1, 64, 1);
  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(builder->Add(Row("r" + std::to_string((i * 7) % 20)), values), IsOk());
  }
  const auto gallery = std::move(*builder).Build();
  const std::vector<std::string> gone = {"r0", "r13"};
  for (const auto& each : {gallery, gallery->Without(gone)}) {
    for (std::size_t row = 0; row < each->size(); ++row) {
      EXPECT_EQ(each->Find(each->row(row).reference), row);
    }
  }
  for (const char* const none : {"", "r", "r20", "s"}) EXPECT_EQ(gallery->Find(none), std::nullopt);
  EXPECT_EQ(gallery->Without(gone)->Find("r13"), std::nullopt);
}

TEST(Gallery, TakesRowsOfTheSubjectsThatThePurposeAllows) {
  auto builder = GalleryBuilder::Create(Profile(64), 2);
  const Matrix values = RandomUnitRows(1, 64, 1);
  GalleryRow row = Row("suspect");
  row.subject = policy::SubjectCategory::kSuspect;
  ASSERT_THAT(builder->Add(row, values), IsOk());
  row.reference = "missing";
  row.subject = policy::SubjectCategory::kMissing;
  ASSERT_THAT(builder->Add(row, values), IsOk());
  const auto gallery = std::move(*builder).Build();
  const std::vector categories = {Category("wanted-by-courts")};
  EXPECT_EQ(gallery->ActiveRows({categories, kSuspects}, At(kNow)), 1U);
  EXPECT_TRUE((RowFilter{categories, kSuspects}.Takes(gallery->row(0))));
  EXPECT_FALSE((RowFilter{categories, kSuspects}.Takes(gallery->row(1))));
  EXPECT_EQ(gallery->ActiveRows({categories, {}}, At(kNow)), 0U);
  EXPECT_EQ(gallery->ActiveRows({{}, kSuspects}, At(kNow)), 0U);
}

}  // namespace
}  // namespace comity::matching
