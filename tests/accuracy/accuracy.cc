// SPDX-License-Identifier: Apache-2.0
#include "tests/accuracy/accuracy.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>

#include "crypto/base/check.h"
#include "crypto/sealed/probe.h"
#include "crypto/sealed/public_matrix.h"
#include "crypto/sealed/quantise.h"
#include "crypto/sealed/seal.h"

namespace comity::accuracy {
namespace {

using sealed::Element;
using sealed::kRingDegree;
using Face = demo::FaceSet::Face;

// Which faces hit their own entry, and which hit anything, at each threshold.
class Tally {
 public:
  explicit Tally(std::size_t thresholds) : own_(thresholds), any_(thresholds) {}

  void Add(std::size_t threshold, bool is_mated, bool own, bool any) {
    if (is_mated && own) ++own_[threshold];
    if (!is_mated && any) ++any_[threshold];
  }
  std::vector<Rates> Over(const demo::FaceSet& faces) const {
    std::vector<Rates> rates(own_.size());
    for (std::size_t i = 0; i < rates.size(); ++i) {
      rates[i].tpir = own_[i] / static_cast<double>(faces.mated.size());
      rates[i].fpir = any_[i] / static_cast<double>(faces.non_mated.size());
    }
    return rates;
  }

 private:
  std::vector<double> own_;
  std::vector<double> any_;
};

template <typename Visit>
void VisitFaces(const demo::FaceSet& faces, Visit&& visit) {
  for (const Face& face : faces.mated) visit(face, true);
  for (const Face& face : faces.non_mated) visit(face, false);
}

struct Block {
  sealed::SealedBlock sealed;
  sealed::Transformed p{};
  sealed::BlockSecret secret;
  std::vector<std::uint32_t> identities;  // by slot
};

std::array<std::uint8_t, sealed::kSeedBytes> RandomSeed(RandomSource& random) {
  std::array<std::uint8_t, sealed::kSeedBytes> seed{};
  random.Fill(seed);
  return seed;
}

std::vector<std::unique_ptr<Block>> SealAll(const demo::FaceSet& faces,
                                            const sealed::Profile& profile, ByteView seed,
                                            const sealed::Quantiser& quantiser,
                                            RandomSource& random) {
  const auto matrix = sealed::SealingMatrix::Expand(seed, profile.dimension());
  const auto order =
      sealed::RandomSlotOrder(static_cast<std::uint32_t>(faces.enrolled.size()), random);
  std::vector<std::unique_ptr<Block>> blocks;
  for (std::size_t first = 0; first < order.size(); first += kRingDegree) {
    std::vector<std::int8_t> entries;
    std::vector<std::uint32_t> identities;
    for (std::size_t i = first; i < std::min(order.size(), first + kRingDegree); ++i) {
      const Face& face = faces.enrolled[order[i]];
      const auto x = quantiser.Quantise(faces.Row(face.row));
      COMITY_CHECK(x.has_value());
      entries.insert(entries.end(), x->Expose().begin(), x->Expose().end());
      identities.push_back(face.identity);
    }
    const sealed::BlockIdentity identity{{}, static_cast<std::uint32_t>(blocks.size())};
    auto made = sealed::Seal(profile, *matrix, identity, entries, random);
    COMITY_CHECK(made.has_value());
    auto secret = sealed::BlockSecret::Derive(identity, made->root);
    COMITY_CHECK(secret.has_value());
    auto block = std::make_unique<Block>(
        Block{std::move(made->block), {}, *std::move(secret), std::move(identities)});
    sealed::Transform(block->sealed.p, block->p);
    blocks.push_back(std::move(block));
  }
  return blocks;
}

// [score >= T] as the comparison of sealed-v1 sees it (crypto/sealed/threshold.h).
bool IsHit(std::uint32_t b, std::uint32_t t, std::uint32_t threshold) {
  constexpr unsigned kShift = sealed::kModulusBits - sealed::kComparedBits;
  const std::uint32_t r = ((threshold + sealed::kHalfStep - b) & sealed::kModulusMask) >> kShift;
  const std::uint32_t high = t >> kShift;
  return (1U ^ high >> 6 ^ r >> 6 ^ ((high & 63) < (r & 63) ? 1U : 0U)) != 0;
}

// In: thresholds  cosines
std::vector<Rates> RatesAt(const demo::FaceSet& faces, std::span<const double> thresholds) {
  Tally tally(thresholds.size());
  VisitFaces(faces, [&](const Face& face, bool is_mated) {
    double own = -1;
    double best = -1;
    for (const Face& entry : faces.enrolled) {
      const double score = faces.Score(face.row, entry.row);
      best = std::max(best, score);
      if (entry.identity == face.identity) own = std::max(own, score);
    }
    for (std::size_t i = 0; i < thresholds.size(); ++i) {
      tally.Add(i, is_mated, own >= thresholds[i], best >= thresholds[i]);
    }
  });
  return tally.Over(faces);
}

}  // namespace

std::vector<Rates> ExactRates(const demo::FaceSet& faces, std::span<const std::int32_t> taus) {
  std::vector<double> thresholds;
  for (const std::int32_t tau : taus) thresholds.push_back(tau * 1e-4);
  return RatesAt(faces, thresholds);
}

std::vector<Rates> DitheredRates(const demo::FaceSet& faces, const sealed::Profile& profile,
                                 std::span<const std::int32_t> taus) {
  constexpr int kPoints = 101;
  const double one = 64516.0 * profile.dimension() / 121 * profile.delta();  // score of cosine 1
  std::vector<double> thresholds;
  for (const std::int32_t tau : taus) {
    for (int i = 0; i < kPoints; ++i) {
      thresholds.push_back(tau * 1e-4 + sealed::kHalfStep / one * (2.0 * i / (kPoints - 1) - 1));
    }
  }
  const auto rates = RatesAt(faces, thresholds);
  std::vector<Rates> means(taus.size());
  for (std::size_t i = 0; i < rates.size(); ++i) {
    means[i / kPoints].tpir += rates[i].tpir / kPoints;
    means[i / kPoints].fpir += rates[i].fpir / kPoints;
  }
  return means;
}

std::vector<Rates> SealedRates(const demo::FaceSet& faces, const sealed::Profile& profile,
                               std::span<const std::int32_t> taus, sealed::Kernel kernel,
                               RandomSource& random) {
  const auto seed = RandomSeed(random);
  const auto quantiser = sealed::Quantiser::Create(profile.dimension());
  const auto matrix = sealed::PublicMatrix::Expand(seed, profile.dimension());
  const auto blocks = SealAll(faces, profile, seed, *quantiser, random);
  Tally tally(taus.size());
  std::uint64_t number = 0;
  Element b{};
  Element t{};
  sealed::Transformed sent{};
  VisitFaces(faces, [&](const Face& face, bool is_mated) {
    const auto q = quantiser->Quantise(faces.Row(face.row));
    COMITY_CHECK(q.has_value());
    const auto probe = sealed::Probe::Blind(
        *matrix, q->Expose(), sealed::DrawProbeSeed({}, ++number, q->Expose(), random), kernel);
    COMITY_CHECK(probe.has_value());
    Element message{};
    COMITY_CHECK(sealed::ParseElement(probe->message(), message).has_value());
    sealed::Transform(message, sent);
    std::vector<char> own(taus.size(), 0);
    std::vector<char> any(taus.size(), 0);
    for (const auto& block : blocks) {
      sealed::Score(block->sealed.rows, q->Expose(), kernel, std::span(&b, 1));
      probe->AddBlinding(block->p, b);
      block->secret.Share(sent, t);
      for (std::size_t i = 0; i < taus.size(); ++i) {
        const std::uint32_t threshold = *profile.Threshold(taus[i]);
        for (std::size_t slot = 0; slot < block->identities.size(); ++slot) {
          if (!IsHit(b[slot], t[slot], threshold)) continue;
          any[i] = 1;
          if (block->identities[slot] == face.identity) own[i] = 1;
        }
      }
    }
    for (std::size_t i = 0; i < taus.size(); ++i) {
      tally.Add(i, is_mated, own[i] != 0, any[i] != 0);
    }
  });
  return tally.Over(faces);
}

Mean MeanOf(std::span<const double> values) {
  // Student's t, 97.5 %, by degrees of freedom; beyond 59 the last serves.
  static const std::map<std::size_t, double> kQuantiles = {{1, 12.71},  {2, 4.303},  {4, 2.776},
                                                           {9, 2.262},  {14, 2.145}, {19, 2.093},
                                                           {29, 2.045}, {59, 2.001}};
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  // The next lower number of degrees of freedom: too wide rather than too narrow.
  const auto above = kQuantiles.upper_bound(values.size() - 1);
  const double quantile = std::prev(above)->second;
  return {mean, quantile * std::sqrt(squares / (n - 1) / n)};
}

std::vector<Row> Evaluate(const demo::FaceSet& faces, const sealed::Profile& profile,
                          std::span<const std::int32_t> taus, int runs, sealed::Kernel kernel,
                          RandomSource& random) {
  const auto exact = ExactRates(faces, taus);
  const auto dithered = DitheredRates(faces, profile, taus);
  std::vector<std::vector<double>> tpir(taus.size());
  std::vector<std::vector<double>> fpir(taus.size());
  for (int run = 0; run < runs; ++run) {
    const auto rates = SealedRates(faces, profile, taus, kernel, random);
    for (std::size_t i = 0; i < taus.size(); ++i) {
      tpir[i].push_back(rates[i].tpir);
      fpir[i].push_back(rates[i].fpir);
    }
  }
  std::vector<Row> rows;
  for (std::size_t i = 0; i < taus.size(); ++i) {
    rows.push_back({taus[i], exact[i], dithered[i], MeanOf(tpir[i]), MeanOf(fpir[i])});
  }
  return rows;
}

}  // namespace comity::accuracy
