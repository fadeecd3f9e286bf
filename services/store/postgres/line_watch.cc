// SPDX-License-Identifier: Apache-2.0
#include "services/store/postgres/line_watch.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "services/store/sql/database_error.h"

namespace comity::store {
namespace {

constexpr std::chrono::milliseconds kLook{100};  // how often
constexpr std::chrono::seconds kGrace{2};        // for a call after the stop

std::int64_t Nanoseconds(LineWatch::Time time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace

LineWatch::LineWatch(std::stop_token stop)
    : stop_(std::move(stop)), thread_([this](const std::stop_token& end) { Serve(end); }) {}

bool LineWatch::Wait(Time end) {
  waiting_.WaitUntil(stop_, end, [](bool) { return false; }, [](bool) {});
  return !stop_.stop_requested();
}

void LineWatch::Serve(const std::stop_token& end) {
  while (!end.stop_requested()) {
    lines_.WaitUntil(
        end, std::chrono::steady_clock::now() + kLook,
        [](const std::vector<Watched*>&) { return false; }, [](const std::vector<Watched*>&) {});
    CutOverdue();
  }
}

void LineWatch::CutOverdue() {
  const Time now = std::chrono::steady_clock::now();
  if (!stopped_ && stop_.stop_requested()) stopped_ = now;
  lines_.With([&](const std::vector<Watched*>& lines) {
    for (Watched* line : lines) {
      std::int64_t overdue = line->overdue;
      if (overdue == 0) continue;
      if (stopped_) {
        const std::int64_t began = std::max(Nanoseconds(*stopped_), line->began.load());
        overdue = std::min(overdue, began + std::chrono::nanoseconds(kGrace).count());
      }
      if (Nanoseconds(now) < overdue) continue;
      line->cut = true;
      ::shutdown(line->socket.get(), SHUT_RDWR);
    }
  });
}

LineWatch::Line::Line(LineWatch& watch, int socket) : watch_(watch) {
  watched_.socket = runtime::Descriptor(::fcntl(socket, F_DUPFD_CLOEXEC, 0));
  if (!watched_.socket.valid()) {
    throw DatabaseError(ErrorCode::kUnavailable, "no file descriptor is left for the database");
  }
  watch_.lines_.With([&](std::vector<Watched*>& lines) { lines.push_back(&watched_); });
}

LineWatch::Line::~Line() {
  watch_.lines_.With([&](std::vector<Watched*>& lines) { std::erase(lines, &watched_); });
}

LineWatch::Line::Call::Call(Line& line, std::chrono::milliseconds limit) : line_(line) {
  const std::int64_t now = Nanoseconds(std::chrono::steady_clock::now());
  line_.watched_.began = now;
  line_.watched_.overdue = now + std::chrono::nanoseconds(limit).count();
}

}  // namespace comity::store
