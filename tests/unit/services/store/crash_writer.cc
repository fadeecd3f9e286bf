// SPDX-License-Identifier: Apache-2.0
// The victim of the crash tests: writes units of work from several threads for ever and prints one
// line
// "<index> <id>" for each that was acknowledged. Usage: store_crash_writer PLACE PREFIX
//
// PLACE is a directory for SQLite, or a postgresql:// URL. Before a database server, a unit may
// fail while the server is away: "failed <id>" is printed then, and the writer goes on.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "services/store/postgres/postgres_store.h"
#include "services/store/sqlite/sqlite_store.h"

namespace comity::store {
namespace {

constexpr int kWriters = 4;  // so that units share commits

const policy::AgencyId kSender = policy::AgencyId::Parse("eastvale-council").value();

// Three effects in three tables and one log entry.
Result<std::uint64_t> WriteUnit(Store& store, const std::string& id) {
  const policy::Instant far(std::chrono::hours(1'000'000));
  const CapacityStore::Key key{policy::AgreementId::Parse("crash").value(), "p1", kSender, "day"};
  std::uint64_t index = 0;
  const Status written = store.Write([&](Transaction& t) -> Status {
    COMITY_RETURN_IF_ERROR(t.replays().Remember(kSender, id, far));
    COMITY_RETURN_IF_ERROR(t.capacity().Reserve(key, 1));
    COMITY_ASSIGN_OR_RETURN(index, t.audit().Append(AsBytes(id), id, {ToBytes(id), ToBytes(id)}));
    return {};
  });
  if (!written) return Fail(written.error());
  return index;
}

void Print(const std::string& line) {
  // One write of a short line to a pipe or a file is never torn.
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(1);
}

void WriteForEver(Store& store, const std::string& prefix, bool goes_on) {
  for (std::uint64_t i = 0;; ++i) {
    const std::string id = prefix + "-" + std::to_string(i);
    const auto index = WriteUnit(store, id);
    if (index) {
      Print(std::to_string(*index) + " " + id + "\n");
    } else if (goes_on && index.error().code == ErrorCode::kUnavailable) {
      Print("failed " + id + "\n");
    } else {
      std::fprintf(stderr, "%s\n", index.error().detail.c_str());
      std::_Exit(1);
    }
  }
}

Result<std::unique_ptr<Store>> Open(const std::string& place) {
  if (!place.starts_with("postgresql://")) return OpenSqliteStore(place);
  PostgresOptions options;
  options.url = place;
  options.wait_for_writer = true;  // the server may not have noticed yet that the last one is dead
  options.patience = std::chrono::seconds(60);
  options.on_superseded = [](const Error& error) {
    std::fprintf(stderr, "superseded: %s\n", error.detail.c_str());
    std::_Exit(1);
  };
  return OpenPostgresStore(options);
}

int Main(const std::string& place, const std::string& prefix) {
  auto store = Open(place);
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().detail.c_str());
    return 1;
  }
  std::vector<std::jthread> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([&, i] {
      WriteForEver(**store, prefix + "-" + std::to_string(i), place.starts_with("postgresql://"));
    });
  }
  return 0;  // never: the writers do not end
}

}  // namespace
}  // namespace comity::store

int main(int count, char** arguments) {
  return count == 3 ? comity::store::Main(arguments[1], arguments[2]) : 2;
}
