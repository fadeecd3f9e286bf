// SPDX-License-Identifier: Apache-2.0
// A database as each former version of the schema left it, opened by today's program.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <limits>
#include <vector>

#include "services/store/sqlite/migrations.h"
#include "tests/unit/services/audit/log_fixture.h"

namespace comity::audit {
namespace {

using testing::IsOk;
namespace fs = std::filesystem;

constexpr int kForEver = std::numeric_limits<int>::max();
constexpr int kEntries = 5;
constexpr int kNewest = 15;  // of the schemas that are former ones

// What a gateway of some versions has written, and what of it must be there afterwards.
struct Written {
  int from = 1;   // the first schema whose gateway wrote in this form
  int until = 0;  // the first that does not
  const char* insert;
  const char* look;
  const char* expected;
};

const std::vector<Written> kWritten = {
    {1, kForEver,
     "INSERT INTO agreement_document VALUES (1, 'fan', 1, randomblob(32), CAST('id: fan' AS"
     " BLOB), 7)",
     "SELECT agreement || version || CAST(yaml AS TEXT) || received_at FROM agreement_document",
     "fan1id: fan7"},
    {1, kForEver,
     "INSERT INTO agreement_statement VALUES (1, zeroblob(32), 'fan', CAST('{}' AS BLOB), 8)",
     "SELECT agreement || CAST(envelope AS TEXT) || received_at FROM agreement_statement",
     "fan{}8"},
    // Lists that nobody approved and deployments that one person started are ended (0004, 0006).
    {1, 4,
     "INSERT INTO watchlist VALUES (1, 'warrants', 'facenet', '1', 128, 5, x'aa');"
     "INSERT INTO watchlist_entry VALUES (1, 'warrants', 'r1', 'wanted', 1, 0, 9, x'bb',"
     " x'cc', x'dd')",
     "SELECT (SELECT count(*) FROM watchlist) + (SELECT count(*) FROM watchlist_entry)", "0"},
    {4, kForEver,
     "INSERT INTO watchlist VALUES (1, 'warrants', 2, CAST('list: warrants' AS BLOB), 'op-1',"
     " zeroblob(32), 5, 'sup-1', 6, 6, NULL, NULL, NULL, 1, 0, x'aa', '');"
     "INSERT INTO watchlist_entry VALUES (1, 'warrants', 1, 'r1', 'wanted', 1, 1, 1, 0, 0,"
     " 9, 8, 5,"
     " NULL, NULL, zeroblob(32), x'bb', x'cc', x'dd')",
     "SELECT w.reference || w.state || w.approved_by || hex(w.wrapped_key) || e.reference ||"
     " hex(e.wrapped_key) || hex(e.sealed_template) FROM watchlist w JOIN watchlist_entry e"
     " ON e.list = w.reference",
     "warrants2sup-1AAr1BBDD"},
    {1, 6, "INSERT INTO deployment VALUES (1, 'd-1', 1, 5, 5, 9, 'op-1', '{}')",
     "SELECT count(*) FROM deployment", "0"},
    {6, kForEver,
     "INSERT INTO deployment VALUES (1, 'd-1', 2, 5, 5, 9, 'op-1', 'sup-1', '{}', 5, 8, 0,"
     " 0, 70, 3, 1);"
     "INSERT INTO deployment_holder VALUES ('d-1', 'northshire-police', 2, '', 5, 5, 40, 3, 1)",
     "SELECT d.id || d.state || d.approved_by || d.faces || h.holder || h.entries FROM"
     " deployment d"
     " JOIN deployment_holder h ON h.deployment = d.id",
     "d-12sup-170northshire-police40"},
    {1, 5,
     "INSERT INTO alert VALUES (1, 'a-1', 'd-1', 'northshire-police', 'r1', 2, 5, 6, 99, 4,"
     " x'ee', x'ff')",
     "SELECT id || state || frames || hex(wrapped_key) || hex(sealed) || agreement ||"
     " answer FROM alert",
     "a-124EEFF"},
    {5, 11,
     "INSERT INTO alert VALUES (1, 'a-1', 'd-1', 'northshire-police', 'r1', 3, 5, 6, 99, 4,"
     " 'fan', 1,"
     " 'withdrawn', 7, x'ee', x'ff')",
     "SELECT id || state || agreement || change || hex(sealed) || answer FROM alert",
     "a-13fanwithdrawnFF"},
    {1, 8, "INSERT INTO capacity VALUES ('fan', 'p1', 'eastvale-council', '2026-11-25', 42)",
     "SELECT subject || reserved FROM capacity", "42"},
    {8, kForEver,
     "INSERT INTO capacity VALUES ('fan', 'p1', 'eastvale-council', '2026-11-25', 'case:aa', 43)",
     "SELECT subject || reserved FROM capacity", "case:aa43"},
    {1, kForEver, "INSERT INTO replay VALUES ('eastvale-council', 'x', 99)",
     "SELECT sender || id || keep_until FROM replay", "eastvale-councilx99"},
    {2, kForEver,
     "INSERT INTO person VALUES ('op-1', 'Operator', 'operator', zeroblob(32), 'ed25519:x',"
     " '{}', 1, 5, 5)",
     "SELECT id || roles || state FROM person", "op-1operator1"},
    {2, 10,
     "INSERT INTO approval VALUES (1, 'p-1', 'person-add', 'person op-1', x'7b7d', zeroblob(32),"
     " zeroblob(32), 'Add', 1, 'admin-1', 5, 99, '', 0, '', '', 0, 0, '', 0, '', '')",
     "SELECT id || state || hex(content) || hex(vouched) FROM approval", "p-117B7D"},
    {2, kForEver,
     "INSERT INTO notice VALUES (1, 'configuration-changed', 'configuration', 'It changed.', 5);"
     "INSERT INTO notice_audience VALUES (1, 'auditor', '', 0)",
     "SELECT n.words || a.role FROM notice n JOIN notice_audience a USING (number)",
     "It changed.auditor"},
    {2, kForEver, "INSERT INTO setting VALUES ('configuration', 'aa')",
     "SELECT name || value FROM setting", "configurationaa"},
    {3, kForEver, "INSERT INTO peer VALUES ('eastvale-council', 1, CAST('{}' AS BLOB), 5)",
     "SELECT agency || state || CAST(vouched AS TEXT) FROM peer", "eastvale-council1{}"},
    {5, kForEver,
     "INSERT INTO outbox VALUES (1, 'eastvale-council', 'abcdefghijklmnopqrstuvwxyz',"
     " 'entry-change',"
     " CAST('{}' AS BLOB), 5, 9, '', 0, NULL, x'')",
     "SELECT peer || kind || CAST(content AS TEXT) || due_by FROM outbox",
     "eastvale-councilentry-change{}9"},
    {5, kForEver,
     "INSERT INTO holding VALUES ('warrants', 'r1', 'eastvale-council', 'fan', 1, 1, 5, 5,"
     " 9, 1, '', 0)",
     "SELECT partner || held_until FROM holding", "eastvale-council9"},
    {5, 11, "INSERT INTO partner_withdrawal VALUES ('northshire-police', 'r9', 8)",
     "SELECT holder || subject || at || received_at FROM partner_withdrawal",
     "northshire-policer988"},
    {7, kForEver,
     "INSERT INTO stop VALUES (1, 'stop-1', 3, 'eastvale-council', 'sup-1', 'inquiry', '',"
     " 5, '', '', 0)",
     "SELECT id || scope || reference || lifted_by FROM stop", "stop-13eastvale-council"},
    {7, kForEver, "INSERT INTO erasure_head VALUES (1, 12, zeroblob(32))",
     "SELECT sequence FROM erasure_head", "12"},
    {9, kForEver, "INSERT INTO agreement_mark VALUES ('fan', 1, zeroblob(32), 'ended', 5)",
     "SELECT agreement || mark FROM agreement_mark", "fanended"},
    {11, kForEver, "INSERT INTO inbox_use VALUES ('eastvale-council', 'entry-change', 5, 3, 2)",
     "SELECT messages || weight FROM inbox_use", "32"},
    {13, kForEver,
     "INSERT INTO sealed_list VALUES (1, zeroblob(32), 'warrants', 'eastvale-council', 'fan', 1,"
     " zeroblob(32), 'live', 1, 1, 5, 9, 1, 0, NULL, NULL, NULL, '', x'aa', x'bb', x'cc')",
     "SELECT list || requester || hex(wrapped_key) FROM sealed_list", "warrantseastvale-councilAA"},
    {14, kForEver,
     "INSERT INTO sealed_copy VALUES (zeroblob(32), 'northshire-police', x'dd', 7, zeroblob(32),"
     " x'ee', 5)",
     "SELECT holder || sequence || hex(header_envelope) || hex(state_envelope) FROM sealed_copy",
     "northshire-police7DDEE"},
};

bool Wrote(const Written& written, int version) {
  return written.from <= version && version < written.until;
}

// A folder as the gateway of a former schema left it, with a log of kEntries entries.
class Upgrade : public LogTest {
 protected:
  fs::path file() const { return data() / "comity.db"; }
  SQLite::Database Raw() const { return {file().string(), SQLite::OPEN_READWRITE}; }

  void Leave(int version) {
    ASSERT_NO_FATAL_FAILURE(Open());
    ASSERT_NO_FATAL_FAILURE(Append(0, kEntries));
    ASSERT_THAT(log_->Flush(), IsOk());
    Close();
    const fs::path made = folder_.path() / "made";
    fs::rename(data(), made);
    fs::create_directory(data());
    SQLite::Database raw(file().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    for (const store::Migration& migration : store::EmbeddedMigrations()) {
      if (migration.version > version) continue;
      raw.exec(migration.sql);
      raw.exec("INSERT INTO schema_version VALUES (" + std::to_string(migration.version) + ")");
    }
    raw.exec("PRAGMA application_id = 1129141337");  // CMTY
    CopyLog(raw, made / "comity.db", version);
    for (const Written& written : kWritten) {
      if (Wrote(written, version)) raw.exec(written.insert);
    }
    raw.exec("PRAGMA journal_mode = WAL");
  }

  // The log has had one form from the first schema on; payloads learnt when they go in the seventh.
  static void CopyLog(SQLite::Database& raw, const fs::path& from, int version) {
    raw.exec("ATTACH '" + from.string() + "' AS made");
    raw.exec("INSERT INTO audit_entry SELECT leaf_index, entry, exchange FROM made.audit_entry");
    raw.exec(std::string("INSERT INTO audit_payload SELECT leaf_index, wrapped_key, sealed") +
             (version < 7 ? "" : ", erase_at") + " FROM made.audit_payload");
    raw.exec("INSERT INTO checkpoint SELECT size, note FROM made.checkpoint");
    raw.exec("DETACH made");
  }

  int SchemaOf() const {
    return Raw().execAndGet("SELECT max(version) FROM schema_version").getInt();
  }
  void ExpectTheOldRows(int version) const {
    for (const Written& written : kWritten) {
      if (!Wrote(written, version)) continue;
      EXPECT_EQ(Raw().execAndGet(written.look).getString(), written.expected) << written.look;
    }
  }
};

class UpgradeFrom : public Upgrade, public ::testing::WithParamInterface<int> {};

TEST_P(UpgradeFrom, KeepsWhatMustBeKeptAndVerifiesTheLog) {
  ASSERT_NO_FATAL_FAILURE(Leave(GetParam()));
  ASSERT_EQ(SchemaOf(), GetParam());
  ASSERT_NO_FATAL_FAILURE(Open());  // recomputes the tree and compares it with the checkpoint
  EXPECT_EQ(log_->Latest().size, static_cast<std::uint64_t>(kEntries));
  ASSERT_NO_FATAL_FAILURE(Append(kEntries, 1));  // and it goes on
  EXPECT_EQ(ExportFiles().empty(), false);
  Close();
  EXPECT_EQ(SchemaOf(), store::SqliteSchemaVersion());
  EXPECT_EQ(Raw().execAndGet("PRAGMA integrity_check").getString(), "ok");
  EXPECT_EQ(Raw().execAndGet("SELECT count(*) FROM audit_payload WHERE erase_at = 0").getInt(), 0);
  ExpectTheOldRows(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Schemas, UpgradeFrom, ::testing::Range(1, kNewest + 1),
                         [](const auto& schema) {
                           return "Schema" + std::to_string(schema.param);
                         });

TEST_F(Upgrade, IsTestedFromEverySchemaButTodays) {
  EXPECT_EQ(store::SqliteSchemaVersion(), kNewest + 1)
      << "a new schema: raise kNewest, and say in kWritten what the last one's gateway wrote";
}

// Opens the store in a child that is killed (SIGXFSZ) by its first write beyond `octets` of any
// file: in the middle of what a migration writes. Returns whether it was killed.
bool OpenAndBeKilled(const fs::path& data, rlim_t octets) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit size = {octets, octets};
    const rlimit no_core = {0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::signal(SIGXFSZ, SIG_DFL);
    if (::setrlimit(RLIMIT_FSIZE, &size) != 0) ::_exit(2);
    const auto store = store::OpenSqliteStore(data);
    ::_exit(store ? 0 : 3);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << WEXITSTATUS(status);
  return WIFSIGNALED(status);
}

TEST_F(Upgrade, AKillInTheMiddleLeavesTheOldSchemaWhole) {
  constexpr int kOld = 4;
  ASSERT_NO_FATAL_FAILURE(Leave(kOld));
  int kills = 0;
  rlim_t octets = 4096;
  while (OpenAndBeKilled(data(), octets)) {
    ++kills;
    ASSERT_EQ(SchemaOf(), kOld) << octets;
    EXPECT_EQ(Raw().execAndGet("PRAGMA integrity_check").getString(), "ok");
    EXPECT_EQ(Raw().execAndGet("SELECT frames FROM alert").getInt(), 4);
    EXPECT_EQ(Raw().execAndGet("SELECT count(*) FROM audit_entry").getInt(), kEntries);
    octets += 16 * 1024;
    ASSERT_LT(octets, rlim_t{64} << 20);
  }
  EXPECT_GE(kills, 4);
  ASSERT_NO_FATAL_FAILURE(Open());
  Close();
  EXPECT_EQ(SchemaOf(), store::SqliteSchemaVersion());
  ExpectTheOldRows(kOld);
}

}  // namespace
}  // namespace comity::audit
