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

// How far above the highest known version a peer's may be, with room for dates as versions. There
// is none above 2^32 - 1: one document of that version would end the agreement's renewal.
constexpr std::uint32_t kMaxVersionStep = 1'000'000;
constexpr std::size_t kMaxVersionsOfPeer = 200;  // delivered or not: no peer takes another's room
constexpr std::size_t kMaxStatementsOfPerson = 64;  // on one version
// On all versions with one other party: at most 80 MB; 20 for each of 200 versions.
constexpr std::size_t kMaxStatementsOfParty = 4'000;

Status CheckParty(const policy::Party& party, const TrustedKeys& keys, policy::Instant received_at,
                  policy::Instant now) {
  const auto history = keys.histories.find(party.agency);
  if (history == keys.histories.end()) {
    return Fail(ErrorCode::kPermissionDenied,
                party.agency.text() + " is not enrolled here as a peer");
  }
  if (!history->second.Accepts(party.agency_key, received_at)) {
    return Fail(ErrorCode::kPermissionDenied,
                "the agency_key of " + party.agency.text() + " is not one trusted here");
  }
  if (history->second.At(now).empty()) {
    return Fail(ErrorCode::kPermissionDenied, "no key speaks for " + party.agency.text() +
                                                  " at present: it was removed as a peer");
  }
  return {};
}

// What `party` has suspended on this version and not resumed.
std::vector<policy::OpenSuspension> OpenOf(const policy::AgencyId& party,
                                           const HeldVersion& version) {
  std::vector<policy::VerifiedStatement> said;
  for (const HeldStatement& held : version.statements) said.push_back(held.verified);
  auto open = policy::ComputeStatementState(version.agreement, said).suspensions;
  std::erase_if(open, [&](const auto& suspension) { return suspension.party != party; });
  return open;
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

Status CheckParties(const policy::Agreement& agreement, const TrustedKeys& keys,
                    policy::Instant received_at, policy::Instant now) {
  if (!HasParty(agreement, keys.own)) {
    return Fail(ErrorCode::kPermissionDenied,
                keys.own.text() + " is no party of agreement " + agreement.id.text());
  }
  for (const policy::Party& party : agreement.parties) {
    COMITY_RETURN_IF_ERROR(CheckParty(party, keys, received_at, now));
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

Status CheckPeersVersion(const HeldVersion& version, const policy::AgencyId& peer,
                         const Catalogue& catalogue) {
  const auto highest = catalogue.Find(version.ref.id, 0);
  if (highest && version.ref.version - highest->ref.version > kMaxVersionStep) {
    return Fail(ErrorCode::kConflict, "agreement " + version.ref.id.text() +
                                          ": a peer's version is at most 1,000,000 above the last");
  }
  const auto& all = catalogue.versions();
  const auto held = std::count_if(all.begin(), all.end(), [&](const auto& item) {
    return item.second->agreement.FindParty(peer) != nullptr;
  });
  if (static_cast<std::size_t>(held) < kMaxVersionsOfPeer) return {};
  return Fail(ErrorCode::kExhausted,
              "200 agreement versions with " + peer.text() + " are held; it may deliver no more");
}

Status CheckTimely(const policy::Statement& statement, const policy::StatementState& state) {
  using policy::StatementKind;
  const std::string name = "agreement " + statement.agreement.id.text() + " version " +
                           std::to_string(statement.agreement.version);
  if (statement.kind == StatementKind::kRejection && state.complete) {
    return Fail(
        ErrorCode::kConflict,
        name + " is signed by all: suspend or terminate it; a proposal is what one rejects");
  }
  if (statement.kind == StatementKind::kResumption &&
      std::ranges::none_of(state.suspensions, [&](const policy::OpenSuspension& open) {
        return open.id == statement.lifts && open.version == statement.agreement.version;
      })) {
    return Fail(ErrorCode::kConflict, name +
                                          " has no open suspension of this id; name the version "
                                          "that was suspended");
  }
  // Suspensions hold for higher versions, too, and what was in force once can still be ended.
  const bool says_something = statement.kind == StatementKind::kRejection ||
                              statement.kind == StatementKind::kSuspension ||
                              statement.kind == StatementKind::kResumption ||
                              (statement.kind == StatementKind::kTermination && state.complete);
  if (state.rejection && !says_something) {
    return Fail(ErrorCode::kConflict,
                name + " was rejected, which is final; propose a higher version");
  }
  return {};
}

Status CheckPersonsRoom(const policy::Statement& statement, const HeldVersion& version) {
  const auto held = std::ranges::count_if(version.statements, [&](const HeldStatement& each) {
    const policy::Statement& said = each.verified.statement;
    return said.party == statement.party && said.post == statement.post;
  });
  if (static_cast<std::size_t>(held) < kMaxStatementsOfPerson) return {};
  return Fail(ErrorCode::kExhausted,
              "64 statements of " + statement.post +
                  " on this version are held; of more, only what stops a sharing or lifts an open "
                  "suspension is taken: for anything else, sign a higher version");
}

Status CheckPartysRoom(const policy::AgencyId& party, const policy::AgencyId& other,
                       const Catalogue& catalogue) {
  std::ptrdiff_t held = 0;
  for (const auto& [key, version] : catalogue.versions()) {
    if (!HasParty(version->agreement, party) || !HasParty(version->agreement, other)) continue;
    held += std::ranges::count_if(version->statements, [&](const HeldStatement& each) {
      return each.verified.statement.party == party;
    });
  }
  if (static_cast<std::size_t>(held) < kMaxStatementsOfParty) return {};
  return Fail(ErrorCode::kExhausted, "4,000 statements of " + party.text() +
                                         " on all versions with " + other.text() +
                                         " are held; only what stops a sharing is taken");
}

bool StopsMore(const policy::Statement& statement, const HeldVersion& version) {
  using policy::StatementKind;
  const auto same = [&](const HeldStatement& held) {
    const policy::Statement& said = held.verified.statement;
    return said.kind == statement.kind && said.party == statement.party;
  };
  const auto by_the_same_person = [&](const HeldStatement& held) {
    return same(held) && held.verified.statement.post == statement.post;
  };
  if (statement.kind == StatementKind::kRejection) {
    return std::ranges::none_of(version.statements, same);
  }
  if (statement.kind == StatementKind::kTermination) {
    return std::ranges::none_of(version.statements, by_the_same_person);
  }
  return statement.kind == StatementKind::kSuspension && OpenOf(statement.party, version).empty();
}

bool LiftsWhatIsOpen(const policy::Statement& statement, const HeldVersion& version) {
  if (statement.kind != policy::StatementKind::kResumption || !statement.lifts) return false;
  const bool repeats = std::ranges::any_of(version.statements, [&](const HeldStatement& held) {
    const policy::Statement& said = held.verified.statement;
    return said.kind == statement.kind && said.party == statement.party &&
           said.post == statement.post && said.lifts == statement.lifts;
  });
  if (repeats) return false;
  return std::ranges::any_of(OpenOf(statement.party, version), [&](const auto& suspension) {
    return suspension.id == *statement.lifts;
  });
}

const policy::AgencyId& OtherParty(const policy::Agreement& agreement,
                                   const policy::AgencyId& own) {
  const auto found = std::find_if(agreement.parties.begin(), agreement.parties.end(),
                                  [&](const policy::Party& party) { return party.agency != own; });
  COMITY_CHECK(found != agreement.parties.end());  // LoadAgreement: two different parties
  return found->agency;
}

}  // namespace comity::agreements
