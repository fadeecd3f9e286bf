// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/certificate_reinstate.h"

#include <nlohmann/json.hpp>

#include "crypto/base/canonical_json.h"
#include "crypto/base/encoding.h"
#include "services/identity/json_fields.h"
#include "services/identity/visible_text.h"

namespace comity::oversight {
namespace {

constexpr std::size_t kMaxReinstateContent = 8 * 1024;  // a reason of 1,000 octets, each escaped

struct ReinstateContent {
  std::string revocation;
  std::string reason;
};

Result<ReinstateContent> ReadReinstate(std::string_view text) {
  COMITY_ASSIGN_OR_RETURN(auto fields, identity::JsonFields::Parse(text, kMaxReinstateContent,
                                                                   "certificate-reinstate"));
  ReinstateContent content;
  COMITY_ASSIGN_OR_RETURN(content.revocation, fields.Text("revocation"));
  COMITY_ASSIGN_OR_RETURN(content.reason, fields.Text("reason"));
  COMITY_RETURN_IF_ERROR(fields.Finish());
  COMITY_RETURN_IF_ERROR(
      identity::CheckVisibleText("the reason", content.reason, RevocationOrder::kMaxReason));
  return content;
}

}  // namespace

std::string EncodeCertificateReinstate(std::string_view revocation, std::string_view reason) {
  return TryEncodeCanonicalJson({{"reason", reason}, {"revocation", revocation}}).value_or("{}");
}

Result<std::string> CertificateReinstate::Describe(std::string_view text) const {
  COMITY_ASSIGN_OR_RETURN(const ReinstateContent content, ReadReinstate(text));
  COMITY_ASSIGN_OR_RETURN(const CertificateRevocation one, revocations_.Get(content.revocation));
  if (!one.stands()) return Fail(ErrorCode::kConflict, one.id + " is lifted already");
  return "Lifts revocation " + one.id + ": this gateway takes the " + std::string(Name(one.scope)) +
         " again whose SHA-256 is " + EncodeHex(one.sha256.view()) + ".\n" +
         (one.subject.empty() ? "" : "It is of " + one.subject + ", as who revoked it said.\n") +
         "It was revoked by " + one.set_by + " at " + policy::EncodeInstant(one.set_at) + ": " +
         one.reason + "\nWhy it is to be taken again: " + content.reason;
}

Result<identity::ActHandler::AfterCommit> CertificateReinstate::Carry(
    store::Transaction& transaction, audit::Recorder& recorder, const identity::PendingAct& act,
    const policy::PersonId& by) {
  COMITY_ASSIGN_OR_RETURN(const ReinstateContent content, ReadReinstate(act.content));
  COMITY_RETURN_IF_ERROR(
      revocations_.Reinstate(transaction, recorder, content.revocation, by, content.reason));
  return AfterCommit([this] {
    // What cannot be read stays revoked, and the next change reads it.
    if (revocations_.Refresh()) static_cast<void>(revocations_.Housekeep());
  });
}

}  // namespace comity::oversight
