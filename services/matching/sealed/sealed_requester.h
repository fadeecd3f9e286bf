// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "crypto/sealed/list_view.h"
#include "crypto/sealed/secret_array.h"
#include "crypto/sealed/sketch.h"
#include "services/matching/sealed/session_terms.h"

namespace comity::matching {

// One probe as it is to be opened later: kept, encrypted, for released hits only.
struct ProbeOpening {
  std::uint64_t number = 0;            // of the probe in the session
  sealed::SecretArray<std::int8_t> q;  // the canonical template
  SecretBytes seed;                    // z
};

// The requester's end of one sealed list session: messages in, messages out. Makes c'' and tables;
// learns nothing of the scores.
//
//   Create(offer) -> answer()     base OTs
//   OnTrees(message)              then pads
//   OnPads(message)               whenever the holder sends one
//   Begin(templates) -> Round     c'' of each probe, to be sent; takes no pads yet
//   Prepare(round)                scores, while the holder decides
//   Accept(round, indices)        the holder goes on with these probes: takes their pads
//   Tables(round, index, offsets) tables of one of them
//   A round that is dropped before Accept has used nothing up (but its probe numbers). The next
//   one begins when all tables of the one before are made.
//
// An error of OnTrees, OnPads, Accept or Tables ends the session: its secrets are wiped and every
// later call fails with kConflict.
//
// Secret:  templates, scores, masks, pads
// Leaks:   to the holder what sealed::Sketch says, once a probe over all lists of the session
// Threads: thread-compatible.
class SealedRequester {
 public:
  struct Setup {
    std::shared_ptr<const sealed::ListView> list;
    SealedSessionTerms terms;  // cap and tau as the agreement permits
    std::uint32_t first_block = 0;
    SealedKernels kernels;
    std::size_t most_pads = kMostPads;  // that wait at this end
    RandomSource& random;               // outlives the session
  };
  // In:     offer  untrusted, from the holder
  // Errors: kInvalidArgument  terms of another header, tau outside the list's range, cap outside
  //                           1..kMaxCap, lists too large together; and those of
  //                           ot::BaseOtReceiver::Answer
  static Result<SealedRequester> Create(Setup setup, ByteView offer);
  SealedRequester(SealedRequester&&) noexcept;
  SealedRequester& operator=(SealedRequester&&) noexcept;
  ~SealedRequester();

  const Digest& sid() const;
  ByteView answer() const;           // kBaseOtAnswerSize octets
  Status OnTrees(ByteView message);  // kTreeMessageSize octets
  // Errors: those of the source; kExhausted  more than most_pads would wait
  Status OnPads(ByteView message);
  std::size_t pads() const;  // that are ready
  std::uint64_t pads_taken() const;
  // The list has changed, or one before it: same header, a higher sequence or the same state. Open
  // rounds go on with the state they began with. Nothing changes on an error.
  Status Update(std::shared_ptr<const sealed::ListView> list, std::uint32_t first_block);
  const sealed::ListView& list() const;

  class Round;  // one batch: probes, scores, pads; wiped
  struct Begun {
    std::unique_ptr<Round> round;
    std::uint64_t batch = 0;
    Digest binding;
    std::vector<Bytes> probes;  // c'', kElementBytes each
    std::vector<ProbeOpening> openings;
  };
  // In:     templates     canonical templates (sealed::Quantiser), 1..MostProbes(slots); secret
  //         first_number  of the probes in the session: number i is first_number + i; never
  //         repeated
  // Errors: kInvalidArgument  too many or no templates, or a number that was used: nothing is used
  //                           up
  Result<Begun> Begin(std::span<const sealed::SecretArray<std::int8_t>> templates,
                      std::uint64_t first_number);
  // Scores all probes of the round; Accept does it if nobody did. The longest step.
  void Prepare(Round& round) const;
  // In:     indices  rising; of the latest round. Once for a round.
  // Errors: kInvalidArgument  other indices; kConflict  not the latest round, or its second time
  //         kCorrupt          there are not enough pads: the sides are out of step
  Status Accept(Round& round, std::span<const std::size_t> indices);
  // The tables of probe `index` (accepted ones in order, each once): kTableBytes a slot. Adds the
  // list's masks to `masks`, which goes to the holder when those of all lists are in it: what a
  // list alone has put there never leaves (sealed::Sketch).
  //
  // In:     offsets  OffsetBytes(slots) octets, untrusted
  //         masks    of the session's cap
  // Errors: kInvalidArgument  offsets of a wrong form; kConflict  another probe is next
  Result<Bytes> Tables(Round& round, std::size_t index, ByteView offsets, sealed::Sketch& masks);

 private:
  struct State;
  explicit SealedRequester(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace comity::matching
