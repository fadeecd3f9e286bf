// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/check.h"
#include "crypto/sign/ed25519.h"
#include "services/audit/events.h"
#include "services/audit/payload.h"
#include "services/watchlists/manifest.h"
#include "services/watchlists/register.h"
#include "tests/support/agency_store.h"
#include "tests/unit/services/watchlists/list_files.h"

namespace comity::watchlists::testing {

inline policy::WatchlistId ListId(const std::string& text) {
  return policy::WatchlistId::Parse(text).value();
}
inline policy::PersonId Who(const std::string& text) {
  return policy::PersonId::Parse(text).value();
}
inline const policy::PersonId kOperator = Who("np-operator");
inline const policy::PersonId kSupervisor = Who("np-supervisor");
inline const policy::PersonId kSecondSupervisor = Who("np-supervisor-2");
inline const policy::AgreementId kAgreement =
    policy::AgreementId::Parse("northshire-eastvale-2026").value();
inline const policy::PurposeCode kPurpose =
    policy::PurposeCode::Parse("court-order-arrest").value();

// Remembers what was passed on in units of work that committed.
//
// Threads: thread-compatible.
class RememberedChanges final : public EntryChangeSink {
 public:
  Status OnChange(store::Transaction&, audit::Recorder&, const EntryChange& change) override {
    seen_.push_back(change);
    return refuse ? Fail(ErrorCode::kUnavailable, "the outbox is full") : Status();
  }
  void OnDurable() override {
    durable.insert(durable.end(), seen_.begin(), seen_.end());
    seen_.clear();
  }
  // "withdrawn lantern/a"
  std::vector<std::string> Texts() const {
    std::vector<std::string> texts;
    for (const EntryChange& change : durable) {
      texts.push_back(std::string(Name(change.kind)) + " " + change.list.text() + "/" +
                      change.reference);
    }
    return texts;
  }

  std::vector<EntryChange> durable;
  bool refuse = false;

 private:
  std::vector<EntryChange> seen_;
};

// How many may pass; none was said: all. Threads: thread-safe.
class Countdown {
 public:
  Countdown& operator=(int count) {
    left_ = count;
    return *this;
  }
  void reset() { left_ = kAll; }
  bool Take() {
    int left = left_;
    while (left > 0 && left != kAll && !left_.compare_exchange_weak(left, left - 1)) {
    }
    return left > 0;
  }

 private:
  static constexpr int kAll = std::numeric_limits<int>::max();
  std::atomic<int> left_{kAll};
};

// Lets so many units of work through and then none, as a disk that fills up does.
//
// Threads: thread-safe.
class FailingJournal final : public audit::Journal {
 public:
  explicit FailingJournal(comity::testing::AgencyStore& agency) : agency_(agency) {}
  Status Commit(const Work& work) override {
    if (!left.Take()) {
      ++refused;
      return Fail(ErrorCode::kUnavailable, "the disk is full");
    }
    const Status done = agency_.journal().Commit(work);
    if (done && after) after();
    return done;
  }
  Countdown left;
  std::atomic<int> refused{0};
  std::function<void()> after;  // called when something is durable; may be null

 private:
  comity::testing::AgencyStore& agency_;
};

// One agency's register of lists over its store and log, which can restart.
class ListWorld {
 public:
  ListWorld() { Open(); }

  Result<std::unique_ptr<Register>> TryOpen(const SecretBytes& kek, ListTaker* taker = nullptr) {
    return Register::Open({.store = agency.store(),
                           .journal = journal,
                           .kek = kek,
                           .random = agency.random,
                           .clock = agency.clock,
                           .own = agency.own,
                           .agency_key = agency_key,
                           .changes = &changes,
                           .list_after_end = [this](const auto&) { return after_end; },
                           .lone_acts = lone_acts ? &*lone_acts : nullptr},
                          taker);
  }
  void Restart() {
    lists.reset();
    agency.Reopen();
    Open();
  }
  // From now on those who oversee are told of what one person does.
  void TellOversight() {
    notices.emplace(
        identity::Notices::Setup{agency.store(), agency.journal(), agency.own, agency.clock});
    lone_acts.emplace(
        identity::LoneActs::Setup{*notices, agency.store(), agency.journal(), agency.clock});
    lists.reset();
    Open();
  }
  // Words of every notice, oldest first.
  std::vector<std::string> NoticesFor(identity::Role role) {
    const auto posted = notices->List({role}, 0, false, 1000).value();
    std::vector<std::string> words;
    for (const auto& notice : posted) words.push_back(notice.words);
    return words;
  }
  Manifests MakeManifests() { return {agency.store(), agency.journal(), agency.clock, agency.own}; }

  Status Draft(const comity::testing::DefinitionText& text) {
    const std::string yaml = comity::testing::WriteDefinition(text);
    const ParsedDefinition parsed = ParseDefinition(yaml);
    COMITY_CHECK(parsed.definition.has_value());
    return lists->Draft(*parsed.definition, yaml, kOperator);
  }
  Status Add(const policy::WatchlistId& list, const std::vector<nlohmann::json>& entries) {
    COMITY_ASSIGN_OR_RETURN(ImportOptions options, lists->OptionsFor(list));
    options.format = TemplateFormat::kFloat32;
    const Bytes rows = Float32File(UnitRows(entries.size(), options.engine.dimension, ++seed));
    return lists->Add(list, ParseImport(Lines(entries), rows, options), kOperator, "file");
  }
  Status Approve(const policy::WatchlistId& list, const policy::PersonId& approver = kSupervisor) {
    COMITY_ASSIGN_OR_RETURN(const ListStatus status, lists->CheckApprovable(list));
    return ApproveContent(list, status.content, {kOperator, approver});
  }
  Status ApproveContent(const policy::WatchlistId& list, const Digest& content,
                        const Register::TwoPeople& people) {
    COMITY_RETURN_IF_ERROR(
        agency.journal().Commit([&](store::Transaction& transaction, audit::Recorder& recorder) {
          return lists->Approve(transaction, recorder, list, content, people);
        }));
    return lists->Refresh(list);
  }
  Status Clear(const policy::WatchlistId& list, const std::vector<std::string>& references,
               const policy::PersonId& approver = kSecondSupervisor) {
    std::vector<EntryInState> entries;
    for (const std::string& reference : references) {
      COMITY_ASSIGN_OR_RETURN(EntryInState entry, InState(list, reference));
      entries.push_back(std::move(entry));
    }
    return ClearAsProposed(list, entries, {kSupervisor, approver});
  }
  Status ClearAsProposed(const policy::WatchlistId& list, const std::vector<EntryInState>& entries,
                         const Register::TwoPeople& people = {kSupervisor, kSecondSupervisor}) {
    COMITY_RETURN_IF_ERROR(
        agency.journal().Commit([&](store::Transaction& transaction, audit::Recorder& recorder) {
          return lists->ClearEntries(transaction, recorder, list, entries, people);
        }));
    std::vector<std::string> references;
    for (const EntryInState& entry : entries) references.push_back(entry.reference);
    return lists->Refresh(list, references);
  }
  // As it stands now: what a proposal names.
  Result<EntryInState> InState(const policy::WatchlistId& list, const std::string& reference) {
    COMITY_ASSIGN_OR_RETURN(const EntryView view, lists->View(list, reference));
    return EntryInState{reference, view.state};
  }
  Status Unrestrict(const policy::WatchlistId& list, const std::string& reference) {
    COMITY_ASSIGN_OR_RETURN(const EntryInState entry, InState(list, reference));
    return UnrestrictAsProposed(list, entry);
  }
  Status UnrestrictAsProposed(const policy::WatchlistId& list, const EntryInState& entry) {
    COMITY_RETURN_IF_ERROR(
        agency.journal().Commit([&](store::Transaction& transaction, audit::Recorder& recorder) {
          return lists->Unrestrict(transaction, recorder, {list, entry, "checked"},
                                   {kSupervisor, kSecondSupervisor});
        }));
    return lists->Refresh(list, std::vector<std::string>{entry.reference});
  }
  // An approved list of these entries.
  void Approved(const std::string& name, const std::vector<nlohmann::json>& entries) {
    COMITY_CHECK(Draft(Definition(name)).has_value());
    COMITY_CHECK(Add(ListId(name), entries).has_value());
    COMITY_CHECK(Approve(ListId(name)).has_value());
  }

  ListStatus StatusOf(const policy::WatchlistId& list) {
    return lists->StatusOf(list, agency.clock.Now()).value().front();
  }
  // References that VisitActive shows, in order; what fails shows nothing.
  std::vector<std::string> Visited(const policy::WatchlistId& list) {
    std::vector<std::string> references;
    const Status visited = lists->VisitActive(list, [&](const ActiveEntry& entry) -> Status {
      references.push_back(entry.reference);
      return {};
    });
    return visited ? references : std::vector<std::string>{"failed"};
  }
  // The payload of every entry of the log, in order, with its type under "type".
  std::vector<audit::CommittedFields> LogPayloads(std::uint64_t from = 0) {
    std::vector<audit::CommittedFields> payloads;
    std::uint64_t size = 0;
    COMITY_CHECK(agency.store()
                     .Read([&](const store::Transaction& transaction) -> Status {
                       COMITY_ASSIGN_OR_RETURN(size, transaction.audit().Size());
                       return {};
                     })
                     .has_value());
    for (std::uint64_t index = from; index < size; ++index) {
      auto opened = audit::OpenPayload(agency.store(), agency.kek(), index);
      COMITY_CHECK(opened.has_value());
      const auto entry = nlohmann::json::parse(AsText(opened->entry));
      opened->fields["type"] = entry.at("type").get<std::string>();
      opened->fields["counts"] = entry.value("counts", nlohmann::json::object()).dump();
      payloads.push_back(std::move(opened->fields));
    }
    return payloads;
  }

  comity::testing::AgencyStore agency;
  FailingJournal journal{agency};
  sign::SigningKey agency_key = sign::SigningKey::Generate(agency.random);
  RememberedChanges changes;
  std::chrono::seconds after_end = std::chrono::hours(2);
  std::optional<identity::Notices> notices;
  std::optional<identity::LoneActs> lone_acts;
  std::unique_ptr<Register> lists;
  unsigned seed = 1;

 private:
  void Open() {
    auto opened = TryOpen(agency.kek());
    COMITY_CHECK(opened.has_value());
    lists = std::move(opened).value();
  }
};

}  // namespace comity::watchlists::testing
