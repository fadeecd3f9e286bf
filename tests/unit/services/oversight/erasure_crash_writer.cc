// SPDX-License-Identifier: Apache-2.0
// The victim of erasure_crash_test: opens ledger and database as a gateway does, then stores and
// erases alerts for ever and prints one line for each erasure that was acknowledged.
// Usage: erasure_crash_writer DATA LEDGER-COPY PREFIX
#include <unistd.h>

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "services/oversight/erasure_ledger.h"
#include "services/oversight/erasure_replay.h"
#include "services/store/retention_store.h"
#include "services/store/sqlite/sqlite_store.h"

namespace comity::oversight {
namespace {

constexpr int kWriters = 3;  // so that units share commits

Status PutAndErase(store::Store& store, const std::string& id, policy::Instant now) {
  store::AlertRecord alert;
  alert.id = id;
  alert.holder = policy::AgencyId::Parse("eastvale-council").value();
  alert.expires_at = now;
  alert.wrapped_key = ToBytes("wrapped-key-of-" + id);
  alert.sealed = ToBytes("content-of-" + id);
  COMITY_RETURN_IF_ERROR(
      store.Write([&](store::Transaction& tx) { return tx.alerts().Put(alert); }));
  return store.Write([&](store::Transaction& tx) -> Status {
    COMITY_RETURN_IF_ERROR(
        tx.retention().Erase(policy::RetentionClass::kAlert, {"alert", id, "withdrawn", {}}, now));
    return {};
  });
}

void WriteForEver(store::Store& store, const std::string& prefix, policy::Instant now) {
  for (int i = 0;; ++i) {
    const std::string id = prefix + "-" + std::to_string(i);
    if (const Status done = PutAndErase(store, id, now); !done) {
      std::fprintf(stderr, "%s\n", done.error().detail.c_str());
      std::_Exit(1);
    }
    const std::string line = id + "\n";  // one write of a short line to a pipe is never torn
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(1);
  }
}

Status Run(const std::string& data, const std::string& copy, const std::string& prefix) {
  SystemRandom random;
  const runtime::SystemClock clock;
  const SecretBytes kek = SecretBytes::CopyOf(Bytes(32, 7));
  const auto own = policy::AgencyId::Parse("northshire-police").value();
  std::unique_ptr<ErasureLedger> ledger;
  {
    COMITY_ASSIGN_OR_RETURN(const auto bare, store::OpenSqliteStore(data));
    COMITY_ASSIGN_OR_RETURN(ledger, ErasureLedger::Open({data, copy, kek, own, clock, random}));
    COMITY_RETURN_IF_ERROR(ReplayErasures(*bare, *ledger, clock));
  }
  COMITY_ASSIGN_OR_RETURN(const auto store, store::OpenSqliteStore(data, ledger.get()));
  std::vector<std::jthread> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back(
        [&, i] { WriteForEver(*store, prefix + "-" + std::to_string(i), clock.Now()); });
  }
  return {};  // never: the writers do not end
}

}  // namespace
}  // namespace comity::oversight

int main(int count, char** arguments) {
  if (count != 4) return 2;
  const auto done = comity::oversight::Run(arguments[1], arguments[2], arguments[3]);
  if (!done) std::fprintf(stderr, "%s\n", done.error().detail.c_str());
  return 1;
}
