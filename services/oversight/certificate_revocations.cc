// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/certificate_revocations.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "crypto/base/encoding.h"
#include "services/audit/events.h"
#include "services/identity/visible_text.h"
#include "services/oversight/lockout.h"
#include "services/store/setting_store.h"

namespace comity::oversight {
namespace {

using identity::Role;

constexpr std::string_view kSetting = "certificate-revocations";
constexpr std::string_view kRevoked = "certificate/";
constexpr std::string_view kReinstated = "certificate-reinstated/";
constexpr std::string_view kBy = "erasure-ledger";  // in place of who decided
constexpr std::string_view kKept =
    "What this gateway barred stays barred: its table is put back from memory";
constexpr std::string_view kForgotten =
    "the erasure ledger lists it, and the database had forgotten it: it was put back from a "
    "backup, or changed";
// Whoever may revoke, approve, or must see that somebody did.
constexpr identity::RoleSet kAudience{
    Role::kSupervisor,    Role::kReleaseOfficer,  Role::kDpo, Role::kSignatory, Role::kAuditor,
    Role::kAdministrator, Role::kKeyAdministrator};

std::string NewId(RandomSource& random) {
  std::array<std::uint8_t, 16> octets;
  random.Fill(octets);
  return "rev-" + EncodeHex(octets);
}

// certificate/ID/SCOPE/SHA-256: all of public things, so that the row can be made again from it.
std::string AboutOf(const CertificateRevocation& one) {
  return std::string(kRevoked) + one.id + "/" + std::string(Name(one.scope)) + "/" +
         EncodeHex(one.sha256.view());
}
std::string AboutLifting(std::string_view id) {
  return std::string(kReinstated) + std::string(id);
}

Result<CertificateRevocation> FromAbout(std::string_view about) {
  about.remove_prefix(kRevoked.size());
  const std::size_t first = about.find('/');
  const std::size_t last = about.rfind('/');
  CertificateRevocation one;
  if (first != std::string_view::npos && first != last) {
    one.id = about.substr(0, first);
    const auto scope = ScopeOf(about.substr(first + 1, last - first - 1));
    const auto sha256 = ParseHexDigest(about.substr(last + 1));
    if (scope && sha256) {
      one.scope = *scope;
      one.sha256 = *sha256;
      return one;
    }
  }
  return Fail(ErrorCode::kCorrupt,
              "the erasure ledger has a line of a revoked certificate that "
              "cannot be read: it is damaged, or of a newer version");
}

auto Find(RevocationTable& table, std::string_view id) {
  return std::ranges::find(table.revocations, id, &CertificateRevocation::id);
}

// Makes room for one more. The ledger still knows that a dropped one was lifted.
Status MakeRoom(RevocationTable& table) {
  if (table.revocations.size() < RevocationTable::kMost) return {};
  const auto oldest =
      std::ranges::find_if(table.revocations, [](const auto& one) { return !one.stands(); });
  if (oldest == table.revocations.end()) {
    return Fail(ErrorCode::kExhausted,
                "1000 certificates and keys are revoked here; let their authorities revoke them, "
                "or suspend the partner, and lift what stands no more for anything");
  }
  table.revocations.erase(oldest);
  return {};
}

}  // namespace

CertificateRevocations::CertificateRevocations(Setup setup)
    : setup_(std::move(setup)),
      waiting_({setup_.store, setup_.journal, setup_.people, setup_.notices, setup_.own, setup_.kek,
                setup_.clock, setup_.logger}) {}

Result<std::unique_ptr<CertificateRevocations>> CertificateRevocations::Open(Setup setup) {
  std::unique_ptr<CertificateRevocations> opened(new CertificateRevocations(std::move(setup)));
  COMITY_RETURN_IF_ERROR(opened->Refresh());
  COMITY_RETURN_IF_ERROR(opened->Recover());
  return opened;
}

Result<RevocationTable> CertificateRevocations::ReadFrom(
    const store::Transaction& transaction) const {
  COMITY_ASSIGN_OR_RETURN(const auto text, transaction.settings().Find(kSetting));
  RevocationTable table;
  if (text) {
    COMITY_ASSIGN_OR_RETURN(table, OpenRevocationTable(*text, setup_.own, setup_.kek));
  }
  // This gateway alone writes it, and each version is in memory only once it is durable.
  const auto known = Table();
  if (table.version < known->version ||
      (table.version == known->version && table.revocations != known->revocations)) {
    return Fail(ErrorCode::kCorrupt,
                "the table of revoked certificates is an older one than this gateway wrote: the "
                "database was changed");
  }
  return table;
}

// What was read last is never behind what a lifting would need to be forgotten: a revocation is in
// memory before the next change, so at worst a lifting is lost, which two people do again.
Result<RevocationTable> CertificateRevocations::ReadInForce(store::Transaction& transaction,
                                                            audit::Recorder& recorder) const {
  auto read = ReadFrom(transaction);
  if (read || read.error().code != ErrorCode::kCorrupt) return read;
  const std::string& fault = read.error().detail;
  setup_.logger.Error("tamper-found", {{"table", kSetting}, {"reason", fault}, {"effect", kKept}});
  audit::Event event;
  event.type = audit::kTamperFound;
  event.time = setup_.clock.Now();
  event.parties = {setup_.own};
  event.decision_code = std::string(kSetting);
  event.committed = {{"reason", fault}};
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  COMITY_RETURN_IF_ERROR(setup_.notices.Post(
      transaction, recorder,
      {identity::notice::kTamperFound, kAudience, "setting " + std::string(kSetting),
       fault + ". " + std::string(kKept) + ". Find out who writes to the database."}));
  return *Table();
}

Status CertificateRevocations::Write(store::Transaction& transaction,
                                     RevocationTable& table) const {
  ++table.version;
  COMITY_ASSIGN_OR_RETURN(const std::string text,
                          SealRevocationTable(table, setup_.own, setup_.kek));
  return transaction.settings().Put(kSetting, text);
}

Status CertificateRevocations::Note(store::Transaction& transaction, audit::Recorder& recorder,
                                    const CertificateRevocation& one) const {
  const bool lifted = !one.stands();
  const std::string sha256 = EncodeHex(one.sha256.view());
  const std::string& reason = lifted ? one.lift_reason : one.reason;
  audit::Event event;
  event.type = lifted ? audit::kCertificateReinstated : audit::kCertificateRevoked;
  event.time = lifted ? one.lifted_at : one.set_at;
  event.parties = {setup_.own};
  event.decision_code = std::string(Name(one.scope));
  event.committed = {{"revocation", one.id},
                     {"sha256", sha256},
                     {"subject", one.subject},
                     {"reason", reason},
                     {"operator", lifted ? one.lifted_by : one.set_by}};
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  const std::string what = std::string(Name(one.scope)) + " " + sha256 +
                           (one.subject.empty() ? "" : " of " + one.subject);
  const std::string words =
      lifted ? "The " + what + " is taken again: " + reason
             : "The " + what + " was revoked at this gateway by " + one.set_by + ": " + reason;
  return setup_.notices.Post(
      transaction, recorder,
      {lifted ? identity::notice::kCertificateReinstated : identity::notice::kCertificateRevoked,
       kAudience, one.id, words});
}

void CertificateRevocations::Adopt(RevocationTable table) {
  const std::lock_guard one_at_a_time(changing_);
  // Another thread's, made after this one, may have come first.
  if (table.version < Table()->version) return;
  const auto now = std::make_shared<const RevocationTable>(std::move(table));
  table_.With([&](auto& held) { held = now; });
  if (listener_) listener_(*now);
}

// Without the lock: an answer that takes long keeps no other key from being barred.
void CertificateRevocations::AwaitSettled() {
  Settle settle;
  {
    const std::lock_guard one_at_a_time(changing_);
    settle = settle_;
  }
  if (settle) settle();
}

void CertificateRevocations::OnChange(Listener listener, Settle settle) {
  {
    const std::lock_guard one_at_a_time(changing_);
    listener_ = std::move(listener);
    settle_ = std::move(settle);
    listener_(*Table());
  }
  AwaitSettled();
}

Status CertificateRevocations::Refresh() {
  RevocationTable table;
  COMITY_RETURN_IF_ERROR(setup_.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(table, ReadFrom(transaction));
    return {};
  }));
  Adopt(std::move(table));
  AwaitSettled();
  return {};
}

// A lifting that the ledger has not listed is in the table, or was lost with it: then the
// revocation stands again, until two people lift it again.
Status CertificateRevocations::Recover() {
  std::vector<CertificateRevocation> lost;
  {
    const std::lock_guard one_pass(listing_);
    std::map<std::string, CertificateRevocation> revoked;
    COMITY_RETURN_IF_ERROR(setup_.ledger.Visit(
        [&](const backup::LedgerLine& line, const backup::LedgerPosition&) -> Status {
          if (line.kind != backup::line_kind::kBarred) return {};
          if (line.about.starts_with(kReinstated)) listed_.insert(line.about);
          if (!line.about.starts_with(kRevoked)) return {};
          listed_.insert(line.about);
          COMITY_ASSIGN_OR_RETURN(CertificateRevocation one, FromAbout(line.about));
          revoked.insert_or_assign(one.id, std::move(one));
          return {};
        }));
    RevocationTable known = *Table();
    for (auto& [id, one] : revoked) {
      if (listed_.contains(AboutLifting(id)) || Find(known, id) != known.revocations.end()) {
        continue;
      }
      one.set_by = kBy;
      one.reason = kForgotten;
      one.set_at = setup_.clock.Now();
      lost.push_back(std::move(one));
    }
  }
  if (lost.empty()) return UpholdAtStart();
  RevocationTable table;
  COMITY_RETURN_IF_ERROR(setup_.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        COMITY_ASSIGN_OR_RETURN(table, ReadFrom(transaction));
        for (const CertificateRevocation& one : lost) {
          COMITY_RETURN_IF_ERROR(MakeRoom(table));
          table.revocations.push_back(one);
          COMITY_RETURN_IF_ERROR(Note(transaction, recorder, one));
        }
        return Write(transaction, table);
      }));
  Adopt(std::move(table));
  AwaitSettled();
  setup_.notices.Announce();
  setup_.logger.Error("revocations-recovered", {{"revocations", std::int64_t(lost.size())}});
  return UpholdAtStart();
}

// Acts that the database keeps waiting are refused to whoever approves them: no reason to serve
// nobody.
Status CertificateRevocations::UpholdAtStart() {
  COMITY_RETURN_IF_ERROR(Uphold());
  static_cast<void>(waiting_.RejectAll(*Table()));  // it logs and tells, and is tried again
  return {};
}

Result<CertificateRevocation> CertificateRevocations::Revoke(const RevocationOrder& order,
                                                             const policy::PersonId& by) {
  COMITY_RETURN_IF_ERROR(
      identity::CheckVisibleText("a reason", order.reason, RevocationOrder::kMaxReason));
  if (!order.subject.empty()) {
    COMITY_RETURN_IF_ERROR(
        identity::CheckVisibleText("a subject", order.subject, RevocationOrder::kMaxSubject));
  }
  CertificateRevocation one;
  one.id = NewId(setup_.random);
  one.scope = order.scope;
  one.sha256 = order.sha256;
  one.subject = order.subject;
  one.set_by = by.text();
  one.reason = order.reason;
  one.set_at = setup_.clock.Now();
  std::unique_lock alone(writing_);
  RevocationTable table;
  COMITY_RETURN_IF_ERROR(setup_.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        COMITY_ASSIGN_OR_RETURN(table, ReadInForce(transaction, recorder));
        for (const CertificateRevocation& other : table.revocations) {
          if (!other.stands() || other.scope != one.scope || other.sha256 != one.sha256) continue;
          return Fail(ErrorCode::kConflict, "it is revoked already: " + other.id);
        }
        COMITY_ASSIGN_OR_RETURN(const auto people, setup_.people.ListIn(transaction));
        COMITY_RETURN_IF_ERROR(CheckLockout(people, table, one));
        COMITY_RETURN_IF_ERROR(CheckShare(table, one));
        COMITY_RETURN_IF_ERROR(MakeRoom(table));
        table.revocations.push_back(one);
        COMITY_RETURN_IF_ERROR(Note(transaction, recorder, one));
        return Write(transaction, table);
      }));
  Adopt(std::move(table));
  alone.unlock();
  AwaitSettled();
  setup_.notices.Announce();
  // Nobody's revocation fails because of a ledger: it is in force, and listed as soon as that
  // works.
  static_cast<void>(Housekeep());
  return one;
}

Status CertificateRevocations::CheckKey(const store::Transaction& transaction,
                                        const identity::Person& person) const {
  auto table = ReadFrom(transaction);
  if (!table && table.error().code != ErrorCode::kCorrupt) return Fail(table.error());
  const RevocationTable in_force = table ? *std::move(table) : *Table();
  for (const CertificateRevocation& one : in_force.revocations) {
    if (!one.stands() || one.scope != RevocationScope::kKey || one.sha256 != person.tls_key) {
      continue;
    }
    return Fail(ErrorCode::kPermissionDenied, "the key of " + person.id.text() +
                                                  " was revoked at this gateway (" + one.id +
                                                  "): what it proposed is rejected, and it decides "
                                                  "nothing");
  }
  return {};
}

Result<CertificateRevocation> CertificateRevocations::Reinstate(store::Transaction& transaction,
                                                                audit::Recorder& recorder,
                                                                const std::string& id,
                                                                const policy::PersonId& by,
                                                                const std::string& reason) const {
  COMITY_ASSIGN_OR_RETURN(RevocationTable table, ReadInForce(transaction, recorder));
  const auto found = Find(table, id);
  if (found == table.revocations.end()) {
    return Fail(ErrorCode::kNotFound, "there is no revocation " + id);
  }
  if (!found->stands()) return Fail(ErrorCode::kConflict, id + " is lifted already");
  found->lifted_by = by.text();
  found->lift_reason = reason;
  found->lifted_at = setup_.clock.Now();
  const CertificateRevocation lifted = *found;
  COMITY_RETURN_IF_ERROR(waiting_.Reject(transaction, recorder, lifted));
  COMITY_RETURN_IF_ERROR(Note(transaction, recorder, lifted));
  COMITY_RETURN_IF_ERROR(Write(transaction, table));
  return lifted;
}

Status CertificateRevocations::Housekeep() {
  const Status upheld = Uphold();
  const Status rejected = waiting_.RejectAll(*Table());
  return upheld ? rejected : upheld;
}

Status CertificateRevocations::Uphold() {
  const Status put_back = PutBack();
  COMITY_RETURN_IF_ERROR(ListUnlisted());
  return put_back;
}

// A look first: nothing is written when the database holds what is in force.
Status CertificateRevocations::PutBack() {
  Status held = setup_.store.Read([&](const store::Transaction& transaction) -> Status {
    return ReadFrom(transaction).map([](const auto&) {});
  });
  if (held || held.error().code != ErrorCode::kCorrupt) return held;
  std::unique_lock alone(writing_);
  RevocationTable table;
  bool is_changed = false;
  COMITY_RETURN_IF_ERROR(setup_.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        // Under the lock, since another change may have come in between.
        is_changed = !ReadFrom(transaction);
        if (!is_changed) return {};
        COMITY_ASSIGN_OR_RETURN(table, ReadInForce(transaction, recorder));
        return Write(transaction, table);
      }));
  if (!is_changed) return {};
  Adopt(std::move(table));
  setup_.notices.Announce();
  return {};
}

Status CertificateRevocations::ListUnlisted() {
  const std::lock_guard one_pass(listing_);
  std::vector<std::string> unlisted;
  const auto add = [&](std::string about) {
    if (!listed_.contains(about)) unlisted.push_back(std::move(about));
  };
  for (const CertificateRevocation& one : Table()->revocations) {
    add(AboutOf(one));
    if (!one.stands()) add(AboutLifting(one.id));
  }
  if (unlisted.empty()) return {};
  const Status listed = ListIn(std::move(unlisted));
  if (!listed) {
    setup_.logger.Error("revocations-not-listed", {{"reason", listed.error().detail}});
  }
  return listed;
}

Status CertificateRevocations::ListIn(std::vector<std::string> unlisted) {
  std::uint64_t size = 0;
  COMITY_RETURN_IF_ERROR(setup_.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(size, transaction.audit().Size());
    return {};
  }));
  for (std::string& about : unlisted) {
    COMITY_RETURN_IF_ERROR(setup_.ledger.Note(backup::line_kind::kBarred, about, size));
    listed_.insert(std::move(about));
  }
  return {};
}

Result<CertificateRevocation> CertificateRevocations::Get(std::string_view id) const {
  RevocationTable table = *Table();
  const auto found = Find(table, id);
  if (found == table.revocations.end()) {
    return Fail(ErrorCode::kNotFound, "there is no revocation " + std::string(id));
  }
  return *found;
}

std::vector<CertificateRevocation> CertificateRevocations::List(bool all) const {
  std::vector<CertificateRevocation> list;
  for (const CertificateRevocation& one : Table()->revocations) {
    if (all || one.stands()) list.push_back(one);
  }
  std::ranges::reverse(list);
  return list;
}

}  // namespace comity::oversight
