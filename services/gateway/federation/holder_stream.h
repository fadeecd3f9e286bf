// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/sync_stream.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stop_token>

#include "comity/v1/federation.grpc.pb.h"
#include "services/gateway/wire/callers.h"
#include "services/gateway/wire/signed_message.h"
#include "services/matching/holder_session.h"
#include "services/runtime/guarded.h"

namespace comity::gateway {

// The holder's end of one Federation.Search stream: verifies each message, hands it to the session,
// and sends what the session sealed. A requester that does not read its answers loses the session
// (kAnswerReadingTime): it would hold a thread. Lives as long as the handler.
//
// Threads: Run() by the handler's thread; a second thread of its own keeps the session's time.
class HolderStream {
 public:
  struct Ports {
    const policy::AgencyId& self;
    const PinnedPeer& peer;
    FederationCallers& callers;
    RefusalRecord& refusals;
    const MessageSigner& signer;
    const MessageVerifier& verifier;
    const matching::HolderPorts& search;
    runtime::Logger& logger;
  };
  using Stream = grpc::ServerReaderWriter<v1::SignedMessage, v1::SignedMessage>;

  // All references must outlive the object.
  HolderStream(Ports ports, grpc::ServerContext& context, Stream& stream)
      : ports_(ports), context_(context), stream_(stream) {}

  // Serves the session until either side ends it.
  // In:     open          verified; `open_digest` of the signed message that brought it
  // Errors: what ends the call: a broken message, a lost log
  Status Run(const v1::SearchOpen& open, const Digest& open_digest);

 private:
  using Session = std::unique_ptr<matching::HolderSession>;

  Status Serve(runtime::Guarded<Session>& session);
  Status Refused(std::string_view kind, Error error);
  // The sealed answer, to be written. Sets `is_partner` if the peer may still speak here.
  Result<v1::SignedMessage> OnMessage(v1::SignedMessage& message, bool& is_partner,
                                      matching::HolderSession& session);
  Result<v1::SignedMessage> Answer(const v1::SearchProbe& probe, const Digest& digest,
                                   matching::HolderSession& session);
  void KeepTime(const std::stop_token& stop, runtime::Guarded<Session>& session);
  void Write(const v1::SignedMessage& reply);
  // The answer under way has been waiting for its reader for longer than it may.
  bool IsUnread() const;

  Ports ports_;
  grpc::ServerContext& context_;
  Stream& stream_;
  std::string exchange_;
  // Since when an answer is being written, in ticks of the steady clock; zero: none is.
  std::atomic<std::chrono::steady_clock::rep> writing_since_{0};
  std::atomic<bool> was_unread_{false};  // and the session is over for it
};

}  // namespace comity::gateway
