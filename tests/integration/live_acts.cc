// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/live_acts.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "crypto/base/check.h"

namespace comity::testing {
namespace {

void CheckCall(const grpc::Status& status) {
  if (!status.ok()) fmt::print(stderr, "{}\n", status.error_message());
  COMITY_CHECK(status.ok());
}

bool IsReady(const v1::DeploymentSummary& summary) {
  return summary.state() == "active" && summary.halted().empty() &&
         std::ranges::all_of(summary.holders(), [](const v1::DeploymentHolder& holder) {
           return holder.state() != "waiting";
         });
}

}  // namespace

void FillList(LiveAgency& holder, const DefinitionText& definition,
              const std::vector<std::vector<float>>& templates, const std::string& prefix) {
  runtime::SystemClock clock;
  std::string entries;
  std::string floats;
  for (std::size_t i = 0; i < templates.size(); ++i) {
    EntryText text;
    text.reference = prefix + std::to_string(i);
    text.now = std::chrono::floor<std::chrono::seconds>(clock.Now());
    text.category = definition.categories.front();
    entries += EntryLine(text);
    floats.append(reinterpret_cast<const char*>(templates[i].data()),
                  templates[i].size() * sizeof(float));
  }
  StartList(holder, definition, entries, floats);
}

void DraftList(LiveAgency& holder, const DefinitionText& definition) {
  grpc::ClientContext context;
  v1::DraftWatchlistRequest request;
  v1::DraftWatchlistResponse response;
  request.set_definition(WriteDefinition(definition));
  CheckCall(holder.watchlists()->Draft(&context, request, &response));
  if (response.watchlist().empty()) fmt::print(stderr, "{}\n", response.DebugString());
  COMITY_CHECK(response.watchlist() == definition.reference);
}

void AddEntries(LiveAgency& holder, const std::string& list, const std::string& entries,
                const std::string& floats) {
  // A chunk has at most 1 MiB.
  constexpr std::size_t kChunk = std::size_t{1} << 20;
  const auto lists = holder.watchlists();
  grpc::ClientContext context;
  v1::AddEntriesResponse response;
  const auto writer = lists->Add(&context, &response);
  v1::AddEntriesRequest request;
  request.mutable_begin()->set_watchlist(list);
  request.mutable_begin()->set_format(v1::TEMPLATE_FORMAT_FLOAT32);
  writer->Write(request);
  for (std::size_t at = 0; at < entries.size(); at += kChunk) {
    request.set_entries_chunk(entries.substr(at, kChunk));
    writer->Write(request);
  }
  for (std::size_t at = 0; at < floats.size(); at += kChunk) {
    request.set_templates_chunk(floats.substr(at, kChunk));
    writer->Write(request);
  }
  writer->WritesDone();
  CheckCall(writer->Finish());
  if (response.fault_count() > 0) fmt::print(stderr, "{}\n", response.DebugString());
  COMITY_CHECK(response.fault_count() == 0);
}

void ApproveList(LiveAgency& holder, const std::string& list) {
  grpc::ClientContext context;
  v1::SubmitWatchlistRequest submit;
  v1::PendingAct act;
  submit.set_watchlist(list);
  CheckCall(holder.watchlists()->Submit(&context, submit, &act));
  holder.ApproveAct(act, "supervisor-1");
}

void StartList(LiveAgency& holder, const DefinitionText& definition, const std::string& entries,
               const std::string& floats) {
  DraftList(holder, definition);
  AddEntries(holder, definition.reference, entries, floats);
  ApproveList(holder, definition.reference);
}

void AwaitPartners(LiveAgency& agency) {
  constexpr int kAttempts = 100;
  v1::NodeStatusResponse status;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    grpc::ClientContext context;
    v1::NodeStatusRequest request;
    request.set_contact_peers(true);
    CheckCall(agency.node()->Status(&context, request, &status));
    if (std::ranges::all_of(status.peers(),
                            [](const v1::PeerStatus& peer) { return peer.reachable(); })) {
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  fmt::print(stderr, "{}\n", status.DebugString());
  COMITY_CHECK(false);
}

void AwaitInForce(LiveAgency& agency, std::size_t agreements) {
  constexpr int kAttempts = 200;
  v1::ListAgreementsResponse response;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    grpc::ClientContext context;
    CheckCall(agency.agreements()->List(&context, {}, &response));
    const auto in_force = std::ranges::count_if(
        response.agreements(),
        [](const v1::AgreementSummary& summary) { return summary.status() == "in-force"; });
    if (static_cast<std::size_t>(in_force) == agreements) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  fmt::print(stderr, "{}\n", response.DebugString());
  COMITY_CHECK(false);
}

std::string StartDeployment(LiveAgency& requester, const v1::DeploymentDefinition& definition) {
  const auto deployments = requester.deployments();
  v1::ProposeDeploymentResponse proposed;
  {
    grpc::ClientContext context;
    v1::ProposeDeploymentRequest request;
    *request.mutable_definition() = definition;
    CheckCall(deployments->Propose(&context, request, &proposed));
  }
  if (proposed.deployment().empty()) fmt::print(stderr, "{}\n", proposed.DebugString());
  COMITY_CHECK(!proposed.deployment().empty());
  requester.ApproveAct(proposed.pending(), "supervisor-1");
  for (int attempt = 0; attempt < 100; ++attempt) {
    grpc::ClientContext context;
    v1::GetDeploymentRequest request;
    v1::DeploymentSummary summary;
    request.set_deployment(proposed.deployment());
    CheckCall(deployments->Get(&context, request, &summary));
    if (IsReady(summary)) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return proposed.deployment();
}

void AwaitValidated(LiveAgency& requester, const std::string& deployment) {
  constexpr int kAttempts = 600;
  const auto deployments = requester.deployments();
  v1::DeploymentSummary summary;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    grpc::ClientContext context;
    v1::GetDeploymentRequest request;
    request.set_deployment(deployment);
    CheckCall(deployments->Get(&context, request, &summary));
    if (std::ranges::all_of(summary.holders(), [](const v1::DeploymentHolder& holder) {
          return holder.state() == "validated";
        })) {
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  fmt::print(stderr, "{}\n", summary.DebugString());
  COMITY_CHECK(false);
}

}  // namespace comity::testing
