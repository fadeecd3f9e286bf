// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/base/result.h"
#include "services/store/stop_store.h"

namespace comity::oversight {

using StopScope = store::StopScope;
using Stop = store::StopRecord;

std::string_view Name(StopScope scope);  // "deployment", "watchlist", "partner", "agreement"
// Errors: kInvalidArgument, with the allowed names in the detail
Result<StopScope> ParseStopScope(std::string_view text);

// The stops that stand at one moment.
//
// Threads: immutable.
class StandingStops {
 public:
  StandingStops() = default;  // none
  explicit StandingStops(const std::vector<Stop>& standing);
  // Of a moment at which the stops cannot be read: everything is stopped.
  static StandingStops Unreadable();

  bool unreadable() const { return unreadable_; }
  // The id of the first stop that was set on it, if any stands; "unreadable" when nobody knows.
  std::optional<std::string> Find(StopScope scope, std::string_view reference) const;
  // Whether a search with this partner under this agreement in this deployment (empty: none) is
  // stopped.
  bool Cover(std::string_view partner, std::string_view agreement,
             std::string_view deployment) const;
  // What is stopped in one scope, each once.
  std::set<std::string> References(StopScope scope) const;

 private:
  using Key = std::pair<StopScope, std::string>;
  std::map<Key, std::string> by_reference_;
  bool unreadable_ = false;
};

}  // namespace comity::oversight
