// SPDX-License-Identifier: Apache-2.0
#include "policy/agreement/document.h"

#include <limits>
#include <utility>

#include "crypto/base/encoding.h"
#include "crypto/hash/sha256.h"
#include "policy/agreement/document_text.h"
#include "policy/agreement/field_reader.h"
#include "policy/agreement/field_values.h"
#include "policy/agreement/yaml_tree.h"

namespace comity::policy {
namespace {

constexpr std::size_t kShortText = 200;  // names, posts, contacts, references
constexpr std::size_t kLongText = 1000;  // legal powers, conditions, reasons
constexpr ListBound kTerms{1, 32};       // lists of terms of a closed vocabulary
constexpr ListBound kSelector{0, 32};    // empty: matches all

auto Text(std::size_t max_size) {
  return [max_size](std::string_view text) { return ParseText(text, max_size); };
}
auto WholeNumber(std::uint64_t min, std::uint64_t max) {
  return [min, max](std::string_view text) { return ParseWholeNumber(text, min, max); };
}
auto SmallNumber(std::uint32_t min, std::uint32_t max) {
  return [min, max](std::string_view text) -> Result<std::uint32_t> {
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t value, ParseWholeNumber(text, min, max));
    return static_cast<std::uint32_t>(value);
  };
}

// A field whose only value says what the document is; nothing is kept of it.
void Exactly(FieldReader& fields, std::string_view key, std::string_view expected) {
  std::string ignored;
  fields.Scalar(key, ignored,
                [expected](std::string_view text) { return ParseExactly(text, expected); });
}

void ReadParty(FieldReader& fields, Party& party) {
  fields.Scalar("agency", party.agency, AgencyId::Parse);
  fields.Scalar("name", party.name, Text(kShortText));
  fields.Scalar("legal_role", party.legal_role, ParseLegalRole);
  fields.List("regimes", kTerms, party.regimes, ParseRegime);
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
              });
}

void ReadPurpose(FieldReader& fields, Purpose& purpose) {
  fields.Scalar("code", purpose.code, PurposeCode::Parse);
  fields.Scalar("label", purpose.label, Text(kShortText));
  fields.Scalar("regime", purpose.regime, ParseRegime);
  fields.Scalar("legal_power", purpose.legal_power, Text(kLongText));
  fields.Scalar("condition", purpose.condition, Text(kLongText));
}

void ReadAttachment(FieldReader& fields, Attachment& attachment) {
  fields.Scalar("id", attachment.id, ParseClauseId);
  fields.Scalar("kind", attachment.kind, ParseAttachmentKind);
  fields.Scalar("reference", attachment.reference, Text(kShortText));
  fields.Scalar("sha256", attachment.sha256, ParseHexDigest);
  fields.Scalar("valid_from", attachment.valid_from, ParseInstant);
  fields.Scalar("valid_until", attachment.valid_until, ParseInstant);
}

void ReadEngine(FieldReader& fields, EngineProfile& engine) {
  fields.Scalar("name", engine.name, ParseEngineText);
  fields.Scalar("version", engine.version, ParseEngineText);
  fields.Number("dimension", engine.dimension,
                SmallNumber(EngineProfile::kMinDimension, EngineProfile::kMaxDimension));
  Exactly(fields, "metric", "cosine");
}

void ReadPermission(FieldReader& fields, SearchPermission& permission) {
  constexpr std::uint32_t kMaxHits = 100;
  constexpr std::uint64_t kMaxProbes = 1'000'000'000;  // 11,574 a second
  fields.Scalar("id", permission.id, ParseClauseId);
  Exactly(fields, "action", "search");
  fields.Scalar("requester", permission.requester, AgencyId::Parse);
  fields.Scalar("holder", permission.holder, AgencyId::Parse);
  fields.List("roles", kTerms, permission.roles, ParseRequesterRole);
  fields.List("uses", kTerms, permission.uses, ParseUseMode);
  fields.List("purposes", kTerms, permission.purposes, PurposeCode::Parse);
  fields.List("list_categories", kTerms, permission.list_categories, ParseListCategory);
  fields.Scalar("mode", permission.mode, ParseSearchMode);
  fields.Map("engine", [&](FieldReader& engine) { ReadEngine(engine, permission.engine); });
  fields.Number("threshold_floor", permission.threshold_floor, ParseCosineFloor);
  fields.Number("hit_cap", permission.hit_cap, SmallNumber(1, kMaxHits));
  fields.Map("capacity", [&](FieldReader& capacity) {
    capacity.Number("probes_per_day", permission.probes_per_day, WholeNumber(1, kMaxProbes));
  });
  fields.List("releases", kTerms, permission.releases, ParseReleaseItem);
}

void ReadProhibition(FieldReader& fields, Prohibition& prohibition) {
  fields.Scalar("id", prohibition.id, ParseClauseId);
  fields.List("requesters", kSelector, prohibition.requesters, AgencyId::Parse);
  fields.List("purposes", kSelector, prohibition.purposes, PurposeCode::Parse);
  fields.List("list_categories", kSelector, prohibition.list_categories, ParseListCategory);
  fields.Scalar("reason", prohibition.reason, Text(kLongText));
}

void ReadAgreement(FieldReader& fields, Agreement& agreement) {
  Exactly(fields, "schema", kAgreementSchema);
  fields.Scalar("id", agreement.id, AgreementId::Parse);
  fields.Number("version", agreement.version,
                SmallNumber(1, std::numeric_limits<std::uint32_t>::max()));
  fields.Scalar("title", agreement.title, Text(kShortText));
  fields.Maps("parties", {1, 16}, agreement.parties, ReadParty);
  fields.Maps("purposes", {1, 32}, agreement.purposes, ReadPurpose);
  fields.Maps("attachments", {0, 32}, agreement.attachments, ReadAttachment);
  fields.Maps("permissions", {1, 64}, agreement.permissions, ReadPermission);
  fields.Maps("prohibitions", {0, 64}, agreement.prohibitions, ReadProhibition);
  fields.Map("retention", [&](FieldReader& retention) {
    retention.Scalar("alert", agreement.retention.alert, ParseDuration);
    retention.Scalar("audit", agreement.retention.audit, ParseDuration);
  });
  fields.Scalar("effective_from", agreement.effective_from, ParseInstant);
  fields.Scalar("effective_until", agreement.effective_until, ParseInstant);
  fields.Scalar("review_by", agreement.review_by, ParseInstant);
  fields.Finish();
}

}  // namespace

ParsedDocument ParseDocument(std::string_view yaml) {
  Reading reading;
  Agreement agreement;
  CheckDocumentText(yaml, reading.issues);
  // Bytes outside the subset are not shown to the YAML reader.
  if (reading.issues.empty()) {
    const auto root = ReadYaml(yaml, reading.issues);
    if (root && root->kind == YamlNode::Kind::kMap) {
      FieldReader fields(*root, "", reading);
      ReadAgreement(fields, agreement);
    } else if (root && !root->faulty) {
      reading.issues.Add(root->at, "", "the document must be a map of fields");
    }
  }
  ParsedDocument parsed;
  parsed.positions = std::move(reading.positions);
  if (reading.issues.empty()) {
    agreement.sha256 = hash::Sha256(AsBytes(yaml));
    parsed.agreement = std::move(agreement);
  }
  parsed.issues = std::move(reading.issues).Take();
  return parsed;
}

}  // namespace comity::policy
