// SPDX-License-Identifier: Apache-2.0
#include "services/matching/plain/proposals.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "crypto/base/check.h"
#include "services/matching/plain/template_scan.h"

namespace comity::matching {
namespace {

constexpr std::size_t kGroupRows = TemplateMatrix::kGroupRows;
// How far a row's norm may be above 1: it was scaled in binary64 and rounded to float32.
constexpr double kNormSlack = 1e-6;
// For everything that is rounded on the way: rotation and scores in binary64 (below 1e-12),
// residuals and the comparison in float32 (a few 2^-24 of values below 2).
constexpr double kRoundingSlack = 1e-5;

double Norm(std::span<const float> values) {
  double squares = 0;
  for (const float value : values) squares += double{value} * double{value};
  return std::sqrt(squares);
}

double Norm(std::span<const std::int8_t> elements) {
  std::int32_t squares = 0;
  for (const std::int8_t element : elements) squares += element * element;
  return std::sqrt(static_cast<double>(squares));
}

}  // namespace

// Proposed is a row with sum * scale + probe_norm * residual >= least.
struct Proposals::Bound {
  float scale;
  float probe_norm;
  float least;

  bool Reaches(std::int32_t sum, float residual) const {
    // A sum is below 1024 * 127^2 < 2^24 in size, so float32 has it exactly.
    return static_cast<float>(sum) * scale + probe_norm * residual >= least;
  }
  // Whether any row of a group does, in a form that compilers vectorise.
  bool ReachesAny(const std::int32_t* sums, const float* residuals) const {
    int any = 0;
    for (std::size_t i = 0; i < kGroupRows; ++i) any |= Reaches(sums[i], residuals[i]) ? 1 : 0;
    return any != 0;
  }
};

Proposals::Proposals(std::size_t dimension, std::size_t rows) : dimension_(dimension) {
  auto quantiser = sealed::Quantiser::Create(dimension);
  if (!quantiser) return;
  quantiser_ = *std::move(quantiser);
  templates_ = TemplateMatrix(rows, dimension);
  // Whole groups, so that the last is compared as the others are.
  residuals_.resize(templates_.groups() * kGroupRows);
}

Status Proposals::SetRow(std::size_t row, std::span<const float> values) {
  COMITY_CHECK(supported());
  COMITY_ASSIGN_OR_RETURN(const auto approximation, quantiser_->Approximate(values));
  templates_.SetRow(row, approximation.elements.Expose());
  residuals_[row] = static_cast<float>(approximation.residual);
  return {};
}

void Proposals::CopyRow(std::size_t row, const Proposals& from, std::size_t from_row) {
  templates_.CopyRow(row, from.templates_, from_row);
  residuals_[row] = from.residuals_[from_row];
}

Proposals Proposals::First(std::size_t rows) const {
  COMITY_CHECK(!supported() || rows <= this->rows());
  Proposals first(dimension_, rows);
  if (!supported()) return first;
  for (std::size_t row = 0; row < rows; ++row) first.CopyRow(row, *this, row);
  return first;
}

void Proposals::Shorten(std::size_t rows) {
  if (!supported()) return;
  templates_.Shorten(rows);
  residuals_.resize(templates_.groups() * kGroupRows);
}

Proposals::Bound Proposals::BoundOf(std::span<const float> probe,
                                    const sealed::Quantiser::Approximation& approximation,
                                    double threshold) const {
  const double alpha = quantiser_->alpha();
  const double cosine = threshold / (Norm(probe) * (1 + kNormSlack));
  return {.scale = static_cast<float>(1 / (alpha * alpha)),
          .probe_norm = static_cast<float>(Norm(approximation.elements.Expose()) / alpha),
          .least = static_cast<float>(cosine - approximation.residual - kRoundingSlack)};
}

Result<std::vector<std::vector<std::uint32_t>>> Proposals::Find(std::span<const float> probes,
                                                                double threshold,
                                                                sealed::Kernel kernel) const {
  COMITY_CHECK(supported() && probes.size() % dimension_ == 0);
  const std::size_t count = probes.size() / dimension_;
  sealed::SecretArray<std::int8_t> elements(probes.size());
  std::vector<Bound> bounds;
  for (std::size_t at = 0; at < probes.size(); at += dimension_) {
    const auto probe = probes.subspan(at, dimension_);
    COMITY_ASSIGN_OR_RETURN(const auto approximation, quantiser_->Approximate(probe));
    std::copy_n(approximation.elements.Expose().data(), dimension_,
                elements.ExposeMutable().data() + at);
    bounds.push_back(BoundOf(probe, approximation, threshold));
  }
  const TemplateProbes scanned(elements.Expose(), dimension_);
  std::vector<std::vector<std::uint32_t>> found(count);
  sealed::SecretArray<std::int32_t> sums(count * kScanRows);
  for (std::size_t first = 0; first < templates_.rows(); first += kScanRows) {
    ScanTemplates(templates_, first, scanned, kernel, sums.ExposeMutable());
    const std::size_t end = std::min(first + kScanRows, templates_.rows());
    for (std::size_t probe = 0; probe < count; ++probe) {
      const std::int32_t* const of_probe = sums.Expose().data() + probe * kScanRows;
      for (std::size_t row = first; row < end; row += kGroupRows) {
        if (!bounds[probe].ReachesAny(of_probe + (row - first), residuals_.data() + row)) continue;
        for (std::size_t i = row; i < std::min(row + kGroupRows, end); ++i) {
          if (bounds[probe].Reaches(of_probe[i - first], residuals_[i])) {
            found[probe].push_back(static_cast<std::uint32_t>(i));
          }
        }
      }
    }
  }
  return found;
}

}  // namespace comity::matching
