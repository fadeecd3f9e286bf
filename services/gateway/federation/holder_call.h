// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/sync_stream.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "crypto/base/bytes.h"
#include "services/gateway/federation/peer_call.h"
#include "services/gateway/federation/peer_links.h"
#include "services/gateway/wire/signed_message.h"
#include "services/runtime/logging.h"

namespace comity::gateway {

// One Federation.Search stream at the requester: sends what is signed already, reads and verifies
// what the holder says.
//
// Threads: Open and Write by one thread; the rest by any. Events come from a thread of
//          the call's own. The destructor cancels and waits for it.
class HolderCall {
 public:
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
    // An answer of the holder after the opening, with the digest of its message.
    // Errors: end the call as the holder's fault
    std::function<Status(const v1::SearchAnswer&, const Digest&)> on_answer;
    std::function<void(const HolderClosed&)> on_end;  // once; nothing comes after it
  };

  // References must outlive the object.
  HolderCall(Ports ports, Terms terms, Events events);
  ~HolderCall();
  HolderCall(const HolderCall&) = delete;
  HolderCall& operator=(const HolderCall&) = delete;

  // Sends the opening and waits for the holder's, at most `patience`. Nothing: it is open.
  std::optional<HolderClosed> Open(const v1::SignedMessage& opening, std::chrono::seconds patience);
  // False: the call is over. Takes no longer than `patience` if CancelLateWrite() is called.
  bool Write(const v1::SignedMessage& message, std::chrono::seconds patience);

  bool IsOpen() const { return call_.IsOpen(); }
  // Whether the holder's certificate still stands; else nothing more goes to it.
  bool IsTrusted() const { return call_.IsTrusted(); }
  const std::string& exchange() const { return terms_.exchange; }
  void Cancel() { call_.Cancel(); }
  // Ends the call when a write takes longer than its patience. Some times a second.
  void CancelLateWrite() { call_.CancelLate(); }

 private:
  using Stream = grpc::ClientReaderWriter<v1::SignedMessage, v1::SignedMessage>;

  void ReadAll();
  Status OnMessage(const v1::SignedMessage& message);
  Status CheckExchange(const v1::MessageHeader& header) const;

  const Ports ports_;
  const Terms terms_;
  const Events events_;
  PeerCall call_;
  std::unique_ptr<Stream> stream_;
  std::jthread reader_;
};

}  // namespace comity::gateway
