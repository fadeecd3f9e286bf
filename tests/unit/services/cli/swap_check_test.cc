// SPDX-License-Identifier: Apache-2.0
#include "services/cli/swap_check.h"

#include <gmock/gmock.h>

#include <fstream>

#include "tests/support/temporary_directory.h"

namespace comity::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kHead = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

class SwapCheck : public ::testing::Test {
 protected:
  void AddDevice(const std::string& name, const std::string& uuid) const {
    std::filesystem::create_directories(block_.path() / name / "dm");
    std::ofstream(block_.path() / name / "dm" / "uuid") << uuid << "\n";
  }
  std::vector<std::string> Open(const std::string& lines) const {
    return UnencryptedSwap(kHead + lines, block_.path());
  }

  testing::TemporaryDirectory block_;
};

TEST_F(SwapCheck, FindsNothingWithoutSwap) {
  EXPECT_THAT(Open(""), IsEmpty());
  EXPECT_THAT(UnencryptedSwap("", block_.path()), IsEmpty());
}

TEST_F(SwapCheck, NamesPartitionsAndFilesThatAreNotEncrypted) {
  EXPECT_THAT(Open("/dev/sda3   partition\t8388604\t\t0\t\t-2\n/swapfile   file\t1048572\t0\t-3\n"),
              ElementsAre("/dev/sda3", "/swapfile"));
}

TEST_F(SwapCheck, PassesCompressedMemoryAndEncryptedVolumes) {
  AddDevice("dm-9", "CRYPT-PLAIN-swap");
  EXPECT_THAT(Open("/dev/zram0   partition\t1\t0\t100\n/dev/dm-9   partition\t1\t0\t-2\n"),
              IsEmpty());
}

TEST_F(SwapCheck, NamesAVolumeThatIsMappedAndNotEncrypted) {
  AddDevice("dm-8", "LVM-abc");
  EXPECT_THAT(Open("/dev/dm-8   partition\t1\t0\t-2\n"), ElementsAre("/dev/dm-8"));
}

}  // namespace
}  // namespace comity::cli
