// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "services/identity/approvals.h"
#include "services/watchlists/register.h"

namespace comity::watchlists {

// The acts on lists that need two people. Their content is canonical JSON of a closed schema
// (docs/formats/watchlist_definition.md, "Life"); what it says of a list is checked again when it
// is carried out.

// Called after a commit with the list whose searchable content has changed.
using ListChanged = std::function<void(const policy::WatchlistId&)>;

// The draft exactly as it stands: definition, entries and every change of them, by their digest.
// Errors: those of Register::CheckApprovable
Result<std::string> ContentToApprove(const Register& lists, const policy::WatchlistId& draft);
// These entries exactly as they stand. In: references  1..500
// Errors: kInvalidArgument  how many; those of Register::View
Result<std::string> ContentToClear(const Register& lists, const policy::WatchlistId& list,
                                   std::span<const std::string> references);
// Exactly the restriction that stands. Errors: those of Register::View
Result<std::string> ContentToUnrestrict(const Register& lists, const policy::WatchlistId& list,
                                        std::string_view reference, std::string_view reason);

// What an approver reads of a list: its definition and what it does (WL-6).
std::string WordsOf(const ListStatus& status);

// Act::kWatchlistApprove. Threads: thread-safe.
class ApproveListAct final : public identity::ActHandler {
 public:
  // `lists` must outlive the object.
  ApproveListAct(Register& lists, ListChanged changed)
      : lists_(lists), changed_(std::move(changed)) {}
  Result<std::string> Describe(std::string_view content) const override;
  Result<AfterCommit> Carry(store::Transaction& transaction, audit::Recorder& recorder,
                            const identity::PendingAct& act, const policy::PersonId& by) override;

 private:
  Register& lists_;
  ListChanged changed_;
};

// Act::kEntryApprove. Its words name references only, so that nothing of an entry outlives its key
// in them. Threads: thread-safe.
class ApproveEntriesAct final : public identity::ActHandler {
 public:
  ApproveEntriesAct(Register& lists, ListChanged changed)
      : lists_(lists), changed_(std::move(changed)) {}
  Result<std::string> Describe(std::string_view content) const override;
  Result<std::string> Details(std::string_view content, const Reading& reading) const override;
  Result<AfterCommit> Carry(store::Transaction& transaction, audit::Recorder& recorder,
                            const identity::PendingAct& act, const policy::PersonId& by) override;

 private:
  Register& lists_;
  ListChanged changed_;
};

// Act::kEntryUnrestrict; as above. Threads: thread-safe.
class UnrestrictAct final : public identity::ActHandler {
 public:
  UnrestrictAct(Register& lists, ListChanged changed)
      : lists_(lists), changed_(std::move(changed)) {}
  Result<std::string> Describe(std::string_view content) const override;
  Result<std::string> Details(std::string_view content, const Reading& reading) const override;
  Result<AfterCommit> Carry(store::Transaction& transaction, audit::Recorder& recorder,
                            const identity::PendingAct& act, const policy::PersonId& by) override;

 private:
  Register& lists_;
  ListChanged changed_;
};

}  // namespace comity::watchlists
