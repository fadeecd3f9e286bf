// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "services/matching/gallery.h"

namespace comity::matching::testing {

using Matrix = std::vector<float>;  // row-major

inline policy::Instant At(std::int64_t seconds) {
  return policy::Instant(std::chrono::seconds(seconds));
}
inline constexpr std::int64_t kNow = 1'800'000'000;  // 2027-01-15T08:00:00Z

template <typename T>
T Named(std::string_view text) {
  auto id = T::Parse(text);
  COMITY_CHECK(id.has_value());
  return *std::move(id);
}
inline policy::ListCategory Category(std::string_view text) {
  return Named<policy::ListCategory>(text);
}

inline policy::EngineProfile Profile(std::uint32_t dimension) {
  return {.name = "facenet", .version = "2018", .dimension = dimension};
}

inline void ScaleToUnit(std::span<float> row) {
  double sum = 0;
  for (const float x : row) sum += double{x} * double{x};
  for (float& x : row) x = static_cast<float>(double{x} / std::sqrt(sum));
}

inline Matrix RandomUnitRows(std::size_t rows, std::size_t dimension, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<float> normal;
  Matrix matrix(rows * dimension);
  for (float& x : matrix) x = normal(generator);
  for (std::size_t i = 0; i < rows; ++i) {
    ScaleToUnit(std::span(matrix).subspan(i * dimension, dimension));
  }
  return matrix;
}

inline GalleryRow Row(std::string reference, std::string_view category = "wanted-by-courts") {
  return {.reference = std::move(reference),
          .category = Category(category),
          .response_code = "detain",
          .valid_from = At(kNow - 1000),
          .expires_at = At(kNow + 100'000)};
}

// References r0, r1, ... in the order of rows.
inline std::shared_ptr<const Gallery> MakeGallery(const Matrix& rows, std::uint32_t dimension) {
  auto builder = GalleryBuilder::Create(Profile(dimension), rows.size() / dimension);
  COMITY_CHECK(builder.has_value());
  for (std::size_t i = 0; i * dimension < rows.size(); ++i) {
    const auto values = std::span(rows).subspan(i * dimension, dimension);
    COMITY_CHECK(builder->Add(Row("r" + std::to_string(i)), values).has_value());
  }
  return std::move(*builder).Build();
}

inline Bytes ToOctets(std::span<const float> values) {
  Bytes octets;
  for (const float value : values) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) {
      octets.push_back(static_cast<std::uint8_t>(bits >> shift & 0xff));
    }
  }
  return octets;
}

}  // namespace comity::matching::testing
