// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/store_conformance.h"

namespace comity::store {
namespace {

using ::testing::Eq;
using testing::FailsWith;
using testing::IsOk;
using testing::IsOkAnd;

// Appends entries with the texts "<from>" .. "<from + count - 1>" and expects those indexes.
auto Append(std::uint64_t from, std::uint64_t count, std::string exchange = {}) {
  return [=](Transaction& t) -> Status {
    for (std::uint64_t i = from; i < from + count; ++i) {
      const std::string text = std::to_string(i);
      COMITY_ASSIGN_OR_RETURN(
          const std::uint64_t index,
          t.audit().Append(AsBytes(text), exchange, {Octets("k" + text), Octets("p" + text)}));
      EXPECT_EQ(index, i);
    }
    return {};
  };
}
auto Size(const Transaction& t) {
  return t.audit().Size();
}
auto Read(std::uint64_t from, std::uint64_t count) {
  return [=](const Transaction& t) { return t.audit().Read(from, count); };
}
auto Payload(std::uint64_t index) {
  return [=](const Transaction& t) { return t.audit().Payload(index); };
}
auto OfExchange(std::string exchange, std::uint32_t limit) {
  return [=](const Transaction& t) { return t.audit().OfExchange(exchange, limit); };
}

TEST_P(AuditStoreConformance, IsEmptyAtFirst) {
  EXPECT_THAT(Get(Size), IsOkAnd(Eq(0U)));
  EXPECT_TRUE(Get(Read(0, 10))->empty());
}

TEST_P(AuditStoreConformance, NumbersEntriesFromZeroWithoutGaps) {
  ASSERT_THAT(Write(Append(0, 3)), IsOk());
  ASSERT_THAT(Write(Append(3, 2)), IsOk());
  Reopen();
  ASSERT_THAT(Write(Append(5, 1)), IsOk());
  EXPECT_THAT(Get(Size), IsOkAnd(Eq(6U)));
  const auto entries = Get(Read(0, 100)).value();
  ASSERT_EQ(entries.size(), 6U);
  for (std::uint64_t i = 0; i < 6; ++i) {
    EXPECT_EQ(entries[i].index, i);
    EXPECT_EQ(entries[i].entry, Octets(std::to_string(i)));
  }
}

TEST_P(AuditStoreConformance, SeesItsOwnEntriesInsideTheUnitOfWork) {
  EXPECT_THAT(Write([](Transaction& t) -> Status {
                COMITY_RETURN_IF_ERROR(Append(0, 2)(t));
                EXPECT_THAT(t.audit().Size(), IsOkAnd(Eq(2U)));
                return Append(2, 1)(t);
              }),
              IsOk());
}

TEST_P(AuditStoreConformance, ReadsTheRangeThatIsThere) {
  ASSERT_THAT(Write(Append(0, 5)), IsOk());
  EXPECT_EQ(Get(Read(1, 2))->size(), 2U);
  EXPECT_EQ(Get(Read(1, 2))->at(0).index, 1U);
  EXPECT_EQ(Get(Read(3, 100))->size(), 2U);
  EXPECT_EQ(Get(Read(3, ~std::uint64_t{0}))->size(), 2U);
  EXPECT_TRUE(Get(Read(5, 1))->empty());
  EXPECT_TRUE(Get(Read(~std::uint64_t{0}, 1))->empty());
  EXPECT_TRUE(Get(Read(0, 0))->empty());
}

TEST_P(AuditStoreConformance, ReadsShortPayloadsOfARange) {
  ASSERT_THAT(
      Write([](Transaction& t) -> Status {
        for (const std::size_t size : {3U, 5U, 4U, 0U, 2U}) {
          COMITY_RETURN_IF_ERROR(t.audit().Append(AsBytes("e"), "", {Octets("k"), Bytes(size, 7)}));
        }
        return {};
      }),
      IsOk());
  const auto read = [&](std::uint64_t from, std::uint64_t count) {
    std::vector<std::uint64_t> indexes;
    const auto payloads =
        Get([&](const Transaction& t) { return t.audit().ShortPayloads(from, count, 4); }).value();
    for (const auto& [index, payload] : payloads) {
      EXPECT_EQ(payload.wrapped_key, Octets("k"));
      indexes.push_back(index);
    }
    return indexes;
  };
  using Indexes = std::vector<std::uint64_t>;
  EXPECT_EQ(read(0, 100), (Indexes{0, 2, 3, 4}));
  EXPECT_EQ(read(1, 2), (Indexes{2}));
  EXPECT_EQ(read(4, ~std::uint64_t{0}), (Indexes{4}));
  EXPECT_EQ(read(5, 1), Indexes());
  EXPECT_EQ(
      Get([](const Transaction& t) { return t.audit().ShortPayloads(2, 1, 4); })->at(2).sealed,
      Bytes(4, 7));
}

TEST_P(AuditStoreConformance, KeepsAnEntryOfTheLargestSize) {
  const Bytes largest(8192, 0x7A);
  ASSERT_THAT(Write([&](Transaction& t) -> Status {
                COMITY_RETURN_IF_ERROR(t.audit().Append(largest, "", {}));
                return {};
              }),
              IsOk());
  EXPECT_EQ(Get(Read(0, 1))->at(0).entry, largest);
}

TEST_P(AuditStoreConformance, RefusesEntriesOfImpossibleSize) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{8193}}) {
    EXPECT_THAT(Write([&](Transaction& t) -> Status {
                  COMITY_RETURN_IF_ERROR(t.audit().Append(Bytes(size, 0x7A), "", {}));
                  return {};
                }),
                FailsWith(ErrorCode::kInternal));
  }
  EXPECT_THAT(Get(Size), IsOkAnd(Eq(0U)));
}

TEST_P(AuditStoreConformance, GivesThePayloadOfAnEntry) {
  ASSERT_THAT(Write(Append(0, 2)), IsOk());
  const AuditPayloadRecord payload = Get(Payload(1)).value();
  EXPECT_EQ(payload.wrapped_key, Octets("k1"));
  EXPECT_EQ(payload.sealed, Octets("p1"));
}

TEST_P(AuditStoreConformance, HasNoPayloadBeyondTheEnd) {
  ASSERT_THAT(Write(Append(0, 1)), IsOk());
  EXPECT_THAT(Get(Payload(1)), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(Get(Payload(~std::uint64_t{0})), FailsWith(ErrorCode::kNotFound));
}

TEST_P(AuditStoreConformance, FindsTheEntriesOfAnExchangeOldestFirst) {
  ASSERT_THAT(Write(Append(0, 1, "x-1")), IsOk());
  ASSERT_THAT(Write(Append(1, 2, "x-2")), IsOk());
  ASSERT_THAT(Write(Append(3, 2, "x-1")), IsOk());
  const auto entries = Get(OfExchange("x-1", 2)).value();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].index, 0U);
  EXPECT_EQ(entries[1].index, 3U);
  EXPECT_EQ(entries[1].entry, Octets("3"));
  EXPECT_EQ(Get(OfExchange("x-1", 10))->size(), 3U);
  EXPECT_TRUE(Get(OfExchange("x-3", 10))->empty());
}

TEST_P(AuditStoreConformance, FindsNothingForTheEmptyExchange) {
  ASSERT_THAT(Write(Append(0, 2)), IsOk());
  EXPECT_TRUE(Get(OfExchange("", 10))->empty());
}

}  // namespace
}  // namespace comity::store
