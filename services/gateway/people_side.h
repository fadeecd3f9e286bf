// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/impl/service_type.h>

#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "services/audit/log.h"
#include "services/gateway/agency/approvals_service.h"
#include "services/gateway/agency/audit_service.h"
#include "services/gateway/agency/certificates_service.h"
#include "services/gateway/agency/configuration_act.h"
#include "services/gateway/agency/notices_service.h"
#include "services/gateway/agency/payload_opening.h"
#include "services/gateway/agency/people_service.h"
#include "services/gateway/identity_keys.h"
#include "services/gateway/wire/callers.h"
#include "services/identity/approvals.h"
#include "services/identity/lone_acts.h"
#include "services/identity/notices.h"
#include "services/identity/people.h"
#include "services/matching/answer_barrier.h"
#include "services/oversight/certificate_reinstate.h"
#include "services/oversight/certificate_revocations.h"
#include "services/oversight/erasure_ledger.h"
#include "services/runtime/config.h"

namespace comity::gateway {

// What a gateway knows of its own people: who they are, what they are told, the acts that need two
// of them, whose certificates they have revoked, and what they are shown of the log.
//
// Threads: made and served by the owner's thread; the parts are thread-safe.
class PeopleSide {
 public:
  // All references must outlive the object.
  struct Setup {
    const runtime::Config& config;
    const policy::AgencyId& self;
    const IdentityKeys& keys;
    const store::Store& store;
    audit::Log& log;
    const runtime::Clock& clock;
    RandomSource& random;
    std::vector<sign::PublicKey> former_keys;  // agency keys that vouched before the present one
    oversight::ErasureLedger& ledger;
    runtime::Logger& logger;
  };
  // Errors: those of People::Open, of CertificateRevocations::Open and of the configuration's first
  // people
  static Result<std::unique_ptr<PeopleSide>> Open(Setup setup);

  identity::People& people() { return *people_; }
  identity::Notices& notices() { return *notices_; }
  identity::Approvals& approvals() { return *approvals_; }
  identity::LoneActs& lone_acts() { return *lone_acts_; }
  ConfigurationAct& configuration() { return *configuration_; }

  oversight::CertificateRevocations& revocations() { return *revocations_; }
  // Who is revoked is refused by these from now on; a change is over when what was being answered
  // before it is answered. Before anything is served. In: barrier  null: nothing is answered
  void BindRevocations(std::vector<std::shared_ptr<transport::TrustStore>> stores,
                       matching::AnswerBarrier* barrier);

  // Makes the handlers. `stop` ends their streams.
  void Serve(AgencyCallers& callers, transport::TrustStore& trust, std::stop_token stop);
  std::vector<grpc::Service*> services();
  // Ends what waited too long for a second person, and tells what one person did alone.
  Status Housekeep();

 private:
  explicit PeopleSide(Setup setup) : setup_(std::move(setup)) {}

  Setup setup_;
  std::unique_ptr<identity::People> people_;
  std::optional<identity::Notices> notices_;
  std::optional<identity::Approvals> approvals_;
  std::optional<identity::LoneActs> lone_acts_;
  std::optional<ConfigurationAct> configuration_;
  std::unique_ptr<oversight::CertificateRevocations> revocations_;
  std::optional<oversight::CertificateReinstate> reinstate_;
  std::optional<PeopleService> people_service_;
  std::optional<ApprovalsService> approvals_service_;
  std::optional<NoticesService> notices_service_;
  std::optional<PayloadOpening> opening_;
  std::optional<AuditService> audit_service_;
  std::optional<CertificatesService> certificates_service_;
};

}  // namespace comity::gateway
