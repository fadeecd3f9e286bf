// SPDX-License-Identifier: Apache-2.0
#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "services/store/sqlite/sqlite_store.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace comity::store {
namespace {

using ::testing::Eq;
using testing::FailsWith;
using testing::IsOk;
using testing::IsOkAnd;

struct Acknowledged {
  std::uint64_t index = 0;
  std::string id;
};

// How often the writer is killed: COMITY_CRASH_KILLS, or 30.
int Kills() {
  const char* wanted = std::getenv("COMITY_CRASH_KILLS");
  return wanted == nullptr ? 30 : std::atoi(wanted);
}

std::string ReadToEnd(int fd) {
  std::string text;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = ::read(fd, buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<std::size_t>(count));
  }
  return text;
}

// Only complete lines: the last one may be torn by the kill.
std::vector<Acknowledged> ParseLines(const std::string& text) {
  std::vector<Acknowledged> lines;
  std::istringstream stream(text.substr(0, text.rfind('\n') + 1));
  Acknowledged line;
  while (stream >> line.index >> line.id) lines.push_back(line);
  return lines;
}

// Runs the writer, kills it after `life`, and returns what it acknowledged.
std::vector<Acknowledged> RunAndKill(const std::string& directory, const std::string& prefix,
                                     std::chrono::microseconds life) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::execl(COMITY_CRASH_WRITER, COMITY_CRASH_WRITER, directory.c_str(), prefix.c_str(), nullptr);
    std::_Exit(127);
  }
  ::close(ends[1]);
  std::jthread killer([child, life] {
    std::this_thread::sleep_for(life);  // the moment is the subject of this test
    ::kill(child, SIGKILL);
  });
  const std::string text = ReadToEnd(ends[0]);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself: " << status;
  return ParseLines(text);
}

void ExpectIntact(const std::filesystem::path& directory) {
  SQLite::Database database((directory / "comity.db").string(), SQLite::OPEN_READWRITE);
  EXPECT_EQ(database.execAndGet("PRAGMA integrity_check").getString(), "ok");
  EXPECT_EQ(database.execAndGet("SELECT count(*) FROM pragma_foreign_key_check").getInt(), 0);
}

// Everything acknowledged is there, effect and entry; and of all that is there, no effect is
// without its entry and no entry without its effect.
void ExpectWhole(Store& store, const std::vector<Acknowledged>& acknowledged) {
  const auto sender = policy::AgencyId::Parse("eastvale-council").value();
  const CapacityStore::Key key{policy::AgreementId::Parse("crash").value(), "p1", sender, "day"};
  std::vector<AuditEntryRecord> entries;
  ASSERT_THAT(store.Read([&](const Transaction& t) -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t size, t.audit().Size());
    COMITY_ASSIGN_OR_RETURN(entries, t.audit().Read(0, size));
    EXPECT_EQ(entries.size(), size);
    EXPECT_THAT(t.capacity().Reserved(key), IsOkAnd(Eq(size)));
    for (const Acknowledged& unit : acknowledged) {
      EXPECT_LT(unit.index, size);
      if (unit.index >= size) continue;
      EXPECT_EQ(AsText(entries[unit.index].entry), unit.id);
      COMITY_ASSIGN_OR_RETURN(const auto payload, t.audit().Payload(unit.index));
      EXPECT_EQ(AsText(payload.sealed), unit.id);
    }
    return {};
  }),
              IsOk());
  // The ids of all entries are remembered, and as many as there are entries.
  EXPECT_THAT(store.Write([&](Transaction& t) -> Status {
    for (const AuditEntryRecord& entry : entries) {
      EXPECT_THAT(t.replays().Remember(sender, AsText(entry.entry), policy::Instant()),
                  FailsWith(ErrorCode::kConflict));
    }
    return {};
  }),
              IsOk());
}

TEST(SqliteStoreCrash, LosesNothingAcknowledgedWhenKilledAtAnyMoment) {
  const testing::TemporaryDirectory directory;
  const auto seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  std::vector<Acknowledged> all;
  for (int kill = 0; kill < Kills(); ++kill) {
    const std::chrono::microseconds life(random() % 150'000);
    const auto now = RunAndKill(directory.path(), std::to_string(kill), life);
    all.insert(all.end(), now.begin(), now.end());
    {
      auto store = OpenSqliteStore(directory.path());
      ASSERT_THAT(store, IsOk()) << "after kill " << kill;
      ExpectWhole(**store, all);
    }
    ExpectIntact(directory.path());
    if (HasFailure()) FAIL() << "kill " << kill << " after " << life.count() << " us";
  }
  std::printf("%d kills, %zu units acknowledged\n", Kills(), all.size());
  EXPECT_GT(all.size(), 0U);
}

}  // namespace
}  // namespace comity::store
