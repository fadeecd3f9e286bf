// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace comity::store {

// What a gateway remembers of itself from one start to the next, a text for each name.
class SettingStore {
 public:
  virtual ~SettingStore() = default;
  virtual Result<std::optional<std::string>> Find(std::string_view name) const = 0;
  // Inserts or replaces.
  virtual Status Put(std::string_view name, std::string_view value) = 0;
};

}  // namespace comity::store
