// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "policy/agreement/issue.h"
#include "policy/model/agreement.h"
#include "services/cli/own_gateway.h"
#include "services/cli/session.h"

namespace comity::cli {

// An agreement that a command names: the file of that name if there is one, else the agreement
// ID or ID@VERSION at the own gateway.
struct NamedAgreement {
  policy::Agreement agreement;
  std::string document;                 // exact octets
  std::vector<std::string> statements;  // DSSE JSON; from the gateway only
  std::optional<OwnGateway> gateway;    // set when it came from there
};

// The document of a file with its faults, each as FILE:LINE:COLUMN: path: message.
struct CheckedDocument {
  std::string document;
  std::optional<policy::Agreement> agreement;  // set exactly when there are no issues
  std::vector<policy::Issue> issues;
};
// Errors: kInvalidArgument, kNotFound  the file cannot be read
Result<CheckedDocument> CheckDocumentFile(const std::string& file);
std::string DescribeIssues(const CheckedDocument& document, const std::string& file);

// Which version an ID without a version means.
enum class BareId {
  kHighest,   // proposals are advised on, signed and refused
  kDeciding,  // what runs is stopped and ended: a partner can deliver a draft that is higher
};

// Which of an agreement is needed.
struct AgreementQuery {
  BareId bare = BareId::kHighest;
  bool statements = false;  // with those that the gateway has
};

// Errors: those of reading; kInvalidArgument  faults in the document, all in the detail; kExhausted
// there are more statements than one answer holds; those of the gateway
Result<NamedAgreement> FindAgreement(const std::string& target, const Session& session,
                                     AgreementQuery query = {});

// Splits ID or ID@VERSION; version 0: none was named. Errors: kInvalidArgument
struct AgreementName {
  std::string id;
  std::uint32_t version = 0;
};
Result<AgreementName> ParseAgreementName(const std::string& text);

}  // namespace comity::cli
