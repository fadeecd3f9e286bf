// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/people_service.h"

#include <string>
#include <utility>
#include <vector>

#include "services/gateway/wire/convert_approval.h"
#include "services/gateway/wire/convert_time.h"
#include "services/gateway/wire/respond.h"

namespace comity::gateway {
namespace {

using identity::Act;

void Fill(const identity::Person& person, v1::Person& proto) {
  proto.set_id(person.id.text());
  proto.set_post(person.post);
  for (const std::string& role : person.roles.Names()) proto.add_roles(role);
  proto.set_state(person.active ? "active" : "revoked");
  proto.set_tls_key(person.tls_key.bytes.data(), person.tls_key.bytes.size());
  proto.set_signing_key(sign::EncodePublicKey(person.signing_key));
  *proto.mutable_added_at() = ToProto(person.added_at);
  *proto.mutable_changed_at() = ToProto(person.changed_at);
}

Result<identity::RoleSet> RolesOf(const google::protobuf::RepeatedPtrField<std::string>& names) {
  return identity::RoleSet::Parse(std::vector<std::string>(names.begin(), names.end()));
}

std::string SubjectOf(const policy::PersonId& id) {
  return "person " + id.text();
}

}  // namespace

PeopleService::PeopleService(Ports ports)
    : ports_(ports), add_(ports.people), role_(ports.people), revocation_(ports.people) {
  ports_.approvals.Handle(Act::kPersonAdd, add_);
  ports_.approvals.Handle(Act::kPersonRole, role_);
  ports_.approvals.Handle(Act::kPersonRevokePrivileged, revocation_);
}

// The certificate must be one that the agency port would let in, so that a mistake shows now.
Result<identity::Person> PeopleService::ReadCard(const v1::PersonCard& card) const {
  const auto wrong = [&](const std::string& why) {
    return Fail(ErrorCode::kInvalidArgument, "the person's card: " + why);
  };
  identity::Person person;
  COMITY_ASSIGN_OR_RETURN(person.id, policy::PersonId::Parse(card.id()));
  person.post = card.post();
  const auto certificate = ports_.trust.Verify(card.certificate(), ports_.clock.Now());
  if (!certificate) return wrong(certificate.error().detail);
  if (certificate->identity.kind != transport::PeerKind::kPerson ||
      certificate->identity.name != card.id()) {
    return wrong("the certificate is of " + transport::EncodeSpiffeId(certificate->identity) +
                 ", not of person " + card.id());
  }
  person.tls_key = certificate->public_key;
  const auto key = sign::ParsePublicKey(card.signing_key());
  if (!key) return wrong(key.error().detail);
  person.signing_key = *key;
  return person;
}

grpc::Status PeopleService::List(grpc::ServerContext* context,
                                 const v1::ListPeopleRequest* /*request*/,
                                 v1::ListPeopleResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller, ports_.callers.Person(*context, Act::kPersonRead));
    for (const identity::Person& person : ports_.people.List()) {
      Fill(person, *response->add_people());
    }
    return {};
  });
}

grpc::Status PeopleService::Add(grpc::ServerContext* context, const v1::AddPersonRequest* request,
                                v1::PendingAct* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller, ports_.callers.Person(*context, Act::kPersonAdd));
    COMITY_ASSIGN_OR_RETURN(identity::Person person, ReadCard(request->card()));
    COMITY_ASSIGN_OR_RETURN(person.roles, RolesOf(request->roles()));
    const auto known = ports_.people.Find(person.id);
    const std::string content =
        identity::EncodePersonProposal(person, known ? known->changed_at : policy::Instant{});
    COMITY_ASSIGN_OR_RETURN(
        const identity::PendingAct act,
        ports_.approvals.Propose(Act::kPersonAdd, content, SubjectOf(person.id), caller));
    *response = ToProto(act);
    return {};
  });
}

grpc::Status PeopleService::Change(grpc::ServerContext* context,
                                   const v1::ChangePersonRequest* request,
                                   v1::PendingAct* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller, ports_.callers.Person(*context, Act::kPersonRole));
    COMITY_ASSIGN_OR_RETURN(const auto id, policy::PersonId::Parse(request->id()));
    COMITY_ASSIGN_OR_RETURN(identity::Person person, ports_.people.Find(id));
    const policy::Instant made_of = person.changed_at;
    if (!request->roles().empty()) {
      COMITY_ASSIGN_OR_RETURN(person.roles, RolesOf(request->roles()));
    }
    if (!request->post().empty()) person.post = request->post();
    if (request->has_card()) {
      COMITY_ASSIGN_OR_RETURN(const identity::Person card, ReadCard(request->card()));
      if (card.id != id) {
        return Fail(ErrorCode::kInvalidArgument, "the card is of person " + card.id.text());
      }
      person.tls_key = card.tls_key;
      person.signing_key = card.signing_key;
    }
    COMITY_ASSIGN_OR_RETURN(
        const identity::PendingAct act,
        ports_.approvals.Propose(Act::kPersonRole, identity::EncodePersonProposal(person, made_of),
                                 SubjectOf(id), caller));
    *response = ToProto(act);
    return {};
  });
}

grpc::Status PeopleService::Revoke(grpc::ServerContext* context,
                                   const v1::RevokePersonRequest* request,
                                   v1::RevokePersonResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller, ports_.callers.Person(*context, Act::kPersonRevoke));
    COMITY_ASSIGN_OR_RETURN(const auto id, policy::PersonId::Parse(request->id()));
    COMITY_ASSIGN_OR_RETURN(const identity::Person person, ports_.people.Find(id));
    if (!person.roles.Meets(identity::kPrivilegedRoles)) {
      return identity::RevokeNow(ports_.people, ports_.journal, ports_.lone_acts,
                                 {id, request->reason(), caller.person});
    }
    COMITY_ASSIGN_OR_RETURN(
        const identity::PendingAct act,
        ports_.approvals.Propose(Act::kPersonRevokePrivileged,
                                 identity::EncodeRevocation(id, request->reason()), SubjectOf(id),
                                 caller));
    *response->mutable_pending() = ToProto(act);
    return {};
  });
}

}  // namespace comity::gateway
