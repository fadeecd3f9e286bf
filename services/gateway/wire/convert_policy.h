// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comity/v1/federation.pb.h"
#include "comity/v1/types.pb.h"
#include "crypto/base/result.h"
#include "policy/model/decision.h"

// Between the wire's words and policy/model. FromProto checks every bound that types.proto states;
// its errors (kInvalidArgument) name the field.
namespace comity::gateway {

v1::AgreementRef ToProto(const policy::AgreementRef& reference);
Result<policy::AgreementRef> FromProto(const v1::AgreementRef& reference);

v1::EngineProfile ToProto(const policy::EngineProfile& profile);
Result<policy::EngineProfile> FromProto(const v1::EngineProfile& profile);

v1::SearchMode ToProto(policy::SearchMode mode);
Result<policy::SearchMode> FromProto(v1::SearchMode mode);

v1::RequesterRole ToProto(policy::RequesterRole role);
v1::UseMode ToProto(policy::UseMode use);

v1::Decision ToProto(const policy::Decision& decision);
// A decision of another gateway. A code this version does not know, or none, becomes
// kMalformedRequest: never a permit.
policy::Decision FromProto(const v1::Decision& decision);

v1::SearchTerms ToProto(const policy::SearchRequest& request);
// The terms another gateway sends, for the two agencies of the connection. What is absent or
// unknown stays absent: Decide denies it with the reason, so a refusal is recorded rather than an
// error. Errors: kInvalidArgument  more than 16 categories
Result<policy::SearchRequest> FromProto(const v1::SearchTerms& terms,
                                        const policy::AgencyId& requester,
                                        const policy::AgencyId& holder);

}  // namespace comity::gateway
