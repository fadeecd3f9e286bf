// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"

namespace comity::ot {

// 128 base oblivious transfers on ristretto255: for each instance i the sender (holder) gets two
// keys, the receiver (requester) gets the one that its secret bit names. They are *endemic*: each
// side may have had influence on its own keys, which is enough for the extension.
//
//   sender    A = a*G                                                   -> offer, 32 octets
//   receiver  phi_{i,1-c} random point, phi_{i,c} = b_i*G - Hg(i, c, phi_{i,1-c})
//                                                                       -> answer, 8,192 octets
//             k_i = KDF(i, c, b_i*A)
//   sender    k_{i,c} = KDF(i, c, a*(phi_{i,c} + Hg(i, c, phi_{i,1-c})))    for c = 0, 1
//
//   Hg(i, c, phi) = from_hash(BLAKE2b-512("comity/sealed-v1/base-ot/hg" | sid | LE32 i | c | phi))
//   KDF(i, c, Z)  = BLAKE2b-256("comity/sealed-v1/base-ot/key" | sid | LE32 i | c | A | phi_{i,0}
//                               | phi_{i,1} | Z)
//   transcript    = BLAKE2b-256("comity/sealed-v1/base-ot/transcript" | sid | offer | answer)
//
// The index and the transcript in every key are what keeps a cheating receiver from making two
// instances share keys. A random point is from_hash of 64 random octets and a scalar is 64 random
// octets modulo the group order, so that a run repeats under a repeatable source.
//
// Fresh for every session: both objects give their keys once and are move-only.
//
// Secret:  a, b_i, the choices and all keys; choices select by masks, never by a branch
// Leaks:   nothing of the choices to an unbounded sender; the keys not chosen stay hidden under
//          the computational Diffie-Hellman assumption (random oracles). Not post-quantum.
// Threads: thread-compatible
// Source:  McQuoid, Rosulek, Roy, ASIACRYPT 2021 (eprint 2021/682), Figure 3 and Theorem 9, with
//          the function of Masny and Rindal (eprint 2019/706); vectors in
//          tests/vectors/sealed/base_ot.json
inline constexpr std::size_t kBaseOtCount = 128;
inline constexpr std::size_t kPointSize = 32;
inline constexpr std::size_t kBaseOtKeySize = 32;
inline constexpr std::size_t kBaseOtOfferSize = kPointSize;
// phi_{0,0} | phi_{0,1} | phi_{1,0} | ...
inline constexpr std::size_t kBaseOtAnswerSize = kBaseOtCount * 2 * kPointSize;

// What the sender has at the end.
struct BaseOtSenderKeys {
  SecretBytes keys;  // k_{i,c} at octet 32 * (2 i + c)
  Digest transcript;
};

// What the receiver has at the end.
struct BaseOtReceiverKeys {
  SecretBytes choices;  // one octet an instance, 0 or 1
  SecretBytes keys;     // k_i at octet 32 * i
  Digest transcript;
};

// The holder's side.
class BaseOtSender {
 public:
  // In: sid  the session's context digest
  BaseOtSender(const Digest& sid, RandomSource& random);
  BaseOtSender(BaseOtSender&&) noexcept = default;
  BaseOtSender& operator=(BaseOtSender&&) noexcept = default;

  const std::array<std::uint8_t, kBaseOtOfferSize>& offer() const { return offer_; }
  // Ends the object, also when it fails.
  //
  // In:     answer  untrusted, straight from the requester
  // Errors: kInvalidArgument  not 8,192 octets, or a point is not valid or is the identity
  //         kCorrupt          a product is the identity, which no honest answer gives
  Result<BaseOtSenderKeys> Finish(ByteView answer) &&;

 private:
  Digest sid_;
  SecretBytes scalar_;
  std::array<std::uint8_t, kBaseOtOfferSize> offer_{};
};

// The requester's side.
class BaseOtReceiver {
 public:
  // Draws the choices and makes the answer.
  //
  // In:     offer  untrusted, straight from the holder
  // Errors: kInvalidArgument  not 32 octets, not a valid point, or the identity
  //         kCorrupt          a product is the identity, which no honest offer gives
  static Result<BaseOtReceiver> Answer(const Digest& sid, ByteView offer, RandomSource& random);
  BaseOtReceiver(BaseOtReceiver&&) noexcept = default;
  BaseOtReceiver& operator=(BaseOtReceiver&&) noexcept = default;

  const Bytes& answer() const { return answer_; }
  BaseOtReceiverKeys TakeKeys() && { return std::move(keys_); }

 private:
  BaseOtReceiver(Bytes answer, BaseOtReceiverKeys keys)
      : answer_(std::move(answer)), keys_(std::move(keys)) {}

  Bytes answer_;
  BaseOtReceiverKeys keys_;
};

}  // namespace comity::ot
