// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <thread>

#include "tests/demo/live_stream.h"
#include "tests/demo/story.h"
#include "tests/demo/tell.h"

namespace comity::demo {

policy::SearchRequest Story::TermsOf(const std::string& agreement) const {
  policy::SearchRequest terms;
  terms.requester = *policy::AgencyId::Parse(council_->name());
  terms.holder = *policy::AgencyId::Parse(police_->name());
  terms.agreement = agreements_.at(agreement);
  terms.purpose = *policy::PurposeCode::Parse(kPurpose);
  terms.role = policy::RequesterRole::kEngine;
  terms.use = policy::UseMode::kLive;
  terms.mode = agreement == kMain ? policy::SearchMode::kSealed : policy::SearchMode::kDirect;
  terms.list_categories = {*policy::ListCategory::Parse(kCategory)};
  terms.engine = policy::EngineProfile{kEngine, kEngineVersion, faces_.dimension};
  terms.threshold = report_.threshold;
  return terms;
}

// Proposed by the operator, approved by a supervisor. What was not even proposed is refused.
Result<nlohmann::json> Story::CreateDeployment(const Agency& requester,
                                               const std::string& agreement,
                                               const policy::SearchRequest& terms) {
  std::vector<std::string> command = {
      "deployment",
      "propose",
      "--agreement",
      agreement,
      "--purpose",
      terms.purpose->text(),
      "--engine-profile",
      fmt::format("{}/{}/{}", kEngine, kEngineVersion, faces_.dimension),
      "--engine",
      "cameras",
      "--threshold",
      fmt::format("{}", *terms.threshold),
      "--place",
      "Eastvale town square",
      "--reason",
      "Market day",
      "--case-ref",
      "EV-2026-118",
      "--hours",
      "2",
      "--mode",
      *terms.mode == policy::SearchMode::kSealed ? "sealed" : "direct",
      "--expected-faces",
      "15000",
      "--false-match-rate",
      "0.00003",
      "--test-report",
      "calibration on the sample, FPIR 1 %",
      "--budget",
      "100"};
  for (const auto& category : terms.list_categories) {
    command.insert(command.end(), {"--category", category.text()});
  }
  COMITY_ASSIGN_OR_RETURN(auto proposed, requester.cli().Ask(std::move(command)));
  if (proposed["deployment"].is_string()) {
    COMITY_RETURN_IF_ERROR(requester.ApproveAct("supervisor-1", proposed["pending"]));
  }
  return proposed;
}

// The list travels by itself; until it is there, no face can be searched.
Status Story::AwaitSealedList() {
  const auto start = std::chrono::steady_clock::now();
  COMITY_ASSIGN_OR_RETURN(const auto engine,
                          testing::EngineClient::Open(council_->engine(), deployment_, clock_));
  const auto face = faces_.Row(faces_.non_mated.front().row);
  v1::WatchAnswer answer;
  for (std::uint64_t sequence = 1; !answer.has_answered(); ++sequence) {
    if (std::chrono::steady_clock::now() - start > std::chrono::seconds(60)) {
      return Fail(ErrorCode::kUnavailable, "no sealed list arrives: " + answer.ShortDebugString());
    }
    if (sequence > 1) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (!engine->Send({sequence, "warm-up", "camera-1", face})) break;
    COMITY_ASSIGN_OR_RETURN(answer, engine->Receive());
  }
  engine->DoneSending();
  COMITY_RETURN_IF_ERROR(engine->Finish());
  const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - start;
  Tell(fmt::format("  the list is sealed, sent and searched for the first time after {:.1f} s",
                   waited.count()));
  return {};
}

Status Story::Search() {
  Chapter(
      "Live search: eastvale-council's engine streams, northshire-police's list is sealed: "
      "neither sees the other's faces");
  COMITY_ASSIGN_OR_RETURN(const auto proposed, CreateDeployment(*council_, kMain, TermsOf(kMain)));
  if (!proposed["deployment"].is_string()) {
    return Fail(ErrorCode::kInternal, "the deployment was refused: " + proposed.dump());
  }
  deployment_ = proposed["deployment"].get<std::string>();
  Tell(fmt::format("  deployment {}: proposed by the operator, approved by a supervisor",
                   deployment_));
  COMITY_RETURN_IF_ERROR(AwaitSealedList());
  COMITY_RETURN_IF_ERROR(StreamFaces(*council_, deployment_, faces_, clock_, report_));
  COMITY_ASSIGN_OR_RETURN(const auto listed,
                          council_->cli().Ask({"alert", "list", "--limit", "1000"}));
  Tell(
      fmt::format("  {} faces in {:.1f} s, {} frames asked again while a block was sealed anew, {} "
                  "unanswered; latency p50 {:.0f} ms, p99 {:.0f} ms (answers leave at fixed times)",
                  report_.faces, report_.seconds, report_.asked_again, report_.unanswered,
                  report_.latency_ms(0.5), report_.latency_ms(0.99)));
  Tell(fmt::format("  {} hits became {} alerts ({} true, {} false); {} are listed", report_.hits,
                   report_.alerts, report_.true_alerts, report_.alerts - report_.true_alerts,
                   listed.size()));
  Tell(fmt::format("  TPIR {:.4f} ({} of {} mated), FPIR {:.4f} ({} of {} non-mated)",
                   report_.tpir(), report_.mated_found, report_.mated, report_.fpir(),
                   report_.non_mated_alerted, report_.faces - report_.mated));
  if (listed.empty()) return {};
  const std::string alert = listed.front()["alert"];
  return council_->cli("adjudicator")
      .Run({"alert", "ack", alert, "--outcome", "cannot-say", "--note",
            "Back turned to the camera."});
}

}  // namespace comity::demo
