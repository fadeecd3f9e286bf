// SPDX-License-Identifier: Apache-2.0
#include "services/cli/bench_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "services/cli/output.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;
using measure::BatchFigures;
using measure::SealedFigures;

constexpr double kMilli = 1e3;  // in one
constexpr double kMicro = 1e6;
constexpr double kNano = 1e9;
constexpr double kMillion = 1e-6;

double Count(std::size_t count) {
  return static_cast<double>(count);
}

BenchSection Sealing(const SealedFigures& f) {
  return {"sealing",
          "Sealing (holder)",
          {{"seal_us_per_entry", "sealing", f.seal * kMicro, "us an entry"},
           {"sealed_octets_per_entry", "sealed list", f.sealed_octets, "octets an entry"}}};
}

BenchSection Session(const SealedFigures& f) {
  const auto& set_up = f.set_up;
  return {
      "session",
      "Setting up a session, and pads ahead of need",
      {{"set_up_requester_ms", "set-up, requester", set_up.requester * kMilli, "ms"},
       {"set_up_holder_ms", "set-up, holder", set_up.holder * kMilli, "ms"},
       {"set_up_to_holder_octets", "set-up, to the holder", Count(set_up.octets.to_holder),
        "octets"},
       {"set_up_to_requester_octets", "set-up, to the requester", Count(set_up.octets.to_requester),
        "octets"},
       {"pads_requester_ns", "pads, requester", f.pads.requester * kNano, "ns an entry and probe"},
       {"pads_holder_ns", "pads, holder", f.pads.holder * kNano, "ns an entry and probe"},
       {"pads_to_requester_octets", "pads, to the requester", f.pads.octets,
        "octets an entry and probe"}}};
}

BenchSection Parts(const SealedFigures& f) {
  const std::string batch = std::to_string(f.work.batch);
  return {"parts",
          "Parts by themselves",
          {{"scan_one_ns", "sealed scan, 1 probe", f.scan_one * kNano, "ns an entry"},
           {"scan_batch_ns", "sealed scan, " + batch + " probes", f.scan_batch * kNano,
            "ns an entry and probe"},
           {"sketch_ns", "sketch, either side", f.sketch * kNano, "ns an entry"}}};
}

BenchSection Search(const std::string& key, const BatchFigures& batch, const SealedFigures& f) {
  const double comparisons = Count(batch.probes) * Count(f.work.entries);
  const double whole = measure::WholeSearch(batch, f.pads, f.work.entries);
  return {key,
          fmt::format("Whole search, batch of {}", batch.probes),
          {{"blind_ms", "requester: blinding the probes", batch.blind * kMilli, "ms"},
           {"score_ms", "requester: scores", batch.score * kMilli, "ms"},
           {"tables_ms", "requester: tables and sketch", batch.tables * kMilli, "ms"},
           {"offsets_ms", "holder: shares and offsets", batch.offsets * kMilli, "ms"},
           {"open_ms", "holder: opening, sketch, hits", batch.open * kMilli, "ms"},
           {"requester_ms", "requester, all", batch.requester * kMilli, "ms"},
           {"holder_ms", "holder, all", batch.holder * kMilli, "ms"},
           {"to_holder_octets", "to the holder", Count(batch.octets.to_holder) / comparisons,
            "octets an entry and probe"},
           {"to_requester_octets", "to the requester",
            Count(batch.octets.to_requester) / comparisons, "octets an entry and probe"},
           {"whole_ns", "both roles with their pads", whole * kNano, "ns an entry and probe"},
           {"whole_m_per_s", "both roles with their pads", kMillion / whole,
            "M comparisons a second"}}};
}

struct Plain {
  std::string key, text;
  const measure::PlainFigures::Scan& scan;
};
std::vector<Plain> Plains(const SealedFigures& f) {
  return {{"faiss_as_shipped", "Faiss IndexFlatIP as shipped", f.plain.faiss_as_shipped},
          {"faiss_tuned", "Faiss IndexFlatIP tuned", f.plain.faiss_tuned},
          {"int8", "int8 scan of the gateway", f.plain.int8}};
}

BenchSection InClear(const SealedFigures& f) {
  BenchSection section{"clear", "Scans of the same entries in clear", {}};
  for (const Plain& plain : Plains(f)) {
    section.rows.push_back({plain.key + "_one_m_per_s", plain.text + ", 1 probe",
                            kMillion / plain.scan.one, "M comparisons a second"});
    section.rows.push_back({plain.key + "_batch_m_per_s",
                            fmt::format("{}, {} probes", plain.text, f.work.batch),
                            kMillion / plain.scan.batch, "M comparisons a second"});
  }
  return section;
}

BenchSection Ratios(const SealedFigures& f) {
  BenchSection section{"ratios", "Speed of sealed search as a part of that in clear", {}};
  const double one = measure::WholeSearch(f.one, f.pads, f.work.entries);
  const double batch = measure::WholeSearch(f.batch, f.pads, f.work.entries);
  for (const Plain& plain : Plains(f)) {
    const std::string with = " / " + plain.text;
    const std::string probes = fmt::format(", {} probes", f.work.batch);
    section.rows.push_back({"whole_one_of_" + plain.key, "whole search" + with + ", 1 probe",
                            plain.scan.one / one, ""});
    section.rows.push_back({"whole_batch_of_" + plain.key, "whole search" + with + probes,
                            plain.scan.batch / batch, ""});
    section.rows.push_back({"scan_one_of_" + plain.key, "sealed scan" + with + ", 1 probe",
                            plain.scan.one / f.scan_one, ""});
    section.rows.push_back({"scan_batch_of_" + plain.key, "sealed scan" + with + probes,
                            plain.scan.batch / f.scan_batch, ""});
  }
  return section;
}

BenchSection OnALine(const SealedFigures& f, const measure::LineTerms& line) {
  const auto one = measure::Predict(line, f.one, f.pads, f.work.entries);
  const auto batch = measure::Predict(line, f.batch, f.pads, f.work.entries);
  const std::string probes = std::to_string(f.work.batch);
  return {
      "line",
      "Predicted for the line",
      {{"one_ms", "one probe, from sending to answer", one.batch * kMilli, "ms"},
       {"batch_ms", "batch of " + probes + ", from sending to answer", batch.batch * kMilli, "ms"},
       {"batch_ms_per_probe", "the same, for each probe",
        batch.batch * kMilli / Count(f.work.batch), "ms a probe"},
       {"probes_per_second", "for long, limited by " + BottleneckText(batch.bottleneck),
        batch.probes_per_second, "probes a second"}}};
}

std::string KernelText(sealed::Kernel kernel) {
  switch (kernel) {
    case sealed::Kernel::kPortable:
      return "portable";
    case sealed::Kernel::kAvx2:
      return "AVX2";
    case sealed::Kernel::kAvx512Vnni:
      return "AVX-512 VNNI";
  }
  return "";
}
std::string KernelText(ot::Kernel kernel) {
  switch (kernel) {
    case ot::Kernel::kPortable:
      return "portable";
    case ot::Kernel::kAvx512:
      return "AVX-512";
  }
  return "";
}

}  // namespace

std::string BottleneckText(measure::Bottleneck bottleneck) {
  switch (bottleneck) {
    case measure::Bottleneck::kRequester:
      return "the requester's core";
    case measure::Bottleneck::kHolder:
      return "the holder's core";
    case measure::Bottleneck::kLineToHolder:
      return "the line to the holder";
    case measure::Bottleneck::kLineToRequester:
      return "the line to the requester";
  }
  return "";
}

std::vector<BenchSection> SealedBenchSections(const SealedFigures& figures,
                                              const std::optional<measure::LineTerms>& line) {
  std::vector<BenchSection> sections = {Sealing(figures),
                                        Session(figures),
                                        Parts(figures),
                                        Search("search_one", figures.one, figures),
                                        Search("search_batch", figures.batch, figures),
                                        InClear(figures),
                                        Ratios(figures)};
  if (line) sections.push_back(OnALine(figures, *line));
  return sections;
}

namespace {

// Of the first column, so that those of all tables stand under each other.
std::size_t WidthOf(const std::vector<BenchSection>& sections) {
  std::size_t width = 0;
  for (const BenchSection& section : sections) {
    width = std::max(width, section.title.size());
    for (const BenchRow& row : section.rows) width = std::max(width, row.text.size() + 2);
  }
  return width;
}

}  // namespace

std::string SealedBenchText(const SealedFigures& figures,
                            const std::optional<measure::LineTerms>& line) {
  const auto& work = figures.work;
  std::string text = fmt::format(
      "{} synthetic entries of {} dimensions, {} probes a batch; processor time of one thread\n"
      "kernels: scan {}, oblivious transfer {}\n",
      work.entries, work.dimension, work.batch, KernelText(work.kernels.score),
      KernelText(work.kernels.ot));
  const std::vector<BenchSection> sections = SealedBenchSections(figures, line);
  const std::size_t width = WidthOf(sections);
  for (const BenchSection& section : sections) {
    Table table({fmt::format("{:<{}}", section.title, width), "VALUE", "UNIT"});
    for (const BenchRow& row : section.rows) {
      table.Add({"  " + row.text, fmt::format("{:.4g}", row.value), row.unit});
    }
    text += "\n" + table.Text();
  }
  return text;
}

Json SealedBenchJson(const SealedFigures& figures, const std::optional<measure::LineTerms>& line) {
  const auto& work = figures.work;
  Json json = {{"entries", work.entries},
               {"dimension", work.dimension},
               {"batch", work.batch},
               {"scan_kernel", KernelText(work.kernels.score)},
               {"transfer_kernel", KernelText(work.kernels.ot)}};
  for (const BenchSection& section : SealedBenchSections(figures, line)) {
    Json rows;
    for (const BenchRow& row : section.rows) rows[row.key] = row.value;
    json[section.key] = std::move(rows);
  }
  if (line) {
    const auto prediction = measure::Predict(*line, figures.batch, figures.pads, work.entries);
    json["line"]["limited_by"] = BottleneckText(prediction.bottleneck);
  }
  return json;
}

Result<double> ParseMilliseconds(const std::string& text) {
  constexpr double kMost = 10'000;
  std::string_view number = text;
  if (number.ends_with("ms")) number.remove_suffix(2);
  double value = 0;
  const auto [end, fault] = std::from_chars(number.data(), number.data() + number.size(), value,
                                            std::chars_format::fixed);
  if (fault != std::errc() || end != number.data() + number.size() ||
      !(value >= 0 && value <= kMost)) {
    return Fail(ErrorCode::kInvalidArgument, "'" + Clean(text) +
                                                 "' is no round-trip time: give milliseconds, "
                                                 "0 to 10000, as in 20ms");
  }
  return value / kMilli;
}

}  // namespace comity::cli
