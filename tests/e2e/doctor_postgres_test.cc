// SPDX-License-Identifier: Apache-2.0
// What `comity doctor` says of a node whose database is PostgreSQL's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "tests/integration/live_agency.h"
#include "tests/support/postgres/test_database.h"
#include "tests/support/process.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class DoctorPostgres : public ::testing::Test {
 protected:
  DoctorPostgres() {
    police_.Configure("[store]\nurl = \"" + database_.Url("comity_gateway") + "\"\n");
    police_.Start({});
    police_.Stop();
    std::filesystem::permissions(police_.data(), std::filesystem::perms::owner_all);
  }
  CommandOutput Examine() {
    const auto output =
        RunCommand({COMITY_PROGRAM, "doctor", "--config", police_.config_file().string()});
    EXPECT_THAT(output, IsOk());
    return output ? *output : CommandOutput();
  }
  void SetVerbosity(const std::string& verbosity) {
    server_->Ask("postgres", "ALTER ROLE comity_gateway SET log_error_verbosity = " + verbosity);
  }

  std::unique_ptr<PostgresServer> server_ = *PostgresServer::Start({true, {}, {}});
  TestDatabase database_{*server_};
  LiveAgency police_{"northshire-police"};
};

TEST_F(DoctorPostgres, AServerWhoseLogShowsRowsIsAWarning) {
  for (const char* verbosity : {"default", "verbose"}) {
    SetVerbosity(verbosity);
    const CommandOutput output = Examine();
    EXPECT_EQ(output.exit_code, 0) << output.out;
    EXPECT_THAT(output.out, HasSubstr("WARN   store.url: the server writes parts of rows"));
    EXPECT_THAT(output.out, HasSubstr("log_error_verbosity = terse"));
  }
  SetVerbosity("terse");
  const CommandOutput output = Examine();
  EXPECT_EQ(output.exit_code, 0) << output.out;
  EXPECT_THAT(output.out, HasSubstr("ok     store.url: the server, its role and the schema"));
  EXPECT_THAT(output.out, Not(HasSubstr("log_error_verbosity")));
}

}  // namespace
}  // namespace comity::testing
