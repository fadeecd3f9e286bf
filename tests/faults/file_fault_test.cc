// SPDX-License-Identifier: Apache-2.0
// A disk that fails at any call: single files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "tests/faults/fault_run.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace comity::testing {
namespace {

using ::testing::AnyOf;
using ::testing::Eq;
namespace fs = std::filesystem;

constexpr int kKilled = 128 + 9;
const std::string kOld(9000, 'o');
const std::string kNew(9000, 'n');
constexpr Strike kStrikes[] = {{Fault::kFull},
                               {Fault::kFull, 0, true},
                               {Fault::kFailed},
                               {Fault::kFailed, 0, true},
                               {Fault::kReadOnly, 0, true},
                               {Fault::kShort},
                               {Fault::kTorn},
                               {Fault::kSyncLost}};

std::string Content(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class FileFault : public ::testing::Test {
 protected:
  fs::path folder() const { return directory_->path() / "folder"; }
  void Renew() {
    directory_.emplace();
    fs::create_directory(folder());
    std::ofstream(folder() / "file", std::ios::binary) << kOld;
  }
  // Each call of each fault, until a run comes to its end without having met one.
  template <typename Check>
  void StrikeEach(const std::vector<std::string>& command, const Check& check) {
    for (Strike strike : kStrikes) {
      bool fired = true;
      for (strike.at = 1; fired && !HasFailure(); ++strike.at) {
        Renew();
        FaultRun disk(folder(), directory_->path() / "plan", strike);
        std::vector<std::string> words = command;
        for (std::string& word : words) {
          if (word.starts_with("FOLDER")) word.replace(0, 6, folder().string());
        }
        const auto output = disk.Run(words);
        ASSERT_THAT(output, IsOk());
        const std::uint64_t calls =
            strike.fault == Fault::kSyncLost ? disk.plan().syncs : disk.plan().calls;
        fired = strike.at <= calls;  // a fault of writes only passes over other calls
        if (strike.fault == Fault::kSyncLost) disk.CutPower();
        check(strike, disk, *output);
        if (HasFailure()) {
          ADD_FAILURE() << Describe(strike) << ": " << disk.plan().call << "\n"
                        << output->out << output->err;
        }
      }
      EXPECT_GT(strike.at, 2u) << "nothing was struck";
    }
  }
  void ExpectOldOrNew(const CommandOutput& output) {
    const std::string content = Content(folder() / "file");
    EXPECT_THAT(content, AnyOf(Eq(kOld), Eq(kNew)));
    if (output.exit_code == 0) {
      EXPECT_EQ(content, kNew) << "said to be done";
    }
  }

  std::optional<TemporaryDirectory> directory_;
};

TEST_F(FileFault, AFileIsReplacedAsAWholeOrNotAtAll) {
  StrikeEach({COMITY_FILE_VICTIM, "FOLDER", "replace"},
             [&](const Strike& strike, FaultRun& disk, const CommandOutput& output) {
               ExpectOldOrNew(output);
               if (strike.fault == Fault::kTorn && disk.plan().fired != 0) {
                 EXPECT_EQ(output.exit_code, kKilled);
               } else if (!strike.lasts) {
                 EXPECT_EQ(output.exit_code, 0);  // the second attempt
               }
             });
}

// A second sync after one that failed succeeds, and says nothing about what the first has lost.
TEST_F(FileFault, AFileThatArrivedInPiecesIsOnTheDiskWhenItHasItsName) {
  StrikeEach(
      {COMITY_FILE_VICTIM, "FOLDER", "keep"},
      [&](const Strike&, FaultRun&, const CommandOutput& output) { ExpectOldOrNew(output); });
}

}  // namespace
}  // namespace comity::testing
