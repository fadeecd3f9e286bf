// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/sealed/list_view.h"
#include "crypto/sealed/sketch.h"
#include "services/matching/sealed/session_terms.h"

namespace comity::matching {

// The holder's end of one sealed list session: messages in, messages out. Decides nothing: cap,
// budget, alarms and policy are the caller's, over the whole answer, before anything leaves.
//
//   Create -> offer()                base OTs
//   OnAnswer(answer) -> trees
//   MakePads() -> message            whenever fewer wait than are wanted
//   Begin(probes) -> Round           of those that the holder goes on with; takes their pads
//   Offsets(round, index)            of each probe
//   Open(round, index, tables)       adds what the tables say to the probe's sketch
//   then DecodeOutcome (sealed_outcome.h), once a probe, over all lists of the session
//
// An error of OnAnswer, MakePads or Open ends the session: its secrets are wiped and every later
// call fails with kConflict. The caller compares the binding of a batch first; a batch that it
// refuses uses nothing up (SkipBatch).
//
// Secret:  shares, choices and opened bits, until the outcome is decoded
// Threads: thread-compatible.
class SealedHolder {
 public:
  struct Setup {
    std::shared_ptr<const sealed::EpochView> list;
    SealedSessionTerms terms;
    std::uint32_t first_block = 0;
    SealedKernels kernels;
    std::size_t most_pads = kMostPads;  // that wait at this end
    RandomSource& random;               // outlives the session
  };
  // Errors: as SealedRequester::Create
  static Result<SealedHolder> Create(Setup setup);
  SealedHolder(SealedHolder&&) noexcept;
  SealedHolder& operator=(SealedHolder&&) noexcept;
  ~SealedHolder();

  const Digest& sid() const;
  ByteView offer() const;  // kBaseOtOfferSize octets
  // The tree message. In: answer  untrusted. Errors: those of ot::BaseOtSender::Finish
  Result<Bytes> OnAnswer(ByteView answer);
  // The message of the next extension batch (PadBatchFor the slots at set-up).
  // Errors: kExhausted  more than most_pads would wait, or the session's OT numbers are used up:
  //                     the pair sets up a new session
  Result<Bytes> MakePads();
  std::size_t pads() const;
  std::uint64_t pads_taken() const;
  // As SealedRequester::Update.
  Status Update(std::shared_ptr<const sealed::EpochView> list, std::uint32_t first_block);
  const sealed::EpochView& list() const;

  // What the next search of the requester must carry.
  std::uint64_t next_batch() const;
  Digest NextBinding() const;
  // The batch was refused as a whole.
  void SkipBatch();

  class Round;  // one batch: shares and openings; wiped. holder_round.h
  // The probes of a batch that the holder goes on with; takes slots x probes pads.
  //
  // In:     probes  c'' of each, untrusted; 1..MostProbes(slots)
  // Errors: kInvalidArgument  wrong number or length; kUnavailable  too few pads. Nothing is used
  //                           up
  Result<std::unique_ptr<Round>> Begin(std::span<const ByteView> probes);
  // OffsetBytes(slots) octets of probe `index` of the round, in order, each once.
  // Errors: kConflict  another probe is next
  Result<Bytes> Offsets(Round& round, std::size_t index);
  // Adds what the tables of probe `index` say to `bits`: hits and the requester's masks. In order,
  // each once.
  //
  // In:     tables  untrusted: kTableBytes a slot
  //         bits    of the session's cap
  // Errors: kInvalidArgument  of the wrong length; kConflict  another probe is next
  Status Open(Round& round, std::size_t index, ByteView tables, sealed::Sketch& bits);

 private:
  struct State;
  explicit SealedHolder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace comity::matching
