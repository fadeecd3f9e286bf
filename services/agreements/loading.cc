// SPDX-License-Identifier: Apache-2.0
#include "services/agreements/loading.h"

#include <map>
#include <string>
#include <utility>

#include "crypto/sign/dsse.h"
#include "policy/agreement/statement.h"
#include "services/agreements/register.h"
#include "services/store/agreement_life_store.h"

namespace comity::agreements {
namespace {

using Versions = std::map<Catalogue::Key, HeldVersion>;

tl::unexpected<Error> Corrupt(const policy::AgreementId& id, const std::string& what) {
  return Fail(ErrorCode::kCorrupt, "the stored agreement " + id.text() + ": " + what);
}

Result<HeldVersion> LoadDocument(const store::AgreementDocumentRecord& record,
                                 const TrustedKeys& keys, policy::Instant now) {
  auto version = ReadDocument(record.yaml);
  if (!version) return Corrupt(record.id, version.error().detail);
  if (version->ref != policy::AgreementRef{record.id, record.version, record.sha256}) {
    return Corrupt(record.id, "its document is not the one it was stored as");
  }
  const Status trusted = CheckParties(version->agreement, keys, record.received_at, now);
  if (!trusted) version->barred = trusted.error().detail;
  return version;
}

Status LoadStatement(const store::StatementRecord& record, const TrustedKeys& keys,
                     Versions& loaded) {
  const auto envelope = sign::ParseDsseJson(record.envelope, Register::kMaxStatement);
  if (!envelope) return Corrupt(record.agreement, envelope.error().detail);
  const auto statement = policy::ParseStatementPayload(AsText(envelope->payload));
  if (!statement) return Corrupt(record.agreement, statement.error().detail);
  const auto found = loaded.find({statement->agreement.id, statement->agreement.version});
  if (found == loaded.end()) {
    return Corrupt(record.agreement, "a statement is stored without its document");
  }
  const policy::Agreement& agreement = found->second.agreement;
  policy::Vouching vouching{.histories = &keys.histories};
  auto verified = policy::VerifyStatement(*envelope, agreement, vouching);
  // Of a party that was never enrolled here no key is known; its version is barred anyway.
  if (!verified && !found->second.barred.empty()) {
    verified = policy::VerifyStatement(*envelope, agreement, {});
  }
  if (!verified) return Corrupt(record.agreement, verified.error().detail);
  if (verified->id != record.id) {
    return Corrupt(record.agreement, "a statement is not the one it was stored as");
  }
  vouching.received_at = record.received_at;
  const auto counts = policy::VerifyStatement(*envelope, agreement, vouching);
  found->second.statements.push_back(
      {std::move(*verified), record.envelope, counts ? std::string() : counts.error().detail});
  return {};
}

}  // namespace

Result<Loaded> LoadAgreements(const store::Transaction& transaction, const TrustedKeys& keys,
                              policy::Instant now) {
  COMITY_ASSIGN_OR_RETURN(const auto documents, transaction.agreements().Documents());
  COMITY_ASSIGN_OR_RETURN(const auto statements, transaction.agreements().Statements());
  COMITY_ASSIGN_OR_RETURN(const auto marks, transaction.agreement_life().Marks());
  COMITY_ASSIGN_OR_RETURN(const auto peers, transaction.agreement_life().PeerStatuses());
  Versions versions;
  for (const store::AgreementDocumentRecord& record : documents) {
    COMITY_ASSIGN_OR_RETURN(HeldVersion version, LoadDocument(record, keys, now));
    versions.emplace(Catalogue::Key{record.id, record.version}, std::move(version));
  }
  for (const store::StatementRecord& record : statements) {
    COMITY_RETURN_IF_ERROR(LoadStatement(record, keys, versions));
  }
  Loaded loaded;
  for (auto& [key, version] : versions) loaded.catalogue.Put(std::move(version));
  for (const store::AgreementMark& mark : marks) loaded.marks.emplace(mark.agreement, mark.mark);
  for (const store::PeerStatusRecord& record : peers) {
    loaded.peers[record.agreement] = {record.peer, record.status, record.at};
  }
  return loaded;
}

}  // namespace comity::agreements
