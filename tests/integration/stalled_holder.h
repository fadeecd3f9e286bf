// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server.h>

#include <memory>

#include "comity/v1/federation.grpc.pb.h"
#include "crypto/base/random.h"
#include "crypto/sign/ed25519.h"
#include "services/gateway/wire/signed_message.h"
#include "services/transport/credentials.h"
#include "tests/integration/live_agency.h"

namespace comity::testing {

// Stands in for `agency` at its federation port, with its certificate and key: opens a session and
// then reads no further. Its gateway must not run meanwhile.
//
// Threads: the server's own.
class StalledHolder final : public v1::Federation::Service {
 public:
  StalledHolder(const LiveAgency& agency, const LiveAgency& requester, const runtime::Clock& clock);
  ~StalledHolder() override;

  grpc::Status Search(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::SignedMessage, v1::SignedMessage>* stream) override;

 private:
  const policy::AgencyId self_;
  const policy::AgencyId requester_;
  const sign::SigningKey key_;
  SystemRandom random_;
  gateway::MessageSigner signer_;
  std::unique_ptr<transport::ServerTls> tls_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace comity::testing
