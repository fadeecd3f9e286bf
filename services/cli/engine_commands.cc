// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "services/cli/commands.h"
#include "services/cli/engine_replay.h"
#include "services/cli/output.h"
#include "services/cli/replay_text.h"
#include "services/runtime/shutdown.h"

namespace comity::cli {
namespace {

constexpr std::uint64_t kMostCameras = 1024;  // limits.max_streams
constexpr std::uint64_t kMostInTrack = 1000;
constexpr double kMostRate = 100'000;
constexpr double kMostSeconds = 24 * 60 * 60;  // a deployment lasts no longer

struct ReplayArguments {
  std::string file, deployment;
  double rate = 0;
  double seconds = 10;
  std::optional<std::uint64_t> cameras, per_track;
};

Result<ExitCode> RunReplay(const ReplayArguments& arguments, const Session& session) {
  ReplayOptions options{arguments.file, arguments.deployment, {}};
  options.schedule.rate = arguments.rate;
  options.schedule.seconds = arguments.seconds;
  options.schedule.cameras = arguments.cameras.value_or(1);
  options.schedule.per_track = arguments.per_track.value_or(0);
  const runtime::Shutdown shutdown;  // Ctrl-C ends the sending, and what was measured is told
  std::optional<ProgressLine> line("answers");
  const auto report =
      Replay(options, session, shutdown.token(),
             [&](std::uint64_t answers, std::uint64_t all) { line->Show(answers, all); });
  line.reset();
  if (!report) return Fail(report.error());
  if (session.json) {
    PrintJson(ReplayJson(*report));
  } else {
    Print(ReplayText(*report));
  }
  const bool is_whole = report->broken.empty() && report->tally.searched() > 0;
  return is_whole ? ExitCode::kOk : ExitCode::kNo;
}

constexpr const char* kDetail =
    "Plays a recognition engine: sends the templates of FILE to the gateway, over one Watch\n"
    "stream a camera, and measures the answers. The profile is an engine's ('comity pki issue\n"
    "--engine' writes it), and the deployment is one that names this engine. Each hit is a real\n"
    "alert to the deployment's people, counts in the agreement's capacity, and is in the logs of\n"
    "both agencies: use templates and a deployment that are meant for it.\n"
    "\n"
    "The load is open loop: with a rate R, face n is due n/R seconds after the start, at camera\n"
    "n modulo N, whatever has become of the faces before it. A latency is the time from when a\n"
    "face was due until its answer was read; a pause of the gateway, of the line or of this\n"
    "program therefore counts for every face that was due in it. The rows of FILE are sent in\n"
    "their order and again from the first. FILE ends with .npy (float32, as numpy.save writes it)\n"
    "or .f32 (rows of float32 little-endian); the dimension is that of the deployment's engine.\n"
    "\n"
    "For each holder and mode are told:\n"
    "  ANSWERED    faces that the holder searched, with p50, p90, p99 and the longest latency;\n"
    "              percentiles are at most 3.2 % above the true ones, and memory does not grow\n"
    "              with the number of faces\n"
    "  ALERTS      hits that became an alert; MERGED: further frames of an alert that existed\n"
    "  REFUSED     decisions against the search, by code\n"
    "  UNANSWERED  faces without an answer, by reason: holder-busy means that 64 faces waited\n"
    "              for this holder already: the rate is more than it bears\n"
    "Before them: how late a face was sent at most; how long sends took that took more than 5 ms,\n"
    "of all cameras together; how many answers were awaited at one time. While the windows of all\n"
    "holders are full, 64 faces each, the gateway reads no further: then the answers awaited grow\n"
    "by what the line buffers, and with them the latencies, before sends become slow. A face that\n"
    "would be sent 30 s late is not sent, nor are those after it. Answers are awaited for 40 s\n"
    "after the last face. Ctrl-C ends the sending; what was measured is told.\n"
    "\n"
    "With --json: faces, rate, cameras, sent, seconds, most_behind_ms, slow_sends_ms,\n"
    "most_awaited, missing (answers that did not come), holders (each: holder, mode, answered\n"
    "with count, p50_ms, p90_ms, p99_ms, max_ms; alerts, merged; refused and unanswered as counts\n"
    "by code), broken (each: reason, streams).";

}  // namespace

void AddEngineCommands(CommandLine& line, Session& session) {
  line.Group("engine", "what recognition engines do");
  const auto arguments = std::make_shared<ReplayArguments>();
  line.Add({"engine replay", "send a file of templates as an engine would, and measure", kDetail,
            "a stream ended early, or no holder searched a face",
            "comity engine replay faces.npy --deployment d-... --rate 50 --cameras 4 --seconds 60 "
            "--profile pki/engines/cameras.toml"},
           Asks::kGateway, [arguments, &session] { return RunReplay(*arguments, session); })
      .Add({"file", "FILE", "templates, one a row: .npy or .f32", true}, arguments->file)
      .Add({"--deployment", "ID", "deployment of this engine that has begun", true},
           arguments->deployment)
      .Add({"--rate", "R", "faces a second, of all cameras together, 0.01 to 100000", true},
           DecimalTarget{arguments->rate, 0.01, kMostRate})
      .Add({"--cameras", "N", "streams, 1 to 1024; default 1", false},
           CountTarget{arguments->cameras, 1, kMostCameras})
      .Add({"--seconds", "S", "how long faces are sent, 0.1 to 86400; default 10", false},
           DecimalTarget{arguments->seconds, 0.1, kMostSeconds})
      .Add({"--tracks", "K",
            "appearances of K faces, 1 to 1000: K in a row at a camera show one template and share "
            "a track; default: no tracks",
            false},
           CountTarget{arguments->per_track, 1, kMostInTrack});
}

}  // namespace comity::cli
