// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/aggregates.h"
#include "services/store/sql/guarded_call.h"
#include "services/store/sql/row.h"

namespace comity::store {
namespace {

Result<AgreementDocumentRecord> ReadDocument(const Query& row) {
  AgreementDocumentRecord document;
  COMITY_ASSIGN_OR_RETURN(document.id, ReadId<policy::AgreementId>(row, 0));
  COMITY_ASSIGN_OR_RETURN(document.version, ReadUint32(row, 1));
  COMITY_ASSIGN_OR_RETURN(document.sha256, ReadDigest(row, 2));
  document.yaml = AsText(row.Blob(3));
  document.received_at = row.Time(4);
  return document;
}

Result<StatementRecord> ReadStatement(const Query& row) {
  StatementRecord statement;
  COMITY_ASSIGN_OR_RETURN(statement.id, ReadDigest(row, 0));
  COMITY_ASSIGN_OR_RETURN(statement.agreement, ReadId<policy::AgreementId>(row, 1));
  statement.envelope = AsText(row.Blob(2));
  statement.received_at = row.Time(3);
  return statement;
}

bool IsStored(Connection& connection, const AgreementDocumentRecord& document) {
  Query row(
      connection,
      "SELECT yaml FROM agreement_document WHERE agreement = ? AND version = ? AND sha256 = ?",
      document.id.text(), document.version, document.sha256.view());
  return row.Next() && AsText(row.Blob(0)) == document.yaml;
}

}  // namespace

Status SqlAgreementStore::AddDocument(const AgreementDocumentRecord& document) {
  return GuardedStep(connection_, "store the agreement", [&]() -> Status {
    if (IsStored(connection_, document)) return {};
    const std::uint64_t added =
        Query(connection_,
              "INSERT INTO agreement_document (agreement, version, sha256, yaml, received_at)"
              " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
              document.id.text(), document.version, document.sha256.view(), AsBytes(document.yaml),
              document.received_at)
            .Run();
    return IfAdded(added, "another document of this agreement and version is stored");
  });
}

Status SqlAgreementStore::AddStatement(const StatementRecord& statement) {
  return GuardedStep(connection_, "store the statement", [&]() -> Status {
    const std::uint64_t added =
        Query(connection_,
              "INSERT INTO agreement_statement (id, agreement, envelope, received_at)"
              " VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
              statement.id.view(), statement.agreement.text(), AsBytes(statement.envelope),
              statement.received_at)
            .Run();
    return IfAdded(added, "this statement is stored already");
  });
}

Result<std::vector<AgreementDocumentRecord>> SqlAgreementStore::Documents() const {
  using Documents = std::vector<AgreementDocumentRecord>;
  return GuardedStep(connection_, "read the agreements", [&]() -> Result<Documents> {
    Documents documents;
    Query row(connection_,
              "SELECT agreement, version, sha256, yaml, received_at FROM agreement_document"
              " ORDER BY position");
    while (row.Next()) {
      COMITY_ASSIGN_OR_RETURN(auto document, ReadDocument(row));
      documents.push_back(std::move(document));
    }
    return documents;
  });
}

Result<std::vector<StatementRecord>> SqlAgreementStore::Statements() const {
  using Statements = std::vector<StatementRecord>;
  return GuardedStep(connection_, "read the statements", [&]() -> Result<Statements> {
    Statements statements;
    Query row(connection_,
              "SELECT id, agreement, envelope, received_at FROM agreement_statement"
              " ORDER BY position");
    while (row.Next()) {
      COMITY_ASSIGN_OR_RETURN(auto statement, ReadStatement(row));
      statements.push_back(std::move(statement));
    }
    return statements;
  });
}

}  // namespace comity::store
