// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/audit/journal.h"
#include "services/identity/people.h"
#include "services/identity/role.h"
#include "services/runtime/clock.h"
#include "services/store/notice_store.h"
#include "services/store/store.h"

namespace comity::identity {

// What people are told of: a closed list.
namespace notice {
inline constexpr std::string_view kApprovalAsked = "approval-asked";
inline constexpr std::string_view kApprovalDecided = "approval-decided";
inline constexpr std::string_view kUrgentAct = "urgent-act";
inline constexpr std::string_view kReviewOverdue = "review-overdue";
inline constexpr std::string_view kApprovalsChanged = "approvals-changed";
inline constexpr std::string_view kStopped = "stopped";
inline constexpr std::string_view kStopLifted = "stop-lifted";
inline constexpr std::string_view kAlarm = "alarm";
inline constexpr std::string_view kAgreementReview = "agreement-review-due";
inline constexpr std::string_view kAgreementChanged = "agreement-changed";
inline constexpr std::string_view kStatusDiffers = "agreement-status-differs";
inline constexpr std::string_view kPeerOutage = "peer-outage";
inline constexpr std::string_view kPeerReturned = "peer-returned";
inline constexpr std::string_view kPeerKeys = "peer-keys-changed";
inline constexpr std::string_view kPeerNotice = "peer-notice";
inline constexpr std::string_view kCertificateRevoked = "certificate-revoked";
inline constexpr std::string_view kCertificateReinstated = "certificate-reinstated";
inline constexpr std::string_view kWithdrawalUnacknowledged = "withdrawal-unacknowledged";
inline constexpr std::string_view kErasureOverdue = "erasure-overdue";
inline constexpr std::string_view kBarUnlisted = "bar-unlisted";
inline constexpr std::string_view kHoldReview = "hold-review-due";
inline constexpr std::string_view kReceiptMissing = "receipt-missing";
inline constexpr std::string_view kAlertsChanged = "alerts-changed";
inline constexpr std::string_view kLoneAct = "act-of-one-person";
inline constexpr std::string_view kConfigurationChanged = "configuration-changed";
inline constexpr std::string_view kRestored = "restored";
inline constexpr std::string_view kTamperFound = "tamper-found";
inline constexpr std::string_view kTablesBound = "tables-bound";
}  // namespace notice

struct Notice {
  std::string_view kind;  // of the list above
  RoleSet audience;
  std::string subject;  // what it is about, 1..128
  std::string words;    // 1..4000; no face, no person's name
};
using StoredNotice = store::NoticeRecord;

// Notices to people, stored with the act that causes them and streamed to those who watch.
//
// Threads: thread-safe.
class Notices {
 public:
  struct Setup {
    const store::Store& store;
    audit::Journal& journal;
    policy::AgencyId own;
    const runtime::Clock& clock;
  };
  explicit Notices(Setup setup);
  ~Notices();

  // Within a unit of work, so that act and notice are stored together. Call Announce() once the
  // commit is durable.
  // Errors: kInternal  the notice is outside its bounds
  Status Post(store::Transaction& transaction, audit::Recorder& recorder,
              const Notice& notice) const;
  // Its own unit of work, announced.
  Status Post(const Notice& notice);
  // Wakes those who watch.
  void Announce();
  // How often was announced since the start.
  std::uint64_t announced() const;
  // Waits until announced() is above `seen`, or `patience` is over; returns announced().
  std::uint64_t AwaitAnnouncement(std::uint64_t seen, std::chrono::milliseconds patience) const;

  // Those that concern one of the roles, above `after`, oldest first; `open`: those that one of
  // these roles has not acknowledged.
  Result<std::vector<StoredNotice>> List(RoleSet roles, std::uint64_t after, bool open,
                                         std::uint32_t limit) const;
  // For every role of the caller that the notice is for. Each role acknowledges for itself.
  // Errors: kNotFound  no such notice for these roles; kConflict  acknowledged already
  Status Acknowledge(std::uint64_t number, const Caller& caller);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace comity::identity
