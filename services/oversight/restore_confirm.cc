// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "crypto/base/canonical_json.h"
#include "services/audit/events.h"
#include "services/identity/json_fields.h"
#include "services/identity/visible_text.h"
#include "services/oversight/restoration.h"

namespace comity::oversight {
namespace {

constexpr std::size_t kMaxContent = 8 * 1024;
constexpr std::size_t kMaxReason = 1000;
// Whom a restored node concerns.
constexpr identity::RoleSet kAudience{
    identity::Role::kSupervisor, identity::Role::kDpo,           identity::Role::kSignatory,
    identity::Role::kAuditor,    identity::Role::kAdministrator, identity::Role::kKeyAdministrator};

struct Content {
  std::string backup;
  std::string origin;
  std::string reason;
};

Result<Content> Parse(std::string_view text) {
  COMITY_ASSIGN_OR_RETURN(auto fields,
                          identity::JsonFields::Parse(text, kMaxContent, "restore-confirm"));
  Content content;
  COMITY_ASSIGN_OR_RETURN(content.backup, fields.Text("backup"));
  COMITY_ASSIGN_OR_RETURN(content.origin, fields.Text("origin"));
  COMITY_ASSIGN_OR_RETURN(content.reason, fields.Text("reason"));
  COMITY_RETURN_IF_ERROR(fields.Finish());
  COMITY_RETURN_IF_ERROR(identity::CheckVisibleText("the reason", content.reason, kMaxReason));
  return content;
}

// The restoration that `content` speaks of, waiting to be confirmed.
Result<Restoration> Waiting(const store::RetentionStore& retention, const Content& content) {
  COMITY_ASSIGN_OR_RETURN(Restoration restoration, retention.Restoration());
  if (restoration.state == RestorationState::kNever) {
    return Fail(ErrorCode::kConflict, "this node was not restored from a backup");
  }
  if (restoration.state == RestorationState::kConfirmed) {
    return Fail(ErrorCode::kConflict, "the restoration was confirmed already");
  }
  if (restoration.backup != content.backup || restoration.log_origin != content.origin) {
    return Fail(ErrorCode::kConflict, "the node was restored anew since; propose it again");
  }
  return restoration;
}

std::string LossWords(const Restoration& restoration) {
  if (restoration.largest_seen <= restoration.log_size) {
    return "The backup holds " + std::to_string(restoration.log_size) +
           " log entries; the ledger knows of no more.";
  }
  return "THIS IS A ROLLBACK: the backup holds " + std::to_string(restoration.log_size) +
         " log entries, the lost log had at least " + std::to_string(restoration.largest_seen) +
         ".";
}

std::string Words(const Restoration& restoration, const std::string& reason) {
  const auto at = [](policy::Instant instant) { return policy::EncodeInstant(instant); };
  return "Lets this node search and exchange again. It was restored at " +
         at(restoration.restored_at) + " from backup " + restoration.backup + " of " +
         at(restoration.made_at) + ".\n" + LossWords(restoration) +
         "\nThe erasure ledger reaches to " + at(restoration.ledger_until) +
         ": compare with when the node was lost. " + std::to_string(restoration.replayed) +
         " records that were erased after the backup were erased again.\n"
         "People who were revoked and partners that were removed after the backup are out again, "
         "so "
         "far as the ledger lists them; who was added or let back in since must be enrolled anew.\n"
         "What else was done after the backup is forgotten here: check roles that were taken away, "
         "keys that were replaced, partners that were suspended, stops that were set, and "
         "agreements that own people have suspended, terminated or rejected; no partner gives that "
         "back.\n"
         "The log goes on as " +
         restoration.log_origin +
         "; give its key to partners and auditors.\n"
         "Every agreement, list and deployment stays stopped until two people lift its stop. "
         "Searches with a daily limit are refused until the end of the UTC day. A partner is "
         "searched, and searches here, once it was reached.\n"
         "Why it may work again: " +
         reason;
}

}  // namespace

std::string EncodeRestoreConfirm(const Restoration& restoration, std::string_view reason) {
  return TryEncodeCanonicalJson({{"backup", restoration.backup},
                                 {"origin", restoration.log_origin},
                                 {"reason", reason}})
      .value_or("{}");
}

Result<std::string> RestoreConfirm::Describe(std::string_view text) const {
  COMITY_ASSIGN_OR_RETURN(const Content content, Parse(text));
  std::string words;
  COMITY_RETURN_IF_ERROR(setup_.store.Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(const Restoration restoration, Waiting(tx.retention(), content));
    words = Words(restoration, content.reason);
    return {};
  }));
  return words;
}

Result<identity::ActHandler::AfterCommit> RestoreConfirm::Carry(store::Transaction& transaction,
                                                                audit::Recorder& recorder,
                                                                const identity::PendingAct& act,
                                                                const policy::PersonId& by) {
  COMITY_ASSIGN_OR_RETURN(const Content content, Parse(act.content));
  COMITY_ASSIGN_OR_RETURN(Restoration restoration, Waiting(transaction.retention(), content));
  restoration.state = RestorationState::kConfirmed;
  restoration.confirmed_at = setup_.clock.Now();
  COMITY_RETURN_IF_ERROR(transaction.retention().PutRestoration(restoration));
  audit::Event event;
  event.type = audit::kRestorationConfirmed;
  event.time = restoration.confirmed_at;
  event.parties = {setup_.own};
  event.committed = {{"backup", restoration.backup},
                     {"operator", by.text()},
                     {"proposer", act.proposed_by.text()},
                     {"reason", content.reason}};
  event.counts = {{"log_size", static_cast<std::int64_t>(restoration.log_size)},
                  {"largest_seen", static_cast<std::int64_t>(restoration.largest_seen)}};
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  COMITY_RETURN_IF_ERROR(setup_.notices.Post(
      transaction, recorder,
      {identity::notice::kRestored, kAudience, "backup " + restoration.backup,
       "Two people let the restored node work again. " + LossWords(restoration)}));
  return AfterCommit([this] {
    setup_.notices.Announce();
    setup_.confirmed();
  });
}

}  // namespace comity::oversight
