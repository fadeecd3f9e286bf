// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"

namespace comity::cli {

// Where the templates of an .npy file stand, in octets and float32 elements.
struct NpyLayout {
  std::size_t begin = 0;  // of the first row
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
};
// Errors: kInvalidArgument  another form (see below), or the file is longer or shorter than its
//                           shape. `name` stands in the errors.
Result<NpyLayout> LayoutOfNpy(ByteView file, std::string_view name);

// One row of an .npy file of float32 templates, as it crosses the wire: columns x float32
// little-endian. The file is what NumPy writes for a two-dimensional array in C order, or for one
// template alone.
//
// In:     row  from 0
// Errors: kInvalidArgument  another form, no such row, or more than 2 GiB; kNotFound
// Secret: the result: biometric
Result<SecretBytes> ReadTemplate(const std::filesystem::path& file, std::uint64_t row);

// The same for octets that are in memory. `name` stands in the errors.
Result<SecretBytes> RowOfNpy(ByteView file, std::uint64_t row, std::string_view name);

}  // namespace comity::cli
