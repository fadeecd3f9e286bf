// SPDX-License-Identifier: Apache-2.0
#include "services/agreements/register_state.h"

#include <algorithm>
#include <utility>

#include "crypto/sign/dsse.h"
#include "policy/agreement/statement.h"
#include "services/agreements/views.h"
#include "services/audit/events.h"
#include "services/store/agreement_life_store.h"

namespace comity::agreements {

using policy::AgencyId;
using policy::Instant;

namespace {

// What a peer can make this gateway keep.
constexpr std::size_t kMaxVersions = 10'000;
constexpr std::size_t kMaxPeerStatus = 32;

Published Together(Catalogue catalogue, PeerStatuses peers, policy::AgreementSet set) {
  return Published{std::make_shared<const Catalogue>(std::move(catalogue)),
                   std::make_shared<const PeerStatuses>(std::move(peers)),
                   std::make_shared<const policy::AgreementSet>(std::move(set))};
}

// `before` with another catalogue and other words of peers, which differ in one agreement only.
Result<Published> Next(const Published& before, const policy::AgreementId& id, Catalogue catalogue,
                       PeerStatuses peers) {
  COMITY_ASSIGN_OR_RETURN(policy::AgreementSet set, catalogue.Rebuild(*before.set, id, peers));
  return Together(std::move(catalogue), std::move(peers), std::move(set));
}

Submitted Answer(const Published& state, const policy::AgreementRef& ref, Instant now, bool known) {
  return {ref, StatusText(*state.set, ref, now), known};
}

std::string VersionWords(const policy::AgreementRef& ref) {
  return ref.id.text() + " version " + std::to_string(ref.version);
}

// A peer's word in a form that every log entry can hold.
std::string CleanStatus(std::string_view status) {
  const bool is_word =
      !status.empty() && status.size() <= kMaxPeerStatus &&
      std::ranges::all_of(status, [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
  return is_word ? std::string(status) : "unreadable";
}

}  // namespace

Status Register::State::Load() {
  const std::lock_guard one_at_a_time(submission_);
  const TrustedKeys keys = Keys();
  Loaded loaded;
  COMITY_RETURN_IF_ERROR(setup_.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(loaded, LoadAgreements(transaction, keys, setup_.clock.Now()));
    return {};
  }));
  COMITY_ASSIGN_OR_RETURN(policy::AgreementSet set, loaded.catalogue.BuildSet(loaded.peers));
  Published next = Together(std::move(loaded.catalogue), std::move(loaded.peers), std::move(set));
  marks_ = std::move(loaded.marks);
  published_.With([&](Published& now) { now = std::move(next); });
  return {};
}

Status Register::State::Commit(Change change) {
  COMITY_RETURN_IF_ERROR(setup_.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        COMITY_RETURN_IF_ERROR(change.write(transaction));
        COMITY_RETURN_IF_ERROR(recorder.Record(change.event));
        for (const identity::Notice& notice : change.notices) {
          COMITY_RETURN_IF_ERROR(setup_.notices.Post(transaction, recorder, notice));
        }
        return {};
      }));
  published_.With([&](Published& now) { now = std::move(change.next); });
  if (!change.notices.empty()) setup_.notices.Announce();
  return {};
}

audit::Event Register::State::NewEvent(std::string_view type, const HeldVersion& version,
                                       const Source& source) const {
  audit::Event event;
  event.type = type;
  event.time = setup_.clock.Now();
  event.exchange = source.exchange;
  event.parties = {setup_.own, OtherParty(version.agreement, setup_.own)};
  event.agreement = version.ref;
  if (source.peer) event.committed["source"] = source.peer->text();
  if (!source.peer) event.committed["operator"] = source.by;
  if (source.request) event.messages["request"] = *source.request;
  return event;
}

Result<Submitted> Register::State::AddDocument(HeldVersion version, const Source& source) {
  const std::lock_guard one_at_a_time(submission_);
  const Instant now = setup_.clock.Now();
  COMITY_RETURN_IF_ERROR(CheckParties(version.agreement, Keys(), now, now));
  const Published before = Now();
  COMITY_ASSIGN_OR_RETURN(const bool known, CheckSuccession(version, *before.catalogue));
  if (known) return Answer(before, version.ref, now, true);
  if (before.catalogue->versions().size() >= kMaxVersions) {
    return Fail(ErrorCode::kExhausted, "10,000 agreement versions are held; no more are taken");
  }
  if (source.peer) {
    COMITY_RETURN_IF_ERROR(CheckPeersVersion(version, *source.peer, *before.catalogue));
  }
  const store::AgreementDocumentRecord record{version.ref.id, version.ref.version,
                                              version.ref.sha256, version.document, now};
  Change change{
      NewEvent(audit::kAgreementReceived, version, source),
      [&](store::Transaction& transaction) { return transaction.agreements().AddDocument(record); },
      {NoticeTo(identity::notice::kAgreementChanged, version.ref,
                VersionWords(version.ref) + " was proposed by " +
                    (source.peer ? source.peer->text() : "own people") +
                    " and waits for advice and signatures: " + version.agreement.title)},
      {}};
  const policy::AgreementRef ref = version.ref;
  Catalogue catalogue = *before.catalogue;
  catalogue.Put(std::move(version));
  COMITY_ASSIGN_OR_RETURN(change.next, Next(before, ref.id, std::move(catalogue), *before.peers));
  Submitted answer = Answer(change.next, ref, now, false);
  change.event.committed["status"] = answer.status;
  COMITY_RETURN_IF_ERROR(Commit(std::move(change)));
  return answer;
}

Result<Submitted> Register::State::AddStatement(const sign::DsseEnvelope& envelope,
                                                const Source& source) {
  COMITY_ASSIGN_OR_RETURN(const policy::Statement statement,
                          policy::ParseStatementPayload(AsText(envelope.payload)));
  const std::lock_guard one_at_a_time(submission_);
  const Published before = Now();
  const policy::AgreementRef& ref = statement.agreement;
  const auto version = before.catalogue->Find(ref.id, ref.version);
  // Version 0 would mean the highest to Find, and no document has it.
  if (!version || ref.version == 0) {
    return Fail(ErrorCode::kNotFound,
                "agreement " + VersionWords(ref) + " is not here; submit its document first");
  }
  COMITY_ASSIGN_OR_RETURN(HeldStatement held, Admit(envelope, *version, source));
  if (version->Find(held.verified.id) != nullptr) {
    return Answer(before, version->ref, setup_.clock.Now(), true);
  }
  const auto* const decided = before.set->FindVersion(ref.id, ref.version);
  if (statement.party == setup_.own && decided != nullptr) {
    COMITY_RETURN_IF_ERROR(CheckTimely(statement, decided->state));
  }
  return Keep(*version, std::move(held), source);
}

Result<HeldStatement> Register::State::Admit(const sign::DsseEnvelope& envelope,
                                             const HeldVersion& version,
                                             const Source& source) const {
  const policy::KeyHistories histories = setup_.keys();
  policy::Vouching vouching{.countersignature_required = false,
                            .histories = &histories,
                            .received_at = setup_.clock.Now()};
  COMITY_ASSIGN_OR_RETURN(const policy::VerifiedStatement said,
                          policy::VerifyStatement(envelope, version.agreement, vouching));
  const AgencyId& party = said.statement.party;
  if (source.peer && party != *source.peer) {
    return Fail(ErrorCode::kPermissionDenied,
                source.peer->text() + " may deliver statements of its own people only");
  }
  sign::DsseEnvelope kept = envelope;
  if (party == setup_.own && !said.countersigned) {
    kept = policy::Countersign(setup_.agency_key, envelope);
  }
  vouching.countersignature_required = true;
  COMITY_ASSIGN_OR_RETURN(policy::VerifiedStatement verified,
                          policy::VerifyStatement(kept, version.agreement, vouching));
  return HeldStatement{std::move(verified), sign::EncodeDsseJson(kept), {}};
}

Result<Submitted> Register::State::Keep(const HeldVersion& version, HeldStatement held,
                                        const Source& source) {
  const Instant now = setup_.clock.Now();
  const policy::Statement statement = held.verified.statement;
  const Published before = Now();
  const bool is_own = statement.party == setup_.own;
  if (!StopsMore(statement, version)) {
    if (!LiftsWhatIsOpen(statement, version)) {
      COMITY_RETURN_IF_ERROR(CheckPersonsRoom(statement, version));
    }
    const AgencyId& other = OtherParty(version.agreement, statement.party);
    COMITY_RETURN_IF_ERROR(CheckPartysRoom(statement.party, other, *before.catalogue));
  }
  Change change;
  change.event =
      NewEvent(is_own ? audit::kStatementIssued : audit::kStatementReceived, version, source);
  change.event.committed["kind"] = std::string(policy::Name(statement.kind));
  change.event.committed["signatory"] = statement.party.text() + ", " + statement.post;
  change.event.messages["statement"] = held.verified.id;
  const store::StatementRecord record{held.verified.id, version.ref.id, held.envelope, now};
  change.write = [&](store::Transaction& transaction) {
    return transaction.agreements().AddStatement(record);
  };
  HeldVersion changed = version;
  changed.statements.push_back(std::move(held));
  Catalogue catalogue = *before.catalogue;
  catalogue.Put(std::move(changed));
  COMITY_ASSIGN_OR_RETURN(change.next,
                          Next(before, version.ref.id, std::move(catalogue), *before.peers));
  Submitted answer = Answer(change.next, version.ref, now, false);
  change.event.committed["status"] = answer.status;
  change.notices = {NoticeTo(identity::notice::kAgreementChanged, version.ref,
                             VersionWords(version.ref) + ": " +
                                 std::string(policy::Name(statement.kind)) + " by " +
                                 statement.post + " of " + statement.party.text() +
                                 "; its status is now " + answer.status)};
  COMITY_RETURN_IF_ERROR(Commit(std::move(change)));
  return answer;
}

Status Register::State::LearnPeerStatus(const AgencyId& peer, const policy::AgreementRef& agreement,
                                        std::string_view status) {
  const std::lock_guard one_at_a_time(submission_);
  const Published before = Now();
  const auto version = before.catalogue->Find(agreement.id, agreement.version);
  if (!version || version->ref != agreement || version->agreement.FindParty(peer) == nullptr) {
    return {};
  }
  const PeerStatus said{peer, CleanStatus(status), setup_.clock.Now()};
  const auto known = before.peers->find(agreement);
  const auto* const decided = before.set->FindVersion(agreement.id, agreement.version);
  const bool same = known != before.peers->end() && known->second.status == said.status &&
                    (decided == nullptr || Differs(*before.set, *decided, known->second) ==
                                               Differs(*before.set, *decided, said));
  if (same) return {};
  Change change;
  change.event = NewEvent(audit::kAgreementStatusLearned, *version,
                          {.peer = peer, .by = {}, .exchange = {}, .request = {}});
  change.event.committed["peer_status"] = said.status;
  change.event.committed["status"] = StatusText(*before.set, agreement, said.at);
  change.write = [&](store::Transaction& transaction) {
    return transaction.agreement_life().PutPeerStatus({agreement, peer, said.status, said.at});
  };
  PeerStatuses peers = *before.peers;
  peers[agreement] = said;
  COMITY_ASSIGN_OR_RETURN(change.next,
                          Next(before, agreement.id, *before.catalogue, std::move(peers)));
  return Commit(std::move(change));
}

Status Register::State::DoMark(const DueMark& due) {
  const Published before = Now();
  const auto version = before.catalogue->Find(due.agreement.id, due.agreement.version);
  if (!version) return {};
  Change change;
  change.event = NewEvent(audit::kAgreementMarked, *version, {});
  change.event.committed.erase("operator");
  change.event.decision_code = std::string(due.mark);
  const Instant now = setup_.clock.Now();
  change.event.committed["status"] = StatusText(*before.set, due.agreement, now);
  change.write = [&](store::Transaction& transaction) {
    return transaction.agreement_life().Mark({due.agreement, std::string(due.mark), now});
  };
  change.notices = {due.notice};
  change.next = before;
  COMITY_RETURN_IF_ERROR(Commit(std::move(change)));
  marks_.emplace(due.agreement, std::string(due.mark));
  return {};
}

// Notices of differences that stand for the settling time and were not told yet.
std::vector<identity::Notice> Register::State::SettledDifferences(Instant now) {
  const Published published = Now();
  std::map<policy::AgreementRef, Seen> seen;
  std::vector<identity::Notice> notices;
  for (const StatusDifference& each : Differences(*published.set, *published.peers)) {
    const std::string words = VersionWords(each.agreement) + ": " + each.peer.peer.text() +
                              " says `" + each.peer.status + "`, this gateway computes `" +
                              each.here + "`; the stricter of the two decides until they agree";
    const auto before = differences_.find(each.agreement);
    const bool same = before != differences_.end() && before->second.words == words;
    Seen& now_seen = seen[each.agreement] = same ? before->second : Seen{words, now, false};
    if (now_seen.told || now - now_seen.since < kSettleTime) continue;
    now_seen.told = true;
    notices.push_back(NoticeTo(identity::notice::kStatusDiffers, each.agreement, words));
  }
  differences_ = std::move(seen);
  return notices;
}

Status Register::State::Housekeep() {
  const std::lock_guard one_at_a_time(submission_);
  const Instant now = setup_.clock.Now();
  for (const DueMark& due : DueMarks(*Now().set, marks_, now)) {
    COMITY_RETURN_IF_ERROR(DoMark(due));
  }
  for (const identity::Notice& notice : SettledDifferences(now)) {
    COMITY_RETURN_IF_ERROR(setup_.notices.Post(notice));
  }
  return {};
}

}  // namespace comity::agreements
