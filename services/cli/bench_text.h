// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "services/measure/line_prediction.h"
#include "services/measure/sealed_measure.h"

namespace comity::cli {

// One figure of a measurement, for people and for programs.
struct BenchRow {
  std::string key;   // with its unit: "seal_us_per_entry"
  std::string text;  // what it is
  double value = 0;
  std::string unit;  // as people read it
};
struct BenchSection {
  std::string key;
  std::string title;
  std::vector<BenchRow> rows;
};

// All figures in the order in which they are told; ratios and, with a line, predictions last.
std::vector<BenchSection> SealedBenchSections(const measure::SealedFigures& figures,
                                              const std::optional<measure::LineTerms>& line);

// What of it is the narrowest, in words.
std::string BottleneckText(measure::Bottleneck bottleneck);

std::string SealedBenchText(const measure::SealedFigures& figures,
                            const std::optional<measure::LineTerms>& line);
nlohmann::ordered_json SealedBenchJson(const measure::SealedFigures& figures,
                                       const std::optional<measure::LineTerms>& line);

// Milliseconds from "20ms" or "20", as seconds.
// Errors: kInvalidArgument  no such number, or not 0 to 10,000 ms
Result<double> ParseMilliseconds(const std::string& text);

}  // namespace comity::cli
