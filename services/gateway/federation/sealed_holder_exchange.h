// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "comity/v1/sealed.pb.h"
#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/sealed/list_view.h"
#include "services/gateway/federation/part_assembly.h"
#include "services/matching/sealed/sealed_holder.h"
#include "services/matching/sealed/sealed_outcome.h"

namespace comity::gateway {

// The holder's end of one session over sealed lists: what is said and heard, in messages; whoever
// calls it signs, sends, reads and decides. The requester's end is SealedExchange.
//
//   Create -> FillOpened
//   OnSetUp                         sends the trees; then FillReady
//   SendPads                        whenever fewer wait than are wanted
//   SealedProbes -> may they be searched?   then Update, Begin(accepted); or Skip
//   OnTables(part) -> outcome       of each accepted probe, when its last table is there
//
// An error ends the session. Threads: thread-compatible.
class SealedHolderExchange {
 public:
  using Views = std::vector<std::shared_ptr<const sealed::EpochView>>;
  // False: the message was not taken, nobody listens any more.
  using Send = std::function<bool(const v1::SealedMessage&)>;

  struct Setup {
    Views lists;                         // 1..16, in the order of SealedOpen
    matching::SealedSessionTerms terms;  // but for the header, which is each list's
    matching::SealedKernels kernels;
    RandomSource& random;
  };
  // Errors: those of SealedHolder::Create
  static Result<std::unique_ptr<SealedHolderExchange>> Create(Setup setup);
  ~SealedHolderExchange();

  void FillOpened(v1::SealedOpened& opened) const;  // nonce, cap, opening, offers, certificate
  // In:     message  untrusted
  // Errors: kInvalidArgument  not an answer for each list, other session ids, or a broken answer
  //         kUnavailable      not taken
  Status OnSetUp(const v1::SealedSetUp& message, const Send& send);
  void FillReady(v1::SealedReady& ready) const;
  // Pads for the searches to come: two probes' worth of each list, or at least `probes`.
  // Errors: kExhausted  the session's OT numbers are used up; kUnavailable  not taken
  Status SendPads(std::size_t probes, const Send& send);

  // Probes that a batch may have at most: 1 and more.
  std::size_t MostProbes() const;
  std::size_t lists() const { return holders_.size(); }
  // The lists stand at these states now, the same lists in order. Errors: those of Update
  Status Update(const Views& lists);
  std::uint64_t next_batch() const { return holders_.front().next_batch(); }
  void Skip();
  // Takes the pads of the probes of these indices and sends their offsets.
  // In:     probes    form checked: a c'' and a binding for each list
  //         accepted  rising, not empty
  // Errors: kInvalidArgument  a binding is not that of this batch at these states: since the
  //                           states are the same, the two sides count differently, and would do
  //                           so ever after; nothing is taken or sent
  //         kUnavailable      not taken, or no pads; those of SealedHolder
  Status Begin(const v1::SealedProbes& probes, std::span<const std::size_t> accepted,
               const Send& send);
  bool is_comparing() const { return next_probe_ < accepted_.size(); }
  // Octets of tables that are still to come in this batch.
  std::size_t TablesLeft() const;
  // In:     part  untrusted
  // Nothing: the probe waits for more of its tables.
  // Errors: kInvalidArgument  not the next part; those of SealedHolder::Open and DecodeOutcome
  Result<std::optional<matching::SealedOutcome>> OnTables(const v1::SealedPart& part);

 private:
  explicit SealedHolderExchange(const matching::SealedSessionTerms& terms);
  static std::uint32_t FirstBlock(const Views& lists, std::size_t list);
  bool IsBound(const v1::SealedProbes& probes) const;
  std::size_t SlotsOf(std::size_t list) const;
  std::size_t TableBytes(std::size_t list) const;
  // Goes past lists that send no tables; expects those of the next that does.
  Status ExpectTables();

  const matching::SealedSessionTerms terms_;
  std::vector<matching::SealedHolder> holders_;
  std::vector<std::uint64_t> pad_batches_;
  std::vector<std::size_t> slots_at_set_up_;
  // Of the batch that is under way.
  std::vector<std::unique_ptr<matching::SealedHolder::Round>> rounds_;
  std::vector<Digest> bindings_;
  std::vector<std::size_t> accepted_;
  std::uint64_t batch_ = 0;
  std::size_t next_probe_ = 0;  // in accepted_
  std::size_t next_list_ = 0;
  PartAssembly incoming_;
  sealed::Sketch bits_;
};

}  // namespace comity::gateway
