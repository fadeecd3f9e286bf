// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "services/runtime/guarded.h"
#include "services/runtime/logging.h"

namespace comity::gateway::testing {

// Events and texts that were logged, readable while others write.
//
// Threads: thread-safe.
class KeptLog final : public runtime::Logger {
 public:
  void Log(runtime::LogLevel, std::string_view event, Fields fields) override {
    text_.With([&](std::string& text) {
      text.append(event);
      for (const runtime::LogField& field : fields) {
        const auto* const value = std::get_if<std::string_view>(&field.value.variant());
        if (value != nullptr) text.append(" ").append(*value);
      }
      text.append("\n");
    });
  }
  std::string text() const {
    return text_.With([](const std::string& text) { return text; });
  }

 private:
  runtime::Guarded<std::string> text_;
};

}  // namespace comity::gateway::testing
