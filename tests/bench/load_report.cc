// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/load_report.h"

#include <fmt/format.h>

#include <algorithm>

namespace comity::bench {
namespace {

constexpr double kWindow = 600;  // s
constexpr double kCores = 2;     // of the machine for which the figure is stated

void PrintWindow(const std::string& name, const LatencyWindow& window) {
  fmt::print("{:<16} {:>7} {:>5} {:>8.1f} {:>8.1f} {:>8.1f} {:>8.1f} {:>8.1f} {:>9.1f}\n", name,
             window.faces, window.incomplete, window.p50, window.p95, window.p99, window.p999,
             window.longest, window.sent_late_longest);
}

nlohmann::json ToJson(const LatencyWindow& window) {
  return {{"from_s", window.from_s},
          {"to_s", window.to_s},
          {"faces", window.faces},
          {"p50_ms", window.p50},
          {"p95_ms", window.p95},
          {"p99_ms", window.p99},
          {"p99.9_ms", window.p999},
          {"longest_ms", window.longest},
          {"incomplete", window.incomplete},
          {"sent_late_longest_ms", window.sent_late_longest}};
}

}  // namespace

LatencyWindow MeasureWindow(const std::vector<FaceRecord>& faces, double from_s, double to_s) {
  LatencyWindow window{from_s, to_s};
  std::vector<double> values;
  for (const FaceRecord& face : faces) {
    if (face.scheduled_s < from_s || face.scheduled_s >= to_s) continue;
    ++window.faces;
    window.sent_late_longest = std::max(window.sent_late_longest, face.late_ms);
    if (face.complete_ms < 0) {
      ++window.incomplete;
    } else {
      values.push_back(face.complete_ms);
    }
  }
  if (values.empty()) return window;
  std::ranges::sort(values);
  const auto at = [&](double share) {
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
  };
  window.p50 = at(0.5);
  window.p95 = at(0.95);
  window.p99 = at(0.99);
  window.p999 = at(0.999);
  window.longest = values.back();
  return window;
}

void LoadReport::AddLatency(const CameraLoad::State& state) {
  fmt::print(
      "\nfrom a face's time to the last holder's answer, ms\n{:<16} {:>7} {:>5} {:>8} {:>8} "
      "{:>8} {:>8} {:>8} {:>9}\n",
      "window", "faces", "open", "p50", "p95", "p99", "p99.9", "longest", "sent late");
  const double end = terms_.warm_up_s + terms_.seconds;
  json_["windows"] = nlohmann::json::array();
  for (double from = terms_.warm_up_s; from < end; from += kWindow) {
    const double to = std::min(from + kWindow, end);
    const LatencyWindow window = MeasureWindow(state.faces, from, to);
    PrintWindow(fmt::format("{:.0f}-{:.0f} s", from, to), window);
    json_["windows"].push_back(ToJson(window));
  }
  const LatencyWindow all = MeasureWindow(state.faces, terms_.warm_up_s, end);
  PrintWindow("all", all);
  json_["all"] = ToJson(all);
  json_["answered"] = state.answered;
  json_["hits"] = state.hits;
  json_["failures"] = state.failures;
  fmt::print("{} answers, {} hits\n", state.answered, state.hits);
  if (all.faces == 0) Miss("no face was measured");
  if (all.p99 > bars_.p99_ms) {
    Miss(fmt::format("p99 {:.1f} ms, bar {:.1f} ms", all.p99, bars_.p99_ms));
  }
  std::size_t open = 0;
  for (const FaceRecord& face : state.faces) open += face.complete_ms < 0 ? 1U : 0U;
  if (open > 0) Miss(fmt::format("{} faces were not answered by every holder", open));
  for (const auto& [what, count] : state.failures) Miss(fmt::format("{} times {}", count, what));
}

void LoadReport::AddProcesses(const std::vector<ProcessTrend>& trends, double seconds) {
  fmt::print("\n{:<18} {:>21} {:>9} {:>9} {:>8}   first span -> last span\n", "process",
             "memory MiB (mean)", "fds", "threads", "CPU s");
  double cpu = 0;
  json_["processes"] = nlohmann::json::array();
  for (const ProcessTrend& trend : trends) {
    fmt::print("{:<18} {:>9.1f} -> {:>8.1f} {:>3} -> {:>2} {:>3} -> {:>2} {:>8.1f}\n", trend.name,
               trend.rss_first_mib, trend.rss_last_mib, trend.fds_first, trend.fds_last,
               trend.threads_first, trend.threads_last, trend.cpu_s);
    json_["processes"].push_back({{"name", trend.name},
                                  {"rss_first_mib", trend.rss_first_mib},
                                  {"rss_last_mib", trend.rss_last_mib},
                                  {"fds_first", trend.fds_first},
                                  {"fds_last", trend.fds_last},
                                  {"threads_first", trend.threads_first},
                                  {"threads_last", trend.threads_last},
                                  {"cpu_s", trend.cpu_s}});
    cpu += trend.cpu_s;
    const std::string drift = DescribeDrift(trend, bars_.flat);
    if (!drift.empty()) Miss("not flat: " + drift);
  }
  AddFact("CPU of all gateways, share of two cores, %", 100 * cpu / (seconds * kCores));
  AddFact("CPU of the requester, share of two cores, %",
          trends.empty() ? 0 : 100 * trends.front().cpu_s / (seconds * kCores));
}

void LoadReport::AddFact(const std::string& name, const nlohmann::json& value) {
  json_["facts"][name] = value;
  fmt::print("{}: {}\n", name,
             value.is_number_float() ? fmt::format("{:.2f}", value.get<double>()) : value.dump());
}

void LoadReport::Miss(const std::string& what) {
  missed_.push_back(what);
}

bool LoadReport::Conclude() {
  json_["missed"] = missed_;
  json_["bars"] = {{"p99_ms", bars_.p99_ms},
                   {"rss_percent", bars_.flat.rss_percent},
                   {"rss_mib", bars_.flat.rss_mib},
                   {"descriptors", bars_.flat.descriptors},
                   {"threads", bars_.flat.threads}};
  if (missed_.empty()) fmt::print("\nFLAT, and every bar is met\n");
  for (const std::string& what : missed_) fmt::print("MISSED: {}\n", what);
  return missed_.empty();
}

}  // namespace comity::bench
