// SPDX-License-Identifier: Apache-2.0
#include "tests/support/agreement_text.h"

#include <fmt/format.h>

namespace comity::testing {
namespace {

std::string Party(const PartyKeys& keys) {
  return fmt::format(R"(  - agency: {0}
    name: Agency {0}
    legal_role: controller
    regimes: [{5}]
    contact_point: information-sharing@{0}.example
    agency_key: {1}
    dpo:
      post: Data Protection Officer
      contact: dpo@{0}.example
      key: {2}
    signatories:
      - post: Senior Information Risk Owner
        key: {3}
        caldicott: {6}
      - post: Chief Officer
        key: {4}
        caldicott: false
)",
                     keys.agency, keys.agency_key, keys.dpo_key, keys.signatory_key,
                     keys.second_signatory_key, keys.regimes, keys.caldicott);
}

std::string Releases(const AgreementText& agreement) {
  std::string text;
  for (const std::string& item : agreement.releases) {
    const auto own = agreement.release_roles.find(item);
    text += fmt::format("      - item: {}\n        roles: [{}]\n", item,
                        own == agreement.release_roles.end()
                            ? "engine, operator, adjudicator, supervisor"
                            : own->second);
  }
  return text;
}

std::string Attachment(std::string_view kind, char digit, policy::Instant from,
                       policy::Instant until) {
  return fmt::format(R"(  - id: {0}-1
    kind: {0}
    reference: "{0} of the sample agreement"
    sha256: {1}
    valid_from: {2}
    valid_until: {3}
)",
                     kind, std::string(64, digit), policy::EncodeInstant(from),
                     policy::EncodeInstant(until));
}

}  // namespace

std::string WriteAgreement(const AgreementText& text) {
  std::string yaml = fmt::format(
      "schema: comity/agreement/1\nid: {}\nversion: {}\ntitle: Finding people wanted by courts\n"
      "parties:\n{}{}",
      text.id, text.version, Party(text.requester), Party(text.holder));
  yaml += fmt::format(R"(data_subject_contact: privacy@{}.example
joint_arrangement: none
purposes:
  - code: {}
    label: {}
    parent: {}
    regime: UK-P3
    legal_power: common law
    condition: DPA 2018 Schedule 8 paragraph 1
    offence_floor: {}
    subject_categories: [{}]
    requires_case_reference: true
attachments:
)",
                      text.holder.agency, text.purpose, text.purpose_label, text.purpose_parent,
                      text.offence_floor, fmt::join(text.subject_categories, ", "));
  // An attachment is older than what it covers, also when it has lapsed.
  const policy::Instant from = text.effective_from - std::chrono::hours(24 * 365);
  yaml += Attachment("dpia", 'a', from, text.attachment_until);
  yaml += Attachment("apd", 'b', from, text.attachment_until);
  yaml += fmt::format(
      R"(permissions:
  - id: p1
    action: search
    requester: {}
    holder: {}
    authorised_by: {}
    roles: [{}]
    uses: [{}]
    purposes: [{}]
    list_categories: [{}]
    mode: {}
    engine:
      name: {}
      version: "{}"
      dimension: {}
      metric: cosine
    threshold_floor: {}
    hit_cap: {}
    capacity:
      probes_per_day: {}
      per_officer_per_day: {}
      per_case_per_day: {}
    alarms:
      hit_rate_percent: {}
      hit_rate_window: {}
      repeated_hits_of_entry: {}
      repeated_hits_window: {}
    lists:
      max_entries: {}
      max_age: {}
    releases:
{}prohibitions: []
retention:
  alert: {}
  match_evidence: P31D
  audit: P365D
  justification: P365D
  list_after_end: {}
  receipts: P365D
onward_sharing: none
handling_code: P
handling_conditions: none
termination:
  notice: {}
  data_return: delete
effective_from: {}
effective_until: {}
review_by: {}
review_reminder: {}
)",
      text.requester.agency, text.holder.agency, text.authorised_by, fmt::join(text.roles, ", "),
      fmt::join(text.uses, ", "), text.purpose, fmt::join(text.list_categories, ", "), text.mode,
      text.engine_name, text.engine_version, text.dimension, text.threshold_floor, text.hit_cap,
      text.probes_per_day, text.per_officer_per_day.value_or(text.probes_per_day),
      text.per_case_per_day.value_or(text.probes_per_day), text.hit_rate_percent,
      text.hit_rate_window, text.repeated_hits_of_entry, text.repeated_hits_window,
      text.max_entries, text.max_age, Releases(text), text.alert_retention, text.list_after_end,
      text.termination_notice, policy::EncodeInstant(text.effective_from),
      policy::EncodeInstant(text.effective_until),
      policy::EncodeInstant(text.review_by.value_or(text.effective_until)), text.review_reminder);
  return yaml;
}

}  // namespace comity::testing
