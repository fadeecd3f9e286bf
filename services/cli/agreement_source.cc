// SPDX-License-Identifier: Apache-2.0
#include "services/cli/agreement_source.h"

#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>

#include "comity/v1/agreements.grpc.pb.h"
#include "crypto/base/quote.h"
#include "policy/agreement/document.h"
#include "policy/check/check.h"
#include "policy/model/ids.h"
#include "services/cli/local_file.h"

namespace comity::cli {
namespace {

Result<NamedAgreement> FromFile(const std::string& file) {
  COMITY_ASSIGN_OR_RETURN(CheckedDocument checked, CheckDocumentFile(file));
  if (!checked.agreement) {
    return Fail(ErrorCode::kInvalidArgument, DescribeIssues(checked, file));
  }
  NamedAgreement named;
  named.agreement = *std::move(checked.agreement);
  named.document = std::move(checked.document);
  return named;
}

Result<NamedAgreement> FromGateway(const std::string& target, const Session& session,
                                   AgreementQuery query) {
  COMITY_ASSIGN_OR_RETURN(const AgreementName name, ParseAgreementName(target));
  NamedAgreement named;
  COMITY_ASSIGN_OR_RETURN(named.gateway, OwnGateway::Open(session));
  v1::GetAgreementRequest request;
  request.set_id(name.id);
  request.set_version(name.version);
  request.set_deciding(query.bare == BareId::kDeciding);
  request.set_statements(query.statements);
  COMITY_ASSIGN_OR_RETURN(const v1::GetAgreementResponse response,
                          named.gateway->Call<v1::Agreements>(&v1::Agreements::Stub::Get, request));
  if (response.more()) {
    return Fail(ErrorCode::kExhausted,
                name.id + " has more statements than one answer holds; they are in the audit log");
  }
  // Read here as well: what is signed is what this program understood, not what a gateway says.
  auto loaded = policy::LoadAgreement(response.document());
  if (!loaded.agreement) {
    return Fail(ErrorCode::kCorrupt, "the gateway's document of " + name.id + " has faults");
  }
  named.agreement = *std::move(loaded.agreement);
  named.document = response.document();
  named.statements.assign(response.statements().begin(), response.statements().end());
  return named;
}

}  // namespace

Result<CheckedDocument> CheckDocumentFile(const std::string& file) {
  // One octet more than is allowed, so that the check itself says that it is too large.
  COMITY_ASSIGN_OR_RETURN(std::string text, ReadLocalText(file, 4 * policy::kMaxDocumentBytes));
  auto loaded = policy::LoadAgreement(text);
  return CheckedDocument{std::move(text), std::move(loaded.agreement), std::move(loaded.issues)};
}

std::string DescribeIssues(const CheckedDocument& document, const std::string& file) {
  std::string text;
  for (const policy::Issue& issue : document.issues) {
    text += (text.empty() ? "" : "\n") + policy::FormatIssue(issue, file);
  }
  return text;
}

Result<NamedAgreement> FindAgreement(const std::string& target, const Session& session,
                                     AgreementQuery query) {
  std::error_code ignored;
  if (std::filesystem::exists(target, ignored)) return FromFile(target);
  if (!ParseAgreementName(target)) {
    return Fail(ErrorCode::kNotFound,
                Quote(target) + " is neither a file nor an agreement id (ID or ID@VERSION)");
  }
  return FromGateway(target, session, query);
}

Result<AgreementName> ParseAgreementName(const std::string& text) {
  const std::size_t at = text.find('@');
  AgreementName name{text.substr(0, at), 0};
  bool is_good = policy::IsWellFormedId(name.id);
  if (at != std::string::npos) {
    const char* end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data() + at + 1, end, name.version);
    is_good = is_good && fault == std::errc() && stop == end && name.version > 0;
  }
  if (!is_good) {
    return Fail(ErrorCode::kInvalidArgument,
                Quote(text) + " names no agreement; it is ID or ID@VERSION");
  }
  return name;
}

}  // namespace comity::cli
