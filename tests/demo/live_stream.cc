// SPDX-License-Identifier: Apache-2.0
#include "tests/demo/live_stream.h"

#include <algorithm>
#include <map>
#include <random>
#include <semaphore>
#include <set>
#include <thread>
#include <utility>

#include "services/runtime/guarded.h"

namespace comity::demo {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::ptrdiff_t kInFlight = 32;

struct Probe {
  FaceSet::Face face;
  bool mated = false;
};

// A camera sees a person in many frames: a face that has no answer is sent again so often.
constexpr int kMostFrames = 8;

struct Stream {
  std::vector<Probe> probes;  // by sequence - 1
  std::vector<Probe> unanswered;
  runtime::Guarded<std::vector<Clock::time_point>> sent_at;
  std::counting_semaphore<> room{kInFlight};
  std::map<std::string, bool> alerts;  // id -> the first frame's identity is the entry's
};

std::vector<Probe> Shuffled(const FaceSet& faces) {
  std::vector<Probe> probes;
  for (const FaceSet::Face& face : faces.mated) probes.push_back({face, true});
  for (const FaceSet::Face& face : faces.non_mated) probes.push_back({face, false});
  std::mt19937_64 random(1);  // the same order at every run
  std::ranges::shuffle(probes, random);
  return probes;
}

void Count(const v1::WatchAnswer& answer, Stream& stream, Report& report) {
  const Probe& probe = stream.probes[answer.sequence() - 1];
  const std::string own = ReferenceOf(probe.face.identity);
  bool own_found = false;
  for (const v1::AlertRef& alert : answer.answered().alerts()) {
    const bool is_own = probe.mated && alert.hit().reference() == own;
    own_found = own_found || is_own;
    stream.alerts.emplace(alert.alert(), is_own);
  }
  report.hits += static_cast<std::uint64_t>(answer.answered().alerts_size());
  if (!answer.has_answered()) stream.unanswered.push_back(probe);
  if (own_found) ++report.mated_found;
  if (!probe.mated && answer.answered().alerts_size() > 0) ++report.non_mated_alerted;
}

void ReadAnswers(testing::EngineClient& engine, std::size_t sent, Stream& stream, Report& report) {
  for (std::size_t count = 0; count < sent; ++count) {
    const auto answer = engine.Receive();
    // The stream has ended early: nobody waits for answers that will not come.
    if (!answer) return stream.room.release(static_cast<std::ptrdiff_t>(sent));
    const auto sent_at =
        stream.sent_at.With([&](const auto& times) { return times[answer->sequence() - 1]; });
    report.latencies_ms.push_back(
        std::chrono::duration<double, std::milli>(Clock::now() - sent_at).count());
    Count(*answer, stream, report);
    stream.room.release();
  }
}

void SendAll(testing::EngineClient& engine, const std::vector<Probe>& frames, const FaceSet& faces,
             Stream& stream, Report& report) {
  const std::size_t before = stream.probes.size();
  stream.probes.insert(stream.probes.end(), frames.begin(), frames.end());
  stream.sent_at.With([&](auto& times) { times.resize(stream.probes.size()); });
  const std::jthread reader([&] { ReadAnswers(engine, frames.size(), stream, report); });
  for (std::size_t i = before; i < stream.probes.size(); ++i) {
    stream.room.acquire();
    stream.sent_at.With([&](auto& times) { times[i] = Clock::now(); });
    const FaceSet::Face& face = stream.probes[i].face;
    if (!engine.Send(
            {i + 1, "capture-" + std::to_string(i + 1), "camera-1", faces.Row(face.row)})) {
      break;
    }
  }
}

}  // namespace

std::string ReferenceOf(std::uint32_t identity) {
  return "np-" + std::to_string(identity);
}

Status StreamFaces(const Agency& requester, const std::string& deployment, const FaceSet& faces,
                   const runtime::Clock& clock, Report& report) {
  COMITY_ASSIGN_OR_RETURN(const auto engine,
                          testing::EngineClient::Open(requester.engine(), deployment, clock));
  Stream stream;
  std::vector<Probe> frames = Shuffled(faces);
  report.faces = frames.size();
  const auto start = Clock::now();
  for (int frame = 0; frame < kMostFrames && !frames.empty(); ++frame) {
    if (frame > 0) report.asked_again += frames.size();
    SendAll(*engine, frames, faces, stream, report);
    frames = std::exchange(stream.unanswered, {});
  }
  report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  report.unanswered = frames.size();
  engine->DoneSending();
  COMITY_RETURN_IF_ERROR(engine->Finish());
  report.mated = faces.mated.size();
  report.alerts = stream.alerts.size();
  report.true_alerts = static_cast<std::uint64_t>(
      std::ranges::count_if(stream.alerts, [](const auto& alert) { return alert.second; }));
  if (report.latencies_ms.size() != report.faces + report.asked_again) {
    return Fail(ErrorCode::kInternal, "some faces were never answered");
  }
  return {};
}

}  // namespace comity::demo
