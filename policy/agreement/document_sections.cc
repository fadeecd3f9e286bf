// SPDX-License-Identifier: Apache-2.0
#include "policy/agreement/document_sections.h"

#include "crypto/base/encoding.h"
#include "policy/agreement/field_values.h"

namespace comity::policy {
namespace {

constexpr ListBound kTerms{1, 32};     // lists of terms of a closed vocabulary
constexpr ListBound kSelector{0, 32};  // empty: matches all

void ReadEngine(FieldReader& fields, EngineProfile& engine) {
  fields.Scalar("name", engine.name, ParseEngineText);
  fields.Scalar("version", engine.version, ParseEngineText);
  fields.Number("dimension", engine.dimension,
                SmallNumber(EngineProfile::kMinDimension, EngineProfile::kMaxDimension));
  fields.Exactly("metric", "cosine");
}

void ReadCapacity(FieldReader& fields, Capacity& capacity) {
  constexpr std::uint64_t kMaxProbes = 1'000'000'000;  // 11,574 a second
  fields.Number("probes_per_day", capacity.probes_per_day, WholeNumber(1, kMaxProbes));
  fields.Number("per_officer_per_day", capacity.per_officer_per_day, WholeNumber(1, kMaxProbes));
  fields.Number("per_case_per_day", capacity.per_case_per_day, WholeNumber(1, kMaxProbes));
}

void ReadAlarms(FieldReader& fields, Alarms& alarms) {
  constexpr std::uint32_t kMaxHits = 1'000'000;
  fields.Number("hit_rate_percent", alarms.hit_rate_percent, ParsePercent);
  fields.Scalar("hit_rate_window", alarms.hit_rate_window, ParseDuration);
  fields.Number("repeated_hits_of_entry", alarms.repeated_hits_of_entry, SmallNumber(2, kMaxHits));
  fields.Scalar("repeated_hits_window", alarms.repeated_hits_window, ParseDuration);
}

void ReadListBounds(FieldReader& fields, ListBounds& lists) {
  constexpr std::uint32_t kMaxEntries = 100'000'000;
  fields.Number("max_entries", lists.max_entries, SmallNumber(1, kMaxEntries));
  fields.Scalar("max_age", lists.max_age, ParseDuration);
}

void ReadRelease(FieldReader& fields, Release& release) {
  fields.Scalar("item", release.item, ParseReleaseItem);
  fields.Terms("roles", kTerms, release.roles, ParseReceiverRole);
}

}  // namespace

void ReadParty(FieldReader& fields, Party& party) {
  fields.Scalar("agency", party.agency, AgencyId::Parse);
  fields.Scalar("name", party.name, Text(kShortText));
  fields.Scalar("legal_role", party.legal_role, ParseLegalRole);
  fields.List("regimes", kTerms, party.regimes, ParseRegime);
  fields.Scalar("contact_point", party.contact_point, Text(kShortText));
  fields.Scalar("agency_key", party.agency_key, ParseKeyText);
  fields.Map("dpo", [&](FieldReader& dpo) {
    dpo.Scalar("post", party.dpo.post, Text(kShortText));
    dpo.Scalar("contact", party.dpo.contact, Text(kShortText));
    dpo.Scalar("key", party.dpo.key, ParseKeyText);
  });
  constexpr ListBound kSignatories{1, 16};
  fields.Maps("signatories", kSignatories, party.signatories,
              [](FieldReader& signatory, Signatory& value) {
                signatory.Scalar("post", value.post, Text(kShortText));
                signatory.Scalar("key", value.key, ParseKeyText);
                signatory.Flag("caldicott", value.caldicott);
              });
}

void ReadPurpose(FieldReader& fields, Purpose& purpose) {
  fields.Scalar("code", purpose.code, ParsePurposeCode);
  fields.Scalar("label", purpose.label, Text(kShortText));
  fields.Scalar("parent", purpose.parent, ParsePurposeTerm);
  fields.Scalar("regime", purpose.regime, ParseRegime);
  fields.Scalar("legal_power", purpose.legal_power, Text(kLongText));
  fields.Scalar("condition", purpose.condition, Text(kLongText));
  fields.Scalar("offence_floor", purpose.offence_floor, OrNone(ParseOffenceClass));
  fields.Terms("subject_categories", kTerms, purpose.subject_categories, ParseSubjectCategory);
  fields.Flag("requires_case_reference", purpose.requires_case_reference);
}

void ReadAttachment(FieldReader& fields, Attachment& attachment) {
  fields.Scalar("id", attachment.id, ParseClauseId);
  fields.Scalar("kind", attachment.kind, ParseAttachmentKind);
  fields.Scalar("reference", attachment.reference, Text(kShortText));
  fields.Scalar("sha256", attachment.sha256, ParseHexDigest);
  fields.Scalar("valid_from", attachment.valid_from, ParseInstant);
  fields.Scalar("valid_until", attachment.valid_until, ParseInstant);
}

void ReadPermission(FieldReader& fields, SearchPermission& permission) {
  constexpr std::uint32_t kMaxHits = 100;
  fields.Scalar("id", permission.id, ParseClauseId);
  fields.Exactly("action", "search");
  fields.Scalar("requester", permission.requester, AgencyId::Parse);
  fields.Scalar("holder", permission.holder, AgencyId::Parse);
  fields.Scalar("authorised_by", permission.authorised_by, TextOrNone(kLongText));
  fields.List("roles", kTerms, permission.roles, ParseRequesterRole);
  fields.List("uses", kTerms, permission.uses, ParseUseMode);
  fields.List("purposes", kTerms, permission.purposes, PurposeCode::Parse);
  fields.List("list_categories", kTerms, permission.list_categories, ParseListCategory);
  fields.Scalar("mode", permission.mode, ParseSearchMode);
  fields.Map("engine", [&](FieldReader& engine) { ReadEngine(engine, permission.engine); });
  fields.Number("threshold_floor", permission.threshold_floor, ParseCosineFloor);
  fields.Number("hit_cap", permission.hit_cap, SmallNumber(1, kMaxHits));
  fields.Map("capacity", [&](FieldReader& map) { ReadCapacity(map, permission.capacity); });
  fields.Map("alarms", [&](FieldReader& map) { ReadAlarms(map, permission.alarms); });
  fields.Map("lists", [&](FieldReader& map) { ReadListBounds(map, permission.lists); });
  fields.Maps("releases", kTerms, permission.releases, ReadRelease);
}

void ReadProhibition(FieldReader& fields, Prohibition& prohibition) {
  fields.Scalar("id", prohibition.id, ParseClauseId);
  fields.List("requesters", kSelector, prohibition.requesters, AgencyId::Parse);
  fields.List("purposes", kSelector, prohibition.purposes, PurposeCode::Parse);
  fields.List("list_categories", kSelector, prohibition.list_categories, ParseListCategory);
  fields.Scalar("reason", prohibition.reason, Text(kLongText));
}

void ReadRetention(FieldReader& fields, Retention& retention) {
  fields.Scalar("alert", retention.alert, ParseDuration);
  fields.Scalar("match_evidence", retention.match_evidence, ParseDuration);
  fields.Scalar("audit", retention.audit, ParseDuration);
  fields.Scalar("justification", retention.justification, ParseDuration);
  fields.Scalar("list_after_end", retention.list_after_end, ParseDuration);
  fields.Scalar("receipts", retention.receipts, ParseDuration);
}

}  // namespace comity::policy
