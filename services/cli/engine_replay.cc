// SPDX-License-Identifier: Apache-2.0
#include "services/cli/engine_replay.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "services/cli/own_gateway.h"
#include "services/cli/replay_stream.h"
#include "services/cli/template_rows.h"
#include "services/runtime/guarded.h"
#include "services/transport/limits.h"

namespace comity::cli {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kHeadStart{50};  // for all threads to stand ready
// What the gateway reads 30 s after its time it answers at once, and everything else within 5 s.
constexpr std::chrono::seconds kLastAnswers{40};
constexpr std::chrono::seconds kAfterStop{10};
constexpr std::chrono::milliseconds kLook{200};

class SteadyClock final : public ReplayClock {
 public:
  SteadyClock(steady_clock::time_point start, std::stop_token stop)
      : start_(start), stop_(std::move(stop)) {}
  ReplaySchedule::Time Now() const override { return steady_clock::now() - start_; }
  bool WaitUntil(ReplaySchedule::Time due) override {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    wake.wait_until(lock, stop_, start_ + due, [] { return false; });
    return !stop_.stop_requested();
  }

 private:
  const steady_clock::time_point start_;
  const std::stop_token stop_;
};

// The cameras of a replay and the connections they share.
struct Cameras {
  std::vector<std::unique_ptr<OwnGateway>> connections;
  std::vector<std::unique_ptr<ReplayStream>> streams;

  Status Add(const ReplayOptions& options, const Session& session) {
    constexpr std::size_t kEach = transport::limits::kMaxStreamsPerConnection;
    if (streams.size() % kEach == 0) {
      COMITY_ASSIGN_OR_RETURN(OwnGateway gateway, OwnGateway::Open(session));
      connections.push_back(std::make_unique<OwnGateway>(std::move(gateway)));
    }
    COMITY_ASSIGN_OR_RETURN(auto stream,
                            ReplayStream::Open(*connections.back(), options.deployment));
    streams.push_back(std::move(stream));
    return {};
  }
};

// How far the cameras are.
struct Stage {
  std::size_t sending = 0;
  std::size_t reading = 0;
};

class Run {
 public:
  // In: over  ends the waiting of the scene's clock
  Run(Cameras& cameras, const ReplayScene& scene, std::stop_source& over, ReplayReport& report)
      : cameras_(cameras), scene_(scene), over_(over), report_(report) {}

  // Returns when every camera has ended.
  void All(const std::stop_token& stop,
           const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    const std::size_t count = cameras_.streams.size();
    stage_.With([&](Stage& stage) { stage = {count, count}; });
    std::vector<std::jthread> threads;
    for (std::size_t camera = 0; camera < count; ++camera) {
      threads.emplace_back([this, camera] { Send(camera); });
      threads.emplace_back([this, camera] { Read(camera); });
    }
    Await(stop, progress);
    over_.request_stop();  // a camera whose stream has ended need not wait for its next face
    threads.clear();
    for (const auto& stream : cameras_.streams) {
      if (const Status ended = stream->Finish(); !ended) ++report_.broken[ended.error().detail];
      report_.tally.Merge(stream->tally());
    }
  }

 private:
  void Send(std::size_t camera) {
    const CameraRun run = cameras_.streams[camera]->Send(scene_, camera);
    results_.With([&](bool&) {
      report_.sent += run.sent;
      report_.most_behind = std::max(report_.most_behind, run.most_behind);
      report_.slow_sends += run.slow_sends;
    });
    stage_.With([](Stage& stage) { --stage.sending; });
  }

  void Read(std::size_t camera) {
    cameras_.streams[camera]->Read(scene_, camera);
    stage_.With([](Stage& stage) { --stage.reading; });
  }

  void Await(const std::stop_token& stop,
             const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    const std::uint64_t awaited = report_.schedule.faces() * report_.holders.size();
    std::optional<steady_clock::time_point> end, stopped;
    Stage stage;
    do {
      progress(scene_.load.answers(), awaited);
      stage_.WaitUntil(
          {}, steady_clock::now() + kLook, [](const Stage& now) { return now.reading == 0; },
          [](Stage&) {});
      stage = stage_.With([](Stage& now) { return now; });
      const auto now = steady_clock::now();
      if (!end && stage.sending == 0) end = now + kLastAnswers;
      if (!stopped && stop.stop_requested()) stopped = now + kAfterStop;
      if ((end && now > *end) || (stopped && now > *stopped)) {
        for (const auto& stream : cameras_.streams) stream->Cancel();
      }
    } while (stage.reading > 0);
  }

  Cameras& cameras_;
  const ReplayScene& scene_;
  std::stop_source& over_;
  ReplayReport& report_;
  runtime::Guarded<bool> results_;  // guards report_
  runtime::Watched<Stage> stage_;
};

}  // namespace

Result<ReplayReport> Replay(const ReplayOptions& options, const Session& session,
                            const std::stop_token& stop,
                            const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  Cameras cameras;
  COMITY_RETURN_IF_ERROR(cameras.Add(options, session));
  const v1::WatchOpened& opened = cameras.streams.front()->opened();
  ReplayReport report;
  report.schedule = options.schedule;
  report.holders.assign(opened.holders().begin(), opened.holders().end());
  COMITY_ASSIGN_OR_RETURN(const TemplateRows rows,
                          TemplateRows::Read(options.file, opened.engine().dimension()));
  while (cameras.streams.size() < options.schedule.cameras) {
    COMITY_RETURN_IF_ERROR(cameras.Add(options, session));
  }
  std::stop_source over;
  const std::stop_callback forward(stop, [&over] { over.request_stop(); });
  SteadyClock clock(steady_clock::now() + kHeadStart, over.get_token());
  ReplayLoad load(report.holders.size());
  const ReplayScene scene{report.schedule,
                          rows,
                          clock,
                          load,
                          session.clock.Now() + kHeadStart,
                          opened.exchange_id().substr(0, 10)};
  Run(cameras, scene, over, report).All(stop, progress);
  report.most_awaited = load.most_awaited();
  report.seconds = std::chrono::duration<double>(clock.Now()).count();
  return report;
}

}  // namespace comity::cli
