// SPDX-License-Identifier: Apache-2.0
#include "services/cli/agreement_explain.h"

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "comity/v1/agreements.grpc.pb.h"
#include "policy/decide/explain.h"
#include "policy/decide/rehearsal.h"
#include "services/cli/agreement_source.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

struct ExplainOptions {
  std::string target, requester, holder, purpose, role, use, mode, engine, offence, at;
  std::vector<std::string> categories;
  bool has_case = false;
  double threshold = 0;
  std::optional<std::uint64_t> in_all, by_officer, in_case;
};

// What the options say, as the wire carries it. What is not given stays absent.
struct Asked {
  v1::ExplainRequest proto;
  policy::SearchRequest request;
  policy::Usage usage;
  policy::Instant at{};
};

template <typename T, typename Parse>
Status Read(const char* option, const std::string& text, std::optional<T>& out, Parse parse) {
  if (text.empty()) return {};
  auto value = parse(std::string_view(text));
  if (!value) {
    return Fail(ErrorCode::kInvalidArgument, std::string(option) + ": " + value.error().detail);
  }
  out = *std::move(value);
  return {};
}

Status ReadHow(const ExplainOptions& options, Asked& asked) {
  policy::SearchRequest& request = asked.request;
  v1::SearchTerms& terms = *asked.proto.mutable_terms();
  COMITY_RETURN_IF_ERROR(Read("--role", options.role, request.role, policy::ParseRequesterRole));
  COMITY_RETURN_IF_ERROR(Read("--use", options.use, request.use, policy::ParseUseMode));
  COMITY_RETURN_IF_ERROR(Read("--mode", options.mode, request.mode, policy::ParseSearchMode));
  COMITY_RETURN_IF_ERROR(
      Read("--offence", options.offence, request.offence_class, policy::ParseOffenceClass));
  // The values of the wire are those of the model and one more.
  const auto next = [](auto term) { return static_cast<int>(term) + 1; };
  if (request.role) terms.set_role(static_cast<v1::RequesterRole>(next(*request.role)));
  if (request.use) terms.set_use(static_cast<v1::UseMode>(next(*request.use)));
  if (request.mode) terms.set_mode(static_cast<v1::SearchMode>(next(*request.mode)));
  if (request.offence_class) {
    terms.set_offence_class(static_cast<v1::OffenceClass>(next(*request.offence_class)));
  }
  if (!options.engine.empty()) {
    COMITY_ASSIGN_OR_RETURN(*terms.mutable_engine(), ParseEngine(options.engine));
    request.engine = policy::EngineProfile{terms.engine().name(), terms.engine().version(),
                                           terms.engine().dimension()};
  }
  if (options.threshold != 0) {
    request.threshold = options.threshold;
    terms.set_threshold(options.threshold);
  }
  return {};
}

Status ReadWhat(const ExplainOptions& options, Asked& asked) {
  policy::SearchRequest& request = asked.request;
  v1::SearchTerms& terms = *asked.proto.mutable_terms();
  COMITY_ASSIGN_OR_RETURN(request.requester, policy::AgencyId::Parse(options.requester));
  COMITY_ASSIGN_OR_RETURN(request.holder, policy::AgencyId::Parse(options.holder));
  asked.proto.set_requester(options.requester);
  asked.proto.set_holder(options.holder);
  COMITY_RETURN_IF_ERROR(
      Read("--purpose", options.purpose, request.purpose, policy::PurposeCode::Parse));
  terms.set_purpose(options.purpose);
  for (const std::string& text : options.categories) {
    COMITY_ASSIGN_OR_RETURN(auto category, policy::ListCategory::Parse(text));
    request.list_categories.push_back(std::move(category));
    terms.add_list_categories(text);
  }
  request.has_case_reference = options.has_case;
  asked.proto.set_has_case(options.has_case);
  return {};
}

Result<Asked> AskedBy(const ExplainOptions& options, policy::Instant now) {
  Asked asked;
  COMITY_RETURN_IF_ERROR(ReadWhat(options, asked));
  COMITY_RETURN_IF_ERROR(ReadHow(options, asked));
  std::optional<policy::Instant> at;
  COMITY_RETURN_IF_ERROR(Read("--at", options.at, at, policy::ParseInstant));
  asked.at = at.value_or(now);
  if (at) *asked.proto.mutable_at() = ToTimestamp(*at);
  asked.usage = {options.in_all.value_or(0), options.by_officer.value_or(0),
                 options.in_case.value_or(0)};
  asked.proto.set_used_in_all(*asked.usage.probes_today);
  asked.proto.set_used_by_officer(*asked.usage.officer_today);
  asked.proto.set_used_in_case(*asked.usage.case_today);
  return asked;
}

ExitCode CodeOf(bool permitted) {
  return permitted ? ExitCode::kOk : ExitCode::kNo;
}

Json Reference(const policy::AgreementRef& ref) {
  return {{"id", ref.id.text()}, {"version", ref.version}};
}

Json ToJson(const policy::Explanation& explanation) {
  Json json = {{"decision", std::string(Name(explanation.decision.code))},
               {"clauses", explanation.decision.clauses},
               {"findings", Json::array()},
               {"nearest", nullptr},
               {"halted", nullptr}};
  for (const policy::Finding& finding : explanation.findings) {
    json["findings"].push_back(
        {{"agreement", finding.agreement ? Reference(*finding.agreement) : Json(nullptr)},
         {"permission", finding.permission},
         {"clause", finding.clause},
         {"passed", finding.passed},
         {"words", finding.words}});
  }
  if (!explanation.nearest) return json;
  Json changes = Json::array();
  for (const policy::RequestChange& change : explanation.nearest->changes) {
    changes.push_back({{"field", change.field}, {"words", change.words}});
  }
  json["nearest"] = {{"agreement", Reference(explanation.nearest->agreement)},
                     {"permission", explanation.nearest->permission},
                     {"changes", std::move(changes)}};
  return json;
}

Json ToJson(const v1::ExplainResponse& response) {
  const auto reference = [](const v1::AgreementRef& ref) -> Json {
    return {{"id", ref.id()}, {"version", ref.version()}};
  };
  Json json = {{"decision", DecisionCodeText(response.decision().code())},
               {"clauses", response.decision().clauses()},
               {"findings", Json::array()},
               {"nearest", nullptr},
               {"halted", nullptr}};
  if (response.has_halted()) json["halted"] = DecisionCodeText(response.halted().code());
  for (const v1::ClauseFinding& finding : response.findings()) {
    json["findings"].push_back(
        {{"agreement", finding.has_agreement() ? reference(finding.agreement()) : Json(nullptr)},
         {"permission", finding.permission()},
         {"clause", finding.clause()},
         {"passed", finding.passed()},
         {"words", finding.words()}});
  }
  if (!response.has_nearest()) return json;
  Json changes = Json::array();
  for (const v1::RequestChange& change : response.nearest().changes()) {
    changes.push_back({{"field", change.field()}, {"words", change.words()}});
  }
  json["nearest"] = {{"agreement", reference(response.nearest().agreement())},
                     {"permission", response.nearest().permission()},
                     {"changes", std::move(changes)}};
  return json;
}

// As if the document were signed by all; no gateway is asked.
Result<ExitCode> ExplainDraft(Asked asked, const policy::Agreement& draft, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const policy::AgreementSet set, policy::AsIfSigned(draft));
  asked.request.agreement = policy::RefOf(draft);
  const auto explanation = policy::Explain(set, asked.request, asked.usage, asked.at);
  if (session.json) {
    PrintJson(ToJson(explanation));
  } else {
    Print(Clean(policy::RenderExplanation(explanation), Lines::kKeep));
  }
  return CodeOf(explanation.decision.permitted());
}

Result<ExitCode> Explain(const ExplainOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(Asked asked, AskedBy(options, session.clock.Now()));
  std::error_code ignored;
  if (!options.target.empty() && std::filesystem::exists(options.target, ignored)) {
    COMITY_ASSIGN_OR_RETURN(const NamedAgreement draft, FindAgreement(options.target, session));
    return ExplainDraft(std::move(asked), draft.agreement, session);
  }
  if (!options.target.empty()) {
    COMITY_ASSIGN_OR_RETURN(const AgreementName name, ParseAgreementName(options.target));
    asked.proto.set_agreement(name.id);
  }
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(
      const v1::ExplainResponse response,
      gateway.Call<v1::Agreements>(&v1::Agreements::Stub::Explain, asked.proto));
  if (session.json) {
    PrintJson(ToJson(response));
  } else {
    Print(Clean(response.words(), Lines::kKeep));
  }
  return CodeOf(response.decision().code() == v1::DECISION_CODE_PERMIT && !response.has_halted());
}

void AddTerms(Command& command, ExplainOptions& options) {
  constexpr std::uint64_t kMost = 1'000'000'000;
  command.Add({"--requester", "AGENCY", "who would search", true}, options.requester)
      .Add({"--holder", "AGENCY", "whose lists", true}, options.holder)
      .Add({"--purpose", "CODE", "purpose code of the agreement", false}, options.purpose)
      .Add({"--category", "CATEGORY", "list category; once or more", false}, options.categories)
      .Add({"--role", "ROLE", "engine or operator", false}, options.role)
      .Add({"--use", "USE", "live or retrospective", false}, options.use)
      .Add({"--mode", "MODE", "direct or sealed", false}, options.mode)
      .Add({"--engine", "NAME/VERSION/DIMENSION", "engine profile", false}, options.engine)
      .Add({"--threshold", "NUMBER", "cosine, -1 to 1", false},
           DecimalTarget{options.threshold, -1.0, 1.0})
      .Add({"--offence", "CLASS", "below-1-year, 1-to-4-years or 4-years-or-more", false},
           options.offence)
      .Add({"--case", "", "a case stands behind the search", false}, options.has_case)
      .Add({"--at", "TIME", "when (RFC 3339); default: now", false}, options.at)
      .Add({"--used", "N", "searches used today in all; default 0", false},
           CountTarget{options.in_all, 0, kMost})
      .Add({"--used-by-officer", "N", "of these, of the officer; default 0", false},
           CountTarget{options.by_officer, 0, kMost})
      .Add({"--used-in-case", "N", "of these, of the case; default 0", false},
           CountTarget{options.in_case, 0, kMost});
}

}  // namespace

void AddAgreementExplain(CommandLine& line, Session& session) {
  const auto options = std::make_shared<ExplainOptions>();
  Command command = line.Add(
      {"agreement explain", "why a search would be permitted or denied",
       "Lists every clause that speaks to a search, whether it lets it pass, and the nearest\n"
       "permission with what would have to be otherwise. With a FILE as if it were signed by all,\n"
       "without a gateway; else by the agreements at the own gateway, which also says what halts\n"
       "such searches at present: a stop, a suspended partner. What is not given is absent.",
       "the search would be denied",
       "comity agreement explain northshire-eastvale-2026 --requester eastvale-council "
       "--holder northshire-police --purpose court-order-arrest --category wanted-by-courts "
       "--role engine --use live --mode sealed --engine facenet/20180402/128 --threshold 0.64"},
      Asks::kGateway, [options, &session] { return Explain(*options, session); });
  command.Add(
      {"agreement", "FILE|ID", "document, or agreement id; default: any between the two", false},
      options->target);
  AddTerms(command, *options);
}

}  // namespace comity::cli
