// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "comity/v1/audit.pb.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "policy/model/ids.h"
#include "services/audit/journal.h"
#include "services/audit/payload.h"
#include "services/identity/approvals.h"
#include "services/identity/people.h"
#include "services/matching/search_commitments.h"
#include "services/runtime/clock.h"
#include "services/store/store.h"

namespace comity::gateway {

// Which payloads of the log are to be opened, and on whose request.
struct OpeningOrder {
  std::vector<std::uint64_t> entries;  // 1..64, rising
  std::vector<std::string> days;       // 0..31 UTC days: whose commitments are opened, too
  std::string order;                   // reference of the lawful request, 1..120
  std::string reason;                  // 1..1000
};

// Opens what the log only commits to, when a data protection officer has agreed: act audit-open
// (docs/formats/payload_opening.md). The proposer fetches it, within kFetchTime of the approval;
// each fetch is in the log, an entry for each payload, before anything leaves.
//
// Threads: thread-safe.
class PayloadOpening final : public identity::ActHandler {
 public:
  static constexpr std::size_t kMaxEntries = 64;
  static constexpr std::size_t kMaxDays = 31;
  static constexpr std::chrono::hours kFetchTime{24};

  struct Ports {  // all references must outlive the object
    const store::Store& store;
    audit::Journal& journal;
    const SecretBytes& kek;
    const identity::People& people;
    identity::Approvals& approvals;
    policy::AgencyId own;
    const runtime::Clock& clock;
  };
  // Handles the act audit-open.
  explicit PayloadOpening(Ports ports);

  // In:     order  untrusted
  // Errors: kInvalidArgument  names the field; kNotFound  an entry that the log has not; those of
  //         Approvals::Propose
  Result<identity::PendingAct> Propose(const OpeningOrder& order, const identity::Caller& caller);
  // What was agreed to, recorded as opened. Nothing may leave before.
  // Errors: kNotFound; kPermissionDenied  the caller did not propose it; kConflict  it is not
  //         approved, its time to be fetched is over, or its approval is of somebody who would not
  //         decide it now; kCorrupt  the approval is not as it was signed; those of the log
  Result<OpeningOrder> Begin(const std::string& approval, const identity::Caller& caller);
  // One of its entries. Errors: those of audit::OpenPayload
  Result<v1::OpenedEntry> Open(std::uint64_t index, const std::vector<std::string>& days) const;

  Result<std::string> Describe(std::string_view content) const override;
  Result<AfterCommit> Carry(store::Transaction& transaction, audit::Recorder& recorder,
                            const identity::PendingAct& act, const policy::PersonId& by) override;

 private:
  Status CheckAgreed(const identity::PendingAct& act, const identity::Caller& caller) const;
  Result<std::string> WordsOf(std::uint64_t index) const;
  Status AddDays(const audit::OpenedPayload& opened, const std::vector<std::string>& days,
                 v1::OpenedEntry& entry) const;

  Ports ports_;
  matching::Committer committer_;
};

}  // namespace comity::gateway
