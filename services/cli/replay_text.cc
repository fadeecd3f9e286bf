// SPDX-License-Identifier: Apache-2.0
#include "services/cli/replay_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "services/cli/output.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;
using Counts = std::map<std::string, std::uint64_t>;

double Milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

std::uint64_t SumOf(const Counts& counts) {
  std::uint64_t sum = 0;
  for (const auto& [name, count] : counts) sum += count;
  return sum;
}

std::string MillisecondsText(const LatencyHistogram& histogram, double fraction) {
  if (histogram.count() == 0) return "";
  return fmt::format("{:.1f}", Milliseconds(histogram.Percentile(fraction)));
}

void AddReasons(const std::string& what, const ReplayTally::Holders::value_type& holder,
                const Counts& counts, std::string& text) {
  for (const auto& [name, count] : counts) {
    text += fmt::format("{}: {} by {}{}{}: {}\n", what, count, Clean(holder.first.first),
                        holder.first.second.empty() ? "" : ", ", holder.first.second, name);
  }
}

std::string HoldersText(const ReplayTally& tally) {
  Table table({"HOLDER", "MODE", "ANSWERED", "P50 MS", "P90 MS", "P99 MS", "MAX MS", "ALERTS",
               "MERGED", "REFUSED", "UNANSWERED"});
  std::string reasons;
  for (const auto& holder : tally.holders()) {
    const auto& [name, mode] = holder.first;
    const HolderTally& one = holder.second;
    table.Add({name, mode, std::to_string(one.answered.count()),
               MillisecondsText(one.answered, 0.5), MillisecondsText(one.answered, 0.9),
               MillisecondsText(one.answered, 0.99), MillisecondsText(one.answered, 1),
               std::to_string(one.alerts), std::to_string(one.merged),
               std::to_string(SumOf(one.refused)), std::to_string(SumOf(one.unanswered))});
    AddReasons("refused", holder, one.refused, reasons);
    AddReasons("unanswered", holder, one.unanswered, reasons);
  }
  return table.empty() ? "" : table.Text() + reasons;
}

Json LatencyJson(const LatencyHistogram& histogram) {
  Json json = {{"count", histogram.count()}};
  for (const auto& [name, fraction] :
       {std::pair{"p50_ms", 0.5}, {"p90_ms", 0.9}, {"p99_ms", 0.99}}) {
    json[name] =
        histogram.count() == 0 ? Json(nullptr) : Json(Milliseconds(histogram.Percentile(fraction)));
  }
  json["max_ms"] = histogram.count() == 0 ? Json(nullptr) : Json(Milliseconds(histogram.max()));
  return json;
}

}  // namespace

std::string ReplayText(const ReplayReport& report) {
  std::string text = fmt::format(
      "sent {} of {} faces at {:g} a second from {} camera{}; all was over after {:.1f} s\n"
      "sent at most {:.1f} ms after they were due; slow sends took {:.1f} ms; at most {} answers "
      "were awaited\n",
      report.sent, report.schedule.faces(), report.schedule.rate, report.schedule.cameras,
      report.schedule.cameras == 1 ? "" : "s", report.seconds, Milliseconds(report.most_behind),
      Milliseconds(report.slow_sends), report.most_awaited);
  text += HoldersText(report.tally);
  if (report.missing() > 0) {
    text += fmt::format("answers that did not come: {}\n", report.missing());
  }
  for (const auto& [reason, count] : report.broken) {
    text +=
        fmt::format("ended early: {} stream{}: {}\n", count, count == 1 ? "" : "s", Clean(reason));
  }
  return text;
}

Json ReplayJson(const ReplayReport& report) {
  Json json = {{"faces", report.schedule.faces()},
               {"rate", report.schedule.rate},
               {"cameras", report.schedule.cameras},
               {"sent", report.sent},
               {"seconds", report.seconds},
               {"most_behind_ms", Milliseconds(report.most_behind)},
               {"slow_sends_ms", Milliseconds(report.slow_sends)},
               {"most_awaited", report.most_awaited},
               {"missing", report.missing()},
               {"holders", Json::array()},
               {"broken", Json::array()}};
  for (const auto& [key, one] : report.tally.holders()) {
    json["holders"].push_back({{"holder", key.first},
                               {"mode", key.second.empty() ? Json(nullptr) : Json(key.second)},
                               {"answered", LatencyJson(one.answered)},
                               {"alerts", one.alerts},
                               {"merged", one.merged},
                               {"refused", one.refused},
                               {"unanswered", one.unanswered}});
  }
  for (const auto& [reason, count] : report.broken) {
    json["broken"].push_back({{"reason", reason}, {"streams", count}});
  }
  return json;
}

}  // namespace comity::cli
