// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "crypto/base/random.h"
#include "crypto/base/secret.h"
#include "crypto/hash/chacha_stream.h"
#include "crypto/sealed/probe.h"
#include "crypto/sealed/quantise.h"
#include "crypto/sealed/seal.h"

namespace comity::sealed::testing {

// Randomness that a test can repeat.
class SeededRandom final : public RandomSource {
 public:
  explicit SeededRandom(std::uint8_t seed) : key_(32, seed) {}
  void Fill(std::span<std::uint8_t> out) override { hash::ExpandStream(key_, 0, next_++, out); }

 private:
  Bytes key_;
  std::uint64_t next_ = 0;
};

// Unit vectors and the templates made of them.
class Faces {
 public:
  Faces(std::size_t dimension, std::uint64_t seed)
      : dimension_(dimension), generator_(seed), quantiser_(*Quantiser::Create(dimension)) {}

  std::vector<float> Unit() {
    std::vector<double> v(dimension_);
    double squares = 0;
    for (double& x : v) {
      x = normal_(generator_);
      squares += x * x;
    }
    std::vector<float> unit(dimension_);
    for (std::size_t j = 0; j < dimension_; ++j) {
      unit[j] = static_cast<float>(v[j] / std::sqrt(squares));
    }
    return unit;
  }

  // A unit vector whose cosine with `other` is `cosine`.
  std::vector<float> UnitAt(const std::vector<float>& other, double cosine) {
    std::vector<double> across(dimension_);
    double dot = 0;
    for (std::size_t j = 0; j < dimension_; ++j) {
      across[j] = normal_(generator_);
      dot += across[j] * double{other[j]};
    }
    double squares = 0;
    for (std::size_t j = 0; j < dimension_; ++j) {
      across[j] -= dot * double{other[j]};
      squares += across[j] * across[j];
    }
    const double sine = std::sqrt(std::max(0.0, 1 - cosine * cosine) / squares);
    std::vector<float> unit(dimension_);
    for (std::size_t j = 0; j < dimension_; ++j) {
      unit[j] = static_cast<float>(cosine * double{other[j]} + sine * across[j]);
    }
    return unit;
  }

  std::vector<std::int8_t> Quantise(const std::vector<float>& embedding) const {
    const auto x = quantiser_.Quantise(embedding);
    return {x->Expose().begin(), x->Expose().end()};
  }
  std::vector<std::int8_t> Template() { return Quantise(Unit()); }
  std::vector<std::int8_t> Templates(std::size_t count) {
    std::vector<std::int8_t> all;
    for (std::size_t i = 0; i < count; ++i) {
      const auto one = Template();
      all.insert(all.end(), one.begin(), one.end());
    }
    return all;
  }

  std::mt19937_64& generator() { return generator_; }

 private:
  std::size_t dimension_;
  std::mt19937_64 generator_;
  std::normal_distribution<double> normal_;
  Quantiser quantiser_;
};

inline const Bytes& PublicSeed() {
  static const Bytes seed(32, 0x5a);
  return seed;
}

inline BlockIdentity SampleIdentity() {
  BlockIdentity identity{.header = {}, .number = 3};
  identity.header.bytes.fill(0x11);
  return identity;
}

// One sealed block with all that both sides hold, and the shares of probes against it.
class OneBlock {
 public:
  OneBlock(const Scales& scales, const std::vector<std::int8_t>& entries)
      : profile(*Profile::Create(scales)),
        matrix(*PublicMatrix::Expand(PublicSeed(), scales.dimension)),
        random_(1),
        sealed(*Seal(profile, *SealingMatrix::Expand(PublicSeed(), scales.dimension),
                     SampleIdentity(), entries, random_)),
        secret(*BlockSecret::Derive(SampleIdentity(), sealed.root)) {
    Transform(sealed.block.p, transformed_p_);
  }

  Probe Blind(std::span<const std::int8_t> q) {
    Digest session;
    session.bytes.fill(0x77);
    auto seed = DrawProbeSeed(session, probes_++, q, random_);
    return *Probe::Blind(matrix, q, std::move(seed), FastestKernel());
  }
  // B, the requester's share of all slots.
  Element RequesterShare(const Probe& probe, std::span<const std::int8_t> q) const {
    std::vector<Element> scores(1);
    Score(sealed.block.rows, q, FastestKernel(), scores);
    probe.AddBlinding(transformed_p_, scores[0]);
    return scores[0];
  }
  // t, the holder's.
  Element HolderShare(ByteView message) const {
    Element c;
    EXPECT_TRUE(ParseElement(message, c).has_value());
    Transformed transformed;
    Transform(c, transformed);
    Element share;
    secret.Share(transformed, share);
    return share;
  }

  Profile profile;
  PublicMatrix matrix;

 private:
  SeededRandom random_;
  std::uint64_t probes_ = 0;
  Transformed transformed_p_;

 public:
  SealedWithRoot sealed;
  BlockSecret secret;
};

}  // namespace comity::sealed::testing
