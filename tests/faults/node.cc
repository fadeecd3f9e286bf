// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/node.h"

#include <iostream>
#include <optional>
#include <utility>
#include <vector>

#include "services/audit/events.h"
#include "services/oversight/erasure_replay.h"
#include "services/store/sqlite/sqlite_store.h"

namespace comity::testing {
namespace {

const auto kOwn = policy::AgencyId::Parse("northshire-police").value();
const auto kSender = policy::AgencyId::Parse("eastvale-council").value();

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
      log_key_(std::move(*sign::SigningKey::FromSeed(SecretBytes::CopyOf(Bytes(32, 9))))),
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
  COMITY_ASSIGN_OR_RETURN(
      log_, audit::Log::Open({*store_, log_key_, "northshire-police.example/log", kek_,
                              Data(folder_), clock_, *logger_, random_}));
  return {};
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
