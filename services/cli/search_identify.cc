// SPDX-License-Identifier: Apache-2.0
#include "services/cli/search_identify.h"

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "comity/v1/recognition.grpc.pb.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/search_text.h"
#include "services/cli/template_file.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaxRow = 100'000'000;
constexpr std::uint64_t kMaxYears = 99;

struct IdentifyOptions {
  std::string purpose, case_ref, offence, aim, subject, profile, mode, template_file, capture_ref;
  std::vector<std::string> categories, agreements, holders;
  std::optional<std::uint64_t> row, years, deadline;
  double threshold = 0;
};

constexpr std::array kAims = {std::pair{"identify", v1::SEARCH_AIM_IDENTIFY},
                              std::pair{"more-data", v1::SEARCH_AIM_MORE_DATA}};
constexpr std::array kSubjects = {std::pair{"suspect", v1::SUBJECT_STATUS_SUSPECT},
                                  std::pair{"convicted", v1::SUBJECT_STATUS_CONVICTED},
                                  std::pair{"victim", v1::SUBJECT_STATUS_VICTIM},
                                  std::pair{"missing", v1::SUBJECT_STATUS_MISSING},
                                  std::pair{"remains", v1::SUBJECT_STATUS_REMAINS}};

template <typename Table>
auto ParseTerm(const Table& table, std::string_view option, const std::string& text)
    -> Result<decltype(table.front().second)> {
  std::string all;
  for (const auto& [name, value] : table) {
    if (text == name) return value;
    all += (all.empty() ? "" : ", ") + std::string(name);
  }
  return Fail(ErrorCode::kInvalidArgument, std::string(option) + " is one of " + all);
}

Result<v1::IdentifyRequest> RequestOf(const IdentifyOptions& options) {
  v1::IdentifyRequest request;
  request.mutable_agreements()->Add(options.agreements.begin(), options.agreements.end());
  request.mutable_holders()->Add(options.holders.begin(), options.holders.end());
  request.mutable_list_categories()->Add(options.categories.begin(), options.categories.end());
  request.set_purpose(options.purpose);
  request.set_case_ref(options.case_ref);
  if (options.offence.empty() != !options.years.has_value()) {
    return Fail(ErrorCode::kInvalidArgument, "give --offence and --max-penalty together, or none");
  }
  if (!options.offence.empty()) {
    request.mutable_offence()->set_code(options.offence);
    request.mutable_offence()->set_max_penalty_years(static_cast<std::uint32_t>(*options.years));
  }
  COMITY_ASSIGN_OR_RETURN(const auto aim, ParseTerm(kAims, "--aim", options.aim));
  request.set_aim(aim);
  COMITY_ASSIGN_OR_RETURN(const auto subject, ParseTerm(kSubjects, "--subject", options.subject));
  request.set_subject_status(subject);
  COMITY_ASSIGN_OR_RETURN(*request.mutable_engine(), ParseEngine(options.profile));
  request.set_threshold(options.threshold);
  COMITY_ASSIGN_OR_RETURN(const v1::SearchMode mode, ParseMode(options.mode));
  request.set_mode(mode);
  request.set_deadline_ms(static_cast<std::uint32_t>(options.deadline.value_or(0)));
  request.set_capture_ref(options.capture_ref);
  COMITY_ASSIGN_OR_RETURN(const SecretBytes values,
                          ReadTemplate(options.template_file, options.row.value_or(0)));
  request.set_embedding(values.Expose().data(), values.size());
  return request;
}

Result<ExitCode> Identify(const IdentifyOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(v1::IdentifyRequest request, RequestOf(options));
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  auto response = gateway.Call<v1::Recognition>(&v1::Recognition::Stub::Identify, request);
  std::string& embedding = *request.mutable_embedding();
  Wipe(std::span(reinterpret_cast<std::uint8_t*>(embedding.data()), embedding.size()));
  if (!response) return Fail(std::move(response).error());
  if (session.json) {
    PrintJson(IdentifyJson(*response));
  } else {
    Print(IdentifyText(*response));
  }
  const bool answered = std::ranges::any_of(
      response->holders(), [](const v1::HolderResult& one) { return one.has_answered(); });
  return answered ? ExitCode::kOk : ExitCode::kNo;
}

void AddTerms(Command command, IdentifyOptions& options) {
  command.Add({"--purpose", "CODE", "purpose code of the agreements", true}, options.purpose)
      .Add({"--case", "TEXT", "case reference, up to 64 octets; leaves as a commitment only", true},
           options.case_ref)
      .Add(
          {"--offence", "CODE", "offence, up to 64 octets; the class of its penalty leaves", false},
          options.offence)
      .Add({"--max-penalty", "YEARS", "longest sentence for it in law, 0 to 99 (for life)", false},
           CountTarget{options.years, 0, kMaxYears})
      .Add({"--aim", "AIM", "identify or more-data", true}, options.aim)
      .Add({"--subject", "STATUS", "suspect, convicted, victim, missing or remains", true},
           options.subject)
      .Add({"--category", "CATEGORY", "list category, e.g. wanted-by-courts; repeatable, up to 16",
            true},
           options.categories)
      .Add({"--engine-profile", "NAME/VERSION/DIM", "which engine made the template", true},
           options.profile)
      .Add({"--threshold", "T", "cosine, 0 to 1, at or above the agreement's floor", true},
           DecimalTarget{options.threshold, 0, 1})
      .Add(
          {"--mode", "MODE",
           "direct, sealed, or any: what each holder's agreement says, sealed before direct", true},
          options.mode);
}

}  // namespace

void AddSearchIdentify(CommandLine& line, Session& session) {
  const auto options = std::make_shared<IdentifyOptions>();
  Command command = line.Add(
      {"search identify", "search once, for a case",
       "Asks partners whether a face is on their lists, all beside each other, and prints who\n"
       "answered, who refused and who did not answer in time. Each hit is an alert that a person\n"
       "must adjudicate: a lead, not an identification. The search is logged with its reason at\n"
       "both sides; the partner learns neither case nor officer.",
       "no partner answered",
       "comity search identify --purpose court-order-arrest --case NP-2026-0042 --offence TA68-8 "
       "--max-penalty 14 --aim identify --subject suspect --category wanted-by-courts "
       "--engine-profile facenet/20180402/128 --threshold 0.6 --mode direct --template faces.npy "
       "--row 3"},
      Asks::kGateway, [options, &session] { return Identify(*options, session); });
  AddTerms(command, *options);
  command
      .Add({"--template", "FILE", ".npy file of float32 templates, one a row", true},
           options->template_file)
      .Add({"--row", "N", "which row, from 0; default 0", false},
           CountTarget{options->row, 0, kMaxRow})
      .Add({"--agreement", "ID", "only under it; repeatable; default: all that permit", false},
           options->agreements)
      .Add({"--holder", "AGENCY", "only this partner; repeatable; default: all that permit", false},
           options->holders)
      .Add({"--deadline", "MS", "how long to wait for answers, 100 to 10000; default 5000", false},
           CountTarget{options->deadline, 100, 10'000})
      .Add({"--capture-ref", "TEXT", "finds the picture in your own system, up to 128 octets",
            false},
           options->capture_ref);
}

}  // namespace comity::cli
