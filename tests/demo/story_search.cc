// SPDX-License-Identifier: Apache-2.0
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
  terms.mode = policy::SearchMode::kDirect;
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
      "direct",
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

Status Story::Search() {
  Chapter("Live search: eastvale-council's engine streams, northshire-police searches");
  COMITY_ASSIGN_OR_RETURN(const auto proposed, CreateDeployment(*council_, kMain, TermsOf(kMain)));
  if (!proposed["deployment"].is_string()) {
    return Fail(ErrorCode::kInternal, "the deployment was refused: " + proposed.dump());
  }
  deployment_ = proposed["deployment"].get<std::string>();
  Tell(fmt::format("  deployment {}: proposed by the operator, approved by a supervisor",
                   deployment_));
  COMITY_RETURN_IF_ERROR(StreamFaces(*council_, deployment_, faces_, clock_, report_));
  COMITY_ASSIGN_OR_RETURN(const auto listed,
                          council_->cli().Ask({"alert", "list", "--limit", "1000"}));
  Tell(fmt::format("  {} faces in {:.1f} s, {} unanswered; latency p50 {:.2f} ms, p99 {:.2f} ms",
                   report_.faces, report_.seconds, report_.unanswered, report_.latency_ms(0.5),
                   report_.latency_ms(0.99)));
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
