// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "comity/v1/federation.grpc.pb.h"
#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/decision.h"
#include "services/gateway/wire/signed_message.h"
#include "services/runtime/clock.h"

namespace comity::testing {

// A requester with valid keys and bad manners: it speaks Federation.Search correctly but decides
// nothing, so that a holder is seen to refuse by itself.
//
// Threads: thread-compatible.
class UncheckedRequester {
 public:
  struct Settings {
    std::string agency;                   // the requester
    std::filesystem::path identity_file;  // its gateway's PEM
    std::filesystem::path signing_key_file;
    std::string holder;
    std::string holder_address;  // federation port
    std::string holder_id;       // SPIFFE id
    std::filesystem::path holder_anchor;
    std::string holder_key;  // ed25519:<base64>
  };
  static Result<std::unique_ptr<UncheckedRequester>> Create(const Settings& settings,
                                                            const runtime::Clock& clock);

  // Opens a session with these terms. The decision is the holder's: a permit, or why it refused.
  Result<policy::Decision> Open(const policy::SearchRequest& terms);
  // Sends one probe under `agreement` and waits for the holder's answer.
  Result<v1::SearchAnswer> Probe(std::span<const float> embedding,
                                 const policy::AgreementRef& agreement);
  // Sends any message, e.g. a repeated one, and reads the answer.
  Result<v1::SignedMessage> SendRaw(const v1::SignedMessage& message);
  v1::SignedMessage SignProbe(std::uint64_t sequence, std::span<const float> embedding,
                              const policy::AgreementRef& agreement);
  // Ends the session; what the holder said to that.
  Status Close();

  const policy::AgencyId& agency() const { return agency_; }
  const policy::AgencyId& holder() const { return holder_.agency; }

 private:
  UncheckedRequester(policy::AgencyId agency, sign::SigningKey key, gateway::PinnedPeer holder,
                     const runtime::Clock& clock);

  policy::AgencyId agency_;
  sign::SigningKey key_;
  gateway::PinnedPeer holder_;
  const runtime::Clock& clock_;
  SystemRandom random_;
  gateway::MessageSigner signer_;
  gateway::MessageVerifier verifier_;
  std::unique_ptr<v1::Federation::Stub> stub_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::SignedMessage, v1::SignedMessage>> stream_;
  std::string exchange_;
  std::uint64_t sequence_ = 0;
};

}  // namespace comity::testing
