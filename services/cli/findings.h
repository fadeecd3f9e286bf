// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace comity::cli {

// What a look at a set-up found, in words that say what to do.
//
// Threads: thread-compatible.
class Findings {
 public:
  enum class Level { kOk, kWarning, kWrong };
  struct Finding {
    Level level{};
    std::string what;  // a key of the configuration, a peer, a port ...
    std::string words;
  };
  void Ok(std::string what, std::string words) {
    all_.push_back({Level::kOk, std::move(what), std::move(words)});
  }
  void Warn(std::string what, std::string words) {
    all_.push_back({Level::kWarning, std::move(what), std::move(words)});
  }
  void Wrong(std::string what, std::string words) {
    all_.push_back({Level::kWrong, std::move(what), std::move(words)});
  }
  void Append(const Findings& others) {
    all_.insert(all_.end(), others.all_.begin(), others.all_.end());
  }
  // Whether something of this level was found of `what`.
  bool Has(Level level, std::string_view what) const;
  const std::vector<Finding>& all() const { return all_; }
  std::size_t Count(Level level) const;

 private:
  std::vector<Finding> all_;
};

}  // namespace comity::cli
