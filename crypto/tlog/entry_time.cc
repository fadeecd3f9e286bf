// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/entry_time.h"

#include <array>
#include <optional>

#include "crypto/base/check.h"

namespace comity::tlog {
namespace {

using std::chrono::microseconds;

constexpr std::size_t kWholeSeconds = std::string_view("2026-11-25T08:00:00").size();

void AppendDigits(std::string& text, std::int64_t value, std::size_t width) {
  std::array<char, 6> digits{};
  for (std::size_t i = width; i-- > 0; value /= 10) {
    digits[i] = static_cast<char>('0' + value % 10);
  }
  text.append(digits.data(), width);
}

// -1 if `text` holds anything but digits; at most 6 of them.
int ReadDigits(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return -1;
    value = 10 * value + (c - '0');
  }
  return value;
}

// ".250" or ".250125" or nothing, spelled with the fewest digits.
std::optional<microseconds> ReadFraction(std::string_view text) {
  if (text.empty()) return microseconds(0);
  if (text.front() != '.' || (text.size() != 4 && text.size() != 7)) return std::nullopt;
  const int value = ReadDigits(text.substr(1));
  if (value <= 0) return std::nullopt;
  if (text.size() == 4) return microseconds(value * 1000);
  if (value % 1000 == 0) return std::nullopt;
  return microseconds(value);
}

std::optional<EntryTime> ReadTime(std::string_view text) {
  namespace chrono = std::chrono;
  if (text.size() <= kWholeSeconds || text.back() != 'Z') return std::nullopt;
  if (text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const int year = ReadDigits(text.substr(0, 4));
  const int month = ReadDigits(text.substr(5, 2));
  const int day = ReadDigits(text.substr(8, 2));
  const int hour = ReadDigits(text.substr(11, 2));
  const int minute = ReadDigits(text.substr(14, 2));
  const int second = ReadDigits(text.substr(17, 2));
  const auto fraction = ReadFraction(text.substr(kWholeSeconds, text.size() - kWholeSeconds - 1));
  if (year < 1970 || month < 1 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 59 || !fraction) {
    return std::nullopt;
  }
  const chrono::year_month_day date{chrono::year(year), chrono::month(static_cast<unsigned>(month)),
                                    chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return chrono::sys_days(date) + chrono::hours(hour) + chrono::minutes(minute) +
         chrono::seconds(second) + *fraction;
}

}  // namespace

std::string EncodeEntryTime(EntryTime time) {
  namespace chrono = std::chrono;
  const auto midnight = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(midnight);
  COMITY_CHECK(date.year() >= chrono::year(1970) && date.year() <= chrono::year(9999));
  const auto of_day = (time - midnight).count();
  const std::int64_t seconds = of_day / 1'000'000;
  const std::int64_t fraction = of_day % 1'000'000;
  std::string text;
  AppendDigits(text, int{date.year()}, 4);
  text += '-';
  AppendDigits(text, unsigned{date.month()}, 2);
  text += '-';
  AppendDigits(text, unsigned{date.day()}, 2);
  text += 'T';
  AppendDigits(text, seconds / 3600, 2);
  text += ':';
  AppendDigits(text, seconds / 60 % 60, 2);
  text += ':';
  AppendDigits(text, seconds % 60, 2);
  if (fraction != 0) {
    const bool whole_milliseconds = fraction % 1000 == 0;
    text += '.';
    AppendDigits(text, whole_milliseconds ? fraction / 1000 : fraction, whole_milliseconds ? 3 : 6);
  }
  return text + 'Z';
}

Result<EntryTime> ParseEntryTime(std::string_view text) {
  const auto time = ReadTime(text);
  if (!time) {
    return Fail(ErrorCode::kInvalidArgument,
                "a time is RFC 3339 in UTC with Z and the fewest of 0, 3 or 6 fraction digits");
  }
  return *time;
}

}  // namespace comity::tlog
