// SPDX-License-Identifier: Apache-2.0
#include "services/agreements/register.h"

#include <utility>

#include "crypto/sign/dsse.h"
#include "services/agreements/admission.h"
#include "services/agreements/register_state.h"
#include "services/agreements/views.h"

namespace comity::agreements {

using policy::AgencyId;
using policy::Instant;

Register::Register(std::unique_ptr<State> state) : state_(std::move(state)) {}
Register::~Register() = default;

Result<std::unique_ptr<Register>> Register::Open(RegisterSetup setup) {
  auto state = std::make_unique<State>(std::move(setup));
  COMITY_RETURN_IF_ERROR(state->Load());
  return std::unique_ptr<Register>(new Register(std::move(state)));
}

Result<Submitted> Register::SubmitDocument(std::string_view document, const Source& source) {
  if (document.size() > kMaxDocument) {
    return Fail(ErrorCode::kInvalidArgument, "an agreement document has at most 256 KiB");
  }
  COMITY_ASSIGN_OR_RETURN(HeldVersion version, ReadDocument(document));
  const AgencyId& own = state_->setup().own;
  if (version.agreement.FindParty(own) == nullptr) {
    return Fail(ErrorCode::kPermissionDenied,
                own.text() + " is no party of agreement " + version.agreement.id.text());
  }
  if (source.peer && version.agreement.FindParty(*source.peer) == nullptr) {
    return Fail(ErrorCode::kPermissionDenied,
                source.peer->text() + " is no party of the agreement it delivers");
  }
  return state_->AddDocument(std::move(version), source);
}

Result<Submitted> Register::SubmitStatement(std::string_view envelope, const Source& source) {
  COMITY_ASSIGN_OR_RETURN(const sign::DsseEnvelope parsed,
                          sign::ParseDsseJson(envelope, kMaxStatement));
  return state_->AddStatement(parsed, source);
}

std::shared_ptr<const policy::AgreementSet> Register::Snapshot() const {
  return state_->Now().set;
}

std::vector<AgreementView> Register::List(Instant now, const ListFilter& filter) const {
  const Published published = state_->Now();
  std::vector<AgreementView> views;
  for (const auto& [key, version] : published.catalogue->versions()) {
    AgreementView view = ViewOf(*version, published, now);
    if (Matches(view, filter)) views.push_back(std::move(view));
  }
  return views;
}

Result<AgreementFile> Register::Get(const policy::AgreementId& id, std::uint32_t version) const {
  const auto held = state_->Now().catalogue->Find(id, version);
  if (!held) return Fail(ErrorCode::kNotFound, "no such agreement or version: " + id.text());
  AgreementFile file = FileOf(*held, std::nullopt);
  file.status = StatusText(*Snapshot(), held->ref, state_->setup().clock.Now());
  return file;
}

std::vector<AgreementFile> Register::PendingFor(const AgencyId& peer) const {
  std::vector<AgreementFile> files;
  const Published published = state_->Now();
  const AgencyId& own = state_->setup().own;
  for (const auto& [key, version] : published.catalogue->versions()) {
    const bool concerns =
        peer != own && version->barred.empty() && version->agreement.FindParty(peer) != nullptr;
    if (!concerns) continue;
    files.push_back(FileOf(*version, own));
    files.back().status = StatusText(*published.set, version->ref, state_->setup().clock.Now());
  }
  return files;
}

Status Register::LearnPeerStatus(const AgencyId& peer, const policy::AgreementRef& agreement,
                                 std::string_view status) {
  return state_->LearnPeerStatus(peer, agreement, status);
}

std::string Register::PeerSays(const AgencyId& peer, const policy::AgreementRef& agreement) const {
  const auto peers = state_->Now().peers;
  const auto said = peers->find(agreement);
  return said != peers->end() && said->second.peer == peer ? said->second.status : std::string();
}

bool Register::DiffersFrom(const AgencyId& peer, const policy::AgreementRef& agreement) const {
  const Published published = state_->Now();
  const auto said = published.peers->find(agreement);
  const auto* const version = published.set->FindVersion(agreement.id, agreement.version);
  return said != published.peers->end() && said->second.peer == peer && version != nullptr &&
         Differs(*published.set, *version, said->second);
}

std::vector<EndedVersion> Register::Ended(Instant now) const {
  return EndedVersions(*state_->Now().set, now);
}

Status Register::Housekeep() {
  return state_->Housekeep();
}

Status Register::Refresh() {
  return state_->Load();
}

}  // namespace comity::agreements
