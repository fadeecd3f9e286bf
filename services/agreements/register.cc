// SPDX-License-Identifier: Apache-2.0
#include "services/agreements/register.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "crypto/sign/dsse.h"
#include "policy/agreement/statement.h"
#include "policy/agreement/status.h"
#include "policy/decide/agreement_set.h"
#include "services/agreements/admission.h"
#include "services/agreements/catalogue.h"
#include "services/agreements/loading.h"
#include "services/agreements/views.h"
#include "services/audit/events.h"
#include "services/runtime/guarded.h"

namespace comity::agreements {

using policy::AgencyId;
using policy::AgreementSet;
using policy::Instant;

namespace {

// What a peer can make this gateway keep.
constexpr std::size_t kMaxVersions = 10'000;
constexpr std::size_t kMaxVersionsOfPeer = 200;  // delivered or not: no peer takes another's room
constexpr std::size_t kMaxStatements = 1'000;    // of one version
// How far above the highest known version a peer's may be, with room for dates as versions. There
// is none above 2^32 - 1: one document of that version would end the agreement's renewal.
constexpr std::uint32_t kMaxVersionStep = 1'000'000;

// Catalogue and the set made from it, always replaced together.
struct Published {
  std::shared_ptr<const Catalogue> catalogue = std::make_shared<const Catalogue>();
  std::shared_ptr<const AgreementSet> set = std::make_shared<const AgreementSet>();
};

Result<Published> Prepare(Catalogue catalogue) {
  COMITY_ASSIGN_OR_RETURN(AgreementSet set, catalogue.BuildSet());
  return Published{std::make_shared<const Catalogue>(std::move(catalogue)),
                   std::make_shared<const AgreementSet>(std::move(set))};
}

Submitted Answer(const Published& state, const policy::AgreementRef& ref, Instant now, bool known) {
  return {ref, StatusText(*state.set, ref, now), known};
}

// Suspensions and terminations are taken beyond every bound, unless what they say holds already.
bool StopsMore(const policy::Statement& statement, const AgreementSet& set) {
  const auto* version = set.FindVersion(statement.agreement.id, statement.agreement.version);
  if (version == nullptr || version->state.termination) return false;
  if (statement.kind == policy::StatementKind::kTermination) return true;
  const auto& open = version->state.suspensions;
  return statement.kind == policy::StatementKind::kSuspension &&
         std::none_of(open.begin(), open.end(), [&](const policy::OpenSuspension& suspension) {
           return suspension.party == statement.party;
         });
}

// What a peer may not do to agreement versions, however validly it signs.
Status CheckPeersVersion(const HeldVersion& version, const AgencyId& peer,
                         const Catalogue& catalogue) {
  const auto highest = catalogue.Find(version.ref.id, 0);
  if (highest && version.ref.version - highest->ref.version > kMaxVersionStep) {
    return Fail(ErrorCode::kConflict, "agreement " + version.ref.id.text() +
                                          ": a peer's version is at most 1,000,000 above the last");
  }
  const auto& all = catalogue.versions();
  const auto held = std::count_if(all.begin(), all.end(), [&](const auto& item) {
    return item.second->agreement.FindParty(peer) != nullptr;
  });
  if (static_cast<std::size_t>(held) < kMaxVersionsOfPeer) return {};
  return Fail(ErrorCode::kExhausted,
              "200 agreement versions with " + peer.text() + " are held; it may deliver no more");
}

}  // namespace

struct Register::State {
  explicit State(RegisterSetup given)
      : setup(std::move(given)), keys{setup.own, setup.agency_key.public_key(), setup.peers} {}

  Published Now() const {
    return published.With([](const Published& now) { return now; });
  }
  // Makes `event` and `write` durable, then lets everyone see `next`.
  Status Commit(const audit::Event& event,
                const std::function<Status(store::AgreementStore&)>& write, Published next);
  audit::Event NewEvent(std::string_view type, const HeldVersion& version,
                        const Source& source) const;
  Result<Submitted> AddDocument(HeldVersion version, const Source& source);
  Result<Submitted> AddStatement(const HeldVersion& version, HeldStatement held,
                                 const Source& source);
  // The statement as it is kept: verified, and countersigned by its party's agency.
  Result<HeldStatement> Admit(const sign::DsseEnvelope& envelope, const HeldVersion& version,
                              const Source& source) const;

  RegisterSetup setup;
  TrustedKeys keys;
  // One submission at a time, so that each is judged by what the one before it left. Held across
  // the commit: people make submissions, and readers never wait for it.
  std::mutex submission;
  runtime::Guarded<Published> published;
};

Status Register::State::Commit(const audit::Event& event,
                               const std::function<Status(store::AgreementStore&)>& write,
                               Published next) {
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    COMITY_RETURN_IF_ERROR(write(transaction.agreements()));
    COMITY_RETURN_IF_ERROR(recorder.Record(event));
    return {};
  };
  COMITY_RETURN_IF_ERROR(setup.journal.Commit(work));
  published.With([&](Published& now) { now = std::move(next); });
  return {};
}

audit::Event Register::State::NewEvent(std::string_view type, const HeldVersion& version,
                                       const Source& source) const {
  audit::Event event;
  event.type = type;
  event.time = setup.clock.Now();
  event.exchange = source.exchange;
  event.parties = {setup.own, OtherParty(version.agreement, setup.own)};
  event.agreement = version.ref;
  if (source.peer) event.committed["source"] = source.peer->text();
  if (!source.peer) event.committed["operator"] = source.by;
  if (source.request) event.messages["request"] = *source.request;
  return event;
}

Result<Submitted> Register::State::AddDocument(HeldVersion version, const Source& source) {
  const Published before = Now();
  COMITY_ASSIGN_OR_RETURN(const bool known, CheckSuccession(version, *before.catalogue));
  const Instant now = setup.clock.Now();
  if (known) return Answer(before, version.ref, now, true);
  if (before.catalogue->versions().size() >= kMaxVersions) {
    return Fail(ErrorCode::kExhausted, "10,000 agreement versions are held; no more are taken");
  }
  if (source.peer) {
    COMITY_RETURN_IF_ERROR(CheckPeersVersion(version, *source.peer, *before.catalogue));
  }
  const store::AgreementDocumentRecord record{version.ref.id, version.ref.version,
                                              version.ref.sha256, version.document, now};
  audit::Event event = NewEvent(audit::kAgreementReceived, version, source);
  const policy::AgreementRef ref = version.ref;
  Catalogue catalogue = *before.catalogue;
  catalogue.Put(std::move(version));
  COMITY_ASSIGN_OR_RETURN(Published next, Prepare(std::move(catalogue)));
  Submitted answer = Answer(next, ref, now, false);
  event.committed["status"] = answer.status;
  COMITY_RETURN_IF_ERROR(Commit(
      event, [&](store::AgreementStore& agreements) { return agreements.AddDocument(record); },
      std::move(next)));
  return answer;
}

Result<Submitted> Register::State::AddStatement(const HeldVersion& version, HeldStatement held,
                                                const Source& source) {
  const Instant now = setup.clock.Now();
  const policy::Statement& statement = held.verified.statement;
  if (version.statements.size() >= kMaxStatements && !StopsMore(statement, *Now().set)) {
    return Fail(ErrorCode::kExhausted, "1,000 statements on this version are held");
  }
  const bool is_own = statement.party == setup.own;
  audit::Event event =
      NewEvent(is_own ? audit::kStatementIssued : audit::kStatementReceived, version, source);
  event.committed["kind"] = std::string(policy::Name(statement.kind));
  event.committed["signatory"] = statement.party.text() + ", " + statement.post;
  event.messages["statement"] = held.verified.id;
  const store::StatementRecord record{held.verified.id, version.ref.id, held.envelope, now};
  HeldVersion changed = version;
  changed.statements.push_back(std::move(held));
  Catalogue catalogue = *Now().catalogue;
  catalogue.Put(std::move(changed));
  COMITY_ASSIGN_OR_RETURN(Published next, Prepare(std::move(catalogue)));
  Submitted answer = Answer(next, version.ref, now, false);
  event.committed["status"] = answer.status;
  COMITY_RETURN_IF_ERROR(Commit(
      event, [&](store::AgreementStore& agreements) { return agreements.AddStatement(record); },
      std::move(next)));
  return answer;
}

Result<HeldStatement> Register::State::Admit(const sign::DsseEnvelope& envelope,
                                             const HeldVersion& version,
                                             const Source& source) const {
  COMITY_ASSIGN_OR_RETURN(const policy::VerifiedStatement said,
                          policy::VerifyStatement(envelope, version.agreement, false));
  const AgencyId& party = said.statement.party;
  if (source.peer && party != *source.peer) {
    return Fail(ErrorCode::kPermissionDenied,
                source.peer->text() + " may deliver statements of its own people only");
  }
  sign::DsseEnvelope kept = envelope;
  if (party == setup.own) kept = policy::Countersign(setup.agency_key, envelope);
  COMITY_ASSIGN_OR_RETURN(policy::VerifiedStatement verified,
                          policy::VerifyStatement(kept, version.agreement, true));
  return HeldStatement{std::move(verified), sign::EncodeDsseJson(kept)};
}

Register::Register(std::unique_ptr<State> state) : state_(std::move(state)) {}
Register::~Register() = default;

Result<std::unique_ptr<Register>> Register::Open(RegisterSetup setup) {
  auto state = std::make_unique<State>(std::move(setup));
  Catalogue catalogue;
  COMITY_RETURN_IF_ERROR(
      state->setup.store.Read([&](const store::Transaction& transaction) -> Status {
        COMITY_ASSIGN_OR_RETURN(catalogue, LoadCatalogue(transaction.agreements(), state->keys));
        return {};
      }));
  COMITY_ASSIGN_OR_RETURN(Published loaded, Prepare(std::move(catalogue)));
  state->published.With([&](Published& now) { now = std::move(loaded); });
  return std::unique_ptr<Register>(new Register(std::move(state)));
}

Result<Submitted> Register::SubmitDocument(std::string_view document, const Source& source) {
  if (document.size() > kMaxDocument) {
    return Fail(ErrorCode::kInvalidArgument, "an agreement document has at most 256 KiB");
  }
  COMITY_ASSIGN_OR_RETURN(HeldVersion version, ReadDocument(document));
  COMITY_RETURN_IF_ERROR(CheckParties(version.agreement, state_->keys));
  if (source.peer && version.agreement.FindParty(*source.peer) == nullptr) {
    return Fail(ErrorCode::kPermissionDenied,
                source.peer->text() + " is no party of the agreement it delivers");
  }
  const std::lock_guard one_at_a_time(state_->submission);
  return state_->AddDocument(std::move(version), source);
}

Result<Submitted> Register::SubmitStatement(std::string_view envelope, const Source& source) {
  COMITY_ASSIGN_OR_RETURN(const sign::DsseEnvelope parsed,
                          sign::ParseDsseJson(envelope, kMaxStatement));
  COMITY_ASSIGN_OR_RETURN(const policy::Statement statement,
                          policy::ParseStatementPayload(AsText(parsed.payload)));
  const std::lock_guard one_at_a_time(state_->submission);
  const Published before = state_->Now();
  const policy::AgreementRef& ref = statement.agreement;
  const auto version = before.catalogue->Find(ref.id, ref.version);
  // Version 0 would mean the highest to Find, and no document has it.
  if (!version || ref.version == 0) {
    return Fail(ErrorCode::kNotFound, "agreement " + ref.id.text() + " version " +
                                          std::to_string(ref.version) +
                                          " is not here; submit its document first");
  }
  COMITY_ASSIGN_OR_RETURN(HeldStatement held, state_->Admit(parsed, *version, source));
  if (version->Find(held.verified.id) != nullptr) {
    return Answer(before, version->ref, state_->setup.clock.Now(), true);
  }
  return state_->AddStatement(*version, std::move(held), source);
}

std::shared_ptr<const AgreementSet> Register::Snapshot() const {
  return state_->Now().set;
}

std::vector<AgreementView> Register::List(Instant now) const {
  const Published published = state_->Now();
  std::vector<AgreementView> views;
  for (const auto& [key, version] : published.catalogue->versions()) {
    views.push_back(ViewOf(*version, *published.set, now));
  }
  return views;
}

Result<AgreementFile> Register::Get(const policy::AgreementId& id, std::uint32_t version) const {
  const auto held = state_->Now().catalogue->Find(id, version);
  if (!held) return Fail(ErrorCode::kNotFound, "no such agreement or version: " + id.text());
  return FileOf(*held, std::nullopt);
}

std::vector<AgreementFile> Register::PendingFor(const AgencyId& peer) const {
  std::vector<AgreementFile> files;
  const Published published = state_->Now();
  for (const auto& [key, version] : published.catalogue->versions()) {
    const bool concerns = peer != state_->setup.own && version->barred.empty() &&
                          version->agreement.FindParty(peer) != nullptr;
    if (concerns) files.push_back(FileOf(*version, state_->setup.own));
  }
  return files;
}

}  // namespace comity::agreements
