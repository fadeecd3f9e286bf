// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/check.h"
#include "policy/decide/agreement_set.h"
#include "policy/model/agreement.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/watchlists/register.h"
#include "tests/unit/services/watchlists/list_files.h"

// Agreements in force under which northshire-police has lists searched by eastvale-council.
namespace comity::gateway::testing {

template <typename IdType>
IdType Named(const std::string& text) {
  return IdType::Parse(text).value();
}
inline const policy::AgencyId kPolice = Named<policy::AgencyId>("northshire-police");
inline const policy::AgencyId kCouncil = Named<policy::AgencyId>("eastvale-council");
inline const policy::AgreementId kSharing = Named<policy::AgreementId>("northshire-eastvale-2026");
inline const policy::PurposeCode kArrest = Named<policy::PurposeCode>("court-order-arrest");
inline const policy::Instant kBegin = watchlists::testing::At("2026-11-25T08:00:00Z");

inline policy::Party PartyOf(const policy::AgencyId& agency) {
  policy::Party party;
  party.agency = agency;
  party.name = agency.text();
  party.legal_role = policy::LegalRole::kController;
  party.regimes = {policy::Regime::kUkPart3};
  party.dpo = {.post = "DPO", .contact = "dpo@example", .key = "k0"};
  party.signatories = {{.post = "Owner", .key = "k1"}, {.post = "Chief", .key = "k2"}};
  return party;
}

inline policy::SearchPermission Permission(const std::string& id = "p1") {
  policy::SearchPermission permission;
  permission.id = id;
  permission.requester = kCouncil;
  permission.holder = kPolice;
  permission.roles = {policy::RequesterRole::kEngine};
  permission.uses = {policy::UseMode::kLive};
  permission.purposes = {kArrest};
  permission.list_categories = {Named<policy::ListCategory>("wanted-by-courts")};
  permission.mode = policy::SearchMode::kSealed;
  permission.engine = {.name = "facenet", .version = "1.0", .dimension = 128};
  permission.threshold_floor = 0.5;
  permission.hit_cap = 5;
  permission.lists = {.max_entries = 1000, .max_age = std::chrono::hours(12)};
  permission.capacity = {1000, 1000, 1000};
  permission.releases = {
      {policy::ReleaseItem::kReferenceNumber, {policy::ReceiverRole::kOperator}}};
  return permission;
}

inline policy::Agreement SharingUnder(std::vector<policy::SearchPermission> permissions,
                                      std::uint32_t version = 1) {
  policy::Agreement agreement;
  agreement.id = kSharing;
  agreement.version = version;
  agreement.sha256.bytes.fill(static_cast<std::uint8_t>(version));
  agreement.parties = {PartyOf(kPolice), PartyOf(kCouncil)};
  policy::Purpose& purpose = agreement.purposes.emplace_back();
  purpose.code = kArrest;
  purpose.label = "Arrest on warrant";
  purpose.regime = policy::Regime::kUkPart3;
  purpose.legal_power = "PACE 1984 s.24";
  purpose.condition = "DPA 2018 Sch.8 para 1";
  purpose.subject_categories = {policy::SubjectCategory::kSuspect};
  using enum policy::AttachmentKind;
  for (const policy::AttachmentKind kind : {kDpia, kApd, kEia, kSop, kLegalMandate}) {
    policy::Attachment& attachment = agreement.attachments.emplace_back();
    attachment.id = "a" + std::to_string(agreement.attachments.size());
    attachment.kind = kind;
    attachment.reference = "ref";
    attachment.valid_from = kBegin - std::chrono::hours(1);
    attachment.valid_until = kBegin + std::chrono::days(300);
  }
  agreement.permissions = std::move(permissions);
  agreement.retention = {.alert = std::chrono::hours(24), .audit = std::chrono::hours(24 * 365)};
  agreement.effective_from = kBegin - std::chrono::hours(1);
  agreement.effective_until = kBegin + std::chrono::days(200);
  agreement.review_by = kBegin + std::chrono::days(100);
  return agreement;
}

// Signed by all, and then perhaps suspended or terminated by the police.
inline policy::AgreementInput Signed(policy::Agreement agreement,
                                     std::optional<policy::StatementKind> last = {}) {
  std::vector<policy::VerifiedStatement> statements;
  const auto say = [&](policy::StatementKind kind, const policy::Party& party,
                       const std::string& post) {
    policy::VerifiedStatement& said = statements.emplace_back();
    said.id.bytes[0] = static_cast<std::uint8_t>(statements.size());
    said.key.bytes[0] = said.id.bytes[0];
    said.statement.kind = kind;
    said.statement.agreement = {agreement.id, agreement.version, agreement.sha256};
    said.statement.party = party.agency;
    said.statement.post = post;
    said.statement.at = kBegin - std::chrono::hours(2);
    if (kind == policy::StatementKind::kAdvice) {
      said.statement.position = policy::AdvicePosition::kFor;
    }
    said.countersigned = true;
  };
  for (const policy::Party& party : agreement.parties) {
    say(policy::StatementKind::kAdvice, party, party.dpo.post);
    for (const auto& signatory : party.signatories) {
      say(policy::StatementKind::kSignature, party, signatory.post);
    }
  }
  if (last) {
    for (const auto& signatory : agreement.parties.front().signatories) {
      say(*last, agreement.parties.front(), signatory.post);
    }
  }
  return {std::move(agreement), std::move(statements), {}};
}

inline std::shared_ptr<const policy::AgreementSet> SetOf(
    std::vector<policy::AgreementInput> agreements) {
  auto set = policy::AgreementSet::Build(std::move(agreements));
  COMITY_CHECK(set.has_value());
  return std::make_shared<const policy::AgreementSet>(*std::move(set));
}
inline std::shared_ptr<const policy::AgreementSet> Sharing(
    std::vector<policy::SearchPermission> permissions) {
  std::vector<policy::AgreementInput> inputs;
  inputs.push_back(Signed(SharingUnder(std::move(permissions))));
  return SetOf(std::move(inputs));
}

}  // namespace comity::gateway::testing
