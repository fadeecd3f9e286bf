// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "crypto/base/result.h"

namespace comity::demo {

// A folder of labelled templates: templates.f32 (float32 little-endian, rows of unit norm),
// labels.csv (row,identity) and split.csv (row,role[,...]; role G: the one gallery row of its
// identity, P: a probe), split by identity number modulo 3:
//   0  enrolled: its G row is the watchlist entry, its P rows are mated faces
//   1  non-mated faces: all rows
//   2  calibration of the default threshold: all rows
struct FaceSet {
  struct Face {
    std::uint32_t row = 0;
    std::uint32_t identity = 0;
  };
  std::uint32_t dimension = 0;
  std::vector<float> values;  // all rows
  std::vector<Face> enrolled;
  std::vector<Face> mated;
  std::vector<Face> non_mated;
  std::vector<Face> calibration;

  std::span<const float> Row(std::uint32_t row) const {
    return std::span(values).subspan(std::size_t{row} * dimension, dimension);
  }
  // Cosine of two rows: the inner product in double precision.
  double Score(std::uint32_t left, std::uint32_t right) const;
};

// In:     max_entries  enrol at most so many identities, lowest numbers first; 0: all
// Errors: kNotFound, kInvalidArgument with file and line
Result<FaceSet> LoadFaceSet(const std::filesystem::path& directory, std::uint32_t max_entries);

// The lowest threshold, in steps of 0.0001, at which at most one calibration face in a hundred has
// an entry at or above it (FPIR 1 %).
double CalibrateThreshold(const FaceSet& faces);

}  // namespace comity::demo
