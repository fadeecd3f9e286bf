// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/people_side.h"

#include <utility>

#include "crypto/hash/sha256.h"
#include "services/gateway/first_people.h"
#include "services/oversight/bars.h"
#include "services/transport/own_revocations.h"

namespace comity::gateway {

Result<std::unique_ptr<PeopleSide>> PeopleSide::Open(Setup setup) {
  std::unique_ptr<PeopleSide> side(new PeopleSide(std::move(setup)));
  const Setup& with = side->setup_;
  COMITY_ASSIGN_OR_RETURN(auto named, LoadFirstPeople(with.config));
  COMITY_ASSIGN_OR_RETURN(const auto first,
                          oversight::Bars::WithoutBarred(with.ledger, std::move(named)));
  COMITY_ASSIGN_OR_RETURN(
      side->people_, identity::People::Open({with.store, with.log, with.self, *with.keys.agency,
                                             with.clock, with.former_keys},
                                            first));
  side->notices_.emplace(identity::Notices::Setup{with.store, with.log, with.self, with.clock});
  side->approvals_.emplace(identity::Approvals::Setup{with.store, with.log, *side->people_,
                                                      *side->notices_, with.self, with.clock,
                                                      with.random, with.keys.kek});
  side->lone_acts_.emplace(
      identity::LoneActs::Setup{*side->notices_, with.store, with.log, with.clock});
  side->configuration_.emplace(ConfigurationAct::Ports{with.log, *side->notices_, with.self},
                               hash::Sha256(AsBytes(with.config.text)));
  side->approvals_->Handle(identity::Act::kConfigurationAcknowledge, *side->configuration_);
  COMITY_ASSIGN_OR_RETURN(side->revocations_,
                          oversight::CertificateRevocations::Open(
                              {with.store, with.log, *side->people_, *side->notices_, with.ledger,
                               with.self, with.keys.kek, with.clock, with.random, with.logger}));
  side->approvals_->CheckKeysBy(
      [revocations = side->revocations_.get()](const store::Transaction& transaction,
                                               const identity::Person& person) {
        return revocations->CheckKey(transaction, person);
      });
  side->reinstate_.emplace(*side->revocations_);
  side->approvals_->Handle(identity::Act::kCertificateReinstate, *side->reinstate_);
  return side;
}

void PeopleSide::BindRevocations(std::vector<std::shared_ptr<transport::TrustStore>> stores,
                                 matching::AnswerBarrier* barrier) {
  revocations_->OnChange(
      [stores = std::move(stores)](const oversight::RevocationTable& table) {
        const auto standing = std::make_shared<transport::OwnRevocations>();
        for (const oversight::CertificateRevocation& one : table.revocations) {
          if (!one.stands()) continue;
          const bool of_key = one.scope == oversight::RevocationScope::kKey;
          (of_key ? standing->keys : standing->certificates).emplace(one.sha256, one.id);
        }
        for (const auto& store : stores) store->SetRevocations(standing);
      },
      [barrier] {
        if (barrier != nullptr) barrier->Drain();
      });
}

void PeopleSide::Serve(AgencyCallers& callers, transport::TrustStore& trust, std::stop_token stop) {
  people_service_.emplace(PeopleService::Ports{callers, *people_, *approvals_, setup_.log,
                                               *lone_acts_, trust, setup_.clock});
  approvals_service_.emplace(callers, *approvals_);
  notices_service_.emplace(NoticesService::Ports{callers, *notices_, std::move(stop)});
  opening_.emplace(PayloadOpening::Ports{setup_.store, setup_.log, setup_.keys.kek, *people_,
                                         *approvals_, setup_.self, setup_.clock});
  audit_service_.emplace(
      AuditService::Ports{setup_.self, callers, setup_.log, setup_.clock, *opening_, *lone_acts_});
  certificates_service_.emplace(CertificatesService::Ports{callers, *revocations_, *approvals_});
}

Status PeopleSide::Housekeep() {
  const Status told = lone_acts_->Housekeep();
  const Status listed = revocations_->Housekeep();
  COMITY_RETURN_IF_ERROR(approvals_->Housekeep());
  COMITY_RETURN_IF_ERROR(listed);
  return told;
}

std::vector<grpc::Service*> PeopleSide::services() {
  return {&*people_service_, &*approvals_service_, &*notices_service_, &*audit_service_,
          &*certificates_service_};
}

}  // namespace comity::gateway
