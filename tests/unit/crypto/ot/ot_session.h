// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/ot/base_ot.h"
#include "crypto/ot/block.h"
#include "crypto/ot/kernel.h"
#include "crypto/ot/softspoken.h"
#include "tests/unit/crypto/ot/seeded_random.h"

namespace comity::testing {

// The octets of tables or pads, not copied.
inline std::span<std::uint8_t> WritableOctets(std::span<std::uint64_t> words) {
  return {reinterpret_cast<std::uint8_t*>(words.data()), words.size_bytes()};
}

inline Digest SeededDigest(std::uint64_t seed) {
  Digest digest;
  SeededRandom(seed).Fill(digest.bytes);
  return digest;
}

inline ot::BaseOtReceiverKeys CopyOf(const ot::BaseOtReceiverKeys& keys) {
  return {keys.choices.Clone(), keys.keys.Clone(), keys.transcript};
}
inline ot::BaseOtSenderKeys CopyOf(const ot::BaseOtSenderKeys& keys) {
  return {keys.keys.Clone(), keys.transcript};
}

struct BaseKeys {
  ot::BaseOtSenderKeys sender;
  ot::BaseOtReceiverKeys receiver;
};

// What 128 base OTs leave, dealt from a seed in place of two million curve operations a test run.
inline BaseKeys DealBaseKeys(std::uint64_t seed) {
  SeededRandom random(seed);
  BaseKeys dealt{{SecretBytes(ot::kBaseOtCount * 2 * ot::kBaseOtKeySize), SeededDigest(seed + 1)},
                 {SecretBytes(ot::kBaseOtCount), SecretBytes(ot::kBaseOtCount * ot::kBaseOtKeySize),
                  SeededDigest(seed + 1)}};
  random.Fill(dealt.sender.keys.ExposeMutable());
  random.Fill(dealt.receiver.choices.ExposeMutable());
  for (std::size_t i = 0; i < ot::kBaseOtCount; ++i) {
    std::uint8_t& choice = dealt.receiver.choices.ExposeMutable()[i];
    choice &= 1;
    for (std::size_t k = 0; k < ot::kBaseOtKeySize; ++k) {
      dealt.receiver.keys.ExposeMutable()[i * ot::kBaseOtKeySize + k] =
          dealt.sender.keys.Expose()[(2 * i + choice) * ot::kBaseOtKeySize + k];
    }
  }
  return dealt;
}

// Both ends of a session after set-up.
struct OtSession {
  Digest sid;
  Digest base_transcript;
  ot::SoftSpokenHolder holder;
  ot::SoftSpokenRequester requester;
};

inline OtSession OpenOtSession(std::uint64_t seed, ot::Kernel holder_kernel,
                               ot::Kernel requester_kernel) {
  BaseKeys dealt = DealBaseKeys(seed);
  SeededRandom random(seed + 2);
  const Digest sid = SeededDigest(seed + 3);
  const Digest transcript = dealt.sender.transcript;
  ot::SoftSpokenHolder holder(sid, std::move(dealt.sender), random, holder_kernel);
  auto requester = ot::SoftSpokenRequester::Create(sid, std::move(dealt.receiver),
                                                   holder.tree_message(), requester_kernel);
  return {sid, transcript, std::move(holder), std::move(requester).value()};
}
inline OtSession OpenOtSession(std::uint64_t seed) {
  return OpenOtSession(seed, ot::FastestKernel(), ot::FastestKernel());
}

inline void Append(ot::SecretBlocks& to, const ot::SecretBlocks& blocks) {
  ot::SecretBlocks both(to.size() + blocks.size());
  std::ranges::copy(to.Expose(), both.ExposeMutable().begin());
  std::ranges::copy(blocks.Expose(),
                    both.ExposeMutable().begin() + static_cast<std::ptrdiff_t>(to.size()));
  to = std::move(both);
}

// One honest batch, its strips put together.
struct BatchPair {
  Bytes message;
  ot::HolderRows holder;
  ot::RequesterRows requester;
};
inline BatchPair RunBatch(OtSession& session, std::size_t count) {
  BatchPair pair;
  pair.message = session.holder.Begin(count).value();
  COMITY_CHECK(session.requester.Begin(count).has_value());
  COMITY_CHECK(session.requester.Receive(pair.message).has_value());
  ot::HolderRows ours;
  ot::RequesterRows theirs;
  bool first = true;
  while (session.holder.Read(ours).value()) {
    COMITY_CHECK(session.requester.Read(theirs).value());
    if (std::exchange(first, false)) {
      pair.holder.first_ot = ours.first_ot;
      pair.requester.first_ot = theirs.first_ot;
    }
    Append(pair.holder.rows, ours.rows);
    Append(pair.holder.choices, ours.choices);
    Append(pair.requester.rows, theirs.rows);
    pair.requester.delta = std::move(theirs.delta);
  }
  COMITY_CHECK(!session.requester.Read(theirs).value());
  return pair;
}

}  // namespace comity::testing
