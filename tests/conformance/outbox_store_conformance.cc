// SPDX-License-Identifier: Apache-2.0
#include "services/store/outbox_store.h"

#include <gmock/gmock.h>

#include "tests/conformance/store_conformance.h"

namespace comity::store {
namespace {

using policy::AgencyId;
using testing::FailsWith;
using testing::IsOk;
using ::testing::SizeIs;

const AgencyId kEast = MakeId<AgencyId>("eastvale-council");
const AgencyId kSouth = MakeId<AgencyId>("southmere-police");

// Ids have 26 characters.
std::string IdOf(char letter) {
  return std::string(26, letter);
}

OutboxRecord Message(char id, const AgencyId& peer = kEast, std::string kind = "entry-change") {
  OutboxRecord message;
  message.number = 99;  // ignored
  message.peer = peer;
  message.id = IdOf(id);
  message.kind = std::move(kind);
  message.content = std::string("{\"text\":\"a\0b\"}", 14);
  message.created_at = At(id);
  message.due_by = At(id + 1000);
  return message;
}

InboxRecord Incoming(char id, const AgencyId& sender = kEast) {
  return {sender, IdOf(id), "peer-notice", MakeDigest(7), "the receipt", At(5)};
}

auto Put(const OutboxRecord& message, std::uint64_t* number = nullptr) {
  return [=](Transaction& t) -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t stored, t.outbox().Add(message));
    if (number != nullptr) *number = stored;
    return {};
  };
}
auto Acknowledge(std::uint64_t number) {
  return [=](Transaction& t) { return t.outbox().Acknowledge(number, "receipt", At(500)); };
}
auto Stored(std::uint64_t number) {
  return [=](const Transaction& t) { return t.outbox().Get(number); };
}
// The first letters of the ids of what waits.
auto Waiting(const AgencyId& peer, std::uint32_t limit = 100, std::uint64_t after = 0,
             std::vector<std::string> without = {}) {
  return [=](const Transaction& t) -> Result<std::string> {
    COMITY_ASSIGN_OR_RETURN(const auto messages, t.outbox().Waiting(peer, limit, after, without));
    std::string letters;
    for (const OutboxRecord& message : messages) letters += message.id.front();
    return letters;
  };
}
auto Since(const AgencyId& peer, std::string kind) {
  return [=](const Transaction& t) { return t.outbox().WaitingSince(peer, kind); };
}
auto Receive(const InboxRecord& message) {
  return [=](Transaction& t) { return t.outbox().Receive(message); };
}
auto Received(const AgencyId& sender, char id) {
  return [=](const Transaction& t) { return t.outbox().Received(sender, IdOf(id)); };
}

TEST_P(OutboxStoreConformance, GivesBackEveryField) {
  std::uint64_t number = 0;
  ASSERT_THAT(Write(Put(Message('a'), &number)), IsOk());
  Reopen();
  const auto got = Get(Stored(number)).value();
  const OutboxRecord put = Message('a');
  EXPECT_EQ(got.number, number);
  EXPECT_EQ(got.peer, put.peer);
  EXPECT_EQ(got.id, put.id);
  EXPECT_EQ(got.kind, put.kind);
  EXPECT_EQ(got.content, put.content);
  EXPECT_EQ(got.created_at, put.created_at);
  EXPECT_EQ(got.due_by, put.due_by);
  EXPECT_EQ(got.refused, "");
  EXPECT_EQ(got.told, 0U);
  EXPECT_FALSE(got.acknowledged_at);
  EXPECT_EQ(got.receipt, "");
}

TEST_P(OutboxStoreConformance, GivesWhatWaitsForOnePeerInTheOrderOfStoring) {
  std::uint64_t first = 0;
  ASSERT_THAT(Write(Put(Message('z'), &first)), IsOk());
  ASSERT_THAT(Write(Put(Message('s', kSouth))), IsOk());
  ASSERT_THAT(Write(Put(Message('b'))), IsOk());
  ASSERT_THAT(Write(Put(Message('a'))), IsOk());
  EXPECT_EQ(Get(Waiting(kEast)), "zba");
  EXPECT_EQ(Get(Waiting(kSouth)), "s");
  EXPECT_EQ(Get(Waiting(kEast, 2)), "zb");
  EXPECT_EQ(Get(Waiting(kEast, 2, first)), "ba");
}

TEST_P(OutboxStoreConformance, GivesWhatWaitsWithoutSomeKinds) {
  ASSERT_THAT(Write(Put(Message('a', kEast, "peer-notice"))), IsOk());
  ASSERT_THAT(Write(Put(Message('b'))), IsOk());
  ASSERT_THAT(Write(Put(Message('c', kEast, "key-change"))), IsOk());
  ASSERT_THAT(Write(Put(Message('d'))), IsOk());
  EXPECT_EQ(Get(Waiting(kEast, 100, 0, {"peer-notice"})), "bcd");
  EXPECT_EQ(Get(Waiting(kEast, 100, 0, {"peer-notice", "key-change"})), "bd");
  EXPECT_EQ(Get(Waiting(kEast, 1, 0, {"peer-notice", "key-change"})), "b");
  EXPECT_EQ(Get(Waiting(kEast, 100, 0, {"unheard-of"})), "abcd");
  const std::vector<std::string> most(OutboxStore::kMostKinds, "entry-change");
  EXPECT_EQ(Get(Waiting(kEast, 100, 0, most)), "ac");
  EXPECT_THAT(Get(Waiting(kEast, 100, 0, std::vector<std::string>(9, "entry-change"))),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_P(OutboxStoreConformance, NeverGivesANumberTwice) {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  ASSERT_THAT(Write(Put(Message('a'), &first)), IsOk());
  ASSERT_THAT(Write([](Transaction& t) -> Status {
                COMITY_RETURN_IF_ERROR(t.outbox().Discard(kEast));
                return {};
              }),
              IsOk());
  Reopen();
  ASSERT_THAT(Write(Put(Message('b'), &second)), IsOk());
  EXPECT_GT(second, first);
}

TEST_P(OutboxStoreConformance, RefusesAnIdThatIsTaken) {
  ASSERT_THAT(Write(Put(Message('a'))), IsOk());
  EXPECT_THAT(Write(Put(Message('a', kSouth))), FailsWith(ErrorCode::kConflict));
}

TEST_P(OutboxStoreConformance, KeepsTheReceiptAndWaitsNoMore) {
  std::uint64_t number = 0;
  ASSERT_THAT(Write(Put(Message('a'), &number)), IsOk());
  ASSERT_THAT(Write(Acknowledge(number)), IsOk());
  Reopen();
  EXPECT_EQ(Get(Waiting(kEast)), "");
  const auto got = Get(Stored(number)).value();
  EXPECT_EQ(got.acknowledged_at, At(500));
  EXPECT_EQ(got.receipt, "receipt");
  EXPECT_THAT(Write(Acknowledge(number)), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Write(Acknowledge(number + 1)), FailsWith(ErrorCode::kNotFound));
}

TEST_P(OutboxStoreConformance, KnowsSinceWhenAKindWaits) {
  std::uint64_t oldest = 0;
  ASSERT_THAT(Write(Put(Message('a', kEast, "peer-notice"))), IsOk());
  ASSERT_THAT(Write(Put(Message('m'), &oldest)), IsOk());
  ASSERT_THAT(Write(Put(Message('n'))), IsOk());
  EXPECT_EQ(Get(Since(kEast, "entry-change")).value(), At('m'));
  EXPECT_EQ(Get(Since(kSouth, "entry-change")).value(), std::nullopt);
  ASSERT_THAT(Write(Acknowledge(oldest)), IsOk());
  EXPECT_EQ(Get(Since(kEast, "entry-change")).value(), At('n'));
}

TEST_P(OutboxStoreConformance, RemembersRefusalsAndWhoWasToldUntilItIsAcknowledged) {
  std::uint64_t number = 0;
  ASSERT_THAT(Write(Put(Message('a'), &number)), IsOk());
  const auto refuse = [&](Transaction& t) { return t.outbox().NoteRefused(number, "no-kind"); };
  const auto tell = [&](Transaction& t) { return t.outbox().NoteTold(number, 2); };
  ASSERT_THAT(Write(refuse), IsOk());
  ASSERT_THAT(Write(tell), IsOk());
  const auto all = Get([](const Transaction& t) { return t.outbox().AllWaiting(); }).value();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].refused, "no-kind");
  EXPECT_EQ(all[0].told, 2U);
  EXPECT_EQ(all[0].content, "");  // not read: it may be large
  ASSERT_THAT(Write(Acknowledge(number)), IsOk());
  EXPECT_EQ(Get(Stored(number)).value().refused, "");
  EXPECT_THAT(Write(refuse), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(Write(tell), FailsWith(ErrorCode::kNotFound));
}

TEST_P(OutboxStoreConformance, ListsOneKindNewestFirst) {
  ASSERT_THAT(Write(Put(Message('a', kEast, "deletion-order"))), IsOk());
  ASSERT_THAT(Write(Put(Message('b'))), IsOk());
  ASSERT_THAT(Write(Put(Message('c', kSouth, "deletion-order"))), IsOk());
  const auto orders =
      Get([](const Transaction& t) { return t.outbox().OfKind("deletion-order", 9); }).value();
  ASSERT_THAT(orders, SizeIs(2));
  EXPECT_EQ(orders[0].id, IdOf('c'));
  EXPECT_EQ(orders[1].id, IdOf('a'));
}

TEST_P(OutboxStoreConformance, DropsWhatWaitsForOnePeerAndKeepsReceipts) {
  std::uint64_t done = 0;
  std::uint64_t dropped = 0;
  ASSERT_THAT(Write(Put(Message('a'), &done)), IsOk());
  ASSERT_THAT(Write(Acknowledge(done)), IsOk());
  ASSERT_THAT(Write(Put(Message('b'))), IsOk());
  ASSERT_THAT(Write(Put(Message('s', kSouth))), IsOk());
  ASSERT_THAT(Write([&](Transaction& t) -> Status {
                COMITY_ASSIGN_OR_RETURN(dropped, t.outbox().Discard(kEast));
                return {};
              }),
              IsOk());
  EXPECT_EQ(dropped, 1U);
  EXPECT_EQ(Get(Waiting(kEast)), "");
  EXPECT_EQ(Get(Waiting(kSouth)), "s");
  EXPECT_EQ(Get(Stored(done)).value().receipt, "receipt");
}

TEST_P(OutboxStoreConformance, ErasesContentsOfWhatWasAcknowledgedBefore) {
  std::uint64_t done = 0;
  std::uint64_t waiting = 0;
  std::uint64_t erased = 0;
  ASSERT_THAT(Write(Put(Message('a'), &done)), IsOk());
  ASSERT_THAT(Write(Acknowledge(done)), IsOk());
  ASSERT_THAT(Write(Put(Message('b'), &waiting)), IsOk());
  const auto erase = [&](std::int64_t before) {
    return [&erased, before](Transaction& t) -> Status {
      COMITY_ASSIGN_OR_RETURN(erased, t.outbox().EraseContents(At(before)));
      return {};
    };
  };
  ASSERT_THAT(Write(erase(500)), IsOk());
  EXPECT_EQ(erased, 0U);
  ASSERT_THAT(Write(erase(501)), IsOk());
  EXPECT_EQ(erased, 1U);
  EXPECT_EQ(Get(Stored(done)).value().content, "");
  EXPECT_EQ(Get(Stored(done)).value().receipt, "receipt");
  EXPECT_NE(Get(Stored(waiting)).value().content, "");
}

TEST_P(OutboxStoreConformance, TakesEachMessageOfASenderOnce) {
  const InboxRecord message = Incoming('a');
  EXPECT_FALSE(Get(Received(kEast, 'a')).value());
  ASSERT_THAT(Write(Receive(message)), IsOk());
  EXPECT_THAT(Write(Receive(message)), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Write(Receive(Incoming('a', kSouth))), IsOk());  // another sender, another message
  Reopen();
  const auto got = Get(Received(kEast, 'a')).value();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->sender, message.sender);
  EXPECT_EQ(got->id, message.id);
  EXPECT_EQ(got->kind, message.kind);
  EXPECT_EQ(got->content, message.content);
  EXPECT_EQ(got->receipt, message.receipt);
  EXPECT_EQ(got->received_at, message.received_at);
}

TEST_P(OutboxStoreConformance, KeepsWhatEachSenderUsedOfEachKind) {
  const auto use = [](const AgencyId& sender, std::string kind) {
    return [=](const Transaction& t) { return t.outbox().Use(sender, kind); };
  };
  const auto put = [](const AgencyId& sender, const InboxUse& value) {
    return [=](Transaction& t) { return t.outbox().PutUse(sender, "entry-change", value); };
  };
  EXPECT_FALSE(Get(use(kEast, "entry-change")).value());
  ASSERT_THAT(Write(put(kEast, {At(5), 1, 20})), IsOk());
  ASSERT_THAT(Write(put(kEast, {At(6), 2, 30})), IsOk());
  ASSERT_THAT(Write(put(kSouth, {At(7), 9, 90})), IsOk());
  Reopen();
  const auto kept = Get(use(kEast, "entry-change")).value();
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->since, At(6));
  EXPECT_EQ(kept->messages, 2U);
  EXPECT_EQ(kept->weight, 30U);
  EXPECT_FALSE(Get(use(kEast, "peer-notice")).value());
}

}  // namespace
}  // namespace comity::store
