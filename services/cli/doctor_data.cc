// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "crypto/sign/ed25519.h"
#include "crypto/tlog/note.h"
#include "services/backup/ledger_file.h"
#include "services/backup/ledger_line.h"
#include "services/cli/doctor_checks.h"
#include "services/identity/peer_record.h"
#include "services/runtime/file.h"
#include "services/store/postgres/postgres_store.h"
#include "services/store/sqlite/examination.h"
#include "services/transport/key_encryption_file.h"

namespace comity::cli {
namespace {

constexpr std::size_t kMaxKeyFile = 4096;

std::optional<sign::PublicKey> KeyIn(const std::filesystem::path& file) {
  const auto text = runtime::ReadSecretFile(file, kMaxKeyFile);
  if (!text) return std::nullopt;
  const auto key = sign::SigningKey::ParseKeyFile(AsText(text->Expose()));
  if (!key) return std::nullopt;  // CheckKeys says so
  return key->public_key();
}

// The checkpoint says under which name the log goes; a restored node has one of its own.
void CheckLogKey(const runtime::Config& config, Findings& findings) {
  const std::filesystem::path file = config.data_directory / "log" / "checkpoint";
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return;  // nothing was logged yet
  const auto text = runtime::ReadTextFile(file, tlog::kMaxNoteSize);
  const auto key = KeyIn(config.keys.log);
  if (!text || !key) {
    if (!text) findings.Wrong("published log", text.error().detail);
    return;
  }
  const auto note = tlog::ParseNote(*text);
  if (!note) {
    findings.Wrong("published log", file.string() + " is damaged: " + note.error().detail);
    return;
  }
  const std::array keys{tlog::VerifierKey{note->text.substr(0, note->text.find('\n')),
                                          tlog::NoteKeyType::kEd25519, *key}};
  if (tlog::VerifyNote(*note, keys)) {
    findings.Ok("published log", "signed by keys.log");
    return;
  }
  findings.Wrong("keys.log", "this key did not sign the log in " + file.parent_path().string() +
                                 ": comityd will not start; put back the log key that belongs to "
                                 "these data, or name the data of this key");
}

// Its lines carry a key of the key-encryption key, so a wrong one shows here before the start.
void CheckLedgerLines(const runtime::Config& config, Findings& findings) {
  const auto kek = transport::ReadKeyEncryptionFile(config.keys.key_encryption);
  if (!config.erasure_ledger || !kek) return;  // CheckKeys says so
  const auto longest =
      backup::LongestLedger({*config.erasure_ledger}, backup::DeriveLedgerKey(*kek));
  if (longest || longest.error().code == ErrorCode::kNotFound) return;
  findings.Wrong("data.erasure_ledger",
                 longest.error().detail +
                     "; it is damaged, or keys.key_encryption is not the key of these data: put "
                     "back that key, or the ledger's other copy");
}

void CheckSelf(const runtime::Config& config, const store::DatabaseExamination& found,
               Findings& findings) {
  for (const store::PeerRecord& record : found.peers) {
    if (record.state != store::PeerState::kSelf || record.agency.text() == config.agency.id) {
      continue;
    }
    findings.Wrong("agency.id", "these are the data of " + record.agency.text() + ", not of " +
                                    config.agency.id +
                                    ": name the data of this agency, or "
                                    "correct the id; it is for good");
  }
}

std::vector<identity::Peer> ReadPartners(const runtime::Config& config,
                                         const store::DatabaseExamination& found,
                                         Findings& findings) {
  std::vector<identity::Peer> partners;
  const auto key = KeyIn(config.keys.signing);
  const auto own = policy::AgencyId::Parse(config.agency.id);
  if (!key || !own) return partners;
  const std::array keys{*key};
  for (const store::PeerRecord& record : found.peers) {
    auto peer = identity::ReadVouchedPeer(record, *own, keys);
    if (!peer) {
      findings.Wrong("keys.signing",
                     "the record of " + record.agency.text() +
                         " in the database is not vouched for by this key: " + peer.error().detail +
                         "; put back the key that belongs to these data");
      return {};
    }
    const bool is_partner =
        record.state == store::PeerState::kActive || record.state == store::PeerState::kSuspended;
    if (is_partner) partners.push_back(std::move(peer->peer));
  }
  return partners;
}

std::optional<SecretBytes> KekOf(const runtime::Config& config) {
  auto kek = transport::ReadKeyEncryptionFile(config.keys.key_encryption);
  if (!kek) return std::nullopt;  // CheckKeys says so
  return *std::move(kek);
}

void CheckTables(const store::DatabaseExamination& found, Findings& findings) {
  const bool is_unbound = std::ranges::all_of(
      found.bound, [](const store::BoundState& state) { return state.generation == 0; });
  if (is_unbound) return;  // before the first start of this version, which binds or refuses them
  for (const store::BoundState& state : found.bound) {
    if (state.fault.empty()) continue;
    findings.Wrong("database", "its table " + std::string(Name(state.table)) +
                                   " is not to be trusted: " + state.fault +
                                   " (or keys.key_encryption is not the key of these data); find "
                                   "out who writes to the database, then restore the newest "
                                   "backup: comity restore");
  }
}

std::string DatabaseWords(const Error& fault) {
  if (fault.code != ErrorCode::kCorrupt) return fault.detail;
  const bool is_foreign = fault.detail.find("another program") != std::string::npos;
  return (is_foreign ? "" : "comity.db is damaged: ") + fault.detail +
         "; restore a backup (comity restore), or name the data of this gateway";
}

// Nothing: there is none yet, or it is wrong and that is among the findings.
std::optional<store::DatabaseExamination> ExamineSqlite(const runtime::Config& config,
                                                        Findings& findings) {
  const auto kek = KekOf(config);
  const auto found = store::ExamineSqliteStore(config.data_directory, kek ? &*kek : nullptr);
  if (!found) {
    if (found.error().code == ErrorCode::kNotFound) return std::nullopt;  // before the first start
    findings.Wrong("database", DatabaseWords(found.error()));
    return std::nullopt;
  }
  if (!found->damage.empty()) {
    findings.Wrong("database", "comity.db is damaged: " + found->damage.front() +
                                   "; restore a backup: comity restore");
    return std::nullopt;
  }
  findings.Ok("database", "every page is sound; schema " + std::to_string(found->schema));
  return *found;
}

std::optional<store::DatabaseExamination> ExaminePostgres(const runtime::Config& config,
                                                          Findings& findings) {
  const auto kek = KekOf(config);
  auto found = store::ExaminePostgresStore(store::OptionsOf(*config.store), kek ? &*kek : nullptr);
  if (!found) {
    findings.Wrong("store.url", found.error().detail);
    return std::nullopt;
  }
  findings.Ok("store.url", "the server, its role and the schema are as they must be; schema " +
                               std::to_string(store::PostgresSchemaVersion()));
  if (found->log_shows_rows) {
    findings.Warn("store.url",
                  "the server writes parts of rows that it refuses into its own log, such as "
                  "references of a list: set log_error_verbosity = terse in postgresql.conf and "
                  "reload it (docs/operations/postgresql.md)");
  }
  return store::DatabaseExamination{
      store::PostgresSchemaVersion(), std::move(found->peers), std::move(found->bound), {}};
}

}  // namespace

std::vector<identity::Peer> CheckData(const runtime::Config& config, Findings& findings) {
  CheckLogKey(config, findings);
  CheckLedgerLines(config, findings);
  const auto found =
      config.store ? ExaminePostgres(config, findings) : ExamineSqlite(config, findings);
  if (!found) return {};
  CheckSelf(config, *found, findings);
  CheckTables(*found, findings);
  if (findings.Has(Findings::Level::kWrong, "agency.id")) return {};
  return ReadPartners(config, *found, findings);
}

}  // namespace comity::cli
