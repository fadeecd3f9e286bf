// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/secret.h"
#include "services/store/store.h"
#include "tests/support/result_matchers.h"

// One suite for every implementation of store::Store. A back end links the *_conformance.cc files
// and instantiates each fixture with its Backend (sqlite_store_conformance_test.cc).
namespace comity::store {

// A database of its own for one test.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual Store& store() = 0;
  // Closes the database and opens it again.
  virtual void Reopen() = 0;
  // What somebody else writes who is let at the database and has no key: one statement that both
  // databases understand.
  virtual void Execute(const std::string& sql) = 0;
  // The key that it is opened with the next time; null: none.
  void set_kek(const SecretBytes* kek) { kek_ = kek; }

 protected:
  const SecretBytes* kek() const { return kek_; }

 private:
  const SecretBytes* kek_ = nullptr;
};

struct Backend {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>()> make;
};
inline void PrintTo(const Backend& backend, std::ostream* out) {
  *out << backend.name;
}

inline policy::Instant At(std::int64_t seconds) {
  return policy::Instant(std::chrono::seconds(seconds));
}
template <typename Id>
Id MakeId(std::string_view text) {
  return Id::Parse(text).value();
}
inline Digest MakeDigest(std::uint8_t octet) {
  Digest digest;
  digest.bytes.fill(octet);
  return digest;
}
inline Bytes Octets(std::string_view text) {
  return ToBytes(text);
}

class StoreConformance : public ::testing::TestWithParam<Backend> {
 protected:
  using Work = std::function<Status(Transaction&)>;

  Store& store() { return subject_->store(); }
  void Reopen() { subject_->Reopen(); }

  void ReopenWith(const SecretBytes* kek) {
    subject_->set_kek(kek);
    subject_->Reopen();
  }
  void Execute(const std::string& sql) { subject_->Execute(sql); }

  Status Write(const Work& work) { return store().Write(work); }

  // Reads one value in a snapshot of its own; the test fails if it cannot.
  template <typename Read>
  auto Get(Read read) {
    using Value = typename decltype(read(std::declval<const Transaction&>()))::value_type;
    Result<Value> value = Fail(ErrorCode::kInternal, "the work did not run");
    const Status status = store().Read([&](const Transaction& transaction) -> Status {
      value = read(transaction);
      return {};
    });
    EXPECT_THAT(status, testing::IsOk());
    return value;
  }

 private:
  std::unique_ptr<StoreUnderTest> subject_ = GetParam().make();
};

class UnitOfWorkConformance : public StoreConformance {};
class AgreementStoreConformance : public StoreConformance {};
class AgreementLifeStoreConformance : public StoreConformance {};
class WatchlistStoreConformance : public StoreConformance {};
class DeploymentStoreConformance : public StoreConformance {};
class AlertStoreConformance : public StoreConformance {};
class AuditStoreConformance : public StoreConformance {};
class CheckpointStoreConformance : public StoreConformance {};
class CapacityStoreConformance : public StoreConformance {};
class ReplayStoreConformance : public StoreConformance {};
class PersonStoreConformance : public StoreConformance {};
class ApprovalStoreConformance : public StoreConformance {};
class NoticeStoreConformance : public StoreConformance {};
class SettingStoreConformance : public StoreConformance {};
class OutboxStoreConformance : public StoreConformance {};
class PeerStoreConformance : public StoreConformance {};
class StopStoreConformance : public StoreConformance {};
class HitStoreConformance : public StoreConformance {};
class HoldingStoreConformance : public StoreConformance {};
class RetentionStoreConformance : public StoreConformance {};
class SealedCopyStoreConformance : public StoreConformance {};
class SealedListStoreConformance : public StoreConformance {};
class BoundTablesConformance : public StoreConformance {
 protected:
  void SetUp() override;
  std::vector<std::string> Faults();  // names of the tables that are not to be trusted
  // `sql` is found out in this table, which is refused from then on, and in no other.
  void ExpectFound(const std::string& sql, const std::string& table);
  void ExpectRefused(const std::string& table);
};

}  // namespace comity::store
