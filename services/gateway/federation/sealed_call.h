// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/sync_stream.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "comity/v1/federation.grpc.pb.h"
#include "comity/v1/sealed.pb.h"
#include "crypto/base/bytes.h"
#include "services/gateway/federation/offsets_intake.h"
#include "services/gateway/federation/peer_call.h"
#include "services/gateway/federation/sealed_exchange.h"
#include "services/gateway/wire/signed_message.h"
#include "services/runtime/guarded.h"

namespace comity::gateway {

// One Federation.SealedSearch stream at the requester: reads and verifies what the holder says,
// keeps the pads coming, and makes and sends what answers it.
//
//   Begin, Open, SetUp; then for each batch: Prepare, Send, Answer
//
// Threads: Begin to Answer by one thread, the sender; the rest by any. Events come from a thread
//          of the call's own. The destructor cancels and waits for it.
class SealedCall {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Ports {
    const PeerLinks& peers;
    const MessageVerifier& verifier;
    runtime::Logger& logger;
  };
  struct Terms {
    policy::AgencyId holder;
    std::string exchange;
    std::chrono::system_clock::time_point deadline;  // the call's
  };
  struct Events {
    // Errors: end the call as the holder's fault
    std::function<Status(const v1::SealedAnswers&, const Digest&)> on_answers;
    // The holder has failed a check of the oblivious transfer; the call ends.
    std::function<void(const Error&)> on_failed_check;
    std::function<void(const HolderClosed&)> on_end;  // once; nothing comes after it
  };

  // References must outlive the object.
  SealedCall(Ports ports, Terms terms, Events events);
  ~SealedCall();
  SealedCall(const SealedCall&) = delete;
  SealedCall& operator=(const SealedCall&) = delete;

  // Connects. The holder's certificate on this connection. Errors: those of PeerLinks
  Result<Digest> Begin(Time until);
  // Sends the opening and waits for the holder's. Nothing: closed, as Why() says.
  std::optional<v1::SealedOpened> Open(const v1::SignedMessage& opening, Time until);
  // Sends the set-up of the exchange and waits until both are ready. Nothing: the session is open.
  std::optional<HolderClosed> SetUp(std::unique_ptr<SealedExchange> exchange,
                                    const v1::SignedMessage& set_up, Time until);
  HolderClosed Why() const { return call_.why(); }

  // The exchange, while no reader touches it.
  template <typename Function>
  auto WithExchange(Function&& function) {
    return exchange_.With([&](auto& exchange) { return function(*exchange); });
  }
  // Sends the probes of a batch. False: the call is over
  bool Send(const SealedExchange::Batch& batch, const v1::SignedMessage& message, Time until);
  // Sees the batch through, up to the last table: who is refused at once is known by on_answers.
  // `on_accepted` is told once of the probes that the holder goes on with, before any table leaves;
  // if it says no, none leaves and the call ends.
  // False: the call is over, or the holder has taken longer than `until` or failed.
  using OnAccepted = std::function<bool(std::span<const std::size_t> probes)>;
  bool Answer(Time until, const OnAccepted& on_accepted);

  bool IsOpen() const { return call_.IsOpen(); }
  bool IsTrusted() const { return call_.IsTrusted(); }
  const std::string& exchange_id() const { return terms_.exchange; }
  void Cancel() { call_.Cancel(); }
  // Cancels and waits until on_end has been told; no event comes after it. By the sender.
  void Close();
  void CancelLateWrite() { call_.CancelLate(); }

 private:
  using Stream = grpc::ClientReaderWriter<v1::SealedMessage, v1::SealedMessage>;
  // What the reader has for the sender.
  struct Heard {
    std::optional<v1::SealedOpened> opened;
    OffsetsIntake offsets;
    std::uint64_t first_number = 0;  // of the batch that waits for offsets
    bool ended = false;
  };

  bool Write(const v1::SealedMessage& message);
  bool Write(const v1::SignedMessage& message);
  void ReadAll();
  Status OnMessage(const v1::SealedMessage& message);
  Status OnSigned(const v1::SignedMessage& message);
  Status OnPart(const v1::SealedPart& part);
  Status OnAnswers(const v1::SealedAnswers& answers, const Digest& digest);
  Status CheckHits(const v1::SealedAnswers& answers) const;
  template <typename Payload>
  Result<Payload> Verify(const v1::SignedMessage& message) const;
  std::optional<OffsetsIntake::Whole> NextOffsets(Time until, bool& is_over);
  bool Accept(const OnAccepted& on_accepted);
  bool SendTables(const OffsetsIntake::Whole& offsets);
  bool EndAsFault(const Error& error);

  const Ports ports_;
  const Terms terms_;
  const Events events_;
  PeerCall call_;
  std::unique_ptr<Stream> stream_;
  runtime::Guarded<std::unique_ptr<SealedExchange>> exchange_;
  std::atomic<std::uint32_t> cap_{0};  // of the exchange, which its owner may hold for long
  runtime::Watched<Heard> heard_;
  std::jthread reader_;
};

}  // namespace comity::gateway
