// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/node.h"

#include <fstream>
#include <iostream>
#include <optional>
#include <utility>
#include <vector>

#include "crypto/base/check.h"
#include "crypto/base/encoding.h"
#include "services/audit/events.h"
#include "services/oversight/backup_maker.h"
#include "services/oversight/erasure_replay.h"
#include "services/runtime/file.h"
#include "services/store/sqlite/sqlite_store.h"

namespace comity::testing {
namespace {

const auto kOwn = policy::AgencyId::Parse("northshire-police").value();
const auto kSender = policy::AgencyId::Parse("eastvale-council").value();

constexpr std::string_view kOrigin = "northshire-police.example/log";
constexpr std::uint8_t kAgencySeed = 8;
constexpr std::uint8_t kLogSeed = 9;

sign::SigningKey FixedKey(std::uint8_t seed) {
  return std::move(*sign::SigningKey::FromSeed(SecretBytes::CopyOf(Bytes(32, seed))));
}

constexpr std::string_view kConfig = R"([agency]
id = "northshire-police"
name = "Northshire Police"
trust_domain = "northshire-police.example"
[data]
directory = "lost"
erasure_ledger = "LEDGER"
[keys]
tls = "tls.pem"
roots = "roots.pem"
signing = "signing.key"
log = "log.key"
key_encryption = "kek.key"
[[administrator]]
id = "admin-1"
post = "First administrator"
certificate = "admin-1.crt"
signing_key_file = "admin-1.pub"
[[administrator]]
id = "admin-2"
post = "Second administrator"
certificate = "admin-2.crt"
signing_key_file = "admin-2.pub"
)";

store::EntryRecord Person(const std::string& reference, const std::string& secret) {
  store::EntryRecord entry;
  entry.reference = reference;
  entry.category = policy::ListCategory::Parse("suspected").value();
  entry.wrapped_key = ToBytes("key of " + secret);
  entry.sealed_template = Bytes(2000, 5);
  entry.sealed_fields = ToBytes(secret);
  return entry;
}

Status AddList(store::WatchlistStore& lists, int number) {
  store::WatchlistRecord list;
  list.reference = Node::ListOf(number);
  list.definition = "two people";
  COMITY_RETURN_IF_ERROR(lists.AddList(list));
  const std::vector people{Person("kept", "kept-since-act-" + std::to_string(number)),
                           Person("erased", Node::SecretOf(number + 1))};
  return lists.AddEntries(list.reference, 1, people);
}

Status ErasePerson(store::WatchlistStore& lists, int number) {
  const auto list = Node::ListOf(number - 1);
  auto entry = lists.Entry(list, "erased");
  if (!entry && entry.error().code == ErrorCode::kNotFound) return {};  // its list was refused
  if (!entry) return Fail(entry.error());
  entry->state = store::EntryState::kWithdrawn;
  entry->wrapped_key.clear();
  return lists.ChangeEntry(list, *entry);
}

}  // namespace

policy::WatchlistId Node::ListOf(int number) {
  return policy::WatchlistId::Parse("list-" + std::to_string(number)).value();
}

Node::Node(std::filesystem::path folder)
    : folder_(std::move(folder)),
      agency_key_(FixedKey(kAgencySeed)),
      log_key_(FixedKey(kLogSeed)),
      logger_(runtime::MakeStreamLogger(runtime::LogLevel::kWarn, clock_, std::cerr)) {}
Node::~Node() = default;

Result<std::unique_ptr<Node>> Node::Open(const std::filesystem::path& folder) {
  std::unique_ptr<Node> node(new Node(folder));
  COMITY_RETURN_IF_ERROR(node->Start());
  return node;
}

// In the order of the gateway (services/gateway/storage.cc): first without the ledger, for a
// replay.
Status Node::Start() {
  std::optional<std::filesystem::path> second = folder_ / "second";
  if (std::filesystem::exists(OneLedger(folder_))) second.reset();
  {
    COMITY_ASSIGN_OR_RETURN(const auto store, store::OpenSqliteStore(Data(folder_)));
    COMITY_ASSIGN_OR_RETURN(ledger_, oversight::ErasureLedger::Open(
                                         {Data(folder_), second, kek_, kOwn, clock_, random_}));
    COMITY_RETURN_IF_ERROR(oversight::ReplayErasures(*store, *ledger_, clock_));
  }
  COMITY_ASSIGN_OR_RETURN(store_, store::OpenSqliteStore(Data(folder_), ledger_.get()));
  COMITY_ASSIGN_OR_RETURN(log_, audit::Log::Open({*store_, log_key_, std::string(kOrigin), kek_,
                                                  Data(folder_), clock_, *logger_, random_}));
  return {};
}

Status Node::Backup(const std::filesystem::path& file) {
  const auto copy = [this](const std::filesystem::path& to, store::RestorationRecord restoration) {
    return store::CopySqliteStore(Data(folder_), to, std::move(restoration));
  };
  COMITY_ASSIGN_OR_RETURN(
      const auto made,
      oversight::MakeBackup(
          {*log_, *ledger_, copy, agency_key_, kek_, Data(folder_), std::string(kOrigin), kOwn,
           static_cast<std::uint32_t>(store::SqliteSchemaVersion()), "comity test", clock_,
           random_},
          "admin-1"));
  std::ofstream out(file, std::ios::binary);
  out << made.head;
  for (const auto& part : made.files) out << std::ifstream(part, std::ios::binary).rdbuf();
  out.close();
  if (out) return {};
  return Fail(ErrorCode::kUnavailable, file.string() + " cannot be written");
}

std::filesystem::path Node::WriteConfig(const std::filesystem::path& folder,
                                        const std::filesystem::path& ledger) {
  std::filesystem::create_directories(folder);
  const auto keep = [&](const char* name, ByteView content) {
    COMITY_CHECK(runtime::WriteFile(folder / name, content, 0600));
  };
  keep("signing.key", FixedKey(kAgencySeed).EncodeKeyFile().Expose());
  keep("log.key", FixedKey(kLogSeed).EncodeKeyFile().Expose());
  keep("kek.key", AsBytes("comity-key-encryption-v1\n" + EncodeBase64(Bytes(32, 7)) + "\n"));
  std::string text(kConfig);
  const std::size_t at = text.find("LEDGER");
  keep("comity.toml", AsBytes(text.replace(at, 6, ledger.string())));
  return folder / "comity.toml";
}

Status Node::Act(int number) {
  const std::string exchange = ExchangeOf(number);
  return log_->Commit([&](store::Transaction& tx, audit::Recorder& recorder) -> Status {
    const policy::Instant far(std::chrono::hours(1'000'000));
    const store::CapacityStore::Key key{policy::AgreementId::Parse("faults").value(), "p1", kSender,
                                        "day"};
    COMITY_RETURN_IF_ERROR(tx.replays().Remember(kSender, exchange, far));
    COMITY_RETURN_IF_ERROR(tx.capacity().Reserve(key, 1));
    if (AddsList(number)) COMITY_RETURN_IF_ERROR(AddList(tx.watchlists(), number));
    if (Erases(number)) COMITY_RETURN_IF_ERROR(ErasePerson(tx.watchlists(), number));
    audit::Event event;
    event.type = audit::kCapacityReserved;
    event.exchange = exchange;
    event.parties = {kOwn, kSender};
    event.committed = {{"counter", std::to_string(number)}};
    COMITY_RETURN_IF_ERROR(recorder.Record(event));
    return {};
  });
}

}  // namespace comity::testing
