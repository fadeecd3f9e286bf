// SPDX-License-Identifier: Apache-2.0
// Compiled without contraction of multiplications and additions (CMakeLists.txt): an FMA rounds
// once where the profile rounds twice.
#include "crypto/sealed/quantise.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"
#include "crypto/hash/chacha_stream.h"
#include "crypto/sealed/expand.h"
#include "crypto/sealed/profile.h"

namespace comity::sealed {
namespace {

constexpr std::string_view kRotationKey = "comity/sealed-v1/rotation";

std::vector<double> PublicSigns(std::size_t dimension, std::uint64_t index) {
  std::array<std::uint8_t, 32> key{};
  std::copy(kRotationKey.begin(), kRotationKey.end(), key.begin());
  std::vector<std::uint8_t> bits(dimension / 8);
  hash::ExpandStream(key, kRotationLabel, index, bits);
  std::vector<double> signs(dimension);
  for (std::size_t j = 0; j < dimension; ++j) {
    signs[j] = (bits[j / 8] >> (j % 8) & 1) != 0 ? -1.0 : 1.0;
  }
  return signs;
}

// One stride: sums and differences of two rows of `stride` elements that follow each other.
void Butterflies(double* __restrict left, double* __restrict right, std::size_t stride) {
  for (std::size_t j = 0; j < stride; ++j) {
    const double sum = left[j] + right[j];
    const double difference = left[j] - right[j];
    left[j] = sum;
    right[j] = difference;
  }
}

// A stride and the one after it, with each element read and written once.
void ButterfliesTwice(double* __restrict a, double* __restrict b, double* __restrict c,
                      double* __restrict d, std::size_t stride) {
  for (std::size_t j = 0; j < stride; ++j) {
    const double left_sum = a[j] + b[j];
    const double left_difference = a[j] - b[j];
    const double right_sum = c[j] + d[j];
    const double right_difference = c[j] - d[j];
    a[j] = left_sum + right_sum;
    b[j] = left_difference + right_difference;
    c[j] = left_sum - right_sum;
    d[j] = left_difference - right_difference;
  }
}

// The unnormalised Walsh-Hadamard transform; the order of the strides is part of the profile, since
// floating-point sums depend on it. Two strides at a time make the same sums of the same operands.
void WalshHadamard(std::span<double> y) {
  std::size_t stride = 1;
  for (; 4 * stride <= y.size(); stride *= 4) {
    for (std::size_t start = 0; start < y.size(); start += 4 * stride) {
      double* const from = y.data() + start;
      ButterfliesTwice(from, from + stride, from + 2 * stride, from + 3 * stride, stride);
    }
  }
  for (; stride < y.size(); stride *= 2) {
    for (std::size_t start = 0; start < y.size(); start += 2 * stride) {
      Butterflies(y.data() + start, y.data() + start + stride, stride);
    }
  }
}

// nearbyint for sizes below 2^51; the library's may be a call whose time depends on the value.
double RoundHalfEven(double value) {
  constexpr double kOnlyUnitsLeft = 6755399441055744.0;  // 1.5 * 2^52
  return (value + kOnlyUnitsLeft) - kOnlyUnitsLeft;
}

// Into [-127, 127] without a branch.
std::int8_t Clamp(std::int32_t value) {
  const std::int32_t above = (127 - value) >> 31;
  value = (value & ~above) | (127 & above);
  const std::int32_t below = (value + 127) >> 31;
  return static_cast<std::int8_t>((value & ~below) | (-127 & below));
}

SecretArray<std::int8_t> Round(std::span<const double> rotated) {
  SecretArray<std::int8_t> quantised(rotated.size());
  std::ranges::transform(rotated, quantised.ExposeMutable().begin(), [](double value) {
    return Clamp(static_cast<std::int32_t>(RoundHalfEven(value)));
  });
  return quantised;
}

}  // namespace

Quantiser::Quantiser(std::size_t dimension)
    : dimension_(dimension),
      alpha_(254.0 * std::sqrt(static_cast<double>(dimension)) / 11.0),
      first_signs_(PublicSigns(dimension, 1)),
      second_signs_(PublicSigns(dimension, 2)) {}

Result<Quantiser> Quantiser::Create(std::size_t dimension) {
  if (!IsDimension(dimension)) {
    return Fail(ErrorCode::kInvalidArgument, "no such template dimension");
  }
  return Quantiser(dimension);
}

Result<SecretArray<double>> Quantiser::Rotate(std::span<const float> embedding) const {
  if (embedding.size() != dimension_) {
    return Fail(ErrorCode::kInvalidArgument, "an embedding of another dimension");
  }
  SecretArray<double> rotated(dimension_);
  const std::span<double> y = rotated.ExposeMutable();
  double squares = 0.0;  // of floats: finite unless one of them is not
  for (std::size_t j = 0; j < dimension_; ++j) {
    const double value = static_cast<double>(embedding[j]);
    squares += value * value;
    y[j] = first_signs_[j] * value;
  }
  const double norm = std::sqrt(squares);
  const bool near_one = (norm >= 0.5) & (norm <= 2.0);  // neither if it is not a number
  if (Declassify(!near_one)) {                          // the caller learns it
    return Fail(ErrorCode::kInvalidArgument,
                "the embedding is not finite and near the unit sphere");
  }
  WalshHadamard(y);
  for (std::size_t j = 0; j < dimension_; ++j) y[j] = second_signs_[j] * y[j];
  WalshHadamard(y);
  const double scale = alpha_ / (static_cast<double>(dimension_) * norm);
  for (double& element : y) element = element * scale;
  return rotated;
}

Result<SecretArray<std::int8_t>> Quantiser::Quantise(std::span<const float> embedding) const {
  COMITY_ASSIGN_OR_RETURN(const SecretArray<double> rotated, Rotate(embedding));
  SecretArray<std::int8_t> quantised = Round(rotated.Expose());
  COMITY_RETURN_IF_ERROR(CheckTemplate(quantised.Expose()));
  return quantised;
}

Result<Quantiser::Approximation> Quantiser::Approximate(std::span<const float> embedding) const {
  COMITY_ASSIGN_OR_RETURN(const SecretArray<double> rotated, Rotate(embedding));
  Approximation approximation{.elements = Round(rotated.Expose()), .residual = 0};
  // In any order: the residual is no part of the profile.
  std::array<double, 4> squares{};
  const double* exact = rotated.Expose().data();
  const std::int8_t* rounded = approximation.elements.Expose().data();
  for (std::size_t j = 0; j < dimension_; j += squares.size()) {
    for (std::size_t i = 0; i < squares.size(); ++i) {
      const double off = exact[j + i] - static_cast<double>(rounded[j + i]);
      squares[i] += off * off;
    }
  }
  approximation.residual =
      std::sqrt((squares[0] + squares[1]) + (squares[2] + squares[3])) / alpha_;
  return approximation;
}

}  // namespace comity::sealed
