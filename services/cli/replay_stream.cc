// SPDX-License-Identifier: Apache-2.0
#include "services/cli/replay_stream.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <span>
#include <thread>
#include <utility>

#include "crypto/base/secret.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

constexpr std::chrono::seconds kOpening{10};
// A gateway would answer an older face `unanswered` without a search.
constexpr std::chrono::seconds kMostBehind{30};

std::chrono::microseconds Micro(ReplaySchedule::Time time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time);
}

// Cancels a call unless it is destroyed in time.
class OpeningLimit {
 public:
  explicit OpeningLimit(grpc::ClientContext& context)
      : thread_([this, &context](const std::stop_token& stop) {
          std::unique_lock lock(mutex_);
          wake_.wait_for(lock, stop, kOpening, [] { return false; });
          if (!stop.stop_requested()) context.TryCancel();
        }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace

void ReplayLoad::Sent() {
  const std::uint64_t due = ++sent_ * holders_;
  const std::uint64_t answers = answers_;
  const std::uint64_t awaited = due > answers ? due - answers : 0;
  std::uint64_t most = most_awaited_;
  while (awaited > most && !most_awaited_.compare_exchange_weak(most, awaited)) {
  }
}

Result<std::unique_ptr<ReplayStream>> ReplayStream::Open(const OwnGateway& gateway,
                                                         const std::string& deployment) {
  std::unique_ptr<ReplayStream> opened(new ReplayStream(gateway));
  opened->stub_ = v1::Recognition::NewStub(gateway.channel());
  const OpeningLimit limit(opened->context_);
  opened->stream_ = opened->stub_->Watch(&opened->context_);
  v1::WatchRequest request;
  request.mutable_open()->set_deployment(deployment);
  v1::WatchResponse response;
  if (!opened->stream_->Write(request) || !opened->stream_->Read(&response)) {
    COMITY_RETURN_IF_ERROR(opened->Finish());
    return Fail(ErrorCode::kUnavailable, "the gateway ended the stream before it opened");
  }
  opened->opened_ = std::move(*response.mutable_opened());
  return opened;
}

CameraRun ReplayStream::Send(const ReplayScene& scene, std::uint64_t camera) {
  const CameraRun run = PaceCamera(
      scene.schedule, camera, kMostBehind, scene.clock,
      [&](std::uint64_t turn) { return Write(scene, scene.schedule.FaceOf(camera, turn), turn); });
  stream_->WritesDone();
  return run;
}

bool ReplayStream::Write(const ReplayScene& scene, std::uint64_t face, std::uint64_t turn) {
  const std::uint64_t appearance = scene.schedule.AppearanceOf(face);
  v1::WatchRequest request;
  v1::WatchProbe& probe = *request.mutable_probe();
  probe.set_sequence(turn + 1);
  probe.set_capture_ref("replay-" + scene.run + "-" + std::to_string(face));
  probe.set_camera("replay-" + std::to_string(face % scene.schedule.cameras));
  *probe.mutable_captured_at() = ToTimestamp(scene.started_at + Micro(scene.schedule.DueOf(face)));
  if (scene.schedule.per_track > 0) {
    probe.set_track(scene.run + "-" + std::to_string(appearance));
  }
  const ByteView values = scene.rows.Row(appearance % scene.rows.rows());
  std::string& embedding = *probe.mutable_embedding();
  embedding.assign(values.begin(), values.end());
  scene.load.Sent();
  const bool is_open = stream_->Write(request);
  Wipe(std::span(reinterpret_cast<std::uint8_t*>(embedding.data()), embedding.size()));
  return is_open;
}

void ReplayStream::Read(const ReplayScene& scene, std::uint64_t camera) {
  v1::WatchResponse response;
  const std::uint64_t faces = scene.schedule.faces();
  while (stream_->Read(&response)) {
    const v1::WatchAnswer& answer = response.answer();
    if (answer.sequence() == 0 || answer.sequence() > faces) continue;  // of no face of ours
    const ReplaySchedule::Time due =
        scene.schedule.DueOf(scene.schedule.FaceOf(camera, answer.sequence() - 1));
    tally_.Add(answer, Micro(scene.clock.Now() - due));
    scene.load.Answered();
  }
}

Status ReplayStream::Finish() {
  const grpc::Status status = stream_->Finish();
  if (status.ok()) return {};
  return Fail(gateway_.Describe(status));
}

}  // namespace comity::cli
