// SPDX-License-Identifier: Apache-2.0
#include "services/cli/template_rows.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "services/runtime/file.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace comity::cli {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;

constexpr std::uint32_t kDimension = 4;
using Row = std::vector<float>;

class TemplateRowsTest : public ::testing::Test {
 protected:
  std::filesystem::path Write(const std::string& name, const std::string& content) {
    const auto file = folder_.path() / name;
    EXPECT_THAT(runtime::WriteFile(file, AsBytes(content), 0600), IsOk());
    return file;
  }
  static std::string Octets(const std::vector<Row>& rows) {
    std::string octets;
    for (const Row& row : rows) {
      octets.append(reinterpret_cast<const char*>(row.data()), row.size() * sizeof(float));
    }
    return octets;
  }
  static std::string Npy(const std::string& shape, const std::vector<Row>& rows) {
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }";
    header.append(117 - header.size(), ' ');
    return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + "\n" + Octets(rows);
  }
  std::string FaultOf(const std::filesystem::path& file) {
    const auto rows = TemplateRows::Read(file, kDimension);
    EXPECT_THAT(rows, FailsWith(ErrorCode::kInvalidArgument));
    return rows ? "" : rows.error().detail;
  }
  testing::TemporaryDirectory folder_;
};

TEST_F(TemplateRowsTest, ReadsBothFormsAlike) {
  const std::vector<Row> faces = {{1, 0, 0, 0}, {0.6F, 0.8F, 0, 0}};
  for (const auto& file : {Write("a.f32", Octets(faces)), Write("a.npy", Npy("2, 4", faces))}) {
    const auto rows = TemplateRows::Read(file, kDimension);
    ASSERT_THAT(rows, IsOk());
    EXPECT_EQ(rows->rows(), 2u);
    for (std::uint64_t row = 0; row < 2; ++row) {
      EXPECT_EQ(AsText(rows->Row(row)), Octets({faces[row]})) << file;
    }
  }
}

TEST_F(TemplateRowsTest, NamesTheRowAndTheValueThatIsNotFinite) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const auto file = Write("a.f32", Octets({{1, 0, 0, 0}, {0, 1, kNan, 0}}));
  EXPECT_THAT(FaultOf(file), HasSubstr("a.f32: row 1: value 2 is not a finite number"));
}

TEST_F(TemplateRowsTest, NamesTheRowThatIsNotOfUnitLength) {
  EXPECT_THAT(FaultOf(Write("a.f32", Octets({{1, 0, 0, 0}, {0, 1.0011F, 0, 0}}))),
              HasSubstr("row 1: its L2 norm is 1.0011"));
  EXPECT_THAT(FaultOf(Write("b.f32", Octets({{0, 0, 0, 0}}))), HasSubstr("row 0"));
  EXPECT_THAT(TemplateRows::Read(Write("c.f32", Octets({{1.0009F, 0, 0, 0}})), kDimension), IsOk());
}

TEST_F(TemplateRowsTest, RefusesAnotherDimension) {
  EXPECT_THAT(FaultOf(Write("a.npy", Npy("1, 3", {{1, 0, 0}}))),
              HasSubstr("have 3 elements, those of the deployment's engine 4"));
  EXPECT_THAT(FaultOf(Write("a.f32", Octets({{1, 0, 0}}))), HasSubstr("rows of 4 float32"));
}

TEST_F(TemplateRowsTest, RefusesWhatHoldsNoTemplates) {
  EXPECT_THAT(FaultOf(Write("a.f32", "")), HasSubstr("no template in it"));
  EXPECT_THAT(FaultOf(Write("a.npy", "PK")), HasSubstr("no .npy file"));
  EXPECT_THAT(FaultOf(Write("a.csv", "1,0,0,0")), HasSubstr("must end with .npy or .f32"));
  EXPECT_THAT(TemplateRows::Read(folder_.path() / "none.f32", kDimension),
              FailsWith(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace comity::cli
