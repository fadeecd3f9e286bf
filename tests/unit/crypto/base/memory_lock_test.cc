// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/memory_lock.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "crypto/base/secret.h"

namespace comity {
namespace {

// kB of this process that are not written to swap.
std::size_t LockedKilobytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word && word != "VmLck:") {
  }
  std::size_t kilobytes = 0;
  status >> kilobytes;
  return kilobytes;
}

// Sanitizers let no program lock memory, and tell it that it did.
#if defined(__has_feature)
constexpr bool kLocksAreReal =
    !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
constexpr bool kLocksAreReal = true;
#endif

TEST(LockInMemory, KeepsTheOctetsOutOfSwapAlsoWhenTheirOwnerMoves) {
  const std::size_t before = LockedKilobytes();
  SecretBytes key = SecretBytes::CopyOf(Bytes(std::size_t{64} << 10, 7));
  ASSERT_TRUE(LockInMemory(key.Expose())) << "RLIMIT_MEMLOCK of this machine is below 64 KiB";
  if (kLocksAreReal) {
    EXPECT_GE(LockedKilobytes(), before + 64);
  }
  const std::uint8_t* const octets = key.Expose().data();
  const SecretBytes moved = std::move(key);
  EXPECT_EQ(moved.Expose().data(), octets) << "the octets left their locked page";
  EXPECT_EQ(moved.Expose()[0], 7);
}

TEST(LockInMemory, OfNothingIsDone) {
  EXPECT_TRUE(LockInMemory({}));
}

}  // namespace
}  // namespace comity
