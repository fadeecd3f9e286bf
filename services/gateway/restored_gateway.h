// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "services/gateway/gateway.h"
#include "services/gateway/identity_keys.h"
#include "services/gateway/storage.h"
#include "services/runtime/config.h"

namespace comity::gateway {

// What a gateway is between a restoration and its confirmation by two people: the agency port with
// people, approvals, notices, log and retention. Nothing that searches, matches or talks to a
// partner exists in it, so that nothing of what the node may have forgotten can be acted on.
//
// Threads: Start, Stop and the destructor by one thread.
class RestoredGateway {
 public:
  struct Setup {
    const runtime::Config& config;
    const IdentityKeys& keys;
    policy::AgencyId own;
    Storage& storage;
    const runtime::Clock& clock;
    RandomSource& random;
    runtime::Logger& logger;
    std::function<void()> confirmed;  // two people let the node work again; must not block
  };
  // All references must outlive the object. Errors: what is wrong with the set-up
  static Result<std::unique_ptr<RestoredGateway>> Start(const Setup& setup);
  ~RestoredGateway();

  const Ports& ports() const;  // `federation` is 0: that port is closed
  void Stop(std::string_view reason);

 private:
  class Parts;
  explicit RestoredGateway(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace comity::gateway
