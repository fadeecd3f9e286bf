// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "comity/v1/agreements.pb.h"
#include "crypto/base/result.h"
#include "policy/decide/explain.h"
#include "services/agreements/register.h"
#include "services/gateway/federation/agreement_courier.h"

namespace comity::gateway {

// Agreements as own people see them.
v1::AgreementSummary ToSummary(const agreements::AgreementView& view,
                               const std::map<policy::AgencyId, DeliveryState>& deliveries);
void FillDeliveries(const std::map<policy::AgencyId, DeliveryState>& states,
                    google::protobuf::RepeatedPtrField<v1::PeerDelivery>& deliveries);

// Errors: kInvalidArgument  names the field
Result<agreements::ListFilter> FilterOf(const v1::ListAgreementsRequest& request);

// A request that somebody asks about, with the agreement it would name at that moment.
struct Question {
  policy::SearchRequest request;
  policy::Usage usage;
  policy::Instant at{};
};
// Errors: kInvalidArgument  an agency's id is missing or malformed
Result<Question> QuestionOf(const v1::ExplainRequest& request, const policy::AgreementSet& set,
                            policy::Instant now);
v1::ExplainResponse ToProto(const policy::Explanation& explanation);

}  // namespace comity::gateway
