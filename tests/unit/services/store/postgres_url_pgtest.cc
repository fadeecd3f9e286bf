// SPDX-License-Identifier: Apache-2.0
// The rules for the URL of a database, and TLS to a server.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "services/runtime/file.h"
#include "services/store/postgres/postgres_error.h"
#include "services/store/postgres/postgres_store.h"
#include "services/store/postgres/postgres_url.h"
#include "services/store/postgres/statement_text.h"
#include "tests/support/postgres/test_database.h"
#include "tests/support/process.h"
#include "tests/support/result_matchers.h"

namespace comity::store {
namespace {

using ::testing::AllOf;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;

std::string Refusal(const std::string& url, const std::string& password_file = {}) {
  const auto parsed = PostgresUrl::Parse(url, password_file);
  EXPECT_THAT(parsed, FailsWith(ErrorCode::kInvalidArgument)) << url;
  return parsed ? std::string() : parsed.error().detail;
}

TEST(PostgresUrl, RefusesAPasswordWithoutRepeatingIt) {
  for (const char* url : {"postgresql://gw:s3cret@localhost/comity",
                          "postgresql://gw@localhost/comity?password=s3cret",
                          "postgresql://gw:s3cret@localhost:port/comity"}) {
    EXPECT_THAT(Refusal(url), Not(HasSubstr("s3cret")));
  }
  EXPECT_THAT(Refusal("postgresql://gw:s3cret@localhost/comity"),
              AllOf(HasSubstr("password_file"), HasSubstr("passfile")));
}

TEST(PostgresUrl, RefusesWhatItCannotRead) {
  EXPECT_THAT(Refusal("mysql://gw@localhost/comity"), HasSubstr("postgresql://"));
  EXPECT_THAT(Refusal("host=localhost user=gw dbname=comity"), HasSubstr("postgresql://"));
  EXPECT_THAT(Refusal("postgresql://gw@[::1/comity"), HasSubstr("cannot be read"));
  EXPECT_THAT(Refusal("postgresql://localhost/comity"), HasSubstr("no role"));
  EXPECT_THAT(Refusal("postgresql://gw@localhost"), HasSubstr("no database"));
}

TEST(PostgresUrl, RefusesSettingsThatAreComitysOwn) {
  for (const char* option : {"options=-csearch_path%3Dx", "target_session_attrs=any", "service=x",
                             "hostaddr=10.0.0.1", "channel_binding=disable", "gssencmode=prefer",
                             "ssl_min_protocol_version=TLSv1", "application_name=x"}) {
    EXPECT_THAT(Refusal(std::string("postgresql://gw@localhost/comity?") + option),
                HasSubstr("may not stand"));
  }
}

TEST(PostgresUrl, WantsAVerifiedServerBeyondThisMachine) {
  for (const char* url : {"postgresql://gw@db.example/comity", "postgresql://gw@10.0.0.5/comity",
                          "postgresql://gw@db.example/comity?sslmode=require",
                          "postgresql://gw@db.example/comity?sslmode=verify-ca&sslrootcert=/ca.pem",
                          "postgresql://gw@db.example/comity?sslmode=verify-full",
                          "postgresql://gw@localhost,db.example/comity",
                          "postgresql://gw@127.0.0.1.example/comity"}) {
    EXPECT_THAT(Refusal(url), AllOf(HasSubstr("sslmode=verify-full"), HasSubstr("sslrootcert=")));
  }
  for (const char* url :
       {"postgresql://gw@db.example,db2.example/comity?sslmode=verify-full&sslrootcert=/ca.pem",
        "postgresql://gw@localhost/comity", "postgresql://gw@127.0.0.1:5433/comity",
        "postgresql://gw@[::1]/comity", "postgresql://gw@%2Frun%2Fpostgresql/comity",
        "postgresql://gw@/comity?host=/run/postgresql", "postgresql://gw@/comity"}) {
    EXPECT_THAT(PostgresUrl::Parse(url, {}), IsOk()) << url;
  }
}

TEST(PostgresUrl, TakesNothingFromTheEnvironment) {
  for (const char* name : {"PGPASSWORD", "PGSERVICE", "PGSSLCERT"}) {
    ASSERT_EQ(::setenv(name, "x", 1), 0);
    EXPECT_THAT(Refusal("postgresql://gw@localhost/comity"), HasSubstr(name));
    ::unsetenv(name);
  }
  ASSERT_EQ(::setenv("PGHOST", "db.example", 1), 0);  // the default is put in before
  EXPECT_THAT(PostgresUrl::Parse("postgresql://gw@/comity", {}), IsOk());
  ::unsetenv("PGHOST");
}

TEST(PostgresUrl, WantsOnePlaceForThePasswordAndNobodyElseAtIt) {
  const testing::TemporaryDirectory directory;
  const std::string passfile = (directory.path() / "pgpass").string();
  const std::string url = "postgresql://gw@localhost/comity?passfile=" + passfile;
  ASSERT_THAT(runtime::WriteFile(passfile, AsBytes("*:*:*:*:x"), 0600), IsOk());
  EXPECT_THAT(PostgresUrl::Parse(url, {}), IsOk());
  EXPECT_THAT(Refusal(url, "/etc/comity/password"), HasSubstr("leave one away"));
  ASSERT_THAT(runtime::WriteFile(passfile, AsBytes("*:*:*:*:x"), 0640), IsOk());
  EXPECT_THAT(PostgresUrl::Parse(url, {}), FailsWith(ErrorCode::kPermissionDenied));
}

TEST(PostgresText, SpellsArgumentsAndEmptyOctetsAsPostgresDoes) {
  EXPECT_EQ(ToPostgres("SELECT a FROM b WHERE c = ? AND d <> x'' AND e = ?"),
            "SELECT a FROM b WHERE c = $1 AND d <> '\\x'::bytea AND e = $2");
  EXPECT_EQ(ToPostgres("f(?2, ?1, ?2)"), "f($2, $1, $2)");
  EXPECT_EQ(ToPostgres("a = '?' || 'it''s x''' || max''"), "a = '?' || 'it''s x''' || max''");
}

TEST(PostgresError, HasAMeaningForEachClassOfTheServersErrors) {
  const std::vector<std::pair<ErrorCode, std::vector<const char*>>> meanings = {
      {ErrorCode::kConflict, {"23505"}},
      // Lost, rolled back, full, locked, cancelled, an I/O error, a server that only reads.
      {ErrorCode::kUnavailable,
       {"08006", "40001", "40P01", "53100", "53200", "53300", "55P03", "57014", "57P01", "58030",
        "25006"}},
      {ErrorCode::kCorrupt, {"XX001", "XX002"}},
      {ErrorCode::kInvalidArgument, {"22021", "22P05"}},
      {ErrorCode::kPermissionDenied, {"42501"}},
      {ErrorCode::kInternal, {"23503", "23514", "25P02", "42P01", "XX000", "22003", ""}}};
  for (const auto& [code, states] : meanings) {
    for (const char* state : states) EXPECT_EQ(CodeOfSqlState(state), code) << state;
  }
}

// A certificate authority of its own, and a server's certificate for `name`.
class Certificates {
 public:
  explicit Certificates(const std::string& name) {
    Run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=Test CA", "-keyout", Path("ca.key"), "-out",
         Path("ca.pem")});
    Run({"openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:" + name, "-keyout",
         Path("server.key"), "-out", Path("server.csr")});
    Run({"openssl", "x509", "-req", "-in", Path("server.csr"), "-CA", Path("ca.pem"), "-CAkey",
         Path("ca.key"), "-days", "2", "-copy_extensions", "copy", "-out", Path("server.pem")});
  }
  std::string Path(const std::string& name) const { return (directory_.path() / name).string(); }
  std::string Read(const std::string& name) const {
    std::ifstream stream(Path(name));
    return {std::istreambuf_iterator<char>(stream), {}};
  }

 private:
  static void Run(const std::vector<std::string>& command) {
    const auto done = testing::RunCommand(command);
    ASSERT_THAT(done, IsOk());
    ASSERT_EQ(done->exit_code, 0) << done->err;
  }
  testing::TemporaryDirectory directory_;
};

class PostgresTls : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = testing::PostgresServer::Start(
        {false, certificates_.Read("server.pem"), certificates_.Read("server.key")});
    ASSERT_THAT(started, IsOk());
    server_ = *std::move(started);
  }
  PostgresOptions Options(const std::string& host, const std::string& authority) const {
    PostgresOptions options;
    options.url = "postgresql://comity_gateway@" + host + ":" + std::to_string(server_->port()) +
                  "/comity_template?sslmode=verify-full&sslrootcert=" + authority +
                  "&passfile=" + server_->passfile().string();
    options.accept_unsafe_server = true;
    return options;
  }
  std::string Refusal(const PostgresOptions& options) const {
    const auto store = OpenPostgresStore(options);
    EXPECT_THAT(store, FailsWith(ErrorCode::kUnavailable));
    return store ? std::string() : store.error().detail;
  }
  void Change(const std::string& sql) const {
    server_->Ask("postgres", sql);
    server_->Ask("postgres", "SELECT pg_reload_conf()");
    std::this_thread::sleep_for(std::chrono::milliseconds(300));  // the postmaster reads it later
  }

  const Certificates certificates_{"localhost"};
  std::unique_ptr<testing::PostgresServer> server_;
};

TEST_F(PostgresTls, CarriesAllConnectionsAndRefusesAnybodyElsesServer) {
  const Certificates others("localhost");
  const std::string authority = certificates_.Path("ca.pem");
  {
    const auto store = OpenPostgresStore(Options("localhost", authority));
    ASSERT_THAT(store, IsOk());
    EXPECT_THAT((*store)->Read([](const Transaction& t) -> Status {
      COMITY_RETURN_IF_ERROR(t.audit().Size());
      return {};
    }),
                IsOk());
    EXPECT_EQ(server_->Ask("postgres",
                           "SELECT string_agg(DISTINCT s.version, ',') || count(*) FROM"
                           " pg_stat_activity a JOIN pg_stat_ssl s USING (pid)"
                           " WHERE a.application_name LIKE 'comity %'"),
              "TLSv1.32");
  }
  EXPECT_THAT(Refusal(Options("localhost", others.Path("ca.pem"))), HasSubstr("certificate"));
  EXPECT_THAT(Refusal(Options("127.0.0.1", authority)), HasSubstr("does not match host name"));
  EXPECT_THAT(Refusal(Options("localhost", "/nowhere/ca.pem")), HasSubstr("/nowhere/ca.pem"));
}

TEST_F(PostgresTls, RefusesAnOlderProtocolAndAServerThatDoesNotProveThePassword) {
  const PostgresOptions options = Options("localhost", certificates_.Path("ca.pem"));
  Change("ALTER SYSTEM SET ssl_max_protocol_version = 'TLSv1.2'");
  EXPECT_THAT(Refusal(options), HasSubstr("protocol version"));
  Change("ALTER SYSTEM RESET ssl_max_protocol_version");
  Change(
      "COPY (SELECT unnest(ARRAY['local all all scram-sha-256', 'host all all all trust'])) TO '" +
      (server_->sockets() / "data/pg_hba.conf").string() + "'");
  EXPECT_THAT(Refusal(options), HasSubstr("channel binding"));
}

TEST_F(PostgresTls, DoesNotFallBackToALineInTheClear) {
  const testing::TestDatabase without_tls;
  PostgresOptions options = without_tls.options();
  options.url = without_tls.server().UrlOfPort("comity_gateway", without_tls.name(),
                                               without_tls.server().port()) +
                "&sslmode=verify-full&sslrootcert=" + certificates_.Path("ca.pem");
  EXPECT_THAT(Refusal(options), HasSubstr("does not support SSL"));
}

}  // namespace
}  // namespace comity::store
