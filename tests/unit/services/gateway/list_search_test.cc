// SPDX-License-Identifier: Apache-2.0
// What is searched is exactly what may match: the register's lists against the galleries, through a
// random life of both.
#include <gmock/gmock.h>

#include <random>
#include <set>
#include <thread>

#include "services/gateway/agency/gallery_loader.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/watchlists/list_world.h"

namespace comity::gateway {
namespace {

using comity::testing::IsOk;
using policy::Instant;
using policy::WatchlistId;
using watchlists::testing::Definition;
using watchlists::testing::Entry;
using watchlists::testing::ListId;
using watchlists::testing::ListWorld;
using Pairs = std::set<std::pair<std::string, std::string>>;

class SearchedLists {
 public:
  explicit SearchedLists(std::uint32_t seed) : random_(seed) {}

  void Step() {
    const std::string name = "list-" + std::to_string(Pick(next_ + 1));
    const auto list = ListId(name);
    const std::vector<std::string> reference = {"r" + std::to_string(Pick(4))};
    switch (Pick(10)) {
      case 0:
        return Draft();
      case 1:
        if (world_.Approve(list)) Load(list);
        return;
      case 2:
        if (world_.lists->Withdraw({list, reference[0], "r", "o"})) {
          loader_.Withdraw(list, reference);
        }
        return;
      case 3:
        if (world_.lists->Restrict({list, reference[0], false, "r", "o"})) {
          loader_.Withdraw(list, reference);
        }
        return;
      case 4:
        if (world_.Unrestrict(list, reference[0])) Load(list);
        return;
      case 5:
        if (world_.Clear(list, reference)) Load(list);
        return;
      case 6:
        return Correct(list, reference[0]);
      case 7:
        if (Pick(5) == 0 && world_.lists->Close(list, "r", "o")) loader_.Drop(list);
        return;
      case 8:
        halted_ = Pick(3) == 0 ? std::set<WatchlistId>{list} : std::set<WatchlistId>{};
        galleries_.Halt(halted_);
        return;
      default:
        world_.agency.clock.Advance(std::chrono::minutes(Pick(180)));
        EXPECT_THAT(loader_.Housekeep(Now()), IsOk());
    }
  }

  void Compare() {
    for (const std::string agreement : {"a-1", "a-2", "a-3"}) {
      for (const std::string purpose : {"court-order-arrest", "missing-person"}) {
        EXPECT_EQ(Searched(agreement, purpose), MayMatch(agreement, purpose))
            << agreement << " " << purpose << " at " << policy::EncodeInstant(Now());
      }
    }
  }
  std::size_t searched() const { return searched_; }

 private:
  std::size_t Pick(std::size_t count) { return random_() % count; }
  Instant Now() { return world_.agency.clock.Now(); }
  void Load(const WatchlistId& list) { EXPECT_THAT(loader_.Load(list), IsOk()); }

  void Draft() {
    auto text = Definition("list-" + std::to_string(next_++));
    text.agreements.clear();
    for (const char* agreement : {"a-1", "a-2"}) {
      if (Pick(2) == 0) text.agreements.emplace_back(agreement);
    }
    text.purpose = Pick(2) == 0 ? "court-order-arrest" : "missing-person";
    text.starts_at = Now() + std::chrono::minutes(Pick(60));
    text.ends_at = text.starts_at + std::chrono::hours(1 + Pick(48));
    ASSERT_THAT(world_.Draft(text), IsOk());
    std::vector<nlohmann::json> entries;
    for (std::size_t i = 0; i <= Pick(4); ++i) {
      auto entry =
          comity::testing::EntryJson({.reference = "r" + std::to_string(i),
                                      .category = Pick(3) == 0 ? "victim" : "wanted-by-courts",
                                      .now = Now(),
                                      .valid_for = std::chrono::hours(1 + Pick(30))});
      entry["review_by"] = policy::EncodeInstant(Now() + std::chrono::hours(1 + Pick(30)));
      entries.push_back(std::move(entry));
    }
    ASSERT_THAT(world_.Add(ListId(text.reference), entries), IsOk());
  }

  void Correct(const WatchlistId& list, const std::string& reference) {
    const auto view = world_.lists->View(list, reference);
    if (!view || view->fields.empty()) return;
    auto entry = nlohmann::json::parse(view->fields);
    entry["vulnerable"] = Pick(2) == 0;
    entry["review_by"] = policy::EncodeInstant(Now() + std::chrono::hours(1 + Pick(30)));
    const auto faults = world_.lists->Correct({list, reference, entry.dump(), "r", "o"});
    if (!faults || !faults->faults.empty()) return;
    loader_.Withdraw(list, std::vector<std::string>{reference});
    Load(list);
  }

  Pairs Searched(const std::string& agreement, const std::string& purpose) {
    const matching::SearchScope scope{{"facenet", "1.0", watchlists::testing::kDimension},
                                      policy::AgreementId::Parse(agreement).value(),
                                      policy::PurposeCode::Parse(purpose).value(),
                                      {100, std::chrono::hours(1000)}};
    Pairs found;
    for (const matching::GallerySnapshot& snapshot : galleries_.Snapshot(scope, Now())) {
      for (std::size_t i = 0; i < snapshot.gallery->size(); ++i) {
        const matching::GalleryRow& row = snapshot.gallery->row(i);
        if (row.valid_from <= Now() && Now() < row.expires_at) {
          found.insert({snapshot.list.text(), row.reference});
        }
      }
    }
    searched_ += found.size();
    return found;
  }

  Pairs MayMatch(const std::string& agreement, const std::string& purpose) {
    Pairs expected;
    const auto statuses = world_.lists->StatusOf(std::nullopt, Now()).value();
    for (const watchlists::ListStatus& status : statuses) {
      const watchlists::ListDefinition& definition = *status.definition;
      const bool bound = definition.purpose.text() == purpose && !halted_.contains(status.list) &&
                         std::any_of(definition.agreements.begin(), definition.agreements.end(),
                                     [&](const auto& id) { return id.text() == agreement; });
      for (std::size_t i = 0; bound && i < 5; ++i) {
        const std::string reference = "r" + std::to_string(i);
        if (world_.lists->Matches(status.list, reference, Now())) {
          expected.insert({status.list.text(), reference});
        }
      }
    }
    return expected;
  }

  std::mt19937 random_;
  ListWorld world_;
  matching::AnswerBarrier barrier_;
  matching::Galleries galleries_{barrier_};
  GalleryLoader loader_{*world_.lists, galleries_, world_.agency.clock};
  std::set<WatchlistId> halted_;
  std::size_t next_ = 0;
  std::size_t searched_ = 0;
};

TEST(SearchedLists, AreExactlyThoseThatMayMatchUnderEveryAgreementAndPurpose) {
  const std::uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  SearchedLists lists(seed);
  for (int step = 0; step < 1000; ++step) {
    lists.Step();
    lists.Compare();
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(lists.searched(), 100U);
}

TEST(GalleryLoader, NeverBringsBackWhatWasTakenOutWhileAListIsRead) {
  ListWorld world;
  std::vector<nlohmann::json> entries;
  for (int i = 0; i < 60; ++i) entries.push_back(Entry("r" + std::to_string(i)));
  world.Approved("lantern", entries);
  const auto list = ListId("lantern");
  matching::AnswerBarrier barrier;
  matching::Galleries galleries(barrier);
  GalleryLoader loader(*world.lists, galleries, world.agency.clock);
  ASSERT_THAT(loader.Load(list), IsOk());
  const matching::SearchScope scope{{"facenet", "1.0", watchlists::testing::kDimension},
                                    watchlists::testing::kAgreement,
                                    watchlists::testing::kPurpose,
                                    {100, std::chrono::hours(24)}};
  const auto is_searched = [&](const std::string& reference) {
    const auto snapshots = galleries.Snapshot(scope, world.agency.clock.Now());
    for (std::size_t i = 0; !snapshots.empty() && i < snapshots[0].gallery->size(); ++i) {
      if (snapshots[0].gallery->row(i).reference == reference) return true;
    }
    return false;
  };
  std::atomic<bool> done = false;
  std::atomic<int> loads = 0;
  std::jthread reading([&] {
    for (; !done; ++loads) EXPECT_THAT(loader.Load(list), IsOk());
  });
  // Until a list that was being read at the call is in place, and the next one.
  const auto is_searched_soon = [&](const std::string& reference) {
    for (const int before = loads; loads < before + 2;) {
      if (is_searched(reference)) return true;
    }
    return false;
  };
  for (int i = 0; i < 50; ++i) {
    const std::vector<std::string> reference = {"r" + std::to_string(i)};
    EXPECT_TRUE(is_searched(reference[0]));
    EXPECT_THAT(world.lists->Withdraw({list, reference[0], "r", "o"}), IsOk());
    loader.Withdraw(list, reference);
    if (is_searched_soon(reference[0])) {
      done = true;
      FAIL() << reference[0];
    }
  }
  EXPECT_THAT(world.lists->Close(list, "over", "o"), IsOk());
  loader.Drop(list);
  EXPECT_FALSE(is_searched_soon("r55"));
  done = true;
}

}  // namespace
}  // namespace comity::gateway
