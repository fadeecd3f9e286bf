// SPDX-License-Identifier: Apache-2.0
#include "policy/model/key_history.h"

#include <algorithm>

namespace comity::policy {
namespace {

bool IsOpenAt(const KeyPeriod& period, Instant moment) {
  return period.from <= moment && (!period.until || moment < *period.until);
}

}  // namespace

bool KeyHistory::Accepts(std::string_view key, Instant received_at) const {
  return std::ranges::any_of(periods_, [&](const KeyPeriod& period) {
    return period.key == key && IsOpenAt(period, received_at);
  });
}

std::vector<KeyText> KeyHistory::At(Instant moment) const {
  std::vector<KeyText> keys;
  for (auto period = periods_.rbegin(); period != periods_.rend(); ++period) {
    if (IsOpenAt(*period, moment)) keys.push_back(period->key);
  }
  return keys;
}

}  // namespace comity::policy
