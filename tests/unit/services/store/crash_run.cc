// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/services/store/crash_run.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <set>
#include <sstream>
#include <string_view>
#include <thread>

#include "tests/support/result_matchers.h"

namespace comity::store {
namespace {

using ::testing::Eq;
using testing::FailsWith;
using testing::IsOk;
using testing::IsOkAnd;

std::string ReadToEnd(int fd) {
  std::string text;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = ::read(fd, buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<std::size_t>(count));
  }
  return text;
}

}  // namespace

int Kills() {
  const char* wanted = std::getenv("COMITY_CRASH_KILLS");
  return wanted == nullptr ? 30 : std::atoi(wanted);
}

std::vector<Acknowledged> ParseLines(const std::string& text) {
  std::vector<Acknowledged> lines;
  std::istringstream stream(text.substr(0, text.rfind('\n') + 1));
  Acknowledged line;
  while (stream >> line.index >> line.id) lines.push_back(line);
  return lines;
}

std::vector<Acknowledged> RunAndKill(const std::string& place, const std::string& prefix,
                                     std::chrono::microseconds life) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::execl(COMITY_CRASH_WRITER, COMITY_CRASH_WRITER, place.c_str(), prefix.c_str(), nullptr);
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

namespace {

const policy::AgencyId kSender = policy::AgencyId::Parse("eastvale-council").value();

}  // namespace

void ExpectThere(Store& store, const std::vector<Acknowledged>& acknowledged) {
  const CapacityStore::Key key{policy::AgreementId::Parse("crash").value(), "p1", kSender, "day"};
  ASSERT_THAT(store.Read([&](const Transaction& t) -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t size, t.audit().Size());
    COMITY_ASSIGN_OR_RETURN(const auto entries, t.audit().Read(0, size));
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
}

void ExpectWhole(Store& store, const std::vector<Acknowledged>& acknowledged) {
  ExpectThere(store, acknowledged);
  // The ids of all entries are remembered, and as many as there are entries.
  EXPECT_THAT(store.Write([&](Transaction& t) -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t size, t.audit().Size());
    COMITY_ASSIGN_OR_RETURN(const auto entries, t.audit().Read(0, size));
    std::set<std::string_view> ids;
    for (const AuditEntryRecord& entry : entries) {
      EXPECT_TRUE(ids.insert(AsText(entry.entry)).second)
          << AsText(entry.entry) << " is there twice";
      EXPECT_THAT(t.replays().Remember(kSender, AsText(entry.entry), policy::Instant()),
                  FailsWith(ErrorCode::kConflict));
    }
    return {};
  }),
              IsOk());
}

}  // namespace comity::store
