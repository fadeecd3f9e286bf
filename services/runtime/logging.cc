// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/logging.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <cmath>
#include <utility>

#include "services/runtime/json_text.h"

namespace comity::runtime {
namespace {

constexpr std::size_t kMaxNameBytes = 64;

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

void AppendQuoted(std::string& line, std::string_view text, std::size_t max_bytes) {
  line += '"';
  AppendJsonText(line, text, max_bytes);
  line += '"';
}

struct ValueAppender {
  std::string& line;
  void operator()(std::string_view text) const { AppendQuoted(line, text, Logger::kMaxValueBytes); }
  void operator()(bool truth) const { line += truth ? "true" : "false"; }
  void operator()(std::int64_t number) const { line += fmt::to_string(number); }
  void operator()(std::uint64_t number) const { line += fmt::to_string(number); }
  void operator()(double number) const {
    // JSON has no spelling for infinities and NaN.
    line += std::isfinite(number) ? fmt::to_string(number) : "null";
  }
};

class JsonLogger final : public Logger {
 public:
  JsonLogger(LogLevel least, const Clock& clock, spdlog::sink_ptr sink)
      : least_(least), clock_(clock), output_("comity", std::move(sink)) {
    output_.set_pattern("%v");
    output_.set_level(spdlog::level::trace);
    output_.flush_on(spdlog::level::trace);
  }

  void Log(LogLevel level, std::string_view event, Fields fields) override {
    if (level < least_) return;
    std::string line = R"({"time":")" + EncodeTimestamp(clock_.Now()) + R"(","level":")";
    line += Name(level);
    line += R"(","event":)";
    AppendQuoted(line, event, kMaxNameBytes);
    for (const LogField& field : fields) {
      line += ',';
      AppendQuoted(line, field.name, kMaxNameBytes);
      line += ':';
      std::visit(ValueAppender{line}, field.value.variant());
    }
    line += '}';
    output_.log(SpdlogLevel(level), spdlog::string_view_t(line.data(), line.size()));
  }

 private:
  const LogLevel least_;
  const Clock& clock_;
  spdlog::logger output_;
};

}  // namespace

std::string_view Name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

std::optional<LogLevel> ParseLogLevel(std::string_view text) {
  for (const LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}) {
    if (Name(level) == text) return level;
  }
  return std::nullopt;
}

std::unique_ptr<Logger> MakeStderrLogger(LogLevel least, const Clock& clock) {
  return std::make_unique<JsonLogger>(least, clock,
                                      std::make_shared<spdlog::sinks::stderr_sink_mt>());
}

std::unique_ptr<Logger> MakeStreamLogger(LogLevel least, const Clock& clock, std::ostream& stream) {
  return std::make_unique<JsonLogger>(least, clock,
                                      std::make_shared<spdlog::sinks::ostream_sink_mt>(stream));
}

}  // namespace comity::runtime
