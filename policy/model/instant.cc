// SPDX-License-Identifier: Apache-2.0
#include "policy/model/instant.h"

#include <array>
#include <optional>

namespace comity::policy {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr auto kMaxDuration = days(3660);
constexpr std::string_view kInstantForm =
    "an instant is RFC 3339 with an offset and at most 6 fraction digits, years 1970 to 9999, such "
    "as 2026-11-25T08:00:00Z";
constexpr std::string_view kDurationForm =
    "a duration is ISO 8601 in days, hours, minutes and seconds, at most 3660 days, such as PT24H "
    "or P31D";

// Reads a text from left to right; every step fails at its end or at another character.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}
  bool at_end() const { return text_.empty(); }
  bool Take(char expected) {
    if (text_.empty() || text_.front() != expected) return false;
    text_.remove_prefix(1);
    return true;
  }
  // Exactly `count` digits.
  std::optional<int> TakeNumber(int count) {
    int value = 0;
    for (int i = 0; i < count; ++i) {
      const auto digit = TakeDigit();
      if (!digit) return std::nullopt;
      value = value * 10 + *digit;
    }
    return value;
  }
  std::optional<int> TakeDigit() {
    if (text_.empty() || text_.front() < '0' || text_.front() > '9') return std::nullopt;
    const int digit = text_.front() - '0';
    text_.remove_prefix(1);
    return digit;
  }

 private:
  std::string_view text_;
};

std::optional<std::chrono::sys_days> TakeDate(Cursor& cursor) {
  const auto year = cursor.TakeNumber(4);
  if (!year || !cursor.Take('-')) return std::nullopt;
  const auto month = cursor.TakeNumber(2);
  if (!month || !cursor.Take('-')) return std::nullopt;
  const auto day = cursor.TakeNumber(2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::optional<minutes> TakeHourAndMinute(Cursor& cursor) {
  const auto hour = cursor.TakeNumber(2);
  if (!hour || *hour > 23 || !cursor.Take(':')) return std::nullopt;
  const auto minute = cursor.TakeNumber(2);
  if (!minute || *minute > 59) return std::nullopt;
  return hours(*hour) + minutes(*minute);
}

// `.` and 1 to 6 digits, or nothing.
std::optional<microseconds> TakeFraction(Cursor& cursor) {
  if (!cursor.Take('.')) return microseconds(0);
  int value = 0;
  int digits = 0;
  while (const auto digit = cursor.TakeDigit()) {
    if (++digits > 6) return std::nullopt;
    value = value * 10 + *digit;
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 6; ++digits) value *= 10;
  return microseconds(value);
}

std::optional<minutes> TakeOffset(Cursor& cursor) {
  if (cursor.Take('Z')) return minutes(0);
  const bool east = cursor.Take('+');
  if (!east && !cursor.Take('-')) return std::nullopt;
  const auto offset = TakeHourAndMinute(cursor);
  if (!offset) return std::nullopt;
  return east ? *offset : -*offset;
}

std::optional<Instant> TakeInstant(Cursor& cursor) {
  const auto date = TakeDate(cursor);
  if (!date || !cursor.Take('T')) return std::nullopt;
  const auto minute = TakeHourAndMinute(cursor);
  if (!minute || !cursor.Take(':')) return std::nullopt;
  const auto second = cursor.TakeNumber(2);
  if (!second || *second > 59) return std::nullopt;  // UTC leap seconds have no place in sys_time
  const auto fraction = TakeFraction(cursor);
  if (!fraction) return std::nullopt;
  const auto offset = TakeOffset(cursor);
  if (!offset || !cursor.at_end()) return std::nullopt;
  return Instant(*date) + *minute + seconds(*second) + *fraction - *offset;
}

std::string Padded(std::int64_t value, int width) {
  std::string digits = std::to_string(value);
  if (digits.size() < static_cast<std::size_t>(width)) {
    digits.insert(0, static_cast<std::size_t>(width) - digits.size(), '0');
  }
  return digits;
}

struct DurationUnit {
  char letter;
  seconds length;
  bool in_time_part;
};
constexpr std::array<DurationUnit, 4> kDurationUnits = {{
    {'D', days(1), false},
    {'H', hours(1), true},
    {'M', minutes(1), true},
    {'S', seconds(1), true},
}};

// Digits and a unit letter; units come in falling order, each at most once.
std::optional<seconds> TakeUnits(Cursor& cursor) {
  seconds total(0);
  bool in_time_part = false;
  std::size_t next_unit = 0;
  while (!cursor.at_end()) {
    if (!in_time_part && cursor.Take('T')) {
      in_time_part = true;
      if (cursor.at_end()) return std::nullopt;
    }
    std::int64_t number = 0;
    int digits = 0;
    while (const auto digit = cursor.TakeDigit()) {
      if (++digits > 9) return std::nullopt;  // 10^9 s is far above the bound
      number = number * 10 + *digit;
    }
    if (digits == 0) return std::nullopt;
    while (next_unit < kDurationUnits.size() &&
           (kDurationUnits[next_unit].in_time_part != in_time_part ||
            !cursor.Take(kDurationUnits[next_unit].letter))) {
      ++next_unit;
    }
    if (next_unit == kDurationUnits.size()) return std::nullopt;
    total += kDurationUnits[next_unit++].length * number;
  }
  return total;
}

}  // namespace

std::string EncodeInstant(Instant instant) {
  const auto second = std::chrono::floor<seconds>(instant);
  const auto fraction = (instant - second).count();
  const std::chrono::hh_mm_ss time(second - std::chrono::floor<days>(second));
  std::string text = UtcDay(instant) + "T" + Padded(time.hours().count(), 2) + ":" +
                     Padded(time.minutes().count(), 2) + ":" + Padded(time.seconds().count(), 2);
  if (fraction % 1000 != 0) {
    text += "." + Padded(fraction, 6);
  } else if (fraction != 0) {
    text += "." + Padded(fraction / 1000, 3);
  }
  return text + "Z";
}

Result<Instant> ParseInstant(std::string_view text) {
  constexpr Instant kEnd = std::chrono::sys_days(std::chrono::year(9999) / 12 / 31) + days(1);
  Cursor cursor(text);
  const auto instant = TakeInstant(cursor);
  if (!instant || *instant < Instant() || *instant >= kEnd) {
    return Fail(ErrorCode::kInvalidArgument, std::string(kInstantForm));
  }
  return *instant;
}

Result<seconds> ParseDuration(std::string_view text) {
  Cursor cursor(text);
  const auto duration = cursor.Take('P') ? TakeUnits(cursor) : std::nullopt;
  if (!duration || *duration == seconds(0) || *duration > kMaxDuration) {
    return Fail(ErrorCode::kInvalidArgument, std::string(kDurationForm));
  }
  return *duration;
}

std::string EncodeDuration(seconds duration) {
  const auto whole_days = std::chrono::floor<days>(duration);
  const std::chrono::hh_mm_ss time(duration - whole_days);
  std::string text = "P";
  if (whole_days.count() != 0) text += std::to_string(whole_days.count()) + "D";
  std::string part;
  if (time.hours().count() != 0) part += std::to_string(time.hours().count()) + "H";
  if (time.minutes().count() != 0) part += std::to_string(time.minutes().count()) + "M";
  if (time.seconds().count() != 0) part += std::to_string(time.seconds().count()) + "S";
  if (part.empty() && whole_days.count() == 0) part = "0S";
  return part.empty() ? text : text + "T" + part;
}

std::string UtcDay(Instant instant) {
  const std::chrono::year_month_day date(std::chrono::floor<days>(instant));
  return Padded(static_cast<int>(date.year()), 4) + "-" +
         Padded(static_cast<unsigned>(date.month()), 2) + "-" +
         Padded(static_cast<unsigned>(date.day()), 2);
}

}  // namespace comity::policy
