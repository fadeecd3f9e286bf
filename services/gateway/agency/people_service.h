// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comity/v1/people.grpc.pb.h"
#include "services/audit/journal.h"
#include "services/gateway/wire/callers.h"
#include "services/identity/approvals.h"
#include "services/identity/people.h"
#include "services/identity/person_acts.h"
#include "services/transport/trust_store.h"

namespace comity::gateway {

// comity.v1.People at the agency port. Threads: thread-safe.
class PeopleService final : public v1::People::Service {
 public:
  struct Ports {
    AgencyCallers& callers;
    identity::People& people;
    identity::Approvals& approvals;
    audit::Journal& journal;
    identity::LoneActs& lone_acts;
    transport::TrustStore& trust;  // of own people: whom a card may be of
    const runtime::Clock& clock;
  };
  // All references must outlive the object. Handles its acts that need two people.
  explicit PeopleService(Ports ports);

  grpc::Status List(grpc::ServerContext* context, const v1::ListPeopleRequest* request,
                    v1::ListPeopleResponse* response) override;
  grpc::Status Add(grpc::ServerContext* context, const v1::AddPersonRequest* request,
                   v1::PendingAct* response) override;
  grpc::Status Change(grpc::ServerContext* context, const v1::ChangePersonRequest* request,
                      v1::PendingAct* response) override;
  grpc::Status Revoke(grpc::ServerContext* context, const v1::RevokePersonRequest* request,
                      v1::RevokePersonResponse* response) override;

 private:
  Result<identity::Person> ReadCard(const v1::PersonCard& card) const;

  Ports ports_;
  identity::PersonAdd add_;
  identity::PersonRole role_;
  identity::PersonRevocation revocation_;
};

}  // namespace comity::gateway
