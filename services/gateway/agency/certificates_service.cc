// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/certificates_service.h"

#include <algorithm>

#include "services/gateway/wire/convert_approval.h"
#include "services/gateway/wire/convert_time.h"
#include "services/gateway/wire/respond.h"
#include "services/oversight/certificate_reinstate.h"

namespace comity::gateway {
namespace {

using identity::Act;
using oversight::CertificateRevocation;
using oversight::RevocationScope;

v1::CertificateRevocation ToProto(const CertificateRevocation& one) {
  v1::CertificateRevocation proto;
  proto.set_revocation(one.id);
  proto.set_scope(one.scope == RevocationScope::kKey ? v1::REVOCATION_SCOPE_KEY
                                                     : v1::REVOCATION_SCOPE_CERTIFICATE);
  proto.set_sha256(one.sha256.bytes.data(), one.sha256.bytes.size());
  proto.set_subject(one.subject);
  proto.set_set_by(one.set_by);
  proto.set_reason(one.reason);
  *proto.mutable_set_at() = gateway::ToProto(one.set_at);
  if (one.stands()) return proto;
  proto.set_lifted_by(one.lifted_by);
  proto.set_lift_reason(one.lift_reason);
  *proto.mutable_lifted_at() = gateway::ToProto(one.lifted_at);
  return proto;
}

Result<oversight::RevocationOrder> OrderOf(const v1::RevokeCertificateRequest& request) {
  oversight::RevocationOrder order;
  if (request.scope() == v1::REVOCATION_SCOPE_KEY) {
    order.scope = RevocationScope::kKey;
  } else if (request.scope() == v1::REVOCATION_SCOPE_CERTIFICATE) {
    order.scope = RevocationScope::kCertificate;
  } else {
    return Fail(ErrorCode::kInvalidArgument, "scope is certificate or key");
  }
  if (request.sha256().size() != order.sha256.bytes.size()) {
    return Fail(ErrorCode::kInvalidArgument, "sha256 has 32 octets");
  }
  std::ranges::transform(request.sha256(), order.sha256.bytes.begin(),
                         [](char c) { return static_cast<std::uint8_t>(c); });
  order.subject = request.subject();
  order.reason = request.reason();
  return order;
}

}  // namespace

grpc::Status CertificatesService::Revoke(grpc::ServerContext* context,
                                         const v1::RevokeCertificateRequest* request,
                                         v1::CertificateRevocation* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller,
                            ports_.callers.Person(*context, Act::kCertificateRevoke));
    COMITY_ASSIGN_OR_RETURN(const oversight::RevocationOrder order, OrderOf(*request));
    COMITY_ASSIGN_OR_RETURN(const CertificateRevocation one,
                            ports_.revocations.Revoke(order, caller.person));
    *response = ToProto(one);
    return {};
  });
}

grpc::Status CertificatesService::List(grpc::ServerContext* context,
                                       const v1::ListCertificateRevocationsRequest* request,
                                       v1::ListCertificateRevocationsResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_RETURN_IF_ERROR(ports_.callers.Person(*context, Act::kCertificateRead));
    for (const CertificateRevocation& one : ports_.revocations.List(request->all())) {
      *response->add_revocations() = ToProto(one);
    }
    return {};
  });
}

grpc::Status CertificatesService::Reinstate(grpc::ServerContext* context,
                                            const v1::ReinstateCertificateRequest* request,
                                            v1::PendingAct* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller,
                            ports_.callers.Person(*context, Act::kCertificateReinstate));
    COMITY_ASSIGN_OR_RETURN(
        const auto pending,
        ports_.approvals.Propose(
            Act::kCertificateReinstate,
            oversight::EncodeCertificateReinstate(request->revocation(), request->reason()),
            "revocation " + request->revocation().substr(0, 64), caller));
    *response = gateway::ToProto(pending);
    return {};
  });
}

}  // namespace comity::gateway
