// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "comity/v1/federation.grpc.pb.h"
#include "crypto/base/random.h"
#include "crypto/sign/ed25519.h"
#include "services/gateway/wire/signed_message.h"
#include "services/runtime/guarded.h"
#include "services/transport/credentials.h"
#include "tests/integration/live_agency.h"

namespace comity::testing {

// A holder that lies: it stands at a port of its own with the certificate and the key of `holder`,
// has each call answered by that agency's gateway, as if the requester had made it there, and gives
// the requester what the test makes of the answers.
//
// Threads: thread-safe; what alters is called by the server's own threads.
class AlteringHolder final : public v1::Federation::Service {
 public:
  using Messages = std::vector<v1::SealedMessage>;
  using Chunks = std::vector<v1::SealedChunk>;
  // What becomes of the answers. A member that is empty: they stay as they are.
  struct Lies {
    std::function<void(v1::ListSealedReply&)> lists{};
    // All chunks that answer the request. In: asked  what was asked for
    // True: the first of them once more, and again, without end.
    std::function<bool(const v1::FetchSealedRequest& asked, Chunks& chunks)> fetched{};
    // What is said in place of one message of a session.
    std::function<Messages(const v1::SealedMessage&)> said{};
  };

  AlteringHolder(const LiveAgency& holder, const LiveAgency& requester, const runtime::Clock& clock,
                 std::uint16_t port);
  ~AlteringHolder() override;

  // From now on.
  void Lie(Lies lies);
  void BeHonest() { Lie({}); }
  // Ends all sessions that are open, as a connection that is lost does.
  void DropSessions();
  // A signed message of a session with another payload: `change` is given it. Another message
  // stays as it is.
  template <typename Payload>
  v1::SealedMessage Changed(const v1::SealedMessage& message,
                            const std::function<void(Payload&)>& change) const {
    v1::SealedMessage changed = message;
    Payload payload;
    if (!message.has_signed_() || !gateway::MessageVerifier::Claims<Payload>(message.signed_()) ||
        !payload.ParseFromString(message.signed_().payload())) {
      return changed;
    }
    change(payload);
    const std::string exchange = payload.header().exchange_id();
    *changed.mutable_signed_() = signer_.Sign(std::move(payload), requester_, exchange);
    return changed;
  }
  // Signed by the holder, in this session.
  template <typename Payload>
  v1::SealedMessage Say(Payload payload, const std::string& exchange) const {
    v1::SealedMessage message;
    *message.mutable_signed_() = signer_.Sign(std::move(payload), requester_, exchange);
    return message;
  }
  // What has come from the requester since the start.
  struct Heard {
    std::uint64_t sessions = 0;
    std::uint64_t fetches = 0;
    std::uint64_t sketches = 0;  // tables of a probe in the last list, up to their end
    std::string exchange;        // of the last session
    std::uint64_t probe = 0;     // number of the first probe of the last batch
  };
  Heard heard() const {
    return heard_.With([](const Heard& heard) { return heard; });
  }

  using Context = grpc::ServerContext;
  using Signed = v1::SignedMessage;
  grpc::Status Hello(Context* context, const Signed* request, Signed* response) override;
  grpc::Status DeliverAgreement(Context* context, const Signed* request, Signed* response) override;
  grpc::Status Deliver(Context* context, const Signed* request, Signed* response) override;
  grpc::Status ListOffers(Context* context, const Signed* request, Signed* response) override;
  grpc::Status ValidateLists(Context* context, const Signed* request, Signed* response) override;
  grpc::Status ListSealed(Context* context, const Signed* request, Signed* response) override;
  grpc::Status FetchSealed(Context* context, const Signed* request,
                           grpc::ServerWriter<v1::SealedChunk>* writer) override;
  grpc::Status SealedSearch(
      Context* context,
      grpc::ServerReaderWriter<v1::SealedMessage, v1::SealedMessage>* stream) override;

 private:
  Lies lies() const {
    return lies_.With([](const Lies& lies) { return lies; });
  }
  void Note(const v1::SealedMessage& message);
  void NoteSigned(const v1::SignedMessage& message);

  const policy::AgencyId self_;
  const policy::AgencyId requester_;
  const sign::SigningKey key_;
  SystemRandom random_;
  gateway::MessageSigner signer_;
  std::unique_ptr<v1::Federation::Stub> behind_;
  runtime::Guarded<Lies> lies_;
  runtime::Guarded<Heard> heard_;
  runtime::Guarded<std::set<Context*>> open_;
  std::unique_ptr<transport::ServerTls> tls_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace comity::testing
