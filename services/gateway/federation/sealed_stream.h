// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/sync_stream.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "comity/v1/federation.grpc.pb.h"
#include "services/gateway/federation/sealed_answers.h"
#include "services/gateway/federation/sealed_holder_exchange.h"
#include "services/gateway/wire/callers.h"
#include "services/gateway/wire/signed_message.h"
#include "services/matching/sealed_holder_session.h"
#include "services/runtime/guarded.h"

namespace comity::gateway {

// What sealed sessions need beside what direct ones do.
struct SealedSearchPorts {
  matching::SealedLists& lists;
  matching::SealedKernels kernels;
  std::chrono::milliseconds answer_after{250};  // 0: at once
  // Whether this gateway has shown a certificate of this fingerprint as its own.
  std::function<bool(const Digest&)> has_shown;
};

// The holder's end of one Federation.SealedSearch stream: verifies each message, lets the session
// decide and the exchange compare, and sends answers at their time. Lives as long as the handler.
//
// Threads: Run() by the handler's thread; one of its own keeps the session's time, one sends
// answers.
class SealedStream {
 public:
  struct Ports {
    const policy::AgencyId& self;
    const PinnedPeer& peer;
    FederationCallers& callers;
    RefusalRecord& refusals;
    const MessageSigner& signer;
    const MessageVerifier& verifier;
    const matching::HolderPorts& search;
    const SealedSearchPorts& sealed;
    RandomSource& random;
    runtime::Logger& logger;
  };
  using Stream = grpc::ServerReaderWriter<v1::SealedMessage, v1::SealedMessage>;

  // All references must outlive the object.
  SealedStream(Ports ports, grpc::ServerContext& context, Stream& stream)
      : ports_(ports), context_(context), stream_(stream) {}

  // As HolderStream::Run.
  Status Run(const v1::SealedOpen& open, const Digest& open_digest);

 private:
  using Session = std::unique_ptr<matching::SealedHolderSession>;
  using Clock = std::chrono::steady_clock;

  Result<Session> Open(const v1::SealedOpen& open, const Digest& open_digest);
  Status MakeExchange(const v1::SealedOpen& open,
                      const matching::SealedHolderSession::Ground& ground);
  Status Serve(runtime::Guarded<Session>& session);
  Status SetUp(const v1::SealedMessage& message);
  Status OnMessage(v1::SealedMessage& message, runtime::Guarded<Session>& session);
  Status OnProbes(const v1::SignedMessage& message, runtime::Guarded<Session>& session);
  Status Compare(const v1::SealedProbes& probes, matching::SealedHolderSession::Batch& batch);
  Status OnPart(const v1::SealedPart& part, runtime::Guarded<Session>& session);
  Status Conclude(runtime::Guarded<Session>& session, Clock::time_point asked);
  Status SendPads();
  // Writes parts of one round, whose reader has so long for each octet, and no longer.
  SealedHolderExchange::Send ToReader();
  Status Refused(std::string_view kind, Error error);
  // As Refused if the peer is to blame, the error if this end is; nothing if the peer is gone.
  Status Ended(std::string_view kind, Error error);
  // Why the session ended, as search-closed says it.
  std::string_view Closing() const;
  void Cancel(const char* why);

  template <typename Payload>
  Result<Payload> Verified(const v1::SignedMessage& message) const;
  bool IsPartner() const;
  bool Write(const v1::SealedMessage& message);
  bool Write(const v1::SignedMessage& message);
  // The stream is cancelled if what is awaited has not happened after so long; zero: nothing is.
  void Await(std::chrono::milliseconds length);
  void KeepTime(const std::stop_token& stop, runtime::Guarded<Session>& session);

  Ports ports_;
  grpc::ServerContext& context_;
  Stream& stream_;
  std::string exchange_id_;
  std::unique_ptr<SealedHolderExchange> exchange_;
  // Of the batch that is being compared.
  std::optional<matching::SealedHolderSession::Batch> batch_;
  std::uint64_t batch_number_ = 0;
  std::vector<matching::SealedOutcome> outcomes_;
  bool pads_due_ = false;                // those of the next batch
  Status pads_;                          // what came of sending them
  AnswersInWaiting* answers_ = nullptr;  // of Serve
  std::mutex writing_;
  // Why this end cancelled the call, a constant; null: it has not.
  std::atomic<const char*> cancelled_{nullptr};
  // In ticks of the clock, 0: nothing is awaited, or written.
  std::atomic<Clock::rep> await_until_{0};
  std::atomic<Clock::rep> write_until_{0};
};

}  // namespace comity::gateway
