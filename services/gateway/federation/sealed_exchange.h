// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "comity/v1/sealed.pb.h"
#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/sealed/list_view.h"
#include "crypto/sealed/secret_array.h"
#include "services/casework/hit_opening.h"
#include "services/gateway/federation/part_assembly.h"
#include "services/matching/sealed/requester_round.h"
#include "services/matching/sealed/sealed_requester.h"

namespace comity::gateway {

using SealedLists = std::vector<std::shared_ptr<const sealed::ListView>>;

// The list at its state, as messages name it.
void SetRef(const sealed::ListView& list, v1::SealedListRef& ref);

// The requester's end of one session over all sealed lists of a holder: what is said and heard, in
// messages; whoever calls it signs, sends and reads. One probe is one c'' for each list, and one
// sketch over all.
//
//   Create(opened) -> SetUp()        then OnPart: TREES of each list; OnReady
//   OnPart: PADS                     whenever they come
//   Begin(templates) -> Batch        what SealedProbes carries
//   Accept(indices)                  the probes that the holder goes on with
//   OnOffsets(...) -> Tables         of each of them, for each list
//
// An error ends the session. kCorrupt of OnPart: the holder has failed a check of the oblivious
// transfer.
//
// Threads: thread-compatible.
class SealedExchange {
 public:
  static constexpr std::size_t kMaxLists = casework::HitOpening::kMaxLists;
  static constexpr std::size_t kMaxBlinded = 256;  // probes x lists of a batch

  struct Setup {
    SealedLists lists;  // 1..16, in the order of SealedOpen
    std::int32_t tau = 0;
    std::uint32_t cap = 0;
    std::array<std::uint8_t, 32> nonce{};
    Digest own_certificate;  // as the holder says that it sees it, and found to be ours
    Digest holder_certificate;
    matching::SealedKernels kernels;
    RandomSource& random;
  };
  // In:     opened  the holder's answer; verified, untrusted
  // Errors: kInvalidArgument  a length, the cap or hit_opening is not what was agreed; those of
  //                           SealedRequester::Create
  static Result<std::unique_ptr<SealedExchange>> Create(Setup setup,
                                                        const v1::SealedOpened& opened);

  v1::SealedSetUp SetUp() const;
  // TREES and PADS. Errors: kInvalidArgument  not the next that may come; those of SealedRequester
  Status OnPart(const v1::SealedPart& part);
  // Errors: kInvalidArgument  before all trees, or with other session ids: the two sides do not
  //                           speak of the same
  Status OnReady(const v1::SealedReady& ready);

  // Whether these are the session's lists, at whatever state.
  bool Covers(const SealedLists& lists) const;
  // They stand at other states. Not while a probe waits for offsets.
  // Errors: those of SealedRequester::Update
  Status Update(const SealedLists& lists);
  // Probes that a batch may have now; 0: the lists are too large for one.
  std::size_t MostProbes() const;
  std::uint64_t pads_taken() const;

  struct Batch {
    v1::SealedProbes message;  // without header, agreements, commitments, tracks; numbers are set
    std::vector<casework::HitOpening> openings;  // as probes
    std::vector<Digest> bindings;                // as lists
  };
  // In: templates  canonical, 1..MostProbes(); secret
  Result<Batch> Begin(std::span<const sealed::SecretArray<std::int8_t>> templates);
  // The scan of the lists, the longest step; to be made while the holder decides.
  void Prepare();
  Status Accept(std::span<const std::size_t> indices);

  struct Tables {
    SealedWhole whole;
    Bytes octets;
  };
  // What answers these offsets, and if lists without entries follow, theirs too.
  // In:     probe, list  as Accept was given, in order; each list with entries once
  Result<std::vector<Tables>> OnOffsets(std::size_t probe, std::size_t list, ByteView offsets);
  // Octets of the offsets of a list; 0: none come.
  std::size_t OffsetSize(std::size_t list) const;
  std::size_t lists() const { return requesters_.size(); }
  std::uint32_t cap() const { return cap_; }  // most hits of one probe

 private:
  explicit SealedExchange(Setup setup) : lists_(std::move(setup.lists)), cap_(setup.cap) {}
  Result<PartAssembly> Next(const v1::SealedPart& part) const;
  Status Deliver(const SealedWhole& whole, ByteView octets);
  std::size_t SlotsOf(std::size_t list) const;
  // Of list `list` at these states: blocks of those before it.
  static std::uint32_t FirstBlock(const SealedLists& lists, std::size_t list);
  Result<Tables> MakeTables(std::size_t probe, std::size_t list, ByteView offsets);

  SealedLists lists_;
  const std::uint32_t cap_;
  std::vector<matching::SealedRequester> requesters_;
  std::vector<std::size_t> slots_at_set_up_;
  std::vector<bool> has_trees_;
  std::vector<std::uint64_t> pad_batches_;
  PartAssembly incoming_;
  bool is_incoming_ = false;
  bool is_ready_ = false;
  // Of the batch that is under way.
  std::vector<std::unique_ptr<matching::SealedRequester::Round>> rounds_;
  std::vector<Digest> bindings_;
  std::uint64_t batch_ = 0;
  sealed::Sketch masks_;  // of the probe that is under way
  std::uint64_t next_number_ = 1;
};

}  // namespace comity::gateway
