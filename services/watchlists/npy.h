// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"

namespace comity::watchlists {

// Where the elements lie in an .npy file of float32 templates.
struct NpyArray {
  std::uint64_t rows = 0;
  std::uint32_t columns = 0;
  ByteView elements;  // rows x columns x 4 octets, little-endian, row after row; part of the input
};

// Reads the header of a NumPy .npy file strictly: version 1.0 or 2.0, exactly the keys `descr`
// ('<f4'), `fortran_order` (False) and `shape` (two whole numbers), and exactly as many octets
// after the header as the shape asks for.
//
// In:     file  untrusted; the header may have at most 4,096 octets
// Errors: kInvalidArgument  anything else; the detail says which part and what is expected
// Source: NumPy "NEP 1 - A simple file format for NumPy arrays"; docs/formats/watchlist_entries.md
Result<NpyArray> ParseNpy(ByteView file);

}  // namespace comity::watchlists
