// SPDX-License-Identifier: Apache-2.0
#include "services/measure/synthetic_faces.h"

#include <cmath>
#include <random>
#include <utility>

#include "crypto/sealed/quantise.h"

namespace comity::measure {
namespace {

constexpr std::uint64_t kSeed = 20261126;
constexpr std::size_t kAProgress = 1024;  // entries between two reports

class Source {
 public:
  explicit Source(std::size_t dimension) : dimension_(dimension) {}

  std::vector<double> Unit() {
    std::vector<double> v(dimension_);
    double squares = 0;
    for (double& x : v) {
      x = normal_(generator_);
      squares += x * x;
    }
    for (double& x : v) x /= std::sqrt(squares);
    return v;
  }

  // A unit vector at `cosine` to `other`, which is one.
  std::vector<double> UnitAt(std::span<const float> other, double cosine) {
    std::vector<double> across = Unit();
    double dot = 0;
    for (std::size_t j = 0; j < dimension_; ++j) dot += across[j] * double{other[j]};
    double squares = 0;
    for (std::size_t j = 0; j < dimension_; ++j) {
      across[j] -= dot * double{other[j]};
      squares += across[j] * across[j];
    }
    const double sine = std::sqrt(1 - cosine * cosine);
    for (std::size_t j = 0; j < dimension_; ++j) {
      across[j] = cosine * double{other[j]} + sine * across[j] / std::sqrt(squares);
    }
    return across;
  }

 private:
  std::size_t dimension_;
  std::mt19937_64 generator_{kSeed};
  std::normal_distribution<double> normal_;
};

std::vector<float> ToFloats(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

}  // namespace

std::span<const std::int8_t> SyntheticFaces::templates(std::size_t first, std::size_t count) const {
  return std::span(templates_).subspan(first * dimension_, count * dimension_);
}

std::size_t SyntheticFaces::EntryOf(std::size_t probe) const {
  constexpr std::size_t kApart = 9973;  // prime: different entries, in different blocks
  return probe * kApart % entry_count();
}

std::vector<std::size_t> SyntheticFaces::Matches(std::size_t probe) const {
  return probe % 2 == 0 ? std::vector{EntryOf(probe)} : std::vector<std::size_t>();
}

Result<SyntheticFaces> SyntheticFaces::Make(std::size_t entries, std::size_t dimension,
                                            std::size_t probes, const Progress& progress) {
  COMITY_ASSIGN_OR_RETURN(const auto quantiser, sealed::Quantiser::Create(dimension));
  SyntheticFaces faces(dimension);
  Source source(dimension);
  faces.entries_.reserve(entries * dimension);
  faces.templates_.reserve(entries * dimension);
  for (std::size_t i = 0; i < entries;) {
    const std::vector<float> unit = ToFloats(source.Unit());
    const auto canonical = quantiser.Quantise(unit);
    if (!canonical) continue;  // its norm is off after rounding, which is rare: drawn again
    faces.entries_.insert(faces.entries_.end(), unit.begin(), unit.end());
    faces.templates_.insert(faces.templates_.end(), canonical->Expose().begin(),
                            canonical->Expose().end());
    if (++i % kAProgress == 0) progress(i, entries);
  }
  while (faces.probe_templates_.size() < probes) {
    const std::size_t probe = faces.probe_templates_.size();
    const auto like = faces.entries().subspan(faces.EntryOf(probe) * dimension, dimension);
    const std::vector<float> unit =
        ToFloats(probe % 2 == 0 ? source.UnitAt(like, kLikeness) : source.Unit());
    auto canonical = quantiser.Quantise(unit);
    if (!canonical) continue;
    faces.probes_.insert(faces.probes_.end(), unit.begin(), unit.end());
    faces.probe_templates_.push_back(*std::move(canonical));
  }
  return faces;
}

}  // namespace comity::measure
