// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/two_agencies.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "crypto/base/check.h"
#include "services/gateway/convert_time.h"

namespace comity::testing {
namespace {

constexpr const char* kEngine = "facenet";
constexpr const char* kEngineVersion = "20180402";
constexpr std::size_t kChunk = 512 * 1024;

template <typename Send>
void InChunks(std::string_view octets, Send&& send) {
  for (std::size_t at = 0; at < octets.size(); at += kChunk) send(octets.substr(at, kChunk));
}

void SetEngine(v1::EngineProfile& engine, std::uint32_t dimension) {
  engine.set_name(kEngine);
  engine.set_version(kEngineVersion);
  engine.set_dimension(dimension);
}

void CheckCall(const grpc::Status& status) {
  if (!status.ok()) fmt::print(stderr, "{}\n", status.error_message());
  COMITY_CHECK(status.ok());
}

}  // namespace

TwoAgencies::TwoAgencies(std::uint32_t dimension) : dimension_(dimension) {
  police_.Start({&council_});
  council_.Start({&police_});
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

std::string TwoAgencies::EntryLines(std::size_t count) const {
  const policy::Instant now = clock_.Now();
  std::string lines;
  for (std::size_t i = 0; i < count; ++i) {
    lines += fmt::format(
        R"({{"reference":"ref-{}","category":"{}",)"
        R"("image":{{"source_kind":"custody","acquisition_legal_basis":"PACE s.64A"}},)"
        R"("rationale":{{"necessity":"court warrant","proportionality":"named person","at":"{}"}},)"
        R"("response":{{"priority":"amber","text":"Stop and verify"}},)"
        R"("valid_from":"{}","expires_at":"{}"}})",
        i, kCategory, policy::EncodeInstant(now - std::chrono::hours(2)),
        policy::EncodeInstant(now - std::chrono::hours(1)),
        policy::EncodeInstant(now + std::chrono::hours(12)));
    lines += '\n';
  }
  return lines;
}

void TwoAgencies::ImportEntries(std::size_t count) {
  std::string templates;
  for (std::size_t i = 0; i < count; ++i) {
    entries_.push_back(Stranger());
    templates.append(reinterpret_cast<const char*>(entries_.back().data()),
                     entries_.back().size() * sizeof(float));
  }
  grpc::ClientContext context;
  v1::ImportWatchlistResponse response;
  const auto stub = police_.watchlists();
  const auto writer = stub->Import(&context, &response);
  v1::ImportWatchlistRequest request;
  v1::ImportBegin& begin = *request.mutable_begin();
  begin.set_watchlist("lantern");
  begin.set_format(v1::TEMPLATE_FORMAT_FLOAT32);
  SetEngine(*begin.mutable_engine(), dimension_);
  writer->Write(request);
  InChunks(EntryLines(count), [&](std::string_view chunk) {
    request.set_entries_chunk(std::string(chunk));
    writer->Write(request);
  });
  InChunks(templates, [&](std::string_view chunk) {
    request.set_templates_chunk(std::string(chunk));
    writer->Write(request);
  });
  writer->WritesDone();
  CheckCall(writer->Finish());
  COMITY_CHECK(response.entries() == count);
}

std::string TwoAgencies::CreateDeployment() {
  v1::CreateDeploymentRequest request;
  v1::DeploymentDefinition& definition = *request.mutable_definition();
  definition.set_agreement(text_.id);
  definition.set_purpose(text_.purpose);
  definition.add_list_categories(kCategory);
  SetEngine(*definition.mutable_engine(), dimension_);
  definition.set_engine_name("cameras");
  definition.set_threshold(kThreshold);
  definition.set_place("Town square");
  definition.set_reason("Market day");
  definition.set_case_ref("case-7");
  definition.set_mode(v1::SEARCH_MODE_DIRECT);
  *definition.mutable_starts_at() = gateway::ToProto(clock_.Now() - std::chrono::minutes(1));
  *definition.mutable_ends_at() = gateway::ToProto(clock_.Now() + std::chrono::hours(6));
  grpc::ClientContext context;
  v1::CreateDeploymentResponse response;
  CheckCall(council_.deployments()->Create(&context, request, &response));
  return response.deployment();
}

}  // namespace comity::testing
