// SPDX-License-Identifier: Apache-2.0
// Random walks over the states of lists and entries, against a model that is too simple to be
// wrong, and against what the log alone says.
#include <gmock/gmock.h>

#include <map>
#include <random>
#include <set>

#include "tests/support/result_matchers.h"
#include "tests/unit/services/watchlists/list_world.h"

namespace comity::watchlists {
namespace {

using namespace testing;
using policy::Instant;

constexpr int kSteps = 10'000;
constexpr std::size_t kLists = 6;
constexpr std::size_t kReferences = 5;
constexpr std::chrono::hours kListTime{24 * 5};

enum class Phase { kDraft, kApproved, kClosed, kDeleted };

struct ModelEntry {
  Instant from{}, until{};
  bool ended = false;
  bool restricted = false;
  bool needs_clearance = false;
  bool cleared = false;
  bool operator==(const ModelEntry&) const = default;
};
struct ModelList {
  Phase phase = Phase::kDraft;
  Instant ends{}, delete_by{};
  std::map<std::string, ModelEntry> entries;
};

class Walk {
 public:
  explicit Walk(std::uint32_t seed) : random_(seed) {}

  void Step() {
    const std::string list = PickList();
    const std::string reference = "r" + std::to_string(random_() % kReferences);
    switch (random_() % 12) {
      case 0:
        return Draft();
      case 1:
      case 2:
        return Add(list, reference);
      case 3:
        return Approve(list);
      case 4:
        return Withdraw(list, reference);
      case 5:
        return Restrict(list, reference);
      case 6:
        return Unrestrict(list, reference);
      case 7:
      case 8:
        return Clear(list, reference);
      case 9:
        if (random_() % 4 == 0) Close(list);
        return;
      case 10:
        return Pass();
      default:
        if (random_() % 200 == 0) world_.Restart();
    }
  }

  void Compare() {
    for (const auto& [name, list] : model_) {
      const ListStatus status = world_.StatusOf(ListId(name));
      ASSERT_EQ(static_cast<int>(status.state), static_cast<int>(list.phase) + 1) << name;
      for (const auto& [reference, entry] : list.entries) {
        const bool expected = list.phase == Phase::kApproved && Now() < list.ends && !entry.ended &&
                              !entry.restricted && (!entry.needs_clearance || entry.cleared) &&
                              entry.from <= Now() && Now() < entry.until;
        ASSERT_EQ(world_.lists->Matches(ListId(name), reference, Now()), expected)
            << name << "/" << reference;
      }
    }
  }

  // What the log says, without looking at store or memory, is what is.
  void CompareWithLog() {
    for (const auto& fields : world_.LogPayloads(read_)) {
      ++read_;
      Read(fields);
    }
    ASSERT_EQ(told_.size(), model_.size());
    for (const auto& [name, list] : model_) {
      const Told& told = told_.at(name);
      ASSERT_EQ(told.phase, list.phase) << name;
      ASSERT_EQ(told.added, list.entries.size()) << name;
      for (const auto& [reference, entry] : list.entries) {
        ASSERT_EQ(told.ended.contains(reference), entry.ended) << name << "/" << reference;
        ASSERT_EQ(told.restricted.contains(reference), entry.restricted) << name << reference;
        ASSERT_EQ(told.cleared.contains(reference), entry.cleared) << name << "/" << reference;
      }
    }
  }
  std::size_t lists() const { return model_.size(); }
  std::size_t refused() const { return refused_; }
  std::size_t done() const { return done_; }

 private:
  struct Told {
    Phase phase = Phase::kDraft;
    std::size_t added = 0;
    std::set<std::string> ended, restricted, cleared;
  };

  Instant Now() { return world_.agency.clock.Now(); }
  ModelList* Find(const std::string& name) {
    const auto found = model_.find(name);
    return found == model_.end() ? nullptr : &found->second;
  }
  ModelEntry* Find(const std::string& name, const std::string& reference) {
    ModelList* const list = Find(name);
    if (list == nullptr) return nullptr;
    const auto found = list->entries.find(reference);
    return found == list->entries.end() ? nullptr : &found->second;
  }
  // One of the newest lists, or one that never was.
  std::string PickList() {
    const std::size_t newest = next_ > kLists ? next_ - kLists : 0;
    return "list-" + std::to_string(newest + random_() % (kLists + 1));
  }
  void Expect(bool expected, const Status& status, const std::string& what) {
    ASSERT_EQ(status.has_value(), expected) << what << (status ? "" : ": " + status.error().detail);
    ++(expected ? done_ : refused_);
  }

  void Draft() {
    std::size_t open = 0;
    for (const auto& [name, list] : model_) open += list.phase != Phase::kDeleted ? 1 : 0;
    if (open >= kLists) return;
    const std::string name = "list-" + std::to_string(next_);
    auto text = Definition(name);
    text.starts_at = Now();
    text.ends_at = Now() + kListTime;
    Expect(true, world_.Draft(text), "draft");
    model_[name] = {Phase::kDraft, text.ends_at, {}, {}};
    ++next_;
  }

  void Add(const std::string& name, const std::string& reference) {
    ModelList* const list = Find(name);
    const bool victim = random_() % 3 == 0;
    nlohmann::json entry =
        comity::testing::EntryJson({.reference = reference,
                                    .category = victim ? "victim" : "wanted-by-courts",
                                    .now = Now(),
                                    .valid_for = std::chrono::hours(24 + random_() % 48)});
    entry["review_by"] = policy::EncodeInstant(Now() + std::chrono::hours(200));
    ModelEntry added;
    added.from = policy::ParseInstant(entry["valid_from"].get<std::string>()).value();
    added.until = policy::ParseInstant(entry["expires_at"].get<std::string>()).value();
    added.needs_clearance = victim;
    const bool possible =
        list != nullptr && list->phase == Phase::kDraft && !list->entries.contains(reference);
    Expect(possible, world_.Add(ListId(name), {entry}), "add " + name + "/" + reference);
    if (possible) list->entries[reference] = added;
  }

  void Approve(const std::string& name) {
    ModelList* const list = Find(name);
    bool possible = list != nullptr && list->phase == Phase::kDraft && Now() < list->ends;
    bool any = false;
    if (possible) {
      for (const auto& [reference, entry] : list->entries) {
        any = any || (!entry.ended && Now() < entry.until);
      }
    }
    possible = possible && any;
    Expect(possible, world_.Approve(ListId(name)), "approve " + name);
    if (possible) list->phase = Phase::kApproved;
  }

  void Withdraw(const std::string& name, const std::string& reference) {
    ModelEntry* const entry = Find(name, reference);
    const bool possible = entry != nullptr && !entry->ended && Find(name)->phase != Phase::kDeleted;
    Expect(possible, world_.lists->Withdraw({ListId(name), reference, "r", "o"}),
           "withdraw " + name + "/" + reference);
    if (possible) entry->ended = true;
  }

  void Restrict(const std::string& name, const std::string& reference) {
    ModelEntry* const entry = Find(name, reference);
    const bool possible = entry != nullptr && !entry->ended && !entry->restricted &&
                          Find(name)->phase < Phase::kClosed;
    Expect(possible, world_.lists->Restrict({ListId(name), reference, false, "r", "o"}),
           "restrict " + name + "/" + reference);
    if (possible) entry->restricted = true;
  }

  void Unrestrict(const std::string& name, const std::string& reference) {
    ModelEntry* const entry = Find(name, reference);
    const bool possible = entry != nullptr && !entry->ended && entry->restricted &&
                          Find(name)->phase < Phase::kClosed;
    Expect(possible, world_.Unrestrict(ListId(name), reference),
           "unrestrict " + name + "/" + reference);
    if (possible) entry->restricted = false;
  }

  void Clear(const std::string& name, const std::string& reference) {
    ModelEntry* const entry = Find(name, reference);
    const bool possible = entry != nullptr && !entry->ended && entry->needs_clearance &&
                          !entry->cleared && Find(name)->phase < Phase::kClosed;
    Expect(possible, world_.Clear(ListId(name), {reference}), "clear " + name + "/" + reference);
    if (possible) entry->cleared = true;
  }

  void Close(const std::string& name) {
    ModelList* const list = Find(name);
    const bool possible = list != nullptr && list->phase < Phase::kClosed;
    const bool approved = possible && list->phase == Phase::kApproved;
    const auto closed = world_.lists->Close(ListId(name), "r", "o");
    Expect(possible, closed ? Status() : Fail(closed.error()), "close " + name);
    if (possible) MarkClosed(*list, approved);
  }
  void MarkClosed(ModelList& list, bool approved) {
    list.phase = Phase::kClosed;
    list.delete_by = approved ? std::min(Now(), list.ends) + world_.after_end : Now();
  }

  // Time goes on, and what is due is done.
  void Pass() {
    world_.agency.clock.Advance(std::chrono::minutes(random_() % 600));
    ASSERT_TRUE(world_.lists->ExpireDue(Now()).has_value());
    ASSERT_TRUE(world_.lists->CloseDue(Now()).has_value());
    ASSERT_TRUE(world_.lists->DeleteDue(Now()).has_value());
    for (auto& [name, list] : model_) {
      if (list.phase < Phase::kClosed) {
        for (auto& [reference, entry] : list.entries) {
          if (entry.until <= Now()) entry.ended = true;
        }
        if (list.ends <= Now()) MarkClosed(list, list.phase == Phase::kApproved);
      }
      if (list.phase == Phase::kClosed && list.delete_by <= Now()) list.phase = Phase::kDeleted;
    }
  }

  void Read(const audit::CommittedFields& fields) {
    const std::string& type = fields.at("type");
    const auto list = fields.find("list");
    if (list == fields.end()) return;
    Told& told = told_[list->second];
    const auto references = [&](auto act) {
      std::istringstream in(fields.at("references"));
      for (std::string line; std::getline(in, line);) act(line);
    };
    if (type == audit::kEntriesAdded) {
      told.added += nlohmann::json::parse(fields.at("counts")).at("entries").get<std::size_t>();
    } else if (type == audit::kWatchlistApproved) {
      told.phase = Phase::kApproved;
    } else if (type == audit::kEntriesApproved) {
      references([&](const std::string& line) { told.cleared.insert(line); });
    } else if (type == audit::kEntryWithdrawn) {
      told.ended.insert(fields.at("reference"));
    } else if (type == audit::kEntriesExpired) {
      references([&](const std::string& line) { told.ended.insert(line); });
    } else if (type == audit::kEntryRestricted) {
      told.restricted.insert(fields.at("reference"));
    } else if (type == audit::kEntryUnrestricted) {
      told.restricted.erase(fields.at("reference"));
    } else if (type == audit::kWatchlistClosed) {
      told.phase = Phase::kClosed;
    } else if (type == audit::kWatchlistDeleted) {
      told.phase = Phase::kDeleted;
    }
  }

  std::mt19937 random_;
  ListWorld world_;
  std::map<std::string, ModelList> model_;
  std::map<std::string, Told> told_;
  std::uint64_t read_ = 0;
  std::size_t next_ = 0;
  std::size_t done_ = 0;
  std::size_t refused_ = 0;
};

TEST(ListWalk, IsAlwaysWhatTheModelSaysAndTheLogExplainsIt) {
  const std::uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Walk walk(seed);
  for (int step = 0; step < kSteps; ++step) {
    walk.Step();
    if (::testing::Test::HasFatalFailure()) return;
    if (step % 10 == 0) walk.Compare();
    if (step % 500 == 499) walk.CompareWithLog();
    if (::testing::Test::HasFatalFailure()) return;
  }
  walk.Compare();
  walk.CompareWithLog();
  // The walk went somewhere, and ran into walls.
  EXPECT_GT(walk.lists(), 20U);
  EXPECT_GT(walk.done(), 1000U);
  EXPECT_GT(walk.refused(), 1000U);
}

}  // namespace
}  // namespace comity::watchlists
