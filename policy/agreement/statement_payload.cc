// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include <array>
#include <limits>
#include <utility>

#include "crypto/base/canonical_json.h"
#include "crypto/base/check.h"
#include "crypto/base/encoding.h"
#include "crypto/hash/sha256.h"
#include "policy/agreement/document_text.h"
#include "policy/agreement/statement.h"

namespace comity::policy {
namespace {

using nlohmann::json;

constexpr std::string_view kSchema = "comity/statement/1";
constexpr std::size_t kMaxPost = 200;  // as in the document

constexpr std::array<std::pair<StatementKind, std::string_view>, 7> kKinds = {{
    {StatementKind::kSignature, "signature"},
    {StatementKind::kAdvice, "advice"},
    {StatementKind::kSuspension, "suspension"},
    {StatementKind::kResumption, "resumption"},
    {StatementKind::kTermination, "termination"},
    {StatementKind::kRejection, "rejection"},
    {StatementKind::kReview, "review"},
}};

// Line feeds are allowed in what a person writes; nothing else that cannot be seen.
bool IsVisibleLines(std::string_view text) {
  while (true) {
    const std::size_t end = text.find('\n');
    if (!IsVisibleText(text.substr(0, end))) return false;
    if (end == text.npos) return true;
    text.remove_prefix(end + 1);
  }
}

tl::unexpected<Error> Malformed(std::string why) {
  return Fail(ErrorCode::kInvalidArgument, "statement: " + std::move(why));
}

Result<std::string> TakeText(json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) {
    return Malformed("the text `" + std::string(name) + "` is missing");
  }
  std::string text = std::move(found->get_ref<std::string&>());
  object.erase(found);
  return text;
}

template <typename Parse>
auto TakeParsed(json& object, const char* name, Parse parse)
    -> decltype(parse(std::string_view())) {
  COMITY_ASSIGN_OR_RETURN(const std::string text, TakeText(object, name));
  auto value = parse(std::string_view(text));
  if (!value) return Malformed(std::string(name) + ": " + value.error().detail);
  return value;
}

Result<AgreementRef> TakeAgreement(json& object) {
  const auto found = object.find("agreement");
  if (found == object.end() || !found->is_object()) return Malformed("`agreement` is missing");
  json agreement = std::move(*found);
  object.erase(found);
  AgreementRef ref;
  COMITY_ASSIGN_OR_RETURN(ref.id, TakeParsed(agreement, "id", AgreementId::Parse));
  COMITY_ASSIGN_OR_RETURN(ref.sha256, TakeParsed(agreement, "sha256", ParseHexDigest));
  const auto version = agreement.find("version");
  if (agreement.size() != 1 || version == agreement.end() || !version->is_number_unsigned() ||
      version->get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max()) {
    return Malformed("`agreement` has exactly id, sha256 and version");
  }
  ref.version = version->get<std::uint32_t>();
  return ref;
}

Result<Statement> TakeStatement(json& object) {
  Statement statement;
  COMITY_ASSIGN_OR_RETURN(const std::string schema, TakeText(object, "schema"));
  if (schema != kSchema) return Malformed("the schema is not " + std::string(kSchema));
  COMITY_ASSIGN_OR_RETURN(statement.kind, TakeParsed(object, "kind", ParseStatementKind));
  COMITY_ASSIGN_OR_RETURN(statement.agreement, TakeAgreement(object));
  COMITY_ASSIGN_OR_RETURN(statement.party, TakeParsed(object, "party", AgencyId::Parse));
  COMITY_ASSIGN_OR_RETURN(statement.post, TakeText(object, "post"));
  COMITY_ASSIGN_OR_RETURN(statement.at, TakeParsed(object, "at", ParseInstant));
  COMITY_ASSIGN_OR_RETURN(statement.text, TakeText(object, "text"));
  if (object.contains("position")) {
    COMITY_ASSIGN_OR_RETURN(statement.position,
                            TakeParsed(object, "position", ParseAdvicePosition));
  }
  if (object.contains("lifts")) {
    COMITY_ASSIGN_OR_RETURN(statement.lifts, TakeParsed(object, "lifts", ParseHexDigest));
  }
  if (!object.empty()) return Malformed("an unknown field");
  return statement;
}

}  // namespace

std::string_view Name(StatementKind kind) {
  for (const auto& [known, name] : kKinds) {
    if (known == kind) return name;
  }
  return "unknown";
}

Result<StatementKind> ParseStatementKind(std::string_view text) {
  std::string allowed;
  for (const auto& [kind, name] : kKinds) {
    if (name == text) return kind;
    allowed.append(allowed.empty() ? "" : ", ").append(name);
  }
  return Fail(ErrorCode::kInvalidArgument, "must be one of: " + allowed);
}

Status CheckStatement(const Statement& statement) {
  if (Name(statement.kind) == "unknown") return Malformed("an unknown kind");
  if (statement.agreement.id.empty() || statement.agreement.version == 0) {
    return Malformed("the agreement is missing");
  }
  if (statement.party.empty()) return Malformed("the party is missing");
  if (statement.post.empty() || statement.post.size() > kMaxPost ||
      !IsVisibleText(statement.post)) {
    return Malformed("a post has 1 to 200 octets of visible UTF-8");
  }
  if (statement.text.size() > kMaxStatementText || !IsVisibleLines(statement.text)) {
    return Malformed("a text has at most 4000 octets of visible UTF-8 and line feeds");
  }
  const bool advice = statement.kind == StatementKind::kAdvice;
  if ((advice || statement.kind == StatementKind::kReview) && statement.text.empty()) {
    return Malformed("advice and reviews need their text");
  }
  if (advice != statement.position.has_value()) {
    return Malformed("advice, and only advice, has a position");
  }
  if ((statement.kind == StatementKind::kResumption) != statement.lifts.has_value()) {
    return Malformed("a resumption, and only a resumption, names the suspension that it lifts");
  }
  return {};
}

std::string EncodeStatementPayload(const Statement& statement) {
  COMITY_CHECK(CheckStatement(statement).has_value());
  json object = {
      {"schema", kSchema},
      {"kind", Name(statement.kind)},
      {"agreement",
       {{"id", statement.agreement.id.text()},
        {"sha256", EncodeHex(statement.agreement.sha256.view())},
        {"version", statement.agreement.version}}},
      {"party", statement.party.text()},
      {"post", statement.post},
      {"at", EncodeInstant(statement.at)},
      {"text", statement.text},
  };
  if (statement.position) object["position"] = Name(*statement.position);
  if (statement.lifts) object["lifts"] = EncodeHex(statement.lifts->view());
  return EncodeCanonicalJson(object);
}

Result<Statement> ParseStatementPayload(std::string_view payload) {
  COMITY_ASSIGN_OR_RETURN(json object, ParseCanonicalJson(payload, kMaxStatementPayload));
  if (!object.is_object()) return Malformed("not an object");
  COMITY_ASSIGN_OR_RETURN(Statement statement, TakeStatement(object));
  COMITY_RETURN_IF_ERROR(CheckStatement(statement));
  // One statement has one spelling, hence one id: instants are written in more than one way.
  if (EncodeStatementPayload(statement) != payload) return Malformed("`at` is not in UTC form");
  return statement;
}

Digest StatementId(ByteView payload) {
  return hash::Sha256(payload);
}

}  // namespace comity::policy
