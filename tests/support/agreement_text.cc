// SPDX-License-Identifier: Apache-2.0
#include "tests/support/agreement_text.h"

#include <fmt/format.h>

namespace comity::testing {
namespace {

std::string Party(const PartyKeys& keys) {
  return fmt::format(R"(  - agency: {0}
    name: Agency {0}
    legal_role: controller
    regimes: [UK-P3]
    agency_key: {1}
    dpo:
      post: Data Protection Officer
      contact: dpo@{0}.example
      key: {2}
    signatories:
      - post: Senior Information Risk Owner
        key: {3}
      - post: Chief Officer
        key: {4}
)",
                     keys.agency, keys.agency_key, keys.dpo_key, keys.signatory_key,
                     keys.second_signatory_key);
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
  yaml += fmt::format(R"(purposes:
  - code: {}
    label: Arrest of people whom a court has ordered to be arrested
    regime: UK-P3
    legal_power: common law
    condition: DPA 2018 Schedule 8 paragraph 1
attachments:
)",
                      text.purpose);
  // An attachment is older than what it covers, also when it has lapsed.
  const policy::Instant from = text.effective_from - std::chrono::hours(24 * 365);
  yaml += Attachment("dpia", 'a', from, text.attachment_until);
  yaml += Attachment("apd", 'b', from, text.attachment_until);
  yaml += fmt::format(R"(permissions:
  - id: p1
    action: search
    requester: {}
    holder: {}
    roles: [engine]
    uses: [live]
    purposes: [{}]
    list_categories: [{}]
    mode: direct
    engine:
      name: {}
      version: "{}"
      dimension: {}
      metric: cosine
    threshold_floor: {}
    hit_cap: {}
    capacity:
      probes_per_day: {}
    releases: [reference-number, category, response-code]
prohibitions: []
retention:
  alert: PT24H
  audit: P365D
effective_from: {}
effective_until: {}
review_by: {}
)",
                      text.requester.agency, text.holder.agency, text.purpose,
                      fmt::join(text.list_categories, ", "), text.engine_name, text.engine_version,
                      text.dimension, text.threshold_floor, text.hit_cap, text.probes_per_day,
                      policy::EncodeInstant(text.effective_from),
                      policy::EncodeInstant(text.effective_until),
                      policy::EncodeInstant(text.effective_until));
  return yaml;
}

}  // namespace comity::testing
