// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/store/sql/connection.h"
#include "services/store/store.h"

// The aggregates in SQL, each in the .cc of its name. All borrow the connection of the unit of
// work. Threads: thread-compatible, like the connection.
namespace comity::store {

class SqlAgreementStore final : public AgreementStore {
 public:
  explicit SqlAgreementStore(Connection& connection) : connection_(connection) {}
  Status AddDocument(const AgreementDocumentRecord& document) override;
  Status AddStatement(const StatementRecord& statement) override;
  Result<std::vector<AgreementDocumentRecord>> Documents() const override;
  Result<std::vector<StatementRecord>> Statements() const override;

 private:
  Connection& connection_;
};

class SqlAlertStore final : public AlertStore {
 public:
  explicit SqlAlertStore(Connection& connection) : connection_(connection) {}
  Status Put(const AlertRecord& alert) override;
  Result<AlertRecord> Get(std::string_view id) const override;
  Result<std::optional<AlertRecord>> FindLatest(const policy::DeploymentId& deployment,
                                                const policy::AgencyId& holder,
                                                std::string_view reference) const override;
  Result<std::vector<AlertRecord>> Open(policy::Instant now, std::uint32_t limit) const override;
  Result<std::vector<AlertRecord>> OfReference(const policy::AgencyId& holder,
                                               std::string_view reference) const override;
  Result<std::vector<AlertRecord>> OfAnswer(const policy::AgencyId& holder,
                                            std::string_view answer) const override;
  Result<std::vector<AlertRecord>> OfAgreement(const policy::AgreementId& agreement) const override;
  Result<std::uint64_t> EraseExpired(policy::Instant now) override;
  Result<Left> LeftOf(const policy::DeploymentId& deployment) const override;

 private:
  Connection& connection_;
};

class SqlAuditStore final : public AuditStore {
 public:
  explicit SqlAuditStore(Connection& connection) : connection_(connection) {}
  Result<std::uint64_t> Append(ByteView entry, std::string_view exchange,
                               const AuditPayloadRecord& payload) override;
  Result<std::uint64_t> Size() const override;
  Result<std::vector<AuditEntryRecord>> Read(std::uint64_t from,
                                             std::uint64_t count) const override;
  Result<std::vector<AuditEntryRecord>> OfExchange(std::string_view exchange,
                                                   std::uint32_t limit) const override;
  Result<AuditPayloadRecord> Payload(std::uint64_t index) const override;
  Result<std::map<std::uint64_t, AuditPayloadRecord>> ShortPayloads(
      std::uint64_t from, std::uint64_t count, std::uint32_t max_sealed) const override;

 private:
  Connection& connection_;
};

class SqlCheckpointStore final : public CheckpointStore {
 public:
  explicit SqlCheckpointStore(Connection& connection) : connection_(connection) {}
  Result<std::optional<CheckpointRecord>> Latest() const override;
  Status Save(const CheckpointRecord& checkpoint) override;

 private:
  Connection& connection_;
};

class SqlCapacityStore final : public CapacityStore {
 public:
  explicit SqlCapacityStore(Connection& connection) : connection_(connection) {}
  Result<std::uint64_t> Reserved(const Key& key) const override;
  Result<std::uint64_t> Reserve(const Key& key, std::uint64_t amount) override;
  Status Forget(std::string_view day) override;

 private:
  Connection& connection_;
};

class SqlReplayStore final : public ReplayStore {
 public:
  explicit SqlReplayStore(Connection& connection) : connection_(connection) {}
  Status Remember(const policy::AgencyId& sender, std::string_view id,
                  policy::Instant keep_until) override;
  Status Forget(policy::Instant now) override;

 private:
  Connection& connection_;
};

}  // namespace comity::store
