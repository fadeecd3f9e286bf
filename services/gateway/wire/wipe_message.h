// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "crypto/base/secret.h"

namespace comity::gateway {

// Overwrites the octets of a protobuf string field that holds a template. What gRPC read it from is
// out of reach; docs/threat_model.md says so.
inline void WipeField(std::string& field) {
  Wipe(std::span(reinterpret_cast<std::uint8_t*>(field.data()), field.size()));
}

// Wipes a field when the scope ends, whichever way.
class WipeAtExit {
 public:
  explicit WipeAtExit(std::string& field) : field_(field) {}
  WipeAtExit(const WipeAtExit&) = delete;
  WipeAtExit& operator=(const WipeAtExit&) = delete;
  ~WipeAtExit() { WipeField(field_); }

 private:
  std::string& field_;
};

}  // namespace comity::gateway
