// SPDX-License-Identifier: Apache-2.0
#include "services/audit/publisher.h"

#include <algorithm>
#include <utility>

namespace comity::audit {
namespace {

// Entries of this long share one checkpoint: saving one costs a synced write that commits wait for.
constexpr auto kGather = std::chrono::milliseconds(50);
constexpr auto kRetry = std::chrono::seconds(1);

bool Never(const auto&) {
  return false;
}

}  // namespace

Publisher::Publisher(Options options, LogEdge edge, std::optional<Checkpoint> last)
    : options_(std::move(options)), edge_(std::move(edge)), saved_(std::move(last)) {}

Status Publisher::Start() {
  COMITY_RETURN_IF_ERROR(Publish());
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  return {};
}

void Publisher::Wake(std::uint64_t log_size) {
  state_.With([&](State& state) { state.wanted = std::max(state.wanted, log_size); });
}

Result<Checkpoint> Publisher::WaitFor(std::uint64_t log_size, std::chrono::milliseconds timeout) {
  state_.With([&](State& state) {
    state.wanted = std::max(state.wanted, log_size);
    state.urgent = std::max(state.urgent, log_size);
  });
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  Checkpoint published;
  const bool in_time = state_.WaitUntil(
      std::stop_token(), deadline,
      [&](const State& state) { return state.published.size >= log_size; },
      [&](State& state) { published = state.published; });
  if (in_time) return published;
  const std::string problem = Health().problem;
  return Fail(ErrorCode::kUnavailable,
              "no checkpoint over " + std::to_string(log_size) + " entries within " +
                  std::to_string(timeout.count()) + " ms" +
                  (problem.empty() ? "" : "; the log's publisher last met: " + problem));
}

Checkpoint Publisher::Latest() const {
  return state_.With([](const State& state) { return state.published; });
}

LogHealth Publisher::Health() const {
  return state_.With([](const State& state) { return state.health; });
}

void Publisher::Run(const std::stop_token& stop) {
  const auto has_work = [](const State& state) { return state.wanted > state.published.size; };
  const auto is_urgent = [](const State& state) { return state.urgent > state.published.size; };
  const auto nothing = [](const State&) {};
  while (state_.WaitThen(stop, has_work, nothing)) {
    state_.WaitUntil(stop, std::chrono::steady_clock::now() + kGather, is_urgent, nothing);
    if (stop.stop_requested()) return;
    const Status outcome = Publish();
    Report(outcome);
    if (stopped_) return;
    if (outcome) continue;
    state_.WaitUntil(stop, std::chrono::steady_clock::now() + kRetry, Never<State>, nothing);
  }
}

Status Publisher::Publish() {
  COMITY_RETURN_IF_ERROR(Integrate());
  if (!file_is_current_) {
    COMITY_RETURN_IF_ERROR(options_.files.WriteCheckpoint(saved_->note));
    file_is_current_ = true;
  }
  for (const tlog::TilePath& full : completed_) options_.files.RemovePartials(full);
  completed_.clear();
  Announce();
  return {};
}

Status Publisher::Integrate() {
  std::uint64_t size = 0;
  COMITY_RETURN_IF_ERROR(options_.store.Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(size, tx.audit().Size());
    return {};
  }));
  if (saved_ && size == saved_->size) return {};
  LogEdge grown = edge_;
  std::vector<tlog::TilePath> completed;
  COMITY_RETURN_IF_ERROR(
      AppendStored(options_.store, size, grown, [&](const tlog::TilePath& tile, ByteView content) {
        completed.push_back(tile);
        return options_.files.Write(tile, content);
      }));
  COMITY_RETURN_IF_ERROR(grown.VisitPartials([&](const tlog::TilePath& tile, ByteView content) {
    return options_.files.Write(tile, content);
  }));
  Checkpoint checkpoint = SignCheckpoint(options_.origin, options_.log_key, size, grown.Root());
  COMITY_RETURN_IF_ERROR(Save(checkpoint));
  edge_ = std::move(grown);
  saved_ = std::move(checkpoint);
  completed_.insert(completed_.end(), completed.begin(), completed.end());
  file_is_current_ = false;
  return {};
}

Status Publisher::Save(const Checkpoint& checkpoint) {
  Status saved = options_.store.Write([&](store::Transaction& tx) {
    return tx.checkpoints().Save({.size = checkpoint.size, .note = checkpoint.note});
  });
  if (saved || saved.error().code != ErrorCode::kConflict) return saved;
  stopped_ = true;
  return Fail(ErrorCode::kConflict,
              "another process signed a checkpoint of this log: one log has one writer. This "
              "gateway stopped its log; stop the other process, then start this one again");
}

void Publisher::Report(const Status& outcome) {
  const std::string problem = outcome ? std::string() : outcome.error().detail;
  const bool changed = state_.With([&](State& state) {
    const bool differs = state.health.problem != problem;
    state.health.problem = problem;
    state.health.publishing = outcome.has_value();
    state.health.stopped = stopped_;
    return differs;
  });
  if (!changed) return;
  if (outcome) {
    options_.logger.Info("audit-publishing-again");
  } else {
    options_.logger.Error("audit-publishing-failed", {{"problem", problem}});
  }
}

void Publisher::Announce() {
  state_.With([&](State& state) {
    state.published = *saved_;
    state.health.signed_size = saved_->size;
  });
}

}  // namespace comity::audit
