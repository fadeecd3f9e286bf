// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "comity/v1/federation.grpc.pb.h"
#include "crypto/base/random.h"
#include "policy/model/decision.h"
#include "services/gateway/wire/signed_message.h"
#include "tests/support/unchecked_requester.h"

namespace comity::testing {

// A connection that takes no more than 4 KiB of a stream before somebody reads; it verifies nobody.
std::unique_ptr<v1::Federation::Stub> StubWithSmallWindow(
    const UncheckedRequester::Settings& settings);

// The connection of one agency's gateway to another's federation port, with nothing in between:
// what is sent on it is up to the test.
//
// Threads: thread-compatible.
class RawPeer {
 public:
  // Shows `settings.identity_file`; signs with `settings.signing_key_file`.
  RawPeer(const UncheckedRequester::Settings& settings, const runtime::Clock& clock);

  class Stream {
   public:
    Stream(v1::Federation::Stub& stub, std::chrono::seconds patience);
    // Sends and waits for the next message. Errors: how the holder ended the call
    Result<v1::SignedMessage> Exchange(const v1::SignedMessage& message);
    // Sends, reads nothing. False: the call has ended.
    bool Send(const v1::SignedMessage& message);
    // Reads all that has come, and says how the holder ended the call.
    Status End();
    // Sends nothing and waits for a message. False: the call ended without one
    bool Await();

   private:
    grpc::ClientContext context_;
    std::unique_ptr<grpc::ClientReaderWriter<v1::SignedMessage, v1::SignedMessage>> stream_;
  };
  std::unique_ptr<Stream> NewStream(std::chrono::seconds patience = std::chrono::seconds(20)) {
    return std::make_unique<Stream>(*stub_, patience);
  }

  std::string NewExchange();
  v1::SignedMessage SignOpen(const policy::SearchRequest& terms, const std::string& exchange);
  v1::SignedMessage SignProbe(std::uint64_t sequence, std::string_view embedding,
                              const policy::AgreementRef& agreement, const std::string& exchange);
  // Any payload, with a fresh header.
  template <typename Payload>
  v1::SignedMessage Sign(Payload payload, const std::string& exchange) {
    return signer_.Sign(std::move(payload), holder_.agency, exchange);
  }
  template <typename Payload>
  Result<Payload> Read(const Result<v1::SignedMessage>& message) {
    if (!message) return Fail(message.error());
    return verifier_.Verify<Payload>(*message, holder_);
  }
  // From here on every message is signed with a key that nobody has pinned.
  void ForgetKey() { key_ = sign::SigningKey::Generate(random_); }

  v1::Federation::Stub& stub() { return *stub_; }

 private:
  SystemRandom random_;
  policy::AgencyId self_;
  gateway::PinnedPeer holder_;
  const runtime::Clock& clock_;
  sign::SigningKey key_;
  gateway::MessageSigner signer_;
  gateway::MessageVerifier verifier_;
  std::unique_ptr<v1::Federation::Stub> stub_;
};

}  // namespace comity::testing
