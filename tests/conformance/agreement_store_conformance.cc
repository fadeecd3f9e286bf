// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/store_conformance.h"

namespace comity::store {
namespace {

using policy::AgreementId;
using testing::FailsWith;
using testing::IsOk;

AgreementDocumentRecord Document(std::uint32_t version, std::string yaml = "schema: 1\n") {
  return {MakeId<AgreementId>("northshire-eastvale"), version, MakeDigest(1), std::move(yaml),
          At(100)};
}

StatementRecord Statement(std::uint8_t id) {
  return {MakeDigest(id), MakeId<AgreementId>("northshire-eastvale"), R"({"payload":""})", At(200)};
}

auto Documents(const Transaction& transaction) {
  return transaction.agreements().Documents();
}
auto Statements(const Transaction& transaction) {
  return transaction.agreements().Statements();
}

TEST_P(AgreementStoreConformance, StartsEmpty) {
  EXPECT_TRUE(Get(Documents)->empty());
  EXPECT_TRUE(Get(Statements)->empty());
}

TEST_P(AgreementStoreConformance, KeepsEveryOctetOfADocument) {
  const std::string yaml("a: \xC3\xA9\r\n\0z", 9);
  ASSERT_THAT(Write([&](auto& t) { return t.agreements().AddDocument(Document(3, yaml)); }),
              IsOk());
  Reopen();
  const auto documents = Get(Documents).value();
  ASSERT_EQ(documents.size(), 1U);
  EXPECT_EQ(documents[0].id.text(), "northshire-eastvale");
  EXPECT_EQ(documents[0].version, 3U);
  EXPECT_EQ(documents[0].sha256, MakeDigest(1));
  EXPECT_EQ(documents[0].yaml, yaml);
  EXPECT_EQ(documents[0].received_at, At(100));
}

TEST_P(AgreementStoreConformance, TakesTheSameDocumentTwiceWithoutChange) {
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(Write([](auto& t) { return t.agreements().AddDocument(Document(1)); }), IsOk());
  }
  EXPECT_EQ(Get(Documents)->size(), 1U);
}

TEST_P(AgreementStoreConformance, RefusesAnotherDocumentOfTheSameVersion) {
  ASSERT_THAT(Write([](auto& t) { return t.agreements().AddDocument(Document(1)); }), IsOk());
  AgreementDocumentRecord other = Document(1);
  other.sha256 = MakeDigest(2);
  EXPECT_THAT(Write([&](auto& t) { return t.agreements().AddDocument(other); }),
              FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Write([](auto& t) { return t.agreements().AddDocument(Document(2)); }), IsOk());
}

TEST_P(AgreementStoreConformance, GivesStatementsInTheOrderTheyCame) {
  for (const auto id : std::vector<std::uint8_t>{9, 4, 7}) {
    ASSERT_THAT(Write([&](auto& t) { return t.agreements().AddStatement(Statement(id)); }), IsOk());
  }
  const auto statements = Get(Statements).value();
  ASSERT_EQ(statements.size(), 3U);
  EXPECT_EQ(statements[0].id, MakeDigest(9));
  EXPECT_EQ(statements[1].id, MakeDigest(4));
  EXPECT_EQ(statements[2].id, MakeDigest(7));
  EXPECT_EQ(statements[2].agreement.text(), "northshire-eastvale");
  EXPECT_EQ(statements[2].envelope, R"({"payload":""})");
  EXPECT_EQ(statements[2].received_at, At(200));
}

TEST_P(AgreementStoreConformance, RefusesAStatementTwice) {
  ASSERT_THAT(Write([](auto& t) { return t.agreements().AddStatement(Statement(1)); }), IsOk());
  EXPECT_THAT(Write([](auto& t) { return t.agreements().AddStatement(Statement(1)); }),
              FailsWith(ErrorCode::kConflict));
}

}  // namespace
}  // namespace comity::store
