// SPDX-License-Identifier: Apache-2.0
#include "services/cli/template_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <string>

#include "tests/support/result_matchers.h"

namespace comity::cli {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;

// As numpy.save writes: the header padded with blanks to a multiple of 64 octets, ended by '\n'.
std::string Npy(const std::string& dictionary, std::size_t floats) {
  std::string header = dictionary;
  while ((10 + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(header.size() & 0xff);
  file += static_cast<char>(header.size() >> 8);
  file += header;
  for (std::size_t i = 0; i < floats; ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(i));
    for (int shift = 0; shift < 32; shift += 8) file += static_cast<char>(bits >> shift & 0xff);
  }
  return file;
}

std::string Matrix(std::size_t rows, std::size_t columns) {
  return Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(rows) + ", " +
                 std::to_string(columns) + "), }",
             rows * columns);
}

float First(const SecretBytes& row) {
  std::uint32_t bits = 0;
  for (std::size_t i = 4; i-- > 0;) bits = bits << 8 | row.Expose()[i];
  return std::bit_cast<float>(bits);
}

TEST(TemplateFile, GivesTheRowThatIsAskedFor) {
  const std::string file = Matrix(3, 4);
  for (std::uint64_t row = 0; row < 3; ++row) {
    const auto values = RowOfNpy(AsBytes(file), row, "faces.npy");
    ASSERT_THAT(values, IsOk());
    EXPECT_EQ(values->size(), 16U);
    EXPECT_EQ(First(*values), static_cast<float>(row * 4));
  }
}

TEST(TemplateFile, TakesOneTemplateAlone) {
  const std::string file = Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", 4);
  EXPECT_THAT(RowOfNpy(AsBytes(file), 0, "face.npy"), IsOk());
  EXPECT_THAT(RowOfNpy(AsBytes(file), 1, "face.npy"), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(TemplateFile, SaysWhichRowsThereAre) {
  const std::string file = Matrix(3, 4);
  const auto values = RowOfNpy(AsBytes(file), 3, "faces.npy");
  ASSERT_THAT(values, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(values.error().detail, HasSubstr("no row 3; it has 3"));
}

TEST(TemplateFile, RefusesOtherForms) {
  for (const std::string dictionary :
       {"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }",
        "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 4), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4, 1), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 0), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551615, 4), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 4), }"}) {
    const std::string file = Npy(dictionary, 12);
    EXPECT_THAT(RowOfNpy(AsBytes(file), 0, "x"), FailsWith(ErrorCode::kInvalidArgument))
        << dictionary;
  }
}

TEST(TemplateFile, RefusesEveryCutOfAGoodFile) {
  const std::string file = Matrix(2, 4);
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_THAT(RowOfNpy(AsBytes(file.substr(0, size)), 0, "x"),
                FailsWith(ErrorCode::kInvalidArgument))
        << size;
  }
}

}  // namespace
}  // namespace comity::cli
