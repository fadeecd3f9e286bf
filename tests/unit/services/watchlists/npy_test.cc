// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/npy.h"

#include <gmock/gmock.h>

#include "tests/support/result_matchers.h"
#include "tests/unit/services/watchlists/list_files.h"

namespace comity::watchlists {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using testing::NpyDictionary;
using testing::NpyFile;

const Bytes kTwoByThree(2 * 3 * 4, 0x3f);

Result<NpyArray> ParseHeader(const std::string& dictionary) {
  return ParseNpy(NpyFile(dictionary, kTwoByThree));
}

TEST(Npy, ReadsBothVersions) {
  for (const std::uint8_t version : {std::uint8_t{1}, std::uint8_t{2}}) {
    const Bytes file = NpyFile(NpyDictionary(2, 3), kTwoByThree, version);
    const auto array = ParseNpy(file);
    ASSERT_THAT(array, IsOk());
    EXPECT_EQ(array->rows, 2U);
    EXPECT_EQ(array->columns, 3U);
    EXPECT_EQ(ToBytes(array->elements), kTwoByThree);
  }
}

TEST(Npy, ReadsKeysInAnyOrder) {
  EXPECT_THAT(ParseHeader("{'shape': (2, 3), 'descr': '<f4', 'fortran_order': False}"), IsOk());
}

TEST(Npy, RefusesOtherElementTypesOrdersAndShapes) {
  for (const char* dictionary : {
           "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }",
           "{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }",
           "{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }",
           "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 1), }",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (02, 3), }",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3), }",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 0), }",
           "{'descr': '<f4', 'fortran_order': False, }",
           "{'descr': '<f4', 'shape': (2, 3), }",
           "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'x': 1, }",
           "{'descr': '<f4' 'fortran_order': False, 'shape': (2, 3), }",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } #",
           "['descr', '<f4']",
           "",
       }) {
    EXPECT_THAT(ParseHeader(dictionary), FailsWith(ErrorCode::kInvalidArgument)) << dictionary;
  }
}

TEST(Npy, RefusesShapesWhoseSizeOverflows) {
  EXPECT_THAT(ParseHeader("{'descr': '<f4', 'fortran_order': False, "
                          "'shape': (18446744073709551615, 4294967295), }"),
              FailsWith(ErrorCode::kInvalidArgument));
  // 2^62 rows of 4 octets: the product is 0 modulo 2^64.
  EXPECT_THAT(ParseNpy(NpyFile(NpyDictionary(std::size_t{1} << 62, 1), {})),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST(Npy, RefusesOtherVersionsAndEveryTruncation) {
  const Bytes file = NpyFile(NpyDictionary(2, 3), kTwoByThree);
  Bytes version3 = file;
  version3[6] = 3;
  EXPECT_THAT(ParseNpy(version3), FailsWith(ErrorCode::kInvalidArgument));
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_THAT(ParseNpy(ByteView(file).first(size)), FailsWith(ErrorCode::kInvalidArgument))
        << size;
  }
  Bytes longer = file;
  longer.push_back(0);
  EXPECT_THAT(ParseNpy(longer), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(Npy, RefusesHeadersAbove4096Octets) {
  EXPECT_THAT(ParseNpy(NpyFile(NpyDictionary(2, 3) + std::string(5000, ' '), kTwoByThree)),
              FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace comity::watchlists
