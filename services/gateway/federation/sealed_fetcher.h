// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "comity/v1/sealed.pb.h"
#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/sealed/sealed_list.h"
#include "policy/decide/agreement_set.h"
#include "services/gateway/federation/peer_links.h"
#include "services/gateway/federation/sealed_exchange.h"
#include "services/gateway/wire/signed_message.h"
#include "services/runtime/clock.h"
#include "services/runtime/guarded.h"
#include "services/runtime/logging.h"
#include "services/watchlists/sealed_copies.h"

namespace comity::gateway {

// Keeps this agency's copies of sealed lists as their holders say that they stand: asks each holder
// of an agreement in force every 30 seconds (every 10 while it has no list) and whenever somebody
// is in a hurry, fetches what is not there, going on where a break left off, and erases what is
// over. Whoever hurries gets a list that the holder is just sealing as soon as it is sealed: the
// call waits for it. Who hurries in vain is served less and less often, down to every 2 seconds.
//
// Threads: thread-safe. One thread a holder, so that a slow one holds up no other.
class SealedFetcher {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;
  struct Ports {
    policy::AgencyId self;
    const PeerLinks& peers;
    const MessageSigner& signer;
    const MessageVerifier& verifier;
    watchlists::SealedCopies& copies;
    std::function<std::shared_ptr<const policy::AgreementSet>()> agreements;
    RandomSource& random;
    const runtime::Clock& clock;
    runtime::Logger& logger;
  };
  // References must outlive the object.
  explicit SealedFetcher(Ports ports);
  ~SealedFetcher();

  // Asks this holder at once, if it is one; else as soon as it is.
  void Hurry(const policy::AgencyId& holder);
  // Counts the times that the holder was asked, or a copy of its lists has changed.
  std::uint64_t News(const policy::AgencyId& holder);
  // Waits until News() is not `seen` any more, at most until `until`. Whoever reads `seen` before
  // looking at the copies misses nothing.
  void Await(const policy::AgencyId& holder, std::uint64_t seen, SteadyTime until,
             const std::stop_token& stop);

  struct Counts {
    std::uint64_t rounds = 0;    // since the start
    std::uint64_t failures = 0;  // of them
    std::uint64_t octets = 0;    // of blocks that were fetched
  };
  Counts counts() const;

 private:
  // What is asked of a holder: under which agreement, for what, with which engine.
  struct Wish {
    policy::AgreementRef agreement;
    policy::PurposeCode purpose;
    policy::EngineProfile engine;
  };
  struct Turn {
    bool hurried = false;
    std::uint64_t news = 0;
  };
  // What the answers of a holder came to.
  struct Outcome {
    bool changed = false;
    bool preparing = false;  // the holder is sealing
    bool lacking = false;    // it has no list for some wish
    Status done;             // the last failure
  };
  struct Worker {
    runtime::Watched<Turn> turn;
    std::jthread thread;  // last: it ends before what it uses
  };

  void Watch(const std::stop_token& stop);
  Worker& WorkerOf(const policy::AgencyId& holder);
  void Serve(const policy::AgencyId& holder, Worker& worker, const std::stop_token& stop);
  std::vector<Wish> WishesFor(const policy::AgencyId& holder) const;
  Outcome AskAll(const policy::AgencyId& holder, bool hurried, Worker& worker,
                 const std::stop_token& stop);
  // In: patience  how long the holder may wait for a list that it is sealing
  void Ask(const policy::AgencyId& holder, const Wish& wish, std::chrono::milliseconds patience,
           Outcome& outcome, const std::stop_token& stop);
  SealedLists CopiesFor(const policy::AgencyId& holder, const Wish& wish) const;
  void NoteWithdrawn(const SealedLists& copies, const v1::ListSealedReply& reply);
  Result<bool> Bring(const policy::AgencyId& holder, const Wish& wish,
                     const v1::SealedListOffer& offer, const std::stop_token& stop);
  Status FetchBlock(const policy::AgencyId& holder,
                    const watchlists::SealedCopies::Offered& offered,
                    const sealed::ListedBlock& block, const std::stop_token& stop);
  void Erase();
  bool HasEnded(const sealed::ListHeader& header, policy::Instant now) const;

  const Ports ports_;
  mutable runtime::Guarded<Counts> counts_;
  runtime::Guarded<std::map<policy::AgencyId, std::unique_ptr<Worker>>> workers_;
  // When an agreement version was first found to be over; the watching thread's own.
  std::map<Digest, policy::Instant> ended_since_;      // by header, by the watching thread
  runtime::Guarded<std::set<Digest>> withdrawn_ = {};  // headers that their holder lists no more
  std::jthread thread_;                                // last
};

}  // namespace comity::gateway
