// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
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
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAnd;
using ::testing::Not;

// No file of this process grows beyond `bytes` while it lives: writes fail as on a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &old_limit_), 0);
    const rlimit limit{bytes, old_limit_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &old_limit_);
    std::signal(SIGXFSZ, old_handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  void (*old_handler_)(int);
  rlimit old_limit_{};
};

constexpr rlim_t kLimit = 512 * 1024;  // above an empty database, below what the tests write

auto Append(int count, std::size_t size) {
  return [=](Transaction& t) -> Status {
    for (int i = 0; i < count; ++i) {
      COMITY_RETURN_IF_ERROR(t.audit().Append(Bytes(size, 1), "", {Bytes(60, 2), Bytes(size, 3)}));
    }
    return {};
  };
}

Result<std::uint64_t> SizeOf(const Store& store) {
  std::uint64_t size = 0;
  COMITY_RETURN_IF_ERROR(store.Read([&](const Transaction& t) -> Status {
    COMITY_ASSIGN_OR_RETURN(size, t.audit().Size());
    return {};
  }));
  return size;
}

class SqliteDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = OpenSqliteStore(directory_.path());
    ASSERT_THAT(opened, IsOk());
    store_ = *std::move(opened);
  }
  std::string FileText(const char* name) {
    std::ifstream stream(directory_.path() / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  const testing::TemporaryDirectory directory_;
  std::unique_ptr<Store> store_;
};

TEST_F(SqliteDisk, IsUnavailableWhenFullAndWorksAgainWhenThereIsRoom) {
  ASSERT_THAT(store_->Write(Append(1, 100)), IsOk());
  {
    const FullDisk full(kLimit);
    EXPECT_THAT(store_->Write(Append(200, 8000)), FailsWith(ErrorCode::kUnavailable));
    EXPECT_THAT(SizeOf(*store_), IsOkAnd(Eq(1U)));
  }
  EXPECT_THAT(store_->Write(Append(200, 8000)), IsOk());
  EXPECT_THAT(SizeOf(*store_), IsOkAnd(Eq(201U)));
}

// Larger than the page cache, so that the disk fails in the middle of the work and SQLite rolls
// back by itself; what the work does after that must not be written alone.
TEST_F(SqliteDisk, WritesNothingMoreAfterTheDiskFailedInsideAUnitOfWork) {
  {
    const FullDisk full(kLimit);
    EXPECT_THAT(store_->Write([](Transaction& t) -> Status {
      static_cast<void>(Append(2000, 8000)(t));
      return Append(1, 10)(t);
    }),
                FailsWith(ErrorCode::kUnavailable));
  }
  EXPECT_THAT(SizeOf(*store_), IsOkAnd(Eq(0U)));
  EXPECT_THAT(store_->Write(Append(1, 10)), IsOk());
}

TEST_F(SqliteDisk, AcknowledgesOnlyWhatIsThereWhenManyWritersFillTheDisk) {
  std::atomic<std::uint64_t> acknowledged = 0;
  {
    const FullDisk full(kLimit);
    std::vector<std::jthread> writers;
    for (int i = 0; i < 8; ++i) {
      writers.emplace_back([&] {
        for (int unit = 0; unit < 40; ++unit) {
          const Status status = store_->Write(Append(1, 4000));
          if (status) {
            ++acknowledged;
          } else {
            EXPECT_THAT(status, FailsWith(ErrorCode::kUnavailable));
          }
        }
      });
    }
  }
  EXPECT_GT(acknowledged, 0U);
  EXPECT_LT(acknowledged, 320U);
  EXPECT_THAT(SizeOf(*store_), IsOkAnd(Eq(acknowledged.load())));
  store_.reset();
  const auto reopened = OpenSqliteStore(directory_.path());
  ASSERT_THAT(reopened, IsOk());
  EXPECT_THAT(SizeOf(**reopened), IsOkAnd(Eq(acknowledged.load())));
}

// Erased octets are gone from every file, not only from the answer of a query.
TEST_F(SqliteDisk, LeavesNoOctetOfAnEntryThatEndedOrWasReplaced) {
  const std::string secret = "the-sealed-content-of-one-person";
  const auto list = policy::WatchlistId::Parse("operation-lantern").value();
  EntryRecord entry;
  entry.reference = "a";
  entry.category = policy::ListCategory::Parse("suspected").value();
  entry.wrapped_key = ToBytes("key");
  entry.sealed_template = entry.sealed_fields = ToBytes(secret);
  WatchlistRecord record;
  record.reference = list;
  ASSERT_THAT(store_->Write([&](Transaction& t) { return t.watchlists().AddList(record); }),
              IsOk());
  EntryRecord withdrawn = entry;
  withdrawn.wrapped_key.clear();
  EntryRecord corrected = entry;
  corrected.sealed_fields = corrected.sealed_template = ToBytes("other");
  const std::vector<std::function<Status(WatchlistStore&)>> ends = {
      [&](WatchlistStore& lists) { return lists.ChangeEntry(list, withdrawn); },
      [&](WatchlistStore& lists) { return lists.ChangeEntry(list, corrected); },
      [&](WatchlistStore& lists) -> Status {
        COMITY_RETURN_IF_ERROR(lists.EraseEntries(list, 10));
        return {};
      },
      [&](WatchlistStore& lists) -> Status {
        COMITY_RETURN_IF_ERROR(lists.RemoveEntries(list, 4, 10));
        return {};
      }};
  for (std::size_t i = 0; i < ends.size(); ++i) {
    SCOPED_TRACE(i);
    entry.reference = withdrawn.reference = corrected.reference = "r" + std::to_string(i);
    ASSERT_THAT(store_->Write([&](Transaction& t) {
      return t.watchlists().AddEntries(list, i + 1, std::vector{entry});
    }),
                IsOk());
    ASSERT_THAT(FileText("comity.db-wal"), HasSubstr(secret));
    ASSERT_THAT(store_->Write([&](Transaction& t) { return ends[i](t.watchlists()); }), IsOk());
    // The log is emptied after the acknowledgement; a further commit comes after that.
    ASSERT_THAT(store_->Write(Append(1, 10)), IsOk());
    EXPECT_THAT(FileText("comity.db-wal"), Not(HasSubstr(secret)));
    EXPECT_THAT(FileText("comity.db"), Not(HasSubstr(secret)));
  }
}

TEST_F(SqliteDisk, EmptiesTheLogOnceTheReaderThatNeedsItIsDone) {
  const std::string secret = "the-content-of-one-alert";
  AlertRecord alert;
  alert.id = "a-1";
  alert.deployment = policy::DeploymentId::Parse("d-1").value();
  alert.holder = policy::AgencyId::Parse("northshire-police").value();
  alert.sealed = ToBytes(secret);
  ASSERT_THAT(store_->Write([&](Transaction& t) { return t.alerts().Put(alert); }), IsOk());
  ASSERT_THAT(store_->Read([&](const Transaction& t) -> Status {
    EXPECT_THAT(t.alerts().Get("a-1"), IsOk());
    std::jthread([&] {
      EXPECT_THAT(store_->Write([](Transaction& w) -> Status {
        COMITY_RETURN_IF_ERROR(w.alerts().EraseExpired(policy::Instant()));
        return {};
      }),
                  IsOk());
    }).join();
    EXPECT_THAT(t.alerts().Get("a-1")->sealed, Eq(ToBytes(secret)));  // its snapshot
    return {};
  }),
              IsOk());
  for (int i = 0; i < 100 && FileText("comity.db-wal").find(secret) != std::string::npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // the retry runs on a real clock
  }
  EXPECT_THAT(FileText("comity.db-wal"), Not(HasSubstr(secret)));
  EXPECT_THAT(FileText("comity.db"), Not(HasSubstr(secret)));
}

}  // namespace
}  // namespace comity::store
