// SPDX-License-Identifier: Apache-2.0
#include "services/agreements/admission.h"

#include <algorithm>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/hash/sha256.h"
#include "policy/check/check.h"

namespace comity::agreements {
namespace {

std::string AllFaults(const std::vector<policy::Issue>& issues) {
  std::string text = "the agreement document has faults:";
  for (const policy::Issue& issue : issues) {
    text += "\n" + policy::FormatIssue(issue, "document");
  }
  return text;
}

bool HasParty(const policy::Agreement& agreement, const policy::AgencyId& agency) {
  return agreement.FindParty(agency) != nullptr;
}

Status CheckParty(const policy::Party& party, const TrustedKeys& keys) {
  const auto pinned = keys.peers.find(party.agency);
  if (party.agency != keys.own && pinned == keys.peers.end()) {
    return Fail(ErrorCode::kPermissionDenied,
                party.agency.text() + " is not enrolled here as a peer");
  }
  const sign::PublicKey& trusted = party.agency == keys.own ? keys.own_key : pinned->second;
  const auto stated = sign::ParsePublicKey(party.agency_key);
  if (stated && *stated == trusted) return {};
  return Fail(ErrorCode::kPermissionDenied, "the agency_key of " + party.agency.text() +
                                                " is not the one trusted here (" +
                                                sign::KeyId(trusted) + ")");
}

}  // namespace

Result<HeldVersion> ReadDocument(std::string_view document) {
  policy::LoadedAgreement loaded = policy::LoadAgreement(document);
  if (!loaded.agreement) return Fail(ErrorCode::kInvalidArgument, AllFaults(loaded.issues));
  HeldVersion version;
  version.agreement = std::move(*loaded.agreement);
  version.document = std::string(document);
  version.ref = {version.agreement.id, version.agreement.version, hash::Sha256(AsBytes(document))};
  return version;
}

Status CheckParties(const policy::Agreement& agreement, const TrustedKeys& keys) {
  if (!HasParty(agreement, keys.own)) {
    return Fail(ErrorCode::kPermissionDenied,
                keys.own.text() + " is no party of agreement " + agreement.id.text());
  }
  for (const policy::Party& party : agreement.parties) {
    COMITY_RETURN_IF_ERROR(CheckParty(party, keys));
  }
  return {};
}

Result<bool> CheckSuccession(const HeldVersion& version, const Catalogue& catalogue) {
  const auto same = catalogue.Find(version.ref.id, version.ref.version);
  if (same && same->ref == version.ref) return true;
  const auto highest = catalogue.Find(version.ref.id, 0);
  if (!highest) return false;
  const std::string name = "agreement " + version.ref.id.text();
  if (version.ref.version <= highest->ref.version) {
    return Fail(ErrorCode::kConflict,
                name + ": version " + std::to_string(highest->ref.version) +
                    " with other content is known; a new document needs a higher version");
  }
  const auto& parties = highest->agreement.parties;
  if (!std::all_of(parties.begin(), parties.end(), [&](const policy::Party& party) {
        return HasParty(version.agreement, party.agency);
      })) {
    return Fail(ErrorCode::kConflict,
                name + " is between other agencies; the document needs another id");
  }
  return false;
}

const policy::AgencyId& OtherParty(const policy::Agreement& agreement,
                                   const policy::AgencyId& own) {
  const auto found = std::find_if(agreement.parties.begin(), agreement.parties.end(),
                                  [&](const policy::Party& party) { return party.agency != own; });
  COMITY_CHECK(found != agreement.parties.end());  // LoadAgreement: two different parties
  return found->agency;
}

}  // namespace comity::agreements
