// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "services/cli/bench_text.h"
#include "services/cli/commands.h"
#include "services/cli/output.h"
#include "services/measure/sealed_measure.h"

namespace comity::cli {
namespace {

constexpr std::uint64_t kDefaultEntries = 10'000;
constexpr std::uint64_t kDefaultDimension = 512;
constexpr std::uint64_t kDefaultBatch = 8;
constexpr std::uint64_t kMostProbes = sealed::kMaxProbesInBatch;

struct SealedBenchOptions {
  std::optional<std::uint64_t> entries, dimension, batch;
  std::string round_trip;
  double megabits = 0;
  double least_seconds = 0.5;
};

// Nothing if none is asked for.
Result<std::optional<measure::LineTerms>> LineOf(const SealedBenchOptions& options) {
  constexpr double kOctetsAMegabit = 1e6 / 8;
  if (options.round_trip.empty() && options.megabits == 0) return std::nullopt;
  if (options.round_trip.empty() || options.megabits == 0) {
    return Fail(ErrorCode::kInvalidArgument, "--rtt and --mbit describe a line together");
  }
  COMITY_ASSIGN_OR_RETURN(const double round_trip, ParseMilliseconds(options.round_trip));
  return measure::LineTerms{.round_trip = round_trip,
                            .octets_per_second = options.megabits * kOctetsAMegabit};
}

measure::Progress ShowProgress(std::string_view step) {
  const auto line = std::make_shared<ProgressLine>(std::string(step));
  return [line](std::uint64_t done, std::uint64_t all) { line->Show(done, all); };
}

Result<ExitCode> BenchSealed(const SealedBenchOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const auto line, LineOf(options));
  const measure::SealedWork work{
      .entries = options.entries.value_or(kDefaultEntries),
      .dimension = options.dimension.value_or(kDefaultDimension),
      .batch = options.batch.value_or(kDefaultBatch),
      .kernels = {.score = sealed::FastestKernel(), .ot = ot::FastestKernel()},
      .least_seconds = options.least_seconds};
  COMITY_ASSIGN_OR_RETURN(const auto figures, measure::MeasureSealed(work, ShowProgress));
  if (session.json) {
    PrintJson(SealedBenchJson(figures, line));
  } else {
    Print(SealedBenchText(figures, line));
  }
  return ExitCode::kOk;
}

constexpr const char* kDetail =
    "Makes synthetic faces from a fixed seed and plays both agencies in one process, with the\n"
    "code that gateways run: sealing, session set-up, oblivious transfers, scores, tables and\n"
    "hits. Every outcome is checked. Beside it, the same faces are scanned in clear: by Faiss's\n"
    "IndexFlatIP as Debian ships it, by the same tuned (small batches through BLAS), and by the\n"
    "int8 scan of direct searches. No gateway and no real face is needed.\n"
    "\n"
    "Each figure is the median processor time of one thread, so other load on the machine counts\n"
    "little; memory that others use does count. Octets are those of the messages, without\n"
    "signatures, framing and TLS. Takes some seconds for 10,000 entries, some minutes for a\n"
    "million, and about 5 KB of memory an entry at 512 dimensions.\n"
    "\n"
    "A ratio is the speed of sealed search as a part of the speed in clear: 0.2 is a fifth.\n"
    "'whole search' has both roles and the pads on one core; 'sealed scan' is what the\n"
    "requester's scores alone cost. Both are set against Faiss as shipped, Faiss tuned and the\n"
    "int8 scan, for one probe and for a batch.\n"
    "\n"
    "With --rtt and --mbit, the time of a batch on a line is predicted:\n"
    "  time = 2 x RTT + (octets to the holder + octets to the requester) / rate\n"
    "         + requester's work + holder's work\n"
    "with pads made ahead of need, and what goes on for long: the probes of a batch over the\n"
    "longest of: either side's work with its pads, the octets to the holder / rate, those to the\n"
    "requester with its pads / rate. Not in it: the engine's way to its gateway; signatures and\n"
    "TLS, some 6 KB an answer; pads that are on the line before an answer when searches follow\n"
    "each other without a pause; and the fixed time until which a gateway holds every answer\n"
    "back (sealed.answer_after, 250 ms as installed), so that it does not tell what hit.\n"
    "\n"
    "With --json the rows are one object: a key for each table (sealing, session, parts,\n"
    "search_one, search_batch, clear, ratios, and line if it was asked for), and in it a number\n"
    "for each row, whose unit, if it has one, is the end of its name.";

}  // namespace

void AddBenchCommands(CommandLine& line, Session& session) {
  line.Group("bench", "what searches cost on this machine");
  const auto options = std::make_shared<SealedBenchOptions>();
  line.Add({"bench sealed", "measure sealed search beside scans in clear", kDetail,
            "a search did not find what it must, or there is not enough memory",
            "comity bench sealed --entries 100000 --batch 8 --rtt 20ms --mbit 100"},
           Asks::kNobody, [options, &session] { return BenchSealed(*options, session); })
      .Add({"--entries", "N", "of the list, 1 to 1000000; default 10000", false},
           CountTarget{options->entries, 1, measure::kMostEntries})
      .Add({"--dim", "D", "of a template: 128, 256, 512 or 1024; default 512", false},
           CountTarget{options->dimension, 1, sealed::kMaxDimension})
      .Add({"--batch", "P", "probes that are searched at once, 1 to 32; default 8", false},
           CountTarget{options->batch, 1, kMostProbes})
      .Add({"--rtt", "TIME", "round trip of a line, 0 to 10000 ms, as in 20ms; with --mbit", false},
           options->round_trip)
      .Add({"--mbit", "RATE", "of a line each way, 0.01 to 1000000 Mbit/s; with --rtt", false},
           DecimalTarget{options->megabits, 0.01, 1e6})
      .Add({"--seconds", "S", "to repeat each step for, 0.01 to 60; default 0.5", false},
           DecimalTarget{options->least_seconds, 0.01, 60});
}

}  // namespace comity::cli
