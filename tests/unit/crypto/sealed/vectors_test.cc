// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <nlohmann/json.hpp>

#include "crypto/base/encoding.h"
#include "crypto/sealed/expand.h"
#include "crypto/sealed/sketch.h"
#include "crypto/sealed/threshold.h"
#include "tests/support/vectors.h"
#include "tests/unit/crypto/sealed/samples.h"
#include "tests/unit/crypto/sealed/search.h"

namespace comity::sealed {
namespace {

using comity::testing::ReadJsonVector;
using nlohmann::json;

Bytes FromHex(const json& text) {
  return *ParseHex(text.get<std::string>());
}

std::vector<std::int8_t> Int8FromHex(const json& text) {
  const Bytes bytes = FromHex(text);
  std::vector<std::int8_t> values;
  for (const std::uint8_t octet : bytes) values.push_back(static_cast<std::int8_t>(octet));
  return values;
}

Digest DigestFromHex(const json& text) {
  Digest digest;
  std::ranges::copy(FromHex(text), digest.bytes.begin());
  return digest;
}

std::vector<float> FloatsFromHex(const json& text) {
  const Bytes bytes = FromHex(text);
  std::vector<float> values;
  for (std::size_t i = 0; i < bytes.size(); i += 4) {
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 4; ++k) word |= std::uint32_t{bytes[i + k]} << (8 * k);
    values.push_back(std::bit_cast<float>(word));
  }
  return values;
}

class FixedRandom final : public RandomSource {
 public:
  explicit FixedRandom(Bytes octets) : octets_(std::move(octets)) {}
  void Fill(std::span<std::uint8_t> out) override { std::ranges::copy(octets_, out.begin()); }

 private:
  Bytes octets_;
};

template <typename T>
void ExpectEnds(const T& values, const json& ends) {
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(values[i], ends["first"][i].get<std::uint32_t>());
    EXPECT_EQ(values[values.size() - 8 + i], ends["last"][i].get<std::uint32_t>());
  }
}

TEST(SealedVectors, Scales) {
  const json vectors = ReadJsonVector("sealed/scales.json");
  for (const json& row : vectors["rows"]) {
    const auto profile = *Profile::Create({.dimension = row["d"].get<std::uint32_t>(),
                                           .tau_min = vectors["tau_min"].get<std::int32_t>(),
                                           .tau_max = row["tau_max"].get<std::int32_t>(),
                                           .cos_min = vectors["cos_min"].get<std::int32_t>()});
    EXPECT_EQ(profile.delta(), row["delta"].get<std::uint32_t>());
    for (const auto& [tau, threshold] : row["thresholds"].items()) {
      EXPECT_EQ(*profile.Threshold(std::stoi(tau)), threshold.get<std::uint32_t>());
    }
  }
}

TEST(SealedVectors, Quantiser) {
  const json vectors = ReadJsonVector("sealed/quantiser.json");
  for (const json& c : vectors["cases"]) {
    const auto quantiser = *Quantiser::Create(c["d"].get<std::size_t>());
    const auto x = quantiser.Quantise(FloatsFromHex(c["float32_le"]));
    ASSERT_TRUE(x) << c["name"];
    EXPECT_THAT(x->Expose(), ::testing::ElementsAreArray(Int8FromHex(c["int8"]))) << c["name"];
  }
}

class SearchVectors : public ::testing::Test {
 protected:
  SearchVectors()
      : v_(ReadJsonVector("sealed/search.json")),
        profile_(*Profile::FromHeader({.dimension = v_["d"].get<std::uint32_t>()},
                                      v_["delta"].get<std::uint64_t>())),
        identity_{.header = DigestFromHex(v_["header_digest"]),
                  .number = v_["block"].get<std::uint32_t>()},
        entries_(Int8FromHex(v_["entries_int8"])),
        q_(Int8FromHex(v_["q_int8"])) {}

  SealedWithRoot SealIt() const {
    FixedRandom random(FromHex(v_["root"]));
    return *Seal(profile_, SealIn(), identity_, entries_, random);
  }
  SealingMatrix SealIn() const {
    return *SealingMatrix::Expand(FromHex(v_["public_seed"]), profile_.dimension());
  }

  const json v_;
  const Profile profile_;
  const BlockIdentity identity_;
  const std::vector<std::int8_t> entries_;
  const std::vector<std::int8_t> q_;
};

TEST_F(SearchVectors, Expansion) {
  Element a;
  ExpandPublic(FromHex(v_["public_seed"]), 0, a);
  ExpectEnds(a, v_["a_0"]);
  ExpandPublic(FromHex(v_["public_seed"]), profile_.dimension(), a);
  ExpectEnds(a, v_["a_d"]);
  const Bytes key = FromHex(v_["expansion_key"]);
  std::array<std::int8_t, kRingDegree> small;
  ExpandTernary(key, kSecretLabel, small);
  EXPECT_EQ(json(small), v_["s"]);
  ExpandError(key, kErrorLabel, 0, small);
  EXPECT_EQ(json(small), v_["e_0"]);
  ExpandError(key, kErrorLabel, profile_.dimension(), small);
  EXPECT_EQ(json(small), v_["e_d"]);
}

TEST_F(SearchVectors, SealedBlock) {
  const auto sealed = SealIt();
  EXPECT_EQ(EncodeHex(sealed.root.contents.view()), v_["contents"].get<std::string>());
  ExpectEnds(sealed.block.p, v_["p"]);
  std::vector<std::uint32_t> row(profile_.dimension());
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = sealed.block.rows.At(0, j);
  ExpectEnds(row, v_["b_first_row"]);
  for (std::size_t j = 0; j < row.size(); ++j) {
    row[j] = sealed.block.rows.At(sealed.block.count() - 1, j);
  }
  ExpectEnds(row, v_["b_last_row"]);
  const auto hash = BlockHash(identity_.header, sealed.block);
  EXPECT_EQ(EncodeHex(hash.view()), v_["block_hash"].get<std::string>());
  EXPECT_EQ(*AuditReseal(profile_, SealIn(), identity_, FromHex(v_["root"]), entries_), hash);
}

TEST_F(SearchVectors, ProbeSharesAndHits) {
  const auto matrix = *PublicMatrix::Expand(FromHex(v_["public_seed"]), profile_.dimension());
  const auto sealed = SealIt();
  const auto probe =
      *Probe::Blind(matrix, q_, SecretBytes::CopyOf(FromHex(v_["probe_seed"])), Kernel::kPortable);
  EXPECT_EQ(EncodeHex(probe.message()), v_["blinded_probe"].get<std::string>());

  Element c;
  ASSERT_TRUE(ParseElement(probe.message(), c));
  Transformed transformed;
  Transform(c, transformed);
  Element t;
  BlockSecret::Derive(identity_, sealed.root)->Share(transformed, t);
  std::vector<Element> b(1);
  Score(sealed.block.rows, q_, Kernel::kPortable, b);
  Transform(sealed.block.p, transformed);
  probe.AddBlinding(transformed, b[0]);

  const auto count = v_["count"].get<std::size_t>();
  const auto threshold = *profile_.Threshold(v_["tau"].get<std::int32_t>());
  EXPECT_EQ(threshold, v_["threshold"].get<std::uint32_t>());
  const auto hits =
      testing::CompareAll(std::span(b[0]).first(count), std::span(t).first(count), threshold);
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_EQ(t[i], v_["t"][i].get<std::uint32_t>());
    EXPECT_EQ(((threshold + kHalfStep - b[0][i]) & kModulusMask) >> 17,
              v_["r"][i].get<std::uint32_t>());
  }
  EXPECT_EQ(json(hits), v_["hits"]);
}

TEST_F(SearchVectors, DrawnSeed) {
  const json& drawn = v_["drawn_seed"];
  FixedRandom random(FromHex(drawn["fresh"]));
  const auto z = DrawProbeSeed(DigestFromHex(drawn["session"]),
                               drawn["number"].get<std::uint64_t>(), q_, random);
  EXPECT_EQ(EncodeHex(z.Expose()), drawn["z"].get<std::string>());
}

TEST(SealedVectors, MasksAndSketches) {
  const json v = ReadJsonVector("sealed/sketch.json");
  const auto slots = *SlotSet::Create(v["filled"].get<std::vector<std::uint32_t>>(),
                                      v["withdrawn"].get<std::vector<std::uint32_t>>());
  const auto matrix = *PublicMatrix::Expand(testing::PublicSeed(), 128);
  const auto probe =
      *Probe::Blind(matrix, testing::Faces(128, 1).Template(),
                    SecretBytes::CopyOf(FromHex(v["probe_seed"])), Kernel::kPortable);
  const auto rho = probe.Masks(slots);
  std::string text;
  for (const std::uint8_t bit : rho.Expose()) text += static_cast<char>('0' + bit);
  EXPECT_EQ(text, v["rho"].get<std::string>());
  for (const json& row : v["sketches"]) {
    const auto cap = row["cap"].get<unsigned>();
    const Sketch sketch = SketchTable::Create(slots, cap)->Fold(rho.Expose());
    for (std::size_t j = 0; j < cap + 2; ++j) {
      EXPECT_EQ(sketch.sums.at(j), row["sums"][j].get<std::uint32_t>());
    }
    EXPECT_EQ(EncodeHex(EncodeSketch(sketch)), row["encoding"].get<std::string>());
    EXPECT_EQ(*ParseSketch(FromHex(row["encoding"]), cap), sketch);
  }
}

}  // namespace
}  // namespace comity::sealed
