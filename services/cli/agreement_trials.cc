// SPDX-License-Identifier: Apache-2.0
#include "services/cli/agreement_trials.h"

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>

#include "policy/agreement/difference.h"
#include "policy/agreement/document.h"
#include "policy/agreement/example_requests.h"
#include "policy/decide/rehearsal.h"
#include "services/cli/agreement_explain.h"
#include "services/cli/agreement_source.h"
#include "services/cli/local_file.h"
#include "services/cli/output.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

struct TrialOptions {
  std::string target, other, requests;
};

// agreement.yaml -> agreement.tests.yaml
std::string TestsBeside(const std::string& file) {
  std::filesystem::path path = file;
  const std::filesystem::path extension = path.extension();
  return path.replace_extension().string() + ".tests" +
         (extension.empty() ? std::string(".yaml") : extension.string());
}

Result<policy::ExampleRequests> ReadExamples(const std::string& file) {
  COMITY_ASSIGN_OR_RETURN(const std::string text, ReadLocalText(file, policy::kMaxDocumentBytes));
  policy::ParsedExamples parsed = policy::ParseExamples(text);
  if (parsed.examples) return *std::move(parsed.examples);
  std::string faults;
  for (const policy::Issue& issue : parsed.issues) {
    faults += (faults.empty() ? "" : "\n") + policy::FormatIssue(issue, file);
  }
  return Fail(ErrorCode::kInvalidArgument, faults);
}

std::string ClauseOf(const policy::Decision& decision) {
  return decision.clauses.empty() ? "none" : decision.clauses.back();
}

std::string Expected(const policy::ExampleRequest& example) {
  return std::string(Name(example.expected)) + " [" + example.expected_clause.value_or("none") +
         "]";
}

void PrintRehearsal(const std::vector<policy::RehearsedCase>& cases) {
  Table table({"", "REQUEST", "EXPECTED", "GOT", "CLAUSE"});
  for (const policy::RehearsedCase& each : cases) {
    table.Add({each.as_expected ? "ok" : "NO", each.example.name, Expected(each.example),
               std::string(Name(each.decision.code)), ClauseOf(each.decision)});
  }
  Print(table.Text());
}

Json RehearsalJson(const std::vector<policy::RehearsedCase>& cases) {
  Json json = Json::array();
  for (const policy::RehearsedCase& each : cases) {
    json.push_back({{"name", each.example.name},
                    {"as_expected", each.as_expected},
                    {"expected", std::string(Name(each.example.expected))},
                    {"expected_clause", each.example.expected_clause.value_or("none")},
                    {"decision", std::string(Name(each.decision.code))},
                    {"clauses", each.decision.clauses}});
  }
  return json;
}

Result<ExitCode> Test(const TrialOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const CheckedDocument checked, CheckDocumentFile(options.target));
  if (!checked.agreement) {
    return Fail(ErrorCode::kInvalidArgument, DescribeIssues(checked, options.target));
  }
  const std::string file =
      options.requests.empty() ? TestsBeside(options.target) : options.requests;
  COMITY_ASSIGN_OR_RETURN(const policy::ExampleRequests examples, ReadExamples(file));
  COMITY_ASSIGN_OR_RETURN(const auto cases, policy::Rehearse(*checked.agreement, examples));
  bool all = true;
  for (const policy::RehearsedCase& each : cases) all = all && each.as_expected;
  if (session.json) {
    PrintJson(RehearsalJson(cases));
  } else {
    PrintRehearsal(cases);
  }
  return all ? ExitCode::kOk : ExitCode::kNo;
}

Result<ExitCode> Difference(const TrialOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const NamedAgreement before, FindAgreement(options.target, session));
  COMITY_ASSIGN_OR_RETURN(const NamedAgreement after, FindAgreement(options.other, session));
  return PrintDifference(before.agreement, after.agreement, session);
}

}  // namespace

Result<ExitCode> PrintDifference(const policy::Agreement& before, const policy::Agreement& after,
                                 const Session& session) {
  const auto changes = policy::CompareClauses(before, after);
  if (session.json) {
    Json json = Json::array();
    for (const policy::ClauseChange& change : changes) {
      json.push_back({{"clause", change.id}, {"before", change.before}, {"after", change.after}});
    }
    PrintJson(json);
  } else {
    Print(Clean(policy::RenderDifference(before, after), Lines::kKeep));
  }
  return changes.empty() ? ExitCode::kOk : ExitCode::kNo;
}

void AddAgreementTrials(CommandLine& line, Session& session) {
  auto options = std::make_shared<TrialOptions>();
  line.Add({"agreement diff", "what differs between two versions",
            "Prints every clause of which two documents say different things, the old sentence\n"
            "with '-', the new one with '+'. FILEs need no gateway.",
            "clauses differ", "comity agreement diff northshire-eastvale-2026@1 new.yaml"},
           Asks::kGateway, [options, &session] { return Difference(*options, session); })
      .Add({"before", "FILE|ID", "the version before (file, ID or ID@VERSION)", true},
           options->target)
      .Add({"after", "FILE|ID", "the version after", true}, options->other);
  options = std::make_shared<TrialOptions>();
  line.Add({"agreement test", "run example requests through a draft",
            "Decides the requests of NAME.tests.yaml, beside the document NAME.yaml, as if the\n"
            "document were signed by all, and compares with the decisions that are expected.\n"
            "Needs no gateway. Form: docs/formats/agreement_tests.md.",
            "a decision is not as expected", "comity agreement test agreement.yaml"},
           Asks::kNobody, [options, &session] { return Test(*options, session); })
      .Add({"file", "FILE", "the YAML document", true}, options->target)
      .Add({"--requests", "FILE", "the requests; default: NAME.tests.yaml", false},
           options->requests);
  AddAgreementExplain(line, session);
}

}  // namespace comity::cli
