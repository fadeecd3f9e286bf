// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/two_agencies.h"

#include <cmath>

#include "services/gateway/wire/convert_time.h"
#include "tests/integration/live_acts.h"

namespace comity::testing {
namespace {

constexpr const char* kEngine = "facenet";
constexpr const char* kEngineVersion = "20180402";

template <typename Engine>
void SetEngine(Engine& engine, std::uint32_t dimension) {
  engine.set_name(kEngine);
  engine.set_version(kEngineVersion);
  engine.set_dimension(dimension);
}

}  // namespace

TwoAgencies::TwoAgencies(std::uint32_t dimension, const std::string& list_after_end)
    : TwoAgencies(dimension, [&](AgreementText& text, LiveAgency&, LiveAgency&) {
        text.list_after_end = list_after_end;
      }) {}

TwoAgencies::TwoAgencies(std::uint32_t dimension, const Change& change) : dimension_(dimension) {
  change(text_, police_, council_);
  police_.Start({&council_});
  council_.Start({&police_});
  for (LiveAgency* agency : {&police_, &council_}) AwaitPartners(*agency);
  AgreeOnTerms();
}

void TwoAgencies::AgreeOnTerms() {
  const auto now = std::chrono::floor<std::chrono::seconds>(clock_.Now());
  text_.requester = council_.party_keys();
  text_.holder = police_.party_keys();
  text_.list_categories = {kCategory};
  text_.engine_name = kEngine;
  text_.engine_version = kEngineVersion;
  text_.dimension = dimension_;
  text_.effective_from = now - std::chrono::hours(24);
  text_.effective_until = now + std::chrono::hours(24 * 30);
  text_.attachment_until = text_.effective_until;
  const std::string yaml = WriteAgreement(text_);
  const policy::AgreementRef agreement = RefOf(text_, yaml);
  for (LiveAgency* agency : {&police_, &council_}) agency->SubmitDocument(yaml);
  for (LiveAgency* agency : {&police_, &council_}) agency->Approve(agreement);
  for (LiveAgency* agency : {&police_, &council_}) AwaitInForce(*agency, 1);
}

TwoAgencies::Template TwoAgencies::Stranger() {
  std::normal_distribution<float> normal;
  Template values(dimension_);
  double sum = 0;
  for (float& value : values) {
    value = normal(random_);
    sum += double{value} * double{value};
  }
  for (float& value : values) value = static_cast<float>(double{value} / std::sqrt(sum));
  return values;
}

DefinitionText TwoAgencies::ListNamed(const std::string& reference) const {
  const auto now = std::chrono::floor<std::chrono::seconds>(clock_.Now());
  DefinitionText list;
  list.reference = reference;
  list.agreements = {text_.id};
  list.categories = {kCategory};
  list.engine_name = kEngine;
  list.engine_version = kEngineVersion;
  list.dimension = dimension_;
  list.starts_at = now - std::chrono::hours(1);
  list.ends_at = now + std::chrono::hours(20);
  return list;
}

void TwoAgencies::ImportEntries(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) entries_.push_back(Stranger());
  FillList(police_, ListNamed("lantern"), entries_);
}

v1::DeploymentDefinition TwoAgencies::Deployment(const std::string& case_ref) const {
  v1::DeploymentDefinition definition;
  definition.add_agreements(text_.id);
  definition.set_purpose(text_.purpose);
  definition.add_list_categories(kCategory);
  SetEngine(*definition.mutable_engine(), dimension_);
  definition.set_engine_name("cameras");
  definition.set_threshold(kThreshold);
  definition.set_place("Town square");
  definition.set_reason("Market day");
  definition.set_case_ref(case_ref);
  definition.set_mode(text_.mode == "sealed" ? v1::SEARCH_MODE_SEALED : v1::SEARCH_MODE_DIRECT);
  *definition.mutable_starts_at() = gateway::ToProto(clock_.Now() - std::chrono::minutes(1));
  *definition.mutable_ends_at() = gateway::ToProto(clock_.Now() + std::chrono::hours(6));
  definition.set_expected_faces(1000);
  definition.set_false_match_rate(0.000001);
  definition.set_test_report("laboratory report 12");
  definition.set_faces_per_false_alert(1000);
  return definition;
}

std::string TwoAgencies::CreateDeployment() {
  return StartDeployment(council_, Deployment());
}

}  // namespace comity::testing
