// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/peer_content.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "crypto/base/canonical_json.h"
#include "services/gateway/federation/peer_terms.h"
#include "services/identity/approvals.h"
#include "services/identity/json_fields.h"
#include "services/identity/visible_text.h"
#include "services/transport/address.h"
#include "services/transport/limits.h"

namespace comity::gateway {
namespace {

constexpr std::size_t kMaxContent = identity::Approvals::kMaxContent;

Result<std::chrono::seconds> ParseSeconds(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault == std::errc() && end == text.data() + text.size()) return std::chrono::seconds(value);
  return Fail(ErrorCode::kInvalidArgument, "not a number of seconds");
}

// One moment has one spelling in what is signed.
Result<policy::Instant> ParseCanonicalTime(std::string_view text) {
  COMITY_ASSIGN_OR_RETURN(const policy::Instant at, policy::ParseInstant(text));
  if (policy::EncodeInstant(at) == text) return at;
  return Fail(ErrorCode::kInvalidArgument, "the time is not in its canonical form");
}

}  // namespace

std::string EncodePeerCardAct(const PeerCardAct& act) {
  nlohmann::json object = {{"card", act.card},
                           {"address", act.address},
                           {"overlap_seconds", std::to_string(act.how.overlap.count())}};
  if (act.how.compromised_since) {
    object["compromised_since"] = policy::EncodeInstant(*act.how.compromised_since);
  }
  return EncodeCanonicalJson(object);
}

Result<PeerCardAct> ParsePeerCardAct(std::string_view content) {
  COMITY_ASSIGN_OR_RETURN(auto fields,
                          identity::JsonFields::Parse(content, kMaxContent, "peer act"));
  PeerCardAct act;
  COMITY_ASSIGN_OR_RETURN(act.card, fields.Text("card"));
  COMITY_ASSIGN_OR_RETURN(act.address, fields.Text("address"));
  COMITY_ASSIGN_OR_RETURN(act.how.overlap, fields.Parsed("overlap_seconds", ParseSeconds));
  if (fields.Has("compromised_since")) {
    COMITY_ASSIGN_OR_RETURN(act.how.compromised_since,
                            fields.Parsed("compromised_since", policy::ParseInstant));
  }
  COMITY_RETURN_IF_ERROR(fields.Finish());
  return act;
}

Result<identity::PeerTerms> TermsOf(const PeerCardAct& act) {
  COMITY_ASSIGN_OR_RETURN(identity::PeerTerms terms, ReadTerms(act.card));
  if (act.address.empty()) return terms;
  const auto address = transport::ParseAddress(act.address);
  if (!address || address->port == 0) {
    return Fail(ErrorCode::kInvalidArgument, "the address is not host:port");
  }
  terms.address = act.address;
  return terms;
}

std::string EncodePeerStateAct(const PeerStateAct& act) {
  nlohmann::json object = {{"agency", act.agency.text()}, {"reason", act.reason}};
  if (act.suspended_at) object["suspended_at"] = policy::EncodeInstant(*act.suspended_at);
  return EncodeCanonicalJson(object);
}

Result<PeerStateAct> ParsePeerStateAct(std::string_view content) {
  COMITY_ASSIGN_OR_RETURN(auto fields,
                          identity::JsonFields::Parse(content, kMaxContent, "peer act"));
  PeerStateAct act;
  COMITY_ASSIGN_OR_RETURN(act.agency, fields.Parsed("agency", policy::AgencyId::Parse));
  COMITY_ASSIGN_OR_RETURN(act.reason, fields.Text("reason"));
  if (fields.Has("suspended_at")) {
    COMITY_ASSIGN_OR_RETURN(act.suspended_at, fields.Parsed("suspended_at", ParseCanonicalTime));
  }
  COMITY_RETURN_IF_ERROR(fields.Finish());
  COMITY_RETURN_IF_ERROR(
      identity::CheckVisibleText("a reason", act.reason, transport::limits::kMaxReason));
  return act;
}

}  // namespace comity::gateway
