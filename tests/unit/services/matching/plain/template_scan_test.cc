// SPDX-License-Identifier: Apache-2.0
#include "services/matching/plain/template_scan.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <vector>

namespace comity::matching {
namespace {

using Elements = std::vector<std::int8_t>;

Elements Filled(std::size_t count, const std::function<int()>& next) {
  Elements elements(count);
  for (auto& element : elements) element = static_cast<std::int8_t>(next());
  return elements;
}

TemplateMatrix MatrixOf(const Elements& rows, std::size_t columns) {
  TemplateMatrix matrix(rows.size() / columns, columns);
  for (std::size_t row = 0; row < matrix.rows(); ++row) {
    matrix.SetRow(row, std::span(rows).subspan(row * columns, columns));
  }
  return matrix;
}

// Every sum of the scan against the formula.
void ExpectEqualsFormula(const Elements& rows, const Elements& probes, std::size_t columns,
                         sealed::Kernel kernel) {
  const TemplateMatrix matrix = MatrixOf(rows, columns);
  const TemplateProbes scanned(probes, columns);
  std::vector<std::int32_t> sums(scanned.size() * kScanRows);
  for (std::size_t first = 0; first < matrix.rows(); first += kScanRows) {
    ScanTemplates(matrix, first, scanned, kernel, sums);
    for (std::size_t row = first; row < std::min(first + kScanRows, matrix.rows()); ++row) {
      for (std::size_t p = 0; p < scanned.size(); ++p) {
        int expected = 0;
        for (std::size_t j = 0; j < columns; ++j) {
          expected += rows[row * columns + j] * probes[p * columns + j];
        }
        ASSERT_EQ(sums[p * kScanRows + row - first], expected) << "row " << row << " probe " << p;
      }
    }
  }
}

class EveryTemplateKernel : public ::testing::TestWithParam<sealed::Kernel> {};

TEST_P(EveryTemplateKernel, EqualsTheFormulaOnRandomTemplates) {
  std::mt19937_64 generator(1);
  const auto next = [&] { return static_cast<int>(generator() % 255) - 127; };
  for (const std::size_t columns : {128U, 256U, 512U, 1024U}) {
    for (const std::size_t rows : {1U, 17U, 129U}) {
      for (const std::size_t probes : {1U, 15U}) {  // 15: tiles of 8, 4, 2 and 1
        ExpectEqualsFormula(Filled(rows * columns, next), Filled(probes * columns, next), columns,
                            GetParam());
      }
    }
  }
}

// Where a product of octets that saturates, or a sum that does, would show.
TEST_P(EveryTemplateKernel, EqualsTheFormulaAtTheExtremes) {
  for (const std::size_t columns : {128U, 1024U}) {
    Elements probes = Filled(columns, [] { return 127; });
    const Elements low = Filled(columns, [] { return -127; });
    probes.insert(probes.end(), low.begin(), low.end());
    for (std::size_t j = 0; j < columns; ++j) {
      probes.push_back(static_cast<std::int8_t>(j % 2 == 0 ? 127 : -127));
    }
    for (const int element : {-127, -1, 0, 1, 127}) {
      ExpectEqualsFormula(Filled(17 * columns, [&] { return element; }), probes, columns,
                          GetParam());
    }
  }
}

TEST_P(EveryTemplateKernel, RowsThatWereCopiedScoreAlike) {
  std::mt19937_64 generator(2);
  const Elements rows = Filled(40 * 128, [&] { return static_cast<int>(generator() % 255) - 127; });
  const TemplateMatrix matrix = MatrixOf(rows, 128);
  TemplateMatrix backwards(40, 128);
  for (std::size_t row = 0; row < 40; ++row) backwards.CopyRow(row, matrix, 39 - row);
  const TemplateProbes probe(std::span<const Elements::value_type>(rows).first(128), 128);
  std::vector<std::int32_t> sums(kScanRows), reversed(kScanRows);
  ScanTemplates(matrix, 0, probe, GetParam(), sums);
  ScanTemplates(backwards, 0, probe, GetParam(), reversed);
  for (std::size_t row = 0; row < 40; ++row) EXPECT_EQ(reversed[row], sums[39 - row]) << row;
}

INSTANTIATE_TEST_SUITE_P(Supported, EveryTemplateKernel,
                         ::testing::ValuesIn(sealed::SupportedKernels()));

}  // namespace
}  // namespace comity::matching
