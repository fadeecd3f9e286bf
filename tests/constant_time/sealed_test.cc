// SPDX-License-Identifier: Apache-2.0
// Templates, block secrets, blinded probes, scores and the comparison, under valgrind.
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "crypto/sealed/sketch.h"
#include "crypto/sealed/threshold.h"
#include "tests/constant_time/taint.h"
#include "tests/unit/crypto/sealed/samples.h"

namespace comity::constant_time {
namespace {

using namespace comity::sealed;
using sealed::testing::Faces;
using sealed::testing::PublicSeed;
using sealed::testing::SampleIdentity;

constexpr std::size_t kDimension = 128;
constexpr std::size_t kEntries = 20;  // a whole group of rows, and a part of one

class SealedSearch : public ConstantTime {
 protected:
  static const PublicMatrix& Matrix() {
    static const PublicMatrix matrix = *PublicMatrix::Expand(PublicSeed(), kDimension);
    return matrix;
  }
  static const SealingMatrix& Sealing() {
    static const SealingMatrix matrix = *SealingMatrix::Expand(PublicSeed(), kDimension);
    return matrix;
  }
  static std::vector<std::int8_t> SecretTemplates(std::size_t count) {
    std::vector<std::int8_t> templates = Faces(kDimension, 1).Templates(count);
    MarkSecret(templates);
    return templates;
  }
  Result<SealedWithRoot> SealSecretEntries() {
    return Seal(profile_, Sealing(), SampleIdentity(), SecretTemplates(kEntries), random_);
  }
  Probe BlindSecretTemplate(Kernel kernel) {
    const auto q = SecretTemplates(1);
    return *Probe::Blind(Matrix(), q, DrawProbeSeed({}, 1, q, random_), kernel);
  }
  template <typename T>
  std::vector<T> SecretNumbers(std::size_t count, T mask) {
    std::vector<T> numbers(count);
    random_.Fill({reinterpret_cast<std::uint8_t*>(numbers.data()), count * sizeof(T)});
    for (T& number : numbers) number = static_cast<T>(number & mask);
    return numbers;
  }

  const Profile profile_ = *Profile::Create({.dimension = kDimension});
  const SlotSet slots_ =
      *SlotSet::Create(std::vector<std::uint32_t>{1, kEntries}, std::vector<std::uint32_t>{1026});
  SecretRandom random_{1};
};

TEST_F(SealedSearch, Quantise) {
  const Quantiser quantiser = *Quantiser::Create(kDimension);
  const std::vector<float> embedding = Faces(kDimension, 2).Unit();
  MarkSecret(embedding);
  const auto quantised = quantiser.Quantise(embedding);
  ASSERT_TRUE(quantised.has_value());
  EXPECT_TRUE(IsSecret(quantised->Expose()));
}

TEST_F(SealedSearch, Seal) {
  const auto sealed = SealSecretEntries();
  ASSERT_TRUE(sealed.has_value());
  const Bytes published = EncodeSealedBlock(sealed->block);
  EXPECT_FALSE(IsSecret(std::span(published).first(kBlockHeaderBytes)));
  EXPECT_TRUE(IsSecret(std::span(published).subspan(kBlockHeaderBytes, kElementBytes)));
  EXPECT_TRUE(IsSecret(std::span(published).subspan(kBlockHeaderBytes + kElementBytes)));
}

TEST_F(SealedSearch, AuditReseal) {
  const SecretBytes root(32);
  MarkSecret(root.Expose());
  const auto hash =
      AuditReseal(profile_, Sealing(), SampleIdentity(), root.Expose(), SecretTemplates(kEntries));
  ASSERT_TRUE(hash.has_value());
  EXPECT_TRUE(IsSecret(hash->bytes));
}

TEST_F(SealedSearch, BlockSecretAndShare) {
  BlockRoot root{.root = SecretBytes(32), .contents = {}, .count = kEntries};
  random_.Fill(root.root.ExposeMutable());
  MarkSecret(root.contents.bytes);
  const auto secret = BlockSecret::Derive(SampleIdentity(), root);
  ASSERT_TRUE(secret.has_value());
  Element share{};
  secret->Share(Matrix().first(), share);
  EXPECT_TRUE(IsSecret(share));
}

TEST_F(SealedSearch, BlindOnEveryKernel) {
  for (const Kernel kernel : SupportedKernels()) {
    const Probe probe = BlindSecretTemplate(kernel);
    EXPECT_TRUE(IsSecret(probe.message()));
    EXPECT_TRUE(IsSecret(probe.seed().Expose()));
  }
}

TEST_F(SealedSearch, ScoreOnEveryKernel) {
  const auto sealed = SealSecretEntries();
  ASSERT_TRUE(sealed.has_value());
  const Bytes published = EncodeSealedBlock(sealed->block);
  MarkPublic(published);
  const SealedBlock block = *ParseSealedBlock(published, kDimension, SampleIdentity().number);
  EXPECT_GE(SupportedKernels().size(), 2U) << "this machine has no AVX2";
  for (const Kernel kernel : SupportedKernels()) {
    for (const std::size_t probes : {std::size_t{1}, std::size_t{3}}) {
      std::vector<Element> scores(probes);
      Score(block.rows, SecretTemplates(probes), kernel, scores);
      EXPECT_TRUE(IsSecret(std::span(scores.back()).first(kEntries)));
    }
  }
}

TEST_F(SealedSearch, AddBlinding) {
  const Probe probe = BlindSecretTemplate(Kernel::kPortable);
  Element scores{};
  probe.AddBlinding(Matrix().first(), scores);
  EXPECT_TRUE(IsSecret(scores));
}

TEST_F(SealedSearch, Masks) {
  const auto masks = BlindSecretTemplate(Kernel::kPortable).Masks(slots_);
  EXPECT_TRUE(IsSecret(masks.Expose()));
}

TEST_F(SealedSearch, OffsetsAndOpenedTables) {
  const auto shares = SecretNumbers<std::uint32_t>(kEntries, kModulusMask);
  ot::HolderRows rows{.first_ot = 0, .rows = ot::SecretBlocks(128), .choices = ot::SecretBlocks(1)};
  random_.Fill(ot::AsWritableOctets(rows.rows.ExposeMutable()));
  random_.Fill(ot::AsWritableOctets(rows.choices.ExposeMutable()));
  ot::HolderPadPool pool({}, ot::Kernel::kPortable);
  pool.Add(rows);
  auto told = TellOffsets(shares, *pool.Take(kEntries));
  EXPECT_TRUE(IsSecret(told.message));
  const Bytes tables(kTableBytes * kEntries, 0x39);
  const auto opened = OpenTables(shares, std::move(told.openings), tables);
  ASSERT_TRUE(opened.has_value());
  EXPECT_TRUE(IsSecret(opened->Expose()));
}

TEST_F(SealedSearch, CoveredTables) {
  const auto scores = SecretNumbers<std::uint32_t>(kEntries, kModulusMask);
  const auto masks = SecretNumbers<std::uint8_t>(kEntries, 1);
  ot::RequesterRows rows{
      .first_ot = 0, .rows = ot::SecretBlocks(128), .delta = ot::SecretBlocks(1)};
  random_.Fill(ot::AsWritableOctets(rows.rows.ExposeMutable()));
  random_.Fill(ot::AsWritableOctets(rows.delta.ExposeMutable()));
  ot::RequesterPadPool pool({}, ot::Kernel::kPortable);
  pool.Add(rows);
  const auto tables =
      CoverTables({.threshold = *profile_.Threshold(3500), .scores = scores, .masks = masks},
                  Bytes(OffsetBytes(kEntries), 0x5a), *pool.Take(kEntries));
  ASSERT_TRUE(tables.has_value());
  EXPECT_TRUE(IsSecret(*tables));
}

TEST_F(SealedSearch, FoldAndEncodeTheSketch) {
  const auto table = SketchTable::Create(slots_, kDefaultCap);
  ASSERT_TRUE(table.has_value());
  const auto bits = SecretNumbers<std::uint8_t>(slots_.size(), 1);
  const Bytes sketch = EncodeSketch(Difference(table->Fold(bits), Sketch{.cap = kDefaultCap}));
  EXPECT_TRUE(IsSecret(sketch));
}

}  // namespace
}  // namespace comity::constant_time
