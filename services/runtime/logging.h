// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <variant>

#include "services/runtime/clock.h"

namespace comity::runtime {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

std::string_view Name(LogLevel level);  // "debug", "info", "warn", "error"
std::optional<LogLevel> ParseLogLevel(std::string_view text);

// The value of one field: text, a number or a truth value. There is no way to log octets, so
// neither a key nor a template can get into a log by an innocent line.
class FieldValue {
 public:
  using Variant = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  FieldValue(std::string_view text) : value_(text) {}  // NOLINT(google-explicit-constructor)
  FieldValue(const char* text) : value_(std::string_view(text)) {}         // NOLINT
  FieldValue(const std::string& text) : value_(std::string_view(text)) {}  // NOLINT
  FieldValue(bool truth) : value_(truth) {}                                // NOLINT
  template <std::signed_integral T>
  FieldValue(T number) : value_(std::int64_t{number}) {}  // NOLINT
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  FieldValue(T number) : value_(std::uint64_t{number}) {}  // NOLINT
  template <std::floating_point T>
  FieldValue(T number) : value_(double{number}) {}  // NOLINT

  const Variant& variant() const { return value_; }

 private:
  Variant value_;
};

// Lives for the call that logs it.
struct LogField {
  std::string_view name;
  FieldValue value;
};

// A structured log: `logger.Info("peer-connected", {{"peer", agency}, {"streams", 3}});`
// The event is a constant of the code, kebab-case; everything that varies is a field. Text longer
// than 256 octets is cut and marked; control characters, quotes and ill-formed UTF-8 are escaped,
// so a line is always one JSON object and nobody can forge one.
//
// Threads: implementations are thread-safe.
class Logger {
 public:
  static constexpr std::size_t kMaxValueBytes = 256;  // enough for an error, too little for a dump
  using Fields = std::initializer_list<LogField>;

  virtual ~Logger() = default;
  virtual void Log(LogLevel level, std::string_view event, Fields fields) = 0;

  void Debug(std::string_view event, Fields fields = {}) { Log(LogLevel::kDebug, event, fields); }
  void Info(std::string_view event, Fields fields = {}) { Log(LogLevel::kInfo, event, fields); }
  void Warn(std::string_view event, Fields fields = {}) { Log(LogLevel::kWarn, event, fields); }
  void Error(std::string_view event, Fields fields = {}) { Log(LogLevel::kError, event, fields); }
};

// Loggers that write JSON lines {"time":..,"level":..,"event":..,<fields>} from `least` upwards.
// `clock` and `stream` must outlive the logger. Each line is flushed.
std::unique_ptr<Logger> MakeStderrLogger(LogLevel least, const Clock& clock);
std::unique_ptr<Logger> MakeStreamLogger(LogLevel least, const Clock& clock, std::ostream& stream);

}  // namespace comity::runtime
