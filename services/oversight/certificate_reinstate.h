// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "services/identity/approvals.h"
#include "services/oversight/certificate_revocations.h"

namespace comity::oversight {

// Canonical JSON of the act certificate-reinstate: {"reason":..,"revocation":..}
// (docs/formats/certificate_revocation.md). In: reason  1..1000 octets of UTF-8
std::string EncodeCertificateReinstate(std::string_view revocation, std::string_view reason);

// Lifts a revocation when the second person has approved.
//
// Threads: thread-safe.
class CertificateReinstate final : public identity::ActHandler {
 public:
  // The reference must outlive the object.
  explicit CertificateReinstate(CertificateRevocations& revocations) : revocations_(revocations) {}
  Result<std::string> Describe(std::string_view content) const override;
  Result<AfterCommit> Carry(store::Transaction& transaction, audit::Recorder& recorder,
                            const identity::PendingAct& act, const policy::PersonId& by) override;

 private:
  CertificateRevocations& revocations_;
};

}  // namespace comity::oversight
