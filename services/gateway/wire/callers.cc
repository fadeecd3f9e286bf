// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/wire/callers.h"

#include "services/audit/events.h"
#include "services/transport/credentials.h"

namespace comity::gateway {
namespace {

audit::Event RefusalEvent(const RefusalRecord::Refusal& refusal, std::int64_t attempts) {
  audit::Event event;
  event.type = refusal.type;
  event.decision_code = std::string(Name(refusal.error.code));
  if (refusal.type == audit::kPeerMessageRefused) {
    event.committed = {{"kind", refusal.method}, {"reason", refusal.error.detail}};
    event.counts = {{"messages", attempts}};
    return event;
  }
  event.committed = {{"identity", refusal.identity}, {"reason", refusal.error.detail}};
  if (refusal.type == audit::kAuthorisationRefused) event.committed["method"] = refusal.method;
  event.counts = {{"attempts", attempts}};
  return event;
}

}  // namespace

Status RefusalRecord::Add(const Refusal& refusal) {
  const runtime::Instant now = clock_.Now();
  const std::string key =
      refusal.identity + "\n" + std::string(refusal.type) + "\n" + refusal.method;
  return WriteAll(repeats_.Add(key, refusal, now), now);
}

Status RefusalRecord::WriteRepeats() {
  const runtime::Instant now = clock_.Now();
  return WriteAll(repeats_.TakeDue(now), now);
}

Status RefusalRecord::WriteAll(const std::vector<Repeats<Refusal>::Due>& due,
                               runtime::Instant now) {
  for (const auto& one : due) COMITY_RETURN_IF_ERROR(Write(one.last, one.times, now));
  return {};
}

Status RefusalRecord::Write(const Refusal& refusal, std::int64_t attempts, runtime::Instant now) {
  logger_.Warn(refusal.type, {{"identity", refusal.identity},
                              {"method", refusal.method},
                              {"code", Name(refusal.error.code)},
                              {"reason", refusal.error.detail},
                              {"attempts", attempts}});
  audit::Event event = RefusalEvent(refusal, attempts);
  event.time = now;
  event.parties = {self_};
  if (auto peer = policy::AgencyId::Parse(refusal.identity); peer) event.parties.push_back(*peer);
  return journal_.Record(event);
}

Result<identity::Caller> AgencyCallers::Person(const grpc::ServerContextBase& context,
                                               identity::Act act) {
  COMITY_ASSIGN_OR_RETURN(const transport::VerifiedPeer peer,
                          Caller(context, transport::PeerKind::kPerson, identity::Name(act)));
  COMITY_ASSIGN_OR_RETURN(const policy::PersonId id, policy::PersonId::Parse(peer.identity.name));
  auto caller = people_.Authorise(id, peer.public_key, act);
  if (caller) return caller;
  COMITY_RETURN_IF_ERROR(
      refusals_.Add({audit::kAuthorisationRefused, transport::EncodeSpiffeId(peer.identity),
                     std::string(identity::Name(act)), caller.error()}));
  return caller;
}

Error AgencyCallers::Refused(const identity::Caller& caller, std::string_view act, Error error) {
  const Status recorded = refusals_.Add(
      {audit::kAuthorisationRefused, "person/" + caller.person.text(), std::string(act), error});
  return recorded ? std::move(error) : recorded.error();
}

Result<std::string> AgencyCallers::Engine(const grpc::ServerContextBase& context,
                                          std::string_view method) {
  COMITY_ASSIGN_OR_RETURN(transport::VerifiedPeer peer,
                          Caller(context, transport::PeerKind::kEngine, method));
  return std::move(peer.identity.name);
}

Result<transport::VerifiedPeer> AgencyCallers::Caller(const grpc::ServerContextBase& context,
                                                      transport::PeerKind kind,
                                                      std::string_view method) {
  auto caller = transport::CallerOf(context, trust_, clock_.Now());
  if (!caller) {
    COMITY_RETURN_IF_ERROR(
        refusals_.Add({audit::kAuthenticationRefused, "", std::string(method), caller.error()}));
    return Fail(std::move(caller).error());
  }
  if (caller->identity.kind == kind) return caller;
  Error error{ErrorCode::kPermissionDenied,
              std::string(method) + " is for a certificate of kind " +
                  std::string(transport::Name(kind)) + ", not " +
                  std::string(transport::Name(caller->identity.kind))};
  COMITY_RETURN_IF_ERROR(
      refusals_.Add({audit::kAuthorisationRefused, transport::EncodeSpiffeId(caller->identity),
                     std::string(method), error}));
  return Fail(std::move(error));
}

Result<PinnedPeer> FederationCallers::Peer(const grpc::ServerContextBase& context,
                                           std::string_view method, Suspended suspended) {
  auto caller = transport::CallerOf(context, trust_, clock_.Now());
  if (!caller) {
    COMITY_RETURN_IF_ERROR(
        refusals_.Add({audit::kAuthenticationRefused, "", std::string(method), caller.error()}));
    return Fail(std::move(caller).error());
  }
  COMITY_ASSIGN_OR_RETURN(policy::AgencyId agency, policy::AgencyId::Parse(caller->agency));
  auto keys = peers_.SpeakingKeys(agency, suspended == Suspended::kAdmitted);
  if (!keys) {
    COMITY_RETURN_IF_ERROR(refusals_.Add(
        {audit::kAuthorisationRefused, agency.text(), std::string(method), keys.error()}));
    return Fail(std::move(keys).error());
  }
  const sign::PublicKey newest = keys->front();
  keys->erase(keys->begin());
  return PinnedPeer{std::move(agency), newest, *std::move(keys)};
}

Result<Digest> FederationCallers::CertificateOf(const grpc::ServerContextBase& context) const {
  COMITY_ASSIGN_OR_RETURN(const transport::VerifiedPeer peer,
                          transport::CallerOf(context, trust_, clock_.Now()));
  return peer.certificate;
}

}  // namespace comity::gateway
