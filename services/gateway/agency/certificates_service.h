// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "comity/v1/certificates.grpc.pb.h"
#include "services/gateway/wire/callers.h"
#include "services/identity/approvals.h"
#include "services/oversight/certificate_revocations.h"

namespace comity::gateway {

// comity.v1.Certificates at the agency port. Threads: thread-safe.
class CertificatesService final : public v1::Certificates::Service {
 public:
  struct Ports {
    AgencyCallers& callers;
    oversight::CertificateRevocations& revocations;
    identity::Approvals& approvals;
  };
  // References must outlive the object.
  explicit CertificatesService(Ports ports) : ports_(std::move(ports)) {}

  grpc::Status Revoke(grpc::ServerContext* context, const v1::RevokeCertificateRequest* request,
                      v1::CertificateRevocation* response) override;
  grpc::Status List(grpc::ServerContext* context,
                    const v1::ListCertificateRevocationsRequest* request,
                    v1::ListCertificateRevocationsResponse* response) override;
  grpc::Status Reinstate(grpc::ServerContext* context,
                         const v1::ReinstateCertificateRequest* request,
                         v1::PendingAct* response) override;

 private:
  Ports ports_;
};

}  // namespace comity::gateway
