// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "comity/v1/holdings.grpc.pb.h"
#include "crypto/sign/ed25519.h"
#include "services/gateway/wire/callers.h"
#include "services/oversight/deletions.h"
#include "services/runtime/clock.h"
#include "services/store/store.h"

namespace comity::gateway {

// comity.v1.Holdings at the agency port. Threads: thread-safe.
class HoldingsService final : public v1::Holdings::Service {
 public:
  // The keys that spoke for a partner at that moment; none: it is not known.
  using KeysAt =
      std::function<std::vector<sign::PublicKey>(const policy::AgencyId&, policy::Instant)>;
  struct Ports {
    AgencyCallers& callers;
    const store::Store& store;
    const oversight::Deletions& deletions;
    KeysAt keys;
    const runtime::Clock& clock;
  };
  // References must outlive the object.
  explicit HoldingsService(Ports ports) : ports_(std::move(ports)) {}

  grpc::Status OfReference(grpc::ServerContext* context, const v1::HoldersRequest* request,
                           v1::HoldersResponse* response) override;
  grpc::Status Deletions(grpc::ServerContext* context, const v1::DeletionsRequest* request,
                         v1::DeletionsResponse* response) override;

 private:
  bool IsVerified(const policy::AgencyId& partner, std::string_view receipt,
                  policy::Instant at) const;

  Ports ports_;
};

}  // namespace comity::gateway
