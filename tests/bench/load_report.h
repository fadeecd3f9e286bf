// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/bench/camera_load.h"
#include "tests/bench/process_samples.h"

namespace comity::bench {

struct LoadBars {
  double p99_ms = 100;
  FlatBars flat;
};

// Latencies of the faces of one span of the run, in milliseconds.
struct LatencyWindow {
  double from_s = 0;
  double to_s = 0;
  std::size_t faces = 0;       // scheduled in it
  std::size_t incomplete = 0;  // with an answer missing
  double p50 = 0, p95 = 0, p99 = 0, p999 = 0, longest = 0;
  double sent_late_longest = 0;
};

LatencyWindow MeasureWindow(const std::vector<FaceRecord>& faces, double from_s, double to_s);

// What a run gave; prints tables and says which bars were missed.
class LoadReport {
 public:
  LoadReport(const LoadTerms& terms, const LoadBars& bars) : terms_(terms), bars_(bars) {}

  void AddLatency(const CameraLoad::State& state);
  void AddProcesses(const std::vector<ProcessTrend>& trends, double seconds);
  void AddFact(const std::string& name, const nlohmann::json& value);
  void Miss(const std::string& what);
  // Prints the verdict. True: every bar is met.
  bool Conclude();
  nlohmann::json& json() { return json_; }

 private:
  LoadTerms terms_;
  LoadBars bars_;
  nlohmann::json json_ = nlohmann::json::object();
  std::vector<std::string> missed_;
};

}  // namespace comity::bench
