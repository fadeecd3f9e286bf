// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/model/agreement.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"

namespace comity::policy {

// A time in which one signing key spoke for an agency: [from, until).
struct KeyPeriod {
  KeyText key;
  Instant from{};                // the epoch: from the first
  std::optional<Instant> until;  // absent: it still does
  bool operator==(const KeyPeriod&) const = default;
};

// The signing keys of one agency over time, each approved by people. In an overlap two speak for
// it. A key that was compromised since a moment has that moment as its end, so that what came
// before stays good and what came after does not.
//
// Threads: a value.
class KeyHistory {
 public:
  KeyHistory() = default;  // no key: the agency may not speak
  explicit KeyHistory(std::vector<KeyPeriod> periods) : periods_(std::move(periods)) {}

  const std::vector<KeyPeriod>& periods() const { return periods_; }  // as approved
  // Whether a signature by `key` counts that was received at `received_at`.
  bool Accepts(std::string_view key, Instant received_at) const;
  // The keys that speak for the agency at that moment, the newest first.
  std::vector<KeyText> At(Instant moment) const;

  bool operator==(const KeyHistory&) const = default;

 private:
  std::vector<KeyPeriod> periods_;
};

// By agency, the own one included. An agency that is not here was never enrolled.
using KeyHistories = std::map<AgencyId, KeyHistory>;

}  // namespace comity::policy
