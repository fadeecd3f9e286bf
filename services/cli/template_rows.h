// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"

namespace comity::cli {

// All templates of a file, one a row: .npy as NumPy writes it (template_file.h), or .f32, which is
// rows of float32 little-endian and nothing else.
//
// Secret:  the rows: biometric, wiped with the object
// Threads: thread-compatible; reading is thread-safe.
class TemplateRows {
 public:
  // In:     dimension  of the engine profile
  // Errors: kInvalidArgument  neither .npy nor .f32, no rows, more than 2 GiB, another dimension;
  //                           a row, which is named, that is not finite or not of L2 norm
  //                           1 +- 1e-3: a gateway would end the stream
  //         kNotFound
  static Result<TemplateRows> Read(const std::filesystem::path& file, std::uint32_t dimension);

  std::uint64_t rows() const { return rows_; }
  // In: row  below rows(). Valid as long as the object.
  ByteView Row(std::uint64_t row) const;

 private:
  TemplateRows(SecretBytes values, std::uint64_t rows) : values_(std::move(values)), rows_(rows) {}
  SecretBytes values_;
  std::uint64_t rows_;
};

}  // namespace comity::cli
