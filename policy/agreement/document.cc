// SPDX-License-Identifier: Apache-2.0
#include "policy/agreement/document.h"

#include <limits>
#include <utility>

#include "crypto/hash/sha256.h"
#include "policy/agreement/document_sections.h"
#include "policy/agreement/document_text.h"
#include "policy/agreement/field_reader.h"
#include "policy/agreement/field_values.h"
#include "policy/agreement/yaml_tree.h"

namespace comity::policy {
namespace {

void ReadAgreement(FieldReader& fields, Agreement& agreement) {
  fields.Exactly("schema", kAgreementSchema);
  fields.Scalar("id", agreement.id, AgreementId::Parse);
  fields.Number("version", agreement.version,
                SmallNumber(1, std::numeric_limits<std::uint32_t>::max()));
  fields.Scalar("title", agreement.title, Text(kShortText));
  fields.Maps("parties", {1, 16}, agreement.parties, ReadParty);
  fields.Scalar("data_subject_contact", agreement.data_subject_contact, Text(kShortText));
  fields.Scalar("joint_arrangement", agreement.joint_arrangement, TextOrNone(kLongText));
  fields.Maps("purposes", {1, 32}, agreement.purposes, ReadPurpose);
  fields.Maps("attachments", {0, 32}, agreement.attachments, ReadAttachment);
  fields.Maps("permissions", {1, 64}, agreement.permissions, ReadPermission);
  fields.Maps("prohibitions", {0, 64}, agreement.prohibitions, ReadProhibition);
  fields.Map("retention",
             [&](FieldReader& retention) { ReadRetention(retention, agreement.retention); });
  fields.Scalar("onward_sharing", agreement.onward_sharing, ParseOnwardSharing);
  fields.Scalar("handling_code", agreement.handling_code, ParseHandlingCode);
  fields.Scalar("handling_conditions", agreement.handling_conditions, TextOrNone(kLongText));
  fields.Map("termination", [&](FieldReader& termination) {
    termination.Scalar("notice", agreement.termination.notice, ParseDuration);
    termination.Exactly("data_return", "delete");
  });
  fields.Scalar("effective_from", agreement.effective_from, ParseInstant);
  fields.Scalar("effective_until", agreement.effective_until, ParseInstant);
  fields.Scalar("review_by", agreement.review_by, ParseInstant);
  fields.Scalar("review_reminder", agreement.review_reminder, ParseDuration);
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
