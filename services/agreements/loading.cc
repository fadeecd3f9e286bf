// SPDX-License-Identifier: Apache-2.0
#include "services/agreements/loading.h"

#include <map>
#include <string>
#include <utility>

#include "crypto/sign/dsse.h"
#include "policy/agreement/statement.h"
#include "services/agreements/register.h"

namespace comity::agreements {
namespace {

using Loaded = std::map<Catalogue::Key, HeldVersion>;

tl::unexpected<Error> Corrupt(const policy::AgreementId& id, const std::string& what) {
  return Fail(ErrorCode::kCorrupt, "the stored agreement " + id.text() + ": " + what);
}

Result<HeldVersion> LoadDocument(const store::AgreementDocumentRecord& record,
                                 const TrustedKeys& keys) {
  auto version = ReadDocument(record.yaml);
  if (!version) return Corrupt(record.id, version.error().detail);
  if (version->ref != policy::AgreementRef{record.id, record.version, record.sha256}) {
    return Corrupt(record.id, "its document is not the one it was stored as");
  }
  const Status trusted = CheckParties(version->agreement, keys);
  if (!trusted) version->barred = trusted.error().detail;
  return version;
}

Status LoadStatement(const store::StatementRecord& record, Loaded& loaded) {
  const auto envelope = sign::ParseDsseJson(record.envelope, Register::kMaxStatement);
  if (!envelope) return Corrupt(record.agreement, envelope.error().detail);
  const auto statement = policy::ParseStatementPayload(AsText(envelope->payload));
  if (!statement) return Corrupt(record.agreement, statement.error().detail);
  const auto found = loaded.find({statement->agreement.id, statement->agreement.version});
  if (found == loaded.end()) {
    return Corrupt(record.agreement, "a statement is stored without its document");
  }
  auto verified = policy::VerifyStatement(*envelope, found->second.agreement, true);
  if (!verified) return Corrupt(record.agreement, verified.error().detail);
  if (verified->id != record.id) {
    return Corrupt(record.agreement, "a statement is not the one it was stored as");
  }
  found->second.statements.push_back({std::move(*verified), record.envelope});
  return {};
}

}  // namespace

Result<Catalogue> LoadCatalogue(const store::AgreementStore& agreements, const TrustedKeys& keys) {
  COMITY_ASSIGN_OR_RETURN(const auto documents, agreements.Documents());
  COMITY_ASSIGN_OR_RETURN(const auto statements, agreements.Statements());
  Loaded loaded;
  for (const store::AgreementDocumentRecord& record : documents) {
    COMITY_ASSIGN_OR_RETURN(HeldVersion version, LoadDocument(record, keys));
    loaded.emplace(Catalogue::Key{record.id, record.version}, std::move(version));
  }
  for (const store::StatementRecord& record : statements) {
    COMITY_RETURN_IF_ERROR(LoadStatement(record, loaded));
  }
  Catalogue catalogue;
  for (auto& [key, version] : loaded) catalogue.Put(std::move(version));
  return catalogue;
}

}  // namespace comity::agreements
