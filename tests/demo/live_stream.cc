// SPDX-License-Identifier: Apache-2.0
#include "tests/demo/live_stream.h"

#include <algorithm>
#include <map>
#include <random>
#include <semaphore>
#include <set>
#include <thread>

#include "services/runtime/guarded.h"

namespace comity::demo {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::ptrdiff_t kInFlight = 8;

struct Probe {
  FaceSet::Face face;
  bool mated = false;
};

struct Stream {
  std::vector<Probe> probes;  // by sequence - 1
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
  if (!answer.has_answered()) ++report.unanswered;
  if (own_found) ++report.mated_found;
  if (!probe.mated && answer.answered().alerts_size() > 0) ++report.non_mated_alerted;
}

void ReadAnswers(testing::EngineClient& engine, Stream& stream, Report& report) {
  for (std::size_t count = 0; count < stream.probes.size(); ++count) {
    const auto answer = engine.Receive();
    if (!answer) break;
    const auto sent =
        stream.sent_at.With([&](const auto& times) { return times[answer->sequence() - 1]; });
    report.latencies_ms.push_back(
        std::chrono::duration<double, std::milli>(Clock::now() - sent).count());
    Count(*answer, stream, report);
    stream.room.release();
  }
  // The stream may have ended early: nobody waits for answers that will not come.
  stream.room.release(kInFlight - 1);
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
  stream.probes = Shuffled(faces);
  stream.sent_at.With([&](auto& times) { times.resize(stream.probes.size()); });
  const auto start = Clock::now();
  {
    const std::jthread reader([&] { ReadAnswers(*engine, stream, report); });
    for (std::size_t i = 0; i < stream.probes.size(); ++i) {
      stream.room.acquire();
      stream.sent_at.With([&](auto& times) { times[i] = Clock::now(); });
      const FaceSet::Face& face = stream.probes[i].face;
      if (!engine->Send(
              {i + 1, "capture-" + std::to_string(i + 1), "camera-1", faces.Row(face.row)})) {
        break;
      }
    }
  }
  report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  engine->DoneSending();
  COMITY_RETURN_IF_ERROR(engine->Finish());
  report.faces = stream.probes.size();
  report.mated = faces.mated.size();
  report.alerts = stream.alerts.size();
  report.true_alerts = static_cast<std::uint64_t>(
      std::ranges::count_if(stream.alerts, [](const auto& alert) { return alert.second; }));
  if (report.latencies_ms.size() != report.faces) {
    return Fail(ErrorCode::kInternal, "some faces were never answered");
  }
  return {};
}

}  // namespace comity::demo
