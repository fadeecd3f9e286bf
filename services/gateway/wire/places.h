// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/base/result.h"
#include "services/runtime/guarded.h"

namespace comity::gateway {

// Counts what is open at a time for each name (a peer, or all engines together) and refuses what
// would be one too many: one thread serves each stream, and no caller may take them all.
//
// Threads: thread-safe.
class Places {
 public:
  explicit Places(std::uint32_t limit) : limit_(limit) {}

  // One place; given back at the end of the scope.
  class Place {
   public:
    Place(Place&& other) noexcept
        : places_(std::exchange(other.places_, nullptr)), name_(std::move(other.name_)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (places_ != nullptr) places_->Leave(name_);
    }

   private:
    friend class Places;
    Place(Places& places, std::string name) : places_(&places), name_(std::move(name)) {}
    Places* places_;  // null once moved from
    std::string name_;
  };

  // Errors: kExhausted  all places of `name` are taken; the detail names the limit's configuration
  // key
  Result<Place> Take(const std::string& name, std::string_view limit_key) {
    const bool taken = open_.With([&](auto& open) {
      std::uint32_t& count = open[name];
      if (count >= limit_) return false;
      ++count;
      return true;
    });
    if (taken) return Place(*this, name);
    return Fail(ErrorCode::kExhausted, "all " + std::to_string(limit_) + " places are taken (" +
                                           std::string(limit_key) + ")");
  }

 private:
  void Leave(const std::string& name) {
    open_.With([&](auto& open) {
      if (--open[name] == 0) open.erase(name);
    });
  }

  const std::uint32_t limit_;
  runtime::Guarded<std::map<std::string, std::uint32_t>> open_;
};

}  // namespace comity::gateway
