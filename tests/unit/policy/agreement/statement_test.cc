// SPDX-License-Identifier: Apache-2.0
#include "policy/agreement/statement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <utility>

#include "crypto/base/encoding.h"
#include "tests/support/documented_vector.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/policy/agreement_fixture.h"

namespace comity::policy {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using namespace comity::policy::testing;

sign::DsseEnvelope Envelope(const Person& person, const Statement& statement) {
  return MakeStatement(Key(person.key), statement).value();
}

TEST(Statement, ReadsBackWhatItEncodes) {
  const Agreement agreement = BaseAgreement();
  Statement resumption = StatementBy(kPoliceSiro, StatementKind::kResumption, agreement);
  resumption.lifts = agreement.sha256;
  resumption.text = "Two lines\nwith \"quotes\" and \xc3\xa9";
  for (const Statement& statement :
       {StatementBy(kCouncilDpo, StatementKind::kAdvice, agreement), resumption,
        StatementBy(kCouncilGateway, StatementKind::kSuspension, agreement)}) {
    const auto parsed = ParseStatementPayload(EncodeStatementPayload(statement));
    ASSERT_THAT(parsed, IsOk());
    EXPECT_EQ(*parsed, statement);
  }
}

TEST(Statement, HasTheBytesOfTheFormatDocument) {
  const std::string document = ReadData("docs/formats/agreement.md");
  const Agreement agreement = BaseAgreement();
  const auto envelope = Countersign(
      Key(1),
      Envelope(kCouncilChief, StatementBy(kCouncilChief, StatementKind::kSignature, agreement)));
  ASSERT_EQ(envelope.signatures.size(), 2U);
  for (const std::string& bytes :
       {std::string(AsText(envelope.payload)), EncodeHex(StatementId(envelope.payload).view()),
        EncodeHex(envelope.signatures[0].signature.view()),
        EncodeHex(envelope.signatures[1].signature.view()), sign::KeyId(Key(3).public_key()),
        sign::KeyId(Key(1).public_key()), EncodeHex(agreement.sha256.view())}) {
    EXPECT_THAT(document, ::testing::HasSubstr(bytes));
  }
}

TEST(Statement, HasTheEnvelopeOfTheFederationDocument) {
  const auto envelope = Countersign(
      Key(1), Envelope(kCouncilChief,
                       StatementBy(kCouncilChief, StatementKind::kSignature, BaseAgreement())));
  const std::string text = sign::EncodeDsseJson(envelope);
  EXPECT_EQ(text, comity::testing::DocumentedVector("federation.md", "envelope") + "\n");
  EXPECT_EQ(text.size(), 707U);
}

TEST(Statement, SurvivesItsFileForm) {
  const Agreement agreement = BaseAgreement();
  const auto person =
      Envelope(kCouncilChief, StatementBy(kCouncilChief, StatementKind::kSignature, agreement));
  const auto from_file = sign::ParseDsseJson(sign::EncodeDsseJson(person), 16 * 1024);
  ASSERT_THAT(from_file, IsOk());
  const auto countersigned =
      sign::ParseDsseJson(sign::EncodeDsseJson(Countersign(Key(1), *from_file)), 16 * 1024);
  ASSERT_THAT(countersigned, IsOk());
  EXPECT_THAT(VerifyStatement(*countersigned, agreement, {}), IsOk());
}

// The bounds fit together: the longest statement fits an envelope of 16 KiB.
TEST(Statement, FitsAnEnvelopeOf16KiBAtItsLongest) {
  const Agreement agreement = BaseAgreement();
  Statement statement = StatementBy(kCouncilDpo, StatementKind::kAdvice, agreement);
  statement.text.assign(kMaxStatementText, '"');  // two octets each in JSON
  const auto envelope = MakeStatement(Key(2), statement);
  ASSERT_THAT(envelope, IsOk());
  EXPECT_LE(sign::EncodeDsseJson(Countersign(Key(1), *envelope)).size(), 16U * 1024);
}

TEST(Statement, RefusesMisplacedMissingAndOverlongFields) {
  const Agreement agreement = BaseAgreement();
  const Statement signature = StatementBy(kCouncilChief, StatementKind::kSignature, agreement);
  const Statement advice = StatementBy(kCouncilDpo, StatementKind::kAdvice, agreement);
  const auto refused = [](Statement statement, auto change) {
    change(statement);
    EXPECT_THAT(CheckStatement(statement), FailsWith(ErrorCode::kInvalidArgument));
    EXPECT_THAT(MakeStatement(Key(3), statement), FailsWith(ErrorCode::kInvalidArgument));
  };
  refused(signature, [](Statement& s) { s.position = AdvicePosition::kFor; });
  refused(signature, [](Statement& s) { s.lifts = Digest{}; });
  refused(signature, [](Statement& s) { s.post.clear(); });
  refused(signature, [](Statement& s) { s.party = {}; });
  refused(signature, [](Statement& s) { s.agreement.version = 0; });
  refused(signature, [](Statement& s) { s.text.assign(kMaxStatementText + 1, 'x'); });
  refused(signature, [](Statement& s) { s.text = "\xff"; });
  refused(signature, [](Statement& s) { s.text = "a\x01"; });
  refused(signature, [](Statement& s) { s.text = "\xe2\x80\xae"; });
  refused(signature, [](Statement& s) { s.kind = static_cast<StatementKind>(99); });
  refused(signature, [](Statement& s) { s.kind = StatementKind::kResumption; });
  refused(advice, [](Statement& s) { s.position.reset(); });
  refused(advice, [](Statement& s) { s.text.clear(); });
  refused(StatementBy(kCouncilDpo, StatementKind::kReview, agreement), [](Statement&) {});
}

TEST(Statement, IsMadeByThoseWhoMayMakeItsKind) {
  using enum Speaker;
  const std::map<StatementKind, std::set<Speaker>> may = {
      {StatementKind::kSignature, {kSignatory}},
      {StatementKind::kAdvice, {kDpo}},
      {StatementKind::kSuspension, {kDpo, kSignatory, kGateway}},
      {StatementKind::kResumption, {kSignatory}},
      {StatementKind::kTermination, {kSignatory}},
      {StatementKind::kRejection, {kSignatory}},
      {StatementKind::kReview, {kDpo, kSignatory}}};
  const Agreement agreement = BaseAgreement();
  for (const auto& [kind, speakers] : may) {
    for (const auto& [person, speaker] :
         {std::pair{kCouncilDpo, kDpo}, std::pair{kCouncilChief, kSignatory},
          std::pair{kCouncilGateway, kGateway}}) {
      Statement statement = StatementBy(person, kind, agreement);
      if (kind == StatementKind::kResumption) statement.lifts = Digest{};
      if (kind == StatementKind::kReview) statement.text = "Reviewed.";
      const auto verified =
          VerifyStatement(Countersign(Key(1), Envelope(person, statement)), agreement, {});
      EXPECT_EQ(verified.has_value(), speakers.contains(speaker))
          << Name(kind) << " by " << person.post;
      EXPECT_EQ(MayState(speaker, kind), speakers.contains(speaker));
    }
  }
}

// Key 1 until the first of June, key 9 from the first of May: a month of overlap.
KeyHistories Rotated() {
  return {{AgencyId::Parse("eastvale-council").value(),
           KeyHistory({{sign::EncodePublicKey(Key(1).public_key()), {}, At("2026-06-01T00:00:00Z")},
                       {sign::EncodePublicKey(Key(9).public_key()), At("2026-05-01T00:00:00Z"),
                        std::nullopt}})}};
}

TEST(Statement, CountsByTheAgencyKeysOfItsTime) {
  const Agreement agreement = BaseAgreement();
  const KeyHistories histories = Rotated();
  const auto counts = [&](std::uint8_t agency_key, const std::string& received_at) {
    const auto envelope = Countersign(
        Key(agency_key),
        Envelope(kCouncilDpo, StatementBy(kCouncilDpo, StatementKind::kAdvice, agreement)));
    Vouching vouching;
    vouching.histories = &histories;
    if (!received_at.empty()) vouching.received_at = At(received_at);
    return VerifyStatement(envelope, agreement, vouching).has_value();
  };
  EXPECT_TRUE(counts(1, "2026-01-15T00:00:00Z"));
  EXPECT_FALSE(counts(9, "2026-01-15T00:00:00Z"));
  EXPECT_TRUE(counts(1, "2026-05-15T00:00:00Z"));
  EXPECT_TRUE(counts(9, "2026-05-15T00:00:00Z"));
  EXPECT_FALSE(counts(1, "2026-06-01T00:00:00Z"));
  EXPECT_TRUE(counts(9, "2026-06-01T00:00:00Z"));
  EXPECT_TRUE(counts(1, ""));
  EXPECT_TRUE(counts(9, ""));
  EXPECT_FALSE(counts(5, ""));
}

TEST(Statement, SuspendsByTheAgencyKeyOfItsTime) {
  const Agreement agreement = BaseAgreement();
  const KeyHistories histories = Rotated();
  const Person gateway{"eastvale-council", "gateway", 9, 9};
  const auto envelope =
      Envelope(gateway, StatementBy(gateway, StatementKind::kSuspension, agreement));
  Vouching vouching;
  vouching.histories = &histories;
  vouching.received_at = At("2026-07-01T00:00:00Z");
  EXPECT_THAT(VerifyStatement(envelope, agreement, vouching), IsOk());
  vouching.received_at = At("2026-04-01T00:00:00Z");
  EXPECT_THAT(VerifyStatement(envelope, agreement, vouching), FailsWith(ErrorCode::kCorrupt));
  const KeyHistories nobody;
  vouching.histories = &nobody;
  EXPECT_THAT(VerifyStatement(envelope, agreement, vouching), FailsWith(ErrorCode::kCorrupt));
}

TEST(Statement, RefusesPayloadsThatAreNotExactlyTheForm) {
  const Agreement agreement = BaseAgreement();
  const std::string good =
      EncodeStatementPayload(StatementBy(kCouncilChief, StatementKind::kSignature, agreement));
  ASSERT_THAT(ParseStatementPayload(good), IsOk());
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {R"("text":"")", R"("text":"","zzz":1)"},
           {R"("version":1)", R"("version":0)"},
           {R"("version":1)", R"("version":4294967296)"},
           {R"("version":1)", R"("version":-1)"},
           {R"("version":1)", R"("version":"1")"},
           {R"("kind":"signature")", R"("kind":"Signature")"},
           {R"("schema":"comity/statement/1")", R"("schema":"comity/statement/2")"},
           {R"("at":"2026-01-15T12:00:00Z")", R"("at":"2026-01-15T12:00:00+00:00")"},
           {R"("at":"2026-01-15T12:00:00Z")", R"("at":"2026-01-15T12:00:00.000Z")"},
           {R"("party":"eastvale-council")", R"("party":"Eastvale")"},
           {R"("party":"eastvale-council")", R"("party": "eastvale-council")"},
           {R"(,"post":"Chief Executive")", ""}}) {
    EXPECT_THAT(ParseStatementPayload(Replaced(good, from, to)),
                FailsWith(ErrorCode::kInvalidArgument))
        << to;
  }
  for (const char* text : {"", "[]", "{}", "null", "{\"schema\":\"comity/statement/1\"}"}) {
    EXPECT_THAT(ParseStatementPayload(text), FailsWith(ErrorCode::kInvalidArgument)) << text;
  }
}

// Who may say what, exhaustively: each kind by each post.
TEST(Statement, IsAcceptedOnlyFromPostsEntitledToItsKind) {
  const Agreement agreement = BaseAgreement();
  const auto entitled = [](const Person& person, StatementKind kind) {
    const bool dpo = person.key == 2 || person.key == 6;
    const bool gateway = person.key == 1;
    if (kind == StatementKind::kSuspension) return true;
    if (kind == StatementKind::kAdvice) return dpo;
    return !dpo && !gateway;
  };
  for (const StatementKind kind :
       {StatementKind::kSignature, StatementKind::kAdvice, StatementKind::kSuspension,
        StatementKind::kResumption, StatementKind::kTermination}) {
    for (const Person& person :
         {kCouncilDpo, kCouncilChief, kPoliceDpo, kPoliceSiro, kCouncilGateway}) {
      Statement statement = StatementBy(person, kind, agreement);
      if (kind == StatementKind::kResumption) statement.lifts = Digest{};
      const auto verified = VerifyStatement(
          Countersign(Key(person.agency_key), Envelope(person, statement)), agreement, {});
      if (entitled(person, kind)) {
        ASSERT_THAT(verified, IsOk());
        EXPECT_EQ(verified->key, Key(person.key).public_key());
        EXPECT_EQ(verified->statement, statement);
      } else {
        EXPECT_THAT(verified, FailsWith(ErrorCode::kPermissionDenied)) << person.post;
      }
    }
  }
}

TEST(Statement, NeedsTheKeyThatTheDocumentNamesForThePost) {
  const Agreement agreement = BaseAgreement();
  const Statement statement = StatementBy(kCouncilChief, StatementKind::kSignature, agreement);
  for (const std::uint8_t wrong : std::vector<std::uint8_t>{1, 2, 4, 7, 99}) {
    const auto envelope = Countersign(Key(1), MakeStatement(Key(wrong), statement).value());
    EXPECT_THAT(VerifyStatement(envelope, agreement, {}), FailsWith(ErrorCode::kCorrupt));
  }
}

TEST(Statement, NeedsTheCountersignatureOfItsOwnAgencyWhenAsked) {
  const Agreement agreement = BaseAgreement();
  const auto alone =
      Envelope(kCouncilChief, StatementBy(kCouncilChief, StatementKind::kSignature, agreement));
  EXPECT_THAT(VerifyStatement(alone, agreement, {}), FailsWith(ErrorCode::kCorrupt));
  const auto verified = VerifyStatement(alone, agreement, {.countersignature_required = false});
  ASSERT_THAT(verified, IsOk());
  EXPECT_FALSE(verified->countersigned);
  EXPECT_THAT(VerifyStatement(Countersign(Key(5), alone), agreement, {}),
              FailsWith(ErrorCode::kCorrupt));
  EXPECT_TRUE(VerifyStatement(Countersign(Key(1), alone), agreement, {}).value().countersigned);
}

TEST(Statement, IsRefusedWhenAnyOctetOfPayloadOrSignatureChanges) {
  const Agreement agreement = BaseAgreement();
  const auto good = Countersign(
      Key(1),
      Envelope(kCouncilChief, StatementBy(kCouncilChief, StatementKind::kSignature, agreement)));
  for (std::size_t i = 0; i < good.payload.size(); ++i) {
    auto bad = good;
    bad.payload[i] ^= 1;
    EXPECT_FALSE(VerifyStatement(bad, agreement, {}).has_value()) << i;
  }
  for (std::size_t i = 0; i < 2 * sign::Signature::kSize; ++i) {
    auto bad = good;
    bad.signatures[i / sign::Signature::kSize].signature.bytes[i % sign::Signature::kSize] ^= 1;
    EXPECT_FALSE(VerifyStatement(bad, agreement, {}).has_value()) << i;
  }
}

TEST(Statement, IsBoundToOneVersionAndDocumentAndType) {
  const Agreement agreement = BaseAgreement();
  const auto envelope = Countersign(
      Key(1),
      Envelope(kCouncilChief, StatementBy(kCouncilChief, StatementKind::kSignature, agreement)));
  Agreement other = agreement;
  other.version = 2;
  EXPECT_THAT(VerifyStatement(envelope, other, {}), FailsWith(ErrorCode::kConflict));
  other = agreement;
  other.sha256.bytes[0] ^= 1;
  EXPECT_THAT(VerifyStatement(envelope, other, {}), FailsWith(ErrorCode::kConflict));
  auto wrong_type = envelope;
  wrong_type.payload_type = "application/json";
  EXPECT_THAT(VerifyStatement(wrong_type, agreement, {}), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(Statement, IsRefusedFromUnknownPartiesAndPosts) {
  const Agreement agreement = BaseAgreement();
  Statement statement = StatementBy(kCouncilChief, StatementKind::kSignature, agreement);
  statement.post = "Head of IT";
  EXPECT_THAT(VerifyStatement(Envelope(kCouncilChief, statement), agreement,
                              {.countersignature_required = false}),
              FailsWith(ErrorCode::kPermissionDenied));
  statement = StatementBy(kCouncilChief, StatementKind::kSignature, agreement);
  statement.party = AgencyId::Parse("westmarch-police").value();
  EXPECT_THAT(VerifyStatement(Envelope(kCouncilChief, statement), agreement,
                              {.countersignature_required = false}),
              FailsWith(ErrorCode::kPermissionDenied));
}

TEST(Statement, GatewaySuspendsWithOneSignature) {
  const Agreement agreement = BaseAgreement();
  const auto envelope = Envelope(
      kCouncilGateway, StatementBy(kCouncilGateway, StatementKind::kSuspension, agreement));
  ASSERT_EQ(envelope.signatures.size(), 1U);
  const auto verified = VerifyStatement(envelope, agreement, {});
  ASSERT_THAT(verified, IsOk());
  EXPECT_EQ(verified->id, StatementId(envelope.payload));
}

}  // namespace
}  // namespace comity::policy
