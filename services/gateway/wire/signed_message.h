// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "comity/v1/federation.pb.h"
#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/ids.h"
#include "services/gateway/wire/wipe_message.h"
#include "services/runtime/clock.h"

namespace comity::gateway {

// Clocks of two agencies may differ by this much; an older or newer message is refused.
inline constexpr std::chrono::seconds kMaxClockSkew{60};
// How long an exchange id is remembered: a message is acceptable for twice the skew, to the end of
// that time and including it, and the clock is read again between the check and the remembering.
inline constexpr std::chrono::seconds kReplayWindow{2 * kMaxClockSkew + std::chrono::seconds(10)};

// The other end of a message, as pinned: who it is and the key that must have signed.
struct PinnedPeer {
  policy::AgencyId agency;
  sign::PublicKey signing_key;
  std::vector<sign::PublicKey> former_keys{};  // accepted beside it while keys change
  bool operator==(const PinnedPeer&) const = default;
};

// SHA-256 over what was signed: the digest both logs hold of one message. The header's random salt
// keeps it from being guessed.
Digest MessageDigest(const v1::SignedMessage& message);

// Signs what this agency says to another. Threads: thread-safe.
class MessageSigner {
 public:
  // All references must outlive the object.
  MessageSigner(policy::AgencyId self, const sign::SigningKey& key, const runtime::Clock& clock,
                RandomSource& random);

  // Fills the header (sender, receiver, time, exchange id, salt) and signs.
  template <typename Payload>
  v1::SignedMessage Sign(Payload payload, const policy::AgencyId& receiver,
                         std::string_view exchange_id) const {
    FillHeader(*payload.mutable_header(), receiver, exchange_id);
    v1::SignedMessage message = SignPayload(TypeOf(payload), payload);
    if constexpr (std::is_same_v<Payload, v1::SearchProbe>) {
      WipeField(*payload.mutable_embedding());
    }
    return message;
  }

 private:
  static std::string TypeOf(const google::protobuf::Message& payload);
  void FillHeader(v1::MessageHeader& header, const policy::AgencyId& receiver,
                  std::string_view exchange_id) const;
  v1::SignedMessage SignPayload(std::string type, const google::protobuf::Message& payload) const;

  const policy::AgencyId self_;
  const sign::SigningKey& key_;
  const runtime::Clock& clock_;
  RandomSource& random_;
};

// Checks what another agency says. Everything but replay, which needs the store (replay_guard.h).
// Threads: thread-safe.
class MessageVerifier {
 public:
  // In: not_before  messages sent at or before it are refused: a node that was restored has perhaps
  //                 forgotten that it took them
  MessageVerifier(policy::AgencyId self, const runtime::Clock& clock,
                  runtime::Instant not_before = {});

  // Which payload a message claims to carry; nothing is verified.
  template <typename Payload>
  static bool Claims(const v1::SignedMessage& message) {
    return message.payload_type() == PayloadType(Payload::descriptor()->name());
  }

  // Checks size, type, signature, then the header.
  //
  // Errors: kInvalidArgument  too large, not the expected type, not parsable, or an unknown field
  //         kCorrupt          the signature is not the pinned peer's
  //         kPermissionDenied sender is not the peer, or receiver is not this agency
  //         kUnauthenticated  the time is more than 60 s from this clock, or from before the node
  //         was
  //                           restored
  template <typename Payload>
  Result<Payload> Verify(const v1::SignedMessage& message, const PinnedPeer& peer) const {
    Payload payload;
    COMITY_RETURN_IF_ERROR(VerifyInto(message, peer, payload));
    COMITY_RETURN_IF_ERROR(CheckHeader(payload.header(), peer));
    return payload;
  }

 private:
  static std::string PayloadType(std::string_view name);
  Status VerifyInto(const v1::SignedMessage& message, const PinnedPeer& peer,
                    google::protobuf::Message& payload) const;
  static Status CheckSignature(const v1::SignedMessage& message, const sign::Signature& signature,
                               const PinnedPeer& peer);
  Status CheckHeader(const v1::MessageHeader& header, const PinnedPeer& peer) const;

  const policy::AgencyId self_;
  const runtime::Clock& clock_;
  const runtime::Instant not_before_;
};

}  // namespace comity::gateway
