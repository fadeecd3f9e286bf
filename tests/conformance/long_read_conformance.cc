// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "services/store/holding_store.h"
#include "services/store/outbox_store.h"
#include "services/store/retention_store.h"
#include "tests/conformance/store_conformance.h"

// What nothing bounds is read in pages: more rows than one page has, in order, none twice.
namespace comity::store {
namespace {

using policy::AgencyId;
using policy::AgreementId;
using policy::RetentionClass;
using policy::WatchlistId;
using ::testing::Each;
using ::testing::Eq;
using testing::FailsWith;
using testing::IsOk;
using ::testing::SizeIs;

constexpr int kRows = 1100;
using Texts = std::vector<std::string>;

std::string Numbered(int number) {
  return fmt::format("r-{:04}", number);
}
Texts AllNumbered() {
  Texts texts;
  for (int i = 0; i < kRows; ++i) texts.push_back(Numbered(i));
  return texts;
}
WatchlistId Lantern() {
  return MakeId<WatchlistId>("lantern");
}

EntryRecord Entry(int number) {
  EntryRecord entry;
  entry.reference = Numbered(number);
  entry.category = MakeId<policy::ListCategory>("missing");
  entry.wrapped_key = Octets("key");
  entry.sealed_template = Octets(entry.reference);
  return entry;
}

// Two lists whose entries were added by turns.
Status AddEntries(Transaction& t) {
  for (const char* reference : {"lantern", "ember"}) {
    WatchlistRecord list;
    list.reference = MakeId<WatchlistId>(reference);
    list.imports = 1;
    COMITY_RETURN_IF_ERROR(t.watchlists().AddList(list));
  }
  for (int i = 0; i < kRows; ++i) {
    const std::vector<EntryRecord> entry{Entry(i)};
    COMITY_RETURN_IF_ERROR(t.watchlists().AddEntries(Lantern(), 1, entry));
    COMITY_RETURN_IF_ERROR(t.watchlists().AddEntries(MakeId<WatchlistId>("ember"), 1, entry));
  }
  return {};
}

// By two partners, so that references come twice.
Status AddHoldings(Transaction& t) {
  for (int i = 0; i < kRows; ++i) {
    for (const char* partner : {"eastvale-council", "southmere-police"}) {
      HoldingRecord holding;
      holding.list = Lantern();
      holding.reference = Numbered(i);
      holding.partner = MakeId<AgencyId>(partner);
      holding.agreement = MakeId<AgreementId>("one");
      holding.version = 1;
      holding.released = HoldingRecord::kReference;
      COMITY_RETURN_IF_ERROR(t.holdings().Told(holding, "x"));
    }
  }
  return {};
}

Status AddAlerts(Transaction& t) {
  for (int i = 0; i < kRows; ++i) {
    AlertRecord alert;
    alert.id = Numbered(i);
    alert.holder = MakeId<AgencyId>("eastvale-council");
    if (i % 2 == 0) alert.agreement = MakeId<AgreementId>("one");  // else of an old schema
    alert.sealed = Octets("content");
    COMITY_RETURN_IF_ERROR(t.alerts().Put(alert));
  }
  return {};
}

Status AddMessages(Transaction& t) {
  for (int i = 0; i < kRows; ++i) {
    OutboxRecord message;
    message.peer = MakeId<AgencyId>(i % 2 == 0 ? "southmere-police" : "eastvale-council");
    message.id = fmt::format("{:026}", i);
    COMITY_RETURN_IF_ERROR(t.outbox().Add(message));
    InboxRecord received{message.peer, message.id, "notice", MakeDigest(1), "receipt", {}};
    COMITY_RETURN_IF_ERROR(t.outbox().Receive(received));
  }
  return {};
}

auto Kept(RetentionClass one) {
  return [=](const Transaction& t) -> Result<Texts> {
    Texts references;
    COMITY_RETURN_IF_ERROR(t.retention().VisitKept(one, [&](std::string_view reference) -> Status {
      references.emplace_back(reference);
      return {};
    }));
    std::ranges::sort(references);
    return references;
  };
}

}  // namespace

TEST_P(UnitOfWorkConformance, VisitsEveryEntryOfALongListInTheOrderOfAdding) {
  ASSERT_THAT(Write(AddEntries), IsOk());
  Texts visited;
  const Status read = store().Read([&](const Transaction& t) {
    return t.watchlists().VisitEntries(Lantern(), [&](EntryRecord entry) -> Status {
      EXPECT_EQ(entry.sealed_template, Octets(entry.reference));
      visited.push_back(std::move(entry.reference));
      return {};
    });
  });
  EXPECT_THAT(read, IsOk());
  EXPECT_EQ(visited, AllNumbered());
}

TEST_P(UnitOfWorkConformance, StopsVisitingAtTheFirstError) {
  ASSERT_THAT(Write(AddEntries), IsOk());
  int visited = 0;
  const Status read = store().Read([&](const Transaction& t) {
    return t.watchlists().VisitEntries(Lantern(), [&](const EntryRecord&) -> Status {
      if (++visited == 700) return Fail(ErrorCode::kExhausted, "enough");
      return {};
    });
  });
  EXPECT_THAT(read, FailsWith(ErrorCode::kExhausted));
  EXPECT_EQ(visited, 700);
}

TEST_P(UnitOfWorkConformance, VisitsEveryReferenceOfAClass) {
  ASSERT_THAT(Write(AddEntries), IsOk());
  ASSERT_THAT(Write(AddHoldings), IsOk());
  ASSERT_THAT(Write(AddMessages), IsOk());
  const Texts entries = Get(Kept(RetentionClass::kEntry)).value();
  ASSERT_THAT(entries, SizeIs(2 * kRows));
  EXPECT_EQ(entries.front(), "ember/r-0000");
  EXPECT_EQ(entries.back(), "lantern/r-1099");
  const Texts holdings = Get(Kept(RetentionClass::kHolding)).value();
  ASSERT_THAT(holdings, SizeIs(2 * kRows));
  EXPECT_EQ(holdings.front(), "lantern/eastvale-council/one/r-0000");
  EXPECT_EQ(holdings.back(), "lantern/southmere-police/one/r-1099");
  const Texts receipts = Get(Kept(RetentionClass::kReceipt)).value();
  ASSERT_THAT(receipts, SizeIs(kRows));
  EXPECT_EQ(receipts.front(), fmt::format("received/eastvale-council/{:026}", 1));
  EXPECT_EQ(receipts.back(), fmt::format("received/southmere-police/{:026}", kRows - 2));
  for (const Texts& texts : {entries, holdings, receipts}) {
    EXPECT_EQ(std::ranges::adjacent_find(texts), texts.end());
  }
}

TEST_P(UnitOfWorkConformance, NamesEveryReferenceThatPartnersWereToldOfOnce) {
  ASSERT_THAT(Write(AddHoldings), IsOk());
  EXPECT_EQ(Get([](const Transaction& t) { return t.holdings().ToldOf(Lantern()); }).value(),
            AllNumbered());
}

TEST_P(UnitOfWorkConformance, GivesEveryAlertOfAnAgreementInTheOrderOfPutting) {
  ASSERT_THAT(Write(AddAlerts), IsOk());
  const auto alerts =
      Get([](const Transaction& t) { return t.alerts().OfAgreement(MakeId<AgreementId>("one")); });
  Texts ids;
  for (const AlertRecord& alert : *alerts) ids.push_back(alert.id);
  EXPECT_EQ(ids, AllNumbered());
}

TEST_P(UnitOfWorkConformance, GivesEveryMessageThatWaitsInOrder) {
  ASSERT_THAT(Write(AddMessages), IsOk());
  const auto waiting = Get([](const Transaction& t) { return t.outbox().AllWaiting(); });
  ASSERT_THAT(*waiting, SizeIs(kRows));
  EXPECT_TRUE(std::ranges::is_sorted(*waiting, std::ranges::less(), &OutboxRecord::number));
  EXPECT_THAT(*waiting, Each(::testing::Field(&OutboxRecord::content, Eq(""))));
}

}  // namespace comity::store
