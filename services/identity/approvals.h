// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "services/audit/journal.h"
#include "services/identity/act.h"
#include "services/identity/notices.h"
#include "services/identity/people.h"
#include "services/runtime/clock.h"
#include "services/store/approval_store.h"
#include "services/store/store.h"

namespace comity::identity {

using PendingAct = store::ApprovalRecord;

// Carries out one kind of act that needs two people.
//
// Threads: thread-safe.
class ActHandler {
 public:
  virtual ~ActHandler() = default;
  // What the act would do, in words for the approver, one statement a line; refuses what cannot be
  // done. Called when the act is proposed and shown again, unchanged, when it is approved. Kept and
  // shown to whoever may see the act: no personal field of an entry stands in it.
  // Errors: kInvalidArgument, kNotFound, kConflict  names what is wrong with the content
  virtual Result<std::string> Describe(std::string_view content) const = 0;
  // What the act is about, as it stands at this moment: for a reader only, never stored, so that it
  // may hold what must not outlive its own key. Recorded as read before it is returned.
  // In: content  as for Describe. Empty: nothing besides the words.
  struct Reading {
    std::string act;  // p-<26 characters>
    policy::PersonId by;
  };
  virtual Result<std::string> Details(std::string_view /*content*/,
                                      const Reading& /*reading*/) const {
    return std::string();
  }
  // To run once the commit is durable: refreshes what is in memory. May be null.
  using AfterCommit = std::function<void()>;
  // Does it, within the unit of work that records the approval: both commit or neither. May be
  // called again if the unit of work is. `act.content` is the content as it was proposed. `by` is
  // the approver (in an emergency the proposer).
  // Errors: kConflict, kNotFound  it cannot be done any more; the act stays pending
  virtual Result<AfterCommit> Carry(store::Transaction& transaction, audit::Recorder& recorder,
                                    const PendingAct& act, const policy::PersonId& by) = 0;
};

// Acts that take effect only with a second, different person (HV-10), and in an emergency with one,
// reviewed within 24 hours (HV-11). The one mechanism for all of them.
//
// Threads: thread-safe. Handlers are added before the first call of another method.
class Approvals {
 public:
  static constexpr std::chrono::hours kDefaultLife{72};
  static constexpr std::chrono::hours kReviewTime{24};
  static constexpr std::size_t kMaxContent = std::size_t{256} << 10;  // with its salt
  static constexpr std::size_t kMaxWords = std::size_t{128} << 10;
  static constexpr std::uint32_t kMaxListed = 1000;
  static constexpr std::size_t kMaxPending = 1000;
  // Of one proposer, so that nobody can keep the others from proposing what cannot wait.
  static constexpr std::size_t kMaxPendingOfOne = 50;

  struct Setup {
    const store::Store& store;
    audit::Journal& journal;
    const People& people;
    Notices& notices;
    policy::AgencyId own;
    const runtime::Clock& clock;
    RandomSource& random;
    const SecretBytes& kek;  // 32 octets; vouches for what waits
  };
  explicit Approvals(Setup setup);
  ~Approvals();

  // `handler` must outlive the object.
  void Handle(Act act, ActHandler& handler);

  // Asked of whoever proposes, decides, or proposed what is decided, within the unit of work:
  // whether this gateway still takes the key of that person's certificate. An error refuses. Set
  // once, with the handlers.
  using KeyCheck = std::function<Status(const store::Transaction&, const Person&)>;
  void CheckKeysBy(KeyCheck check);

  // Stores an act as pending; tells those who may approve it.
  // In:     content  canonical JSON, as the act's handler defines it
  //         subject  what it is about, 1..128
  // Errors: those of Describe; kExhausted  too many are pending, of all or of the caller;
  //         kConflict  the same is pending;
  //         kPermissionDenied  the caller's roles may not propose it, or their key is revoked
  Result<PendingAct> Propose(Act act, std::string_view content, std::string_view subject,
                             const Caller& caller);
  // In:     decision  DSSE JSON by the caller's own signing key (approval_decision.h): it names
  // this
  //                   approval, this hash and what is decided
  //         caller    who the channel says it is; whether that person still has access, their roles
  //                   and their key are those of the moment in which the act is carried out
  // Errors: kNotFound; kConflict  not pending, expired, or another hash than the pending one;
  //         kPermissionDenied  the proposer, or a role that may not approve this act, or somebody
  //         whose access has ended or whose key is revoked, or the proposer may not propose it any
  //         more or was given other keys or roles since; kInvalidArgument  no decision of this
  //         kind; kCorrupt  the signature is not the caller's, or the stored act is not as it was
  //         proposed; those of Carry: nothing changed then
  Result<PendingAct> Approve(std::string_view decision, const Caller& caller);
  Result<PendingAct> Reject(std::string_view decision, const Caller& caller);  // proposer too
  // By the proposer alone, in an emergency, for acts whose rule allows it. The second person is
  // waived, not the role: the proposer must be of those who may approve. Everybody who oversees is
  // told.
  Result<PendingAct> CarryUrgently(std::string_view decision, const Caller& caller);
  // Upholds or overturns: by a supervisor other than who carried it out. Overturned: told to all;
  // what was begun is stopped by the stop control.
  Result<PendingAct> Review(std::string_view decision, const Caller& caller);

  // Errors: kNotFound; kCorrupt  the stored act is not as it was proposed
  Result<PendingAct> Get(std::string_view id) const;
  // What an open act is about as it stands now (ActHandler::Details), empty if there is nothing to
  // add or the reader may not read it. Recorded as read before it is returned.
  Result<std::string> Details(const PendingAct& act, const Caller& reader) const;
  // Newest first. `open`: pending ones and those whose review is due. One that is not as it was
  // proposed says so instead of its words.
  Result<std::vector<PendingAct>> List(bool open, std::uint32_t limit) const;
  // Expires what is due, and tells of reviews that are overdue. About every ten seconds.
  // Errors: kCorrupt  acts that were due are not as they were proposed; they were ended, and all
  //                   others handled. Else those of the store and the log
  Status Housekeep();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace comity::identity
