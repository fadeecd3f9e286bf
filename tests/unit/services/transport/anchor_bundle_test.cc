// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "services/runtime/clock.h"
#include "services/transport/credentials.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/test_agency.h"

namespace comity::transport {
namespace {

namespace fs = std::filesystem;

// Whoever can write the bundle chooses whose handshake begins, however open new files are made.
TEST(AnchorBundle, IsItsOwnersAlone) {
  const runtime::SystemClock clock;
  testing::TestAgency own("northmark-police", clock.Now());
  const testing::TestAgency partner("eastvale-council", clock.Now());
  auto trust = TrustStore::ForFederation({partner.AsPeer()});
  ASSERT_THAT(trust, testing::IsOk());
  const testing::TemporaryDirectory directory;
  ASSERT_EQ(setenv("TMPDIR", directory.path().c_str(), 1), 0);
  const mode_t usual = umask(0);
  const auto tls =
      ServerTls::Open({own.IssueGateway(clock.Now()).pem_file, std::move(*trust), clock, {}});
  umask(usual);
  unsetenv("TMPDIR");
  ASSERT_THAT(tls, testing::IsOk());
  int seen = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory.path())) {
    EXPECT_EQ(entry.status().permissions() & (fs::perms::group_all | fs::perms::others_all),
              fs::perms::none)
        << entry.path();
    ++seen;
  }
  EXPECT_EQ(seen, 2);  // a folder, and the bundle in it
}

}  // namespace
}  // namespace comity::transport
