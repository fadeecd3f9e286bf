// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "comity/v1/sealed.pb.h"
#include "services/gateway/federation/part_assembly.h"
#include "services/gateway/federation/sealed_exchange.h"
#include "services/matching/sealed/holder_round.h"
#include "services/matching/sealed/sealed_holder.h"
#include "services/matching/sealed/sealed_outcome.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/crypto/sealed/sample_list.h"

namespace comity::gateway::testing {

inline Digest DigestOf(std::uint8_t octet) {
  Digest digest;
  digest.bytes.fill(octet);
  return digest;
}
inline std::string Octets(const Digest& digest) {
  return std::string(AsText(digest.view()));
}

// The holder's side of a session over several lists, as its messages: real cryptography, no policy.
class HolderEnd {
 public:
  static constexpr std::uint32_t kCap = 5;
  static constexpr std::int32_t kTau = 5000;

  HolderEnd(std::vector<const sealed::testing::SampleList*> lists,
            std::span<const std::uint8_t, 32> requester_nonce)
      : lists_(std::move(lists)), random_(77) {
    matching::SealedSessionTerms terms;
    terms.tau = kTau;
    terms.cap = kCap;
    std::ranges::copy(requester_nonce, terms.requester_nonce.begin());
    terms.holder_nonce.fill(0x22);
    terms.requester_certificate = DigestOf(0x33);
    terms.holder_certificate = DigestOf(0x44);
    std::uint32_t first = 0;
    for (const auto* list : lists_) {
      terms.header = list->epoch()->header_digest();
      holders_.push_back(*matching::SealedHolder::Create(
          {list->epoch(), terms, first, {}, matching::kMostPads, random_}));
      first += matching::BlocksOf(list->state());
    }
  }

  v1::SealedOpened Opened() const {
    v1::SealedOpened opened;
    opened.set_nonce(std::string(32, 0x22));
    opened.set_cap(kCap);
    opened.set_hit_opening(v1::HIT_OPENING_AUDITOR);
    for (const auto& holder : holders_) opened.add_offers(std::string(AsText(holder.offer())));
    return opened;
  }
  // TREES of each list, in parts.
  std::vector<v1::SealedPart> Trees(const v1::SealedSetUp& set_up) {
    std::vector<v1::SealedPart> parts;
    for (std::size_t i = 0; i < holders_.size(); ++i) {
      const auto& base = set_up.lists(static_cast<int>(i));
      const Bytes trees = holders_[i].OnAnswer(AsBytes(base.answer())).value();
      Split({v1::SealedPart::KIND_TREES, static_cast<std::uint32_t>(i), holders_[i].sid()}, trees,
            parts);
    }
    return parts;
  }
  v1::SealedReady Ready() const {
    v1::SealedReady ready;
    for (const auto& holder : holders_) ready.add_sids(Octets(holder.sid()));
    return ready;
  }
  std::vector<v1::SealedPart> Pads(std::size_t list) {
    std::vector<v1::SealedPart> parts;
    const Bytes message = holders_[list].MakePads().value();
    Split({v1::SealedPart::KIND_PADS, static_cast<std::uint32_t>(list), holders_[list].sid(),
           pad_batches_[list]++},
          message, parts);
    return parts;
  }
  // OFFSETS of the probes with these indices, as the requester must take them.
  struct Offsets {
    std::size_t probe = 0;
    std::size_t list = 0;
    Bytes octets;
  };
  std::vector<Offsets> Begin(const v1::SealedProbes& probes, std::span<const std::size_t> indices) {
    for (std::size_t i = 0; i < holders_.size(); ++i) {
      std::vector<ByteView> blinded;
      for (const std::size_t index : indices) {
        const auto& probe = probes.probes(static_cast<int>(index));
        blinded.push_back(AsBytes(probe.blinded(static_cast<int>(i))));
      }
      rounds_[i] = holders_[i].Begin(blinded).value();
    }
    std::vector<Offsets> all;
    for (std::size_t p = 0; p < indices.size(); ++p) {
      for (std::size_t i = 0; i < holders_.size(); ++i) {
        all.push_back({indices[p], i, holders_[i].Offsets(*rounds_[i], p).value()});
      }
    }
    return all;
  }
  // In: position  of the probe among those that were gone on with
  matching::SealedOutcome Outcome(std::size_t position, std::span<const Bytes> tables) {
    sealed::Sketch bits{.cap = kCap};
    Bytes sketch;
    for (std::size_t i = 0; i < holders_.size(); ++i) {
      ByteView own = tables[i];
      if (i + 1 == holders_.size()) {
        const std::size_t size = own.size() - sealed::SketchBytes(kCap);
        sketch.assign(own.begin() + static_cast<std::ptrdiff_t>(size), own.end());
        own = own.first(size);
      }
      EXPECT_THAT(holders_[i].Open(*rounds_[i], position, own, bits), comity::testing::IsOk());
    }
    std::vector<const matching::SealedHolder::Round*> rounds;
    for (const auto& [list, round] : rounds_) rounds.push_back(round.get());
    return matching::DecodeOutcome(bits, sketch, rounds).value();
  }
  matching::SealedHolder& holder(std::size_t list) { return holders_[list]; }

 private:
  static void Split(SealedWhole whole, ByteView octets, std::vector<v1::SealedPart>& parts) {
    SendParts(whole, octets, [&](const v1::SealedMessage& message) {
      parts.push_back(message.part());
      return true;
    });
  }

  std::vector<const sealed::testing::SampleList*> lists_;
  sealed::testing::SeededRandom random_;
  std::vector<matching::SealedHolder> holders_;
  std::map<std::size_t, std::uint64_t> pad_batches_;
  std::map<std::size_t, std::unique_ptr<matching::SealedHolder::Round>> rounds_;
};

}  // namespace comity::gateway::testing
