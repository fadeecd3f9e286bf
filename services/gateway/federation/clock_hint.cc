// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/clock_hint.h"

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace comity::gateway {
namespace {

constexpr const char* kKey = "comity-time-ms";
constexpr std::int64_t kLatest = 253'402'300'799'999;  // the end of the year 9999

}  // namespace

void AddClockHint(grpc::ServerContext& context, policy::Instant now) {
  const auto time = std::chrono::floor<std::chrono::milliseconds>(now).time_since_epoch();
  context.AddTrailingMetadata(kKey, std::to_string(time.count()));
}

std::optional<std::chrono::milliseconds> ClockHintOf(const grpc::ClientContext& context,
                                                     policy::Instant halfway) {
  const auto& metadata = context.GetServerTrailingMetadata();
  const auto found = metadata.find(kKey);
  if (found == metadata.end()) return std::nullopt;
  const std::string_view text(found->second.data(), found->second.size());
  std::int64_t time = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), time);
  const bool is_time =
      fault == std::errc() && end == text.data() + text.size() && time >= 0 && time <= kLatest;
  if (!is_time) return std::nullopt;
  const auto ours = std::chrono::floor<std::chrono::milliseconds>(halfway).time_since_epoch();
  return std::chrono::milliseconds(time) - ours;
}

}  // namespace comity::gateway
