// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/policy/decide/decision_case.h"

#include <cmath>
#include <sstream>

#include "tests/unit/policy/agreement_fixture.h"

namespace comity::policy::testing {
namespace {

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

std::vector<std::string> Words(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream in(text);
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

std::string Trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(' ');
  return begin == text.npos ? "" : text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

// A change holds no space: `:_` stands for a colon and a space.
std::string Spaced(std::string text) {
  for (std::size_t at = text.find(":_"); at != text.npos; at = text.find(":_")) text[at + 1] = ' ';
  return text;
}

template <typename IdType>
IdType IdOrEmpty(const std::string& text) {
  return text.empty() ? IdType{} : IdType::Parse(text).value();
}

// A term's name, nothing for "", and for a number the value that no term has.
template <typename Enum>
std::optional<Enum> TermOf(const std::string& text, Result<Enum> (*parse)(std::string_view)) {
  if (text.empty()) return std::nullopt;
  if (text == "99") return static_cast<Enum>(99);
  return parse(text).value();
}

std::vector<VerifiedStatement> StatementsOf(const DecisionCase& row, const Agreement& agreement) {
  auto said = InForce(agreement);
  for (const auto& [field, value] : row.changes) {
    if (field != "said") continue;
    if (value == "nothing") said.clear();
    if (value == "advice") said.resize(2);
    if (value == "all-but-one") said.pop_back();
    if (value == "termination" || value == "termination-by-one") {
      said.push_back(Said(kPoliceChief, StatementKind::kTermination, agreement));
    }
    if (value == "termination") {
      said.push_back(Said(kPoliceSiro, StatementKind::kTermination, agreement));
    }
    if (value == "rejection") {
      said.push_back(Said(kCouncilChief, StatementKind::kRejection, agreement));
    }
    if (value == "gateway-suspension") {
      said.push_back(Said(kCouncilGateway, StatementKind::kSuspension, agreement));
    }
    if (value == "suspension" || value == "suspension-resumed") {
      const auto suspension = Said(kPoliceDpo, StatementKind::kSuspension, agreement);
      said.push_back(suspension);
      if (value == "suspension") continue;
      said.push_back(Resumed(kPoliceChief, suspension.id, agreement));
      said.push_back(Resumed(kPoliceSiro, suspension.id, agreement));
    }
  }
  return said;
}

void ChangeAgreement(const std::string& field, const std::string& value, SearchRequest& request) {
  if (field == "agreement" && value.empty()) request.agreement.reset();
  if (field == "agreement" && !value.empty()) request.agreement->id = IdOrEmpty<AgreementId>(value);
  if (field == "version") {
    request.agreement->version = static_cast<std::uint32_t>(std::stoul(value));
  }
  if (field == "sha256") request.agreement->sha256.bytes[31] ^= 1;
}

void ChangeEngine(const std::string& value, SearchRequest& request) {
  request.engine.reset();
  if (value.empty()) return;
  const auto parts = Split(value, '/');
  request.engine = {parts.at(0), parts.at(1), static_cast<std::uint32_t>(std::stoul(parts.at(2)))};
}

void Change(const std::string& field, const std::string& value, DecisionInput& input) {
  SearchRequest& request = input.request;
  ChangeAgreement(field, value, request);
  if (field == "requester") request.requester = IdOrEmpty<AgencyId>(value);
  if (field == "holder") request.holder = IdOrEmpty<AgencyId>(value);
  if (field == "purpose") request.purpose = IdOrEmpty<PurposeCode>(value);
  if (field == "role") request.role = TermOf<RequesterRole>(value, ParseRequesterRole);
  if (field == "use") request.use = TermOf<UseMode>(value, ParseUseMode);
  if (field == "mode") request.mode = TermOf<SearchMode>(value, ParseSearchMode);
  if (field == "engine") ChangeEngine(value, request);
  if (field == "categories") {
    request.list_categories.clear();
    for (const auto& each : Split(value, ',')) {
      request.list_categories.push_back(IdOrEmpty<ListCategory>(each));
    }
  }
  if (field == "threshold") {
    request.threshold = value.empty() ? std::nullopt : std::optional(std::stod(value));
  }
  if (field == "offence") request.offence_class = TermOf<OffenceClass>(value, ParseOffenceClass);
  if (field == "case") request.has_case_reference = value == "yes";
  const auto count = [&] {
    return value.empty() ? std::nullopt : std::optional<std::uint64_t>(std::stoull(value));
  };
  if (field == "probes") input.usage.probes_today = count();
  if (field == "officer") input.usage.officer_today = count();
  if (field == "in-case") input.usage.case_today = count();
  if (field == "now") input.now = At(value);
}

bool IsField(const std::string& field) {
  for (const char* known :
       {"agreement", "version", "sha256",  "requester",  "holder",    "purpose", "role",
        "use",       "mode",    "engine",  "categories", "threshold", "offence", "case",
        "probes",    "officer", "in-case", "now",        "said",      "peer",    "doc"}) {
    if (field == known) return true;
  }
  return false;
}

}  // namespace

std::vector<DecisionCase> ReadDecisionCases() {
  std::vector<DecisionCase> rows;
  std::istringstream in(ReadData("tests/data/agreements/decisions.txt"));
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() == '#') continue;
    const auto columns = Split(line, '|');
    EXPECT_EQ(columns.size(), 4U) << line;
    DecisionCase row;
    row.name = Trimmed(columns.at(0));
    for (const std::string& word : Words(columns.at(1))) {
      const std::size_t at = word.find(word.starts_with("doc:") ? ':' : '=');
      EXPECT_TRUE(at != word.npos && IsField(word.substr(0, at))) << line;
      row.changes.emplace_back(word.substr(0, at), word.substr(at + 1));
    }
    row.code = Trimmed(columns.at(2));
    row.clauses = Words(columns.at(3));
    if (row.clauses == std::vector<std::string>{"-"}) row.clauses.clear();
    rows.push_back(std::move(row));
  }
  return rows;
}

SearchRequest BaseRequest(const Agreement& agreement) {
  SearchRequest request;
  request.requester = IdOrEmpty<AgencyId>("eastvale-council");
  request.holder = IdOrEmpty<AgencyId>("northshire-police");
  request.agreement = RefOf(agreement);
  request.purpose = IdOrEmpty<PurposeCode>("court-order-arrest");
  request.role = RequesterRole::kEngine;
  request.use = UseMode::kLive;
  request.mode = SearchMode::kDirect;
  request.list_categories = {IdOrEmpty<ListCategory>("wanted-by-courts")};
  request.engine = EngineProfile{"facenet", "2018-04-08", 128};
  request.threshold = 0.64;
  request.offence_class = OffenceClass::k1To4Years;
  request.has_case_reference = true;
  return request;
}

DecisionInput InputOf(const DecisionCase& row) {
  DecisionInput input;
  input.document = BaseDocument();
  for (const auto& [field, value] : row.changes) {
    if (field != "doc") continue;
    const auto edit = Split(value, '>');
    input.document = Replaced(input.document, Spaced(edit.at(0)), Spaced(edit.at(1)));
  }
  const Agreement agreement = LoadOk(input.document);
  AgreementInput version{agreement, StatementsOf(row, agreement), {}};
  for (const auto& [field, value] : row.changes) {
    if (field == "peer") version.peer_word = PeerWord{ParseAgreementStatus(value)};
  }
  input.set = AgreementSet::Build({version}).value();
  input.request = BaseRequest(agreement);
  input.usage = {0, 0, 0};
  input.now = At("2026-06-01T00:00:00Z");
  for (const auto& [field, value] : row.changes) Change(field, value, input);
  return input;
}

}  // namespace comity::policy::testing
