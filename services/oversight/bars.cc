// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/bars.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/base/encoding.h"
#include "services/store/outbox_store.h"

namespace comity::oversight {

using identity::Peer;
using identity::PeerState;
using identity::Person;
using identity::Role;

namespace {

constexpr std::string_view kPerson = "person";
constexpr std::string_view kPartner = "partner";
constexpr std::string_view kPersonId = "person-id";
constexpr std::string_view kBy = "erasure-ledger";  // in place of who decided
constexpr std::string_view kReason = "barred: ended after the backup";
constexpr std::size_t kAdministratorsForAnAct = 2;
constexpr identity::RoleSet kToldOfUnlisted{Role::kAdministrator, Role::kKeyAdministrator,
                                            Role::kDpo, Role::kAuditor};
constexpr identity::RoleSet kToldOfUpheld{Role::kAdministrator, Role::kKeyAdministrator,
                                          Role::kSupervisor,    Role::kDpo,
                                          Role::kSignatory,     Role::kAuditor};

// What a line says of one enrolment. The time from which it counted tells it from every other one
// of the same id, with whatever keys.
std::string AboutOf(const ErasureLedger& ledger, std::string_view kind, const std::string& id,
                    policy::Instant since) {
  const Digest name = ledger.Commit(kind, id + "/" + policy::EncodeInstant(since));
  return std::string(kind) + "/" + EncodeHex(name.view());
}

// That access under this id ended at least once, whenever it began.
std::string AboutOf(const ErasureLedger& ledger, const policy::PersonId& id) {
  return std::string(kPersonId) + "/" + EncodeHex(ledger.Commit(kPersonId, id.text()).view());
}

bool IsAdministrator(const Person& person) {
  return person.active && person.roles.Has(Role::kAdministrator);
}

std::string UpheldWords(const Bars::Upheld& upheld, std::size_t administrators) {
  std::string words =
      "The database of this node was older than its erasure ledger. In force in it were people who "
      "had been revoked: " +
      std::to_string(upheld.people) +
      ", partners that had been removed: " + std::to_string(upheld.partners) +
      ". They are out again; 'comity person list' and 'comity peer list' show them. Who was let "
      "back in after that must be enrolled anew.";
  if (administrators >= kAdministratorsForAnAct) return words;
  return words + " Administrators that are left: " + std::to_string(administrators) +
         ". Name present ones under new ids as [[administrator]] in the configuration and start "
         "the "
         "gateway again: it adds those whose ids it does not know, and none that was ever revoked.";
}

}  // namespace

struct Bars::State {
  explicit State(Setup given) : setup(std::move(given)) {}

  std::string AboutOf(const Person& person) const {
    return oversight::AboutOf(setup.ledger, kPerson, person.id.text(), person.added_at);
  }
  std::string AboutOf(const Peer& peer) const {
    return oversight::AboutOf(setup.ledger, kPartner, peer.terms.agency.text(), peer.enrolled_at);
  }
  std::vector<std::string> Unlisted() const;
  Result<std::uint64_t> LogSize() const;
  Status ListAll(const std::vector<std::string>& unlisted);
  void NoteBehind(const Error& error, std::size_t unlisted);

  const Setup setup;
  std::mutex pass;               // one at a time
  std::set<std::string> listed;  // `about` of every bar in the ledger
  std::optional<policy::Instant> behind_since;
  bool told = false;  // that something is unlisted
};

Bars::Bars(std::unique_ptr<State> state) : state_(std::move(state)) {}
Bars::~Bars() = default;

Result<std::unique_ptr<Bars>> Bars::Open(Setup setup) {
  auto state = std::make_unique<State>(std::move(setup));
  COMITY_RETURN_IF_ERROR(state->setup.ledger.Visit(
      [&](const backup::LedgerLine& line, const backup::LedgerPosition&) -> Status {
        if (line.kind == backup::line_kind::kBarred) state->listed.insert(line.about);
        return {};
      }));
  return std::unique_ptr<Bars>(new Bars(std::move(state)));
}

Result<std::vector<Person>> Bars::WithoutBarred(const ErasureLedger& ledger,
                                                std::vector<Person> people) {
  std::set<std::string> barred;
  COMITY_RETURN_IF_ERROR(
      ledger.Visit([&](const backup::LedgerLine& line, const backup::LedgerPosition&) -> Status {
        if (line.kind == backup::line_kind::kBarred) barred.insert(line.about);
        return {};
      }));
  std::erase_if(people, [&](const Person& person) {
    return barred.contains(oversight::AboutOf(ledger, person.id));
  });
  return people;
}

Result<Bars::Upheld> Bars::Uphold() {
  const std::lock_guard lock(state_->pass);
  const Setup& setup = state_->setup;
  std::vector<policy::PersonId> people;
  std::size_t administrators = 0;
  for (const Person& person : setup.people.List()) {
    const bool barred = person.active && state_->listed.contains(state_->AboutOf(person));
    if (barred) people.push_back(person.id);
    if (!barred && IsAdministrator(person)) ++administrators;
  }
  std::vector<policy::AgencyId> partners;
  for (const Peer& peer : setup.peers.List()) {
    const bool barred =
        peer.state != PeerState::kRemoved && state_->listed.contains(state_->AboutOf(peer));
    if (barred) partners.push_back(peer.terms.agency);
  }
  const Upheld upheld{people.size(), partners.size()};
  if (people.empty() && partners.empty()) return upheld;
  COMITY_ASSIGN_OR_RETURN(const auto by, policy::PersonId::Parse(kBy));
  const std::string reason(kReason);
  COMITY_RETURN_IF_ERROR(
      setup.journal.Commit([&](store::Transaction& tx, audit::Recorder& recorder) -> Status {
        for (const policy::PersonId& person : people) {
          COMITY_RETURN_IF_ERROR(setup.people.EndAgain(tx, recorder, person, {by.text(), reason}));
        }
        for (const policy::AgencyId& partner : partners) {
          COMITY_RETURN_IF_ERROR(setup.peers.Remove(tx, recorder, partner, {by, reason}));
          // As when it was removed: what waited for it then is not sent to it later.
          COMITY_RETURN_IF_ERROR(tx.outbox().Discard(partner));
        }
        return setup.notices.Post(tx, recorder,
                                  {identity::notice::kRestored, kToldOfUpheld, "erasure ledger",
                                   UpheldWords(upheld, administrators)});
      }));
  COMITY_RETURN_IF_ERROR(setup.people.Refresh());
  COMITY_RETURN_IF_ERROR(setup.peers.Refresh());
  setup.notices.Announce();
  setup.logger.Warn("bars-upheld", {{"people", static_cast<std::int64_t>(upheld.people)},
                                    {"partners", static_cast<std::int64_t>(upheld.partners)}});
  if (administrators < kAdministratorsForAnAct) {
    setup.logger.Error(
        "administrators-few",
        {{"left", static_cast<std::int64_t>(administrators)},
         {"do", "name present ones under new ids as [[administrator]] in the configuration"}});
  }
  return upheld;
}

std::vector<std::string> Bars::State::Unlisted() const {
  std::vector<std::string> unlisted;
  const auto add = [&](std::string about) {
    if (!listed.contains(about)) unlisted.push_back(std::move(about));
  };
  for (const Person& person : setup.people.List()) {
    if (person.active) continue;
    add(AboutOf(person));
    add(oversight::AboutOf(setup.ledger, person.id));
  }
  for (const Peer& peer : setup.peers.List()) {
    if (peer.state == PeerState::kRemoved) add(AboutOf(peer));
  }
  return unlisted;
}

Result<std::uint64_t> Bars::State::LogSize() const {
  std::uint64_t size = 0;
  COMITY_RETURN_IF_ERROR(setup.store.Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(size, tx.audit().Size());
    return {};
  }));
  return size;
}

Status Bars::State::ListAll(const std::vector<std::string>& unlisted) {
  COMITY_ASSIGN_OR_RETURN(const std::uint64_t size, LogSize());
  for (const std::string& about : unlisted) {
    COMITY_RETURN_IF_ERROR(setup.ledger.Note(backup::line_kind::kBarred, about, size));
    listed.insert(about);
  }
  return {};
}

void Bars::State::NoteBehind(const Error& error, std::size_t unlisted) {
  const policy::Instant now = setup.clock.Now();
  if (!behind_since) {
    behind_since = now;
    setup.logger.Error("bars-not-listed", {{"reason", error.detail}});
  }
  if (told || now - *behind_since < kGrace) return;
  const Status posted = setup.notices.Post(
      {identity::notice::kBarUnlisted, kToldOfUnlisted, "erasure ledger",
       "Revoked people and removed partners that the erasure ledger could not list since " +
           policy::EncodeInstant(*behind_since) + ": " + std::to_string(unlisted) +
           ". They are out, but would be back if this node were put back from a backup. The "
           "gateway's own log says why; it is tried again all the time."});
  told = posted.has_value();
}

Status Bars::List() {
  const std::lock_guard lock(state_->pass);
  const std::vector<std::string> unlisted = state_->Unlisted();
  const Status listed = unlisted.empty() ? Status() : state_->ListAll(unlisted);
  if (!listed) {
    state_->NoteBehind(listed.error(), state_->Unlisted().size());
    return listed;
  }
  state_->behind_since.reset();
  state_->told = false;
  return {};
}

}  // namespace comity::oversight
