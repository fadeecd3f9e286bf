// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sealed/list_view.h"
#include "crypto/sealed/sealed_list.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/decision.h"
#include "policy/model/engine_profile.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/audit/journal.h"
#include "services/runtime/clock.h"
#include "services/runtime/guarded.h"
#include "services/store/sealed_copy_store.h"
#include "services/store/store.h"
#include "services/watchlists/sealed_folder.h"
#include "services/watchlists/sealed_offer.h"

namespace comity::watchlists {

// The requester's copies of sealed lists of other agencies. Not encrypted at rest: they are sealed.
// Their integrity is what counts: every block is verified against the signed state's hash when it
// arrives and again when it is loaded.
//
// The store knows the envelopes of header and state; the blocks are files (sealed_folder.h). A copy
// of which anything is missing, damaged or no longer signed by an accepted key is not searched, and
// its blocks are wanted again.
//
// Threads: thread-safe; one thread at a time fetches one list, a second one is refused (kConflict).
class SealedCopies {
 public:
  using KeysOf = std::function<Result<std::vector<sign::PublicKey>>(const policy::AgencyId&)>;
  // Puts a message for the holder into the outbox, in the unit of work: that this agency has the
  // list as of `sequence`, or, if it is absent, has erased it.
  using Tell =
      std::function<Status(store::Transaction&, audit::Recorder&, const policy::AgencyId& holder,
                           const Digest& header, std::optional<std::uint64_t> sequence)>;
  struct Setup {  // references must outlive the object
    store::Store& store;
    audit::Journal& journal;
    const runtime::Clock& clock;
    policy::AgencyId own;
    KeysOf keys;                   // that may sign for a holder
    std::filesystem::path folder;  // made with mode 0700
    Tell tell;
  };
  // Of one holder, unfinished ones included.
  static constexpr std::size_t kMostLists = 64;

  // Loads what is stored and still valid, block by block, and drops leftovers that belong to
  // nothing.
  // Errors: kUnavailable  store or folder cannot be read
  //         kCorrupt      the store does not hold what it must
  static Result<std::unique_ptr<SealedCopies>> Open(Setup setup);

  // Verifies what a holder says it has sealed for this agency: signatures, names, scales, times,
  // sequence and epoch not older than what is known. Allocates by what has arrived, never by what a
  // header announces.
  //
  // Errors: those of OpenSealedOffer and of the keys
  //         kConflict   an older state than the one known, or another of the same sequence, or an
  //                     epoch that is not above the one that is searched
  //         kExhausted  the holder has kMostLists here already
  struct Offered {
    Digest header;
    sealed::ListHeader terms;
    std::uint64_t sequence = 0;
    Digest state;
    bool complete = false;                    // nothing to fetch: Complete
    std::vector<sealed::ListedBlock> wanted;  // blocks that are not there
  };
  Result<Offered> Check(const policy::AgencyId& holder, std::string_view header_envelope,
                        std::string_view state_envelope);
  // Octets of a wanted block that are there already.
  std::uint64_t Resume(const Digest& header, const sealed::ListedBlock& block) const;
  // In:     octets  the next after `offset`, which is Resume; untrusted
  // Errors: kInvalidArgument  not the next octets, or more than the block has: nothing is kept
  //         kNotFound         the header was not checked, or is erased
  //         kUnavailable      the disk is full: nothing of it is kept
  Status Append(const Digest& header, const sealed::ListedBlock& block, std::uint64_t offset,
                ByteView octets);
  // All octets are there: parsed, hashed and kept.
  // Errors: kCorrupt   another block, or another hash: all of it is thrown away
  //         kConflict  octets are missing; those of Append
  Status Finish(const Offered& offered, const sealed::ListedBlock& block);
  // Every block of the state is there: from now on the copy is searched so. Durable; recorded
  // (sealed-list-received); the holder is told; blocks that are not in the state are removed. The
  // same state once more has no effect.
  //
  // Errors: those of Check; kNotFound  a block is missing; kCorrupt  a block was damaged on the
  //         disk: put aside, wanted again; those of store and journal: what was searched stays
  Status Complete(const policy::AgencyId& holder, std::string_view header_envelope,
                  std::string_view state_envelope);

  // Copies that can be searched at `now`: of each list the latest epoch, in the order of lists.
  std::vector<std::shared_ptr<const sealed::ListView>> Find(const policy::AgencyId& holder,
                                                            const policy::AgreementRef& agreement,
                                                            const policy::PurposeCode& purpose,
                                                            const policy::EngineProfile& engine,
                                                            policy::Instant now) const;
  // Erases copies, also unfinished ones, that are over, superseded, or of an agreement version that
  // `ended` says is over; recorded (sealed-list-erased), the holder is told. Returns how many of
  // them had ever been whole. Those that a thread fetches just now are left for the next time.
  //
  // Errors: the first one; the others are erased all the same
  Result<std::uint64_t> Erase(policy::Instant now,
                              const std::function<bool(const sealed::ListHeader&)>& ended);

 private:
  struct Copy {
    policy::AgencyId holder;
    sealed::ListHeader header;
    std::string header_envelope{};
    std::uint64_t sequence = 0;  // 0: never was whole
    Digest state{};
    std::shared_ptr<const sealed::ListView> view{};  // null: not searched
    bool busy = false;                               // a thread works on its files
  };
  using Copies = std::map<Digest, Copy>;
  // Keeps every other thread off the files of one list.
  class Hold;
  struct Doomed {
    Digest digest;
    std::string_view reason;
  };

  explicit SealedCopies(Setup setup) : setup_(std::move(setup)) {}
  Status LoadRecord(const store::SealedCopyRecord& record);
  Status TakeUpFolder(const Digest& digest);
  Result<SealedOffer> Verify(const policy::AgencyId& holder, std::string_view header_envelope,
                             std::string_view state_envelope) const;
  Status Admit(const policy::AgencyId& holder, const SealedOffer& offer,
               std::string_view header_envelope);
  Result<std::shared_ptr<const sealed::ListView>> Load(
      const SealedOffer& offer, const std::shared_ptr<const sealed::ListView>& former) const;
  Status Keep(const store::SealedCopyRecord& record, const sealed::ListView& view);
  static std::vector<Doomed> DoomedOf(const Copies& copies, policy::Instant now,
                                      const std::function<bool(const sealed::ListHeader&)>& ended);
  Result<bool> EraseOne(const Doomed& doomed);
  SealedFolder FolderOf(const Digest& digest, const sealed::ListHeader& header) const {
    return {setup_.folder, digest, header.scales.dimension};
  }

  const Setup setup_;
  runtime::Guarded<Copies> copies_;
};

}  // namespace comity::watchlists
