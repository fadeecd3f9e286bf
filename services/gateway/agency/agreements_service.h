// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <utility>

#include "comity/v1/agreements.grpc.pb.h"
#include "services/agreements/register.h"
#include "services/gateway/federation/agreement_courier.h"
#include "services/gateway/wire/callers.h"
#include "services/matching/answer_barrier.h"
#include "services/matching/holder_session.h"
#include "services/matching/requester_session.h"

namespace comity::gateway {

// comity.v1.Agreements at the agency port. Threads: thread-safe.
class AgreementsService final : public v1::Agreements::Service {
 public:
  struct Ports {
    AgencyCallers& callers;
    const identity::People& people;
    agreements::Register& agreements;
    AgreementCourier& courier;
    matching::AnswerBarrier& barrier;
    const runtime::Clock& clock;
    // What halts a search at this moment, by the side that this agency would be on.
    policy::AgencyId self;
    matching::RequesterPorts::Halted halted_at_requester;
    matching::HolderPorts::Halted halted_at_holder;
  };
  // All references must outlive the object.
  explicit AgreementsService(Ports ports) : ports_(std::move(ports)) {}

  grpc::Status Submit(grpc::ServerContext* context, const v1::SubmitAgreementRequest* request,
                      v1::SubmitAgreementResponse* response) override;
  grpc::Status List(grpc::ServerContext* context, const v1::ListAgreementsRequest* request,
                    v1::ListAgreementsResponse* response) override;
  grpc::Status Get(grpc::ServerContext* context, const v1::GetAgreementRequest* request,
                   v1::GetAgreementResponse* response) override;
  grpc::Status Explain(grpc::ServerContext* context, const v1::ExplainRequest* request,
                       v1::ExplainResponse* response) override;

 private:
  std::optional<policy::ReasonCode> HaltedNow(const policy::SearchRequest& request) const;

  const Ports ports_;
};

}  // namespace comity::gateway
