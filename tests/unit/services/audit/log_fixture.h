// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

#include "crypto/base/random.h"
#include "crypto/sign/ed25519.h"
#include "services/audit/events.h"
#include "services/audit/export.h"
#include "services/audit/log.h"
#include "services/store/sqlite/sqlite_store.h"
#include "tests/support/manual_clock.h"
#include "tests/support/result_matchers.h"

namespace comity::audit {

// Octets 0, 1, 2 ... so that a run can be repeated and shown octet for octet.
class CountingRandom final : public RandomSource {
 public:
  void Fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& octet : out) octet = next_++;
  }

 private:
  std::uint8_t next_ = 0;
};

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "comity-audit-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline constexpr auto kTestTime =
    policy::Instant{std::chrono::sys_days{std::chrono::year{2026} / 11 / 25}} +
    std::chrono::hours(8);
inline const std::string kTestOrigin = "northshire-police.example/log";

inline policy::AgencyId Agency(std::string_view text) {
  return policy::AgencyId::Parse(text).value();
}

// An event like those of a live search.
inline Event TestEvent(int number) {
  Event event{.type = kSearchHit, .time = kTestTime + std::chrono::seconds(number)};
  event.exchange = "x-" + std::to_string(number);
  event.parties = {Agency("northshire-police"), Agency("eastvale-council")};
  event.decision_code = "permit";
  event.clauses = {"p1"};
  event.committed = {{"hits", "reference " + std::to_string(number)}, {"camera", "c1"}};
  event.counts = {{"hits", 1}};
  return event;
}

// One agency's log over the embedded store in a folder of its own; can be closed and opened again.
class LogTest : public ::testing::Test {
 protected:
  void TearDown() override { Close(); }

  std::filesystem::path data() const { return folder_.path() / "data"; }
  std::filesystem::path files() const { return folder_.path() / "log"; }

  void OpenStore() {
    auto store = store::OpenSqliteStore(data());
    ASSERT_THAT(store, testing::IsOk());
    store_ = std::move(store).value();
  }
  Status TryOpen() {
    auto log = Log::Open({.store = *store_,
                          .log_key = key_,
                          .origin = kTestOrigin,
                          .kek = kek_,
                          .directory = folder_.path(),
                          .clock = clock_,
                          .logger = *logger_,
                          .random = random_});
    if (!log) return Fail(log.error());
    log_ = std::move(log).value();
    return {};
  }
  void Open() {
    ASSERT_NO_FATAL_FAILURE(OpenStore());
    ASSERT_THAT(TryOpen(), testing::IsOk());
  }
  void Close() {
    log_.reset();
    store_.reset();
  }
  // Appends events [from, from + count) in one unit of work.
  void Append(int from, int count) {
    ASSERT_THAT(log_->Commit([&](store::Transaction&, Recorder& recorder) -> Status {
      for (int i = from; i < from + count; ++i) {
        COMITY_RETURN_IF_ERROR(recorder.Record(TestEvent(i)));
      }
      return {};
    }),
                testing::IsOk());
  }
  std::map<std::string, Bytes> ExportFiles() {
    std::map<std::string, Bytes> out;
    const auto exported = Export(*log_, [&](std::string_view path, ByteView content) -> Status {
      EXPECT_TRUE(out.emplace(path, ToBytes(content)).second) << path;
      return {};
    });
    EXPECT_THAT(exported, testing::IsOk());
    return out;
  }

  TemporaryDirectory folder_;
  testing::ManualClock clock_{kTestTime};
  std::ostringstream lines_;
  std::unique_ptr<runtime::Logger> logger_ =
      runtime::MakeStreamLogger(runtime::LogLevel::kInfo, clock_, lines_);
  SystemRandom random_;
  sign::SigningKey key_ = sign::SigningKey::FromSeed(SecretBytes(32)).value();
  SecretBytes kek_{32};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Log> log_;
};

}  // namespace comity::audit
