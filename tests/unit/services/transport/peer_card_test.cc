// SPDX-License-Identifier: Apache-2.0
#include "services/transport/peer_card.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "crypto/base/encoding.h"
#include "services/runtime/file.h"
#include "services/transport/certificate.h"
#include "services/transport/fingerprint.h"
#include "services/transport/own_anchor.h"
#include "services/transport/pki_folder.h"
#include "services/transport/pki_rotate.h"
#include "services/transport/trust_store.h"
#include "tests/support/result_matchers.h"
#include "tests/support/test_agency.h"

namespace comity::transport {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::ReadText;
using testing::TestAgency;

constexpr runtime::Instant kNow{std::chrono::seconds(1'790'000'000)};

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

sign::SigningKey KeyIn(const std::filesystem::path& file) {
  const auto text = runtime::ReadSecretFile(file, 4096);
  return sign::SigningKey::ParseKeyFile(AsText(text->Expose())).value();
}

class PeerCardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    card_ = Unsigned();
    const auto made = SignPeerCard(card_, key_);
    ASSERT_THAT(made, IsOk());
    card_ = *made;
    text_ = EncodePeerCard(card_);
  }
  PeerCard Unsigned() const {
    PeerCard card;
    card.agency = "eastvale-council";
    card.name = "Eastvale \"Council\"";
    card.spiffe_id = "spiffe://eastvale-council.example/gateway";
    card.address = "gateway.eastvale.example:7443";
    card.log_key = sign::EncodePublicKey(KeyIn(folder_.log_key()).public_key());
    card.protocol_min = 1;
    card.protocol_max = 2;
    card.capabilities = {"direct", "sealed"};
    card.anchor_pem = ReadText(agency_.anchor());
    const auto chain = ParseCertificateChain(card.anchor_pem);
    card.anchor_fingerprint = EncodeHex(Fingerprint(*chain->leaf).view());
    return card;
  }

  SystemRandom random_;
  TestAgency agency_{"eastvale-council", kNow};
  PkiFolder folder_{agency_.root()};
  sign::SigningKey key_ = KeyIn(folder_.signing_key());
  PeerCard card_;
  std::string text_;
};

TEST_F(PeerCardTest, ReadsWhatItWrites) {
  const auto read = ParsePeerCard(text_);
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(*read, card_);
  EXPECT_EQ(EncodePeerCard(*read), text_);
}

TEST_F(PeerCardTest, HoldsNoSecret) {
  EXPECT_THAT(text_, ::testing::Not(HasSubstr("PRIVATE")));
}

TEST_F(PeerCardTest, FingerprintIsOfWhatIsSignedAndNotOfItsSpelling) {
  const Digest fingerprint = CardFingerprint(card_);
  EXPECT_EQ(CardFingerprint(*ParsePeerCard(text_ + "# seen\n")), fingerprint);
  for (auto change : {+[](PeerCard& card) { card.address = "192.0.2.1:7443"; },
                      +[](PeerCard& card) { card.name = "Another"; },
                      +[](PeerCard& card) { card.capabilities.pop_back(); },
                      +[](PeerCard& card) { card.protocol_max = 3; }}) {
    PeerCard changed = card_;
    change(changed);
    EXPECT_NE(CardFingerprint(changed), fingerprint);
  }
}

TEST_F(PeerCardTest, RefusesAnyChangeAfterSigning) {
  for (const auto& [from, to] :
       {std::pair("eastvale.example:7443", "eastvale.example:7444"),
        std::pair("protocol_max = 2", "protocol_max = 1"), std::pair("\"sealed\"", "\"other\""),
        std::pair("Eastvale", "Westvale")}) {
    EXPECT_THAT(ParsePeerCard(Replaced(text_, from, to)), FailsWith(ErrorCode::kCorrupt)) << to;
  }
}

TEST_F(PeerCardTest, RefusesTheSignatureOfAnotherKey) {
  const auto other = sign::SigningKey::Generate(random_);
  PeerCard forged = *SignPeerCard(card_, other);
  forged.signing_key = card_.signing_key;
  EXPECT_THAT(ParsePeerCard(EncodePeerCard(forged)), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(PeerCardTest, RefusesAForeignAnchorUnderTheSameFingerprint) {
  const TestAgency other("mallory", kNow);
  PeerCard forged = card_;
  forged.anchor_pem = ReadText(other.anchor());
  EXPECT_THAT(SignPeerCard(forged, key_), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParsePeerCard(EncodePeerCard(forged)), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(PeerCardTest, RefusesACertificateThatIsNoCa) {
  PeerCard card = card_;
  const auto issued = agency_.IssueGateway(kNow);
  const auto chain = ParseCertificateChain(ReadText(issued.pem_file));
  card.anchor_pem = EncodePem(*chain->leaf);
  card.anchor_fingerprint = EncodeHex(Fingerprint(*chain->leaf).view());
  EXPECT_THAT(SignPeerCard(card, key_), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(PeerCardTest, NamesTheKeyThatIsWrong) {
  const auto refused = ParsePeerCard(Replaced(text_, "ed25519:", "ed25518:"));
  ASSERT_THAT(refused, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(refused.error().detail, HasSubstr("signing_key"));
  const auto no_toml = ParsePeerCard("a = 1\nb = = 2\n");
  ASSERT_THAT(no_toml, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(no_toml.error().detail, HasSubstr("line 2"));
}

TEST_F(PeerCardTest, RefusesAnUnknownOrMissingKey) {
  EXPECT_THAT(ParsePeerCard(text_ + "extra = 1\n"), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParsePeerCard(Replaced(text_, "log_key", "log_kay")),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParsePeerCard(Replaced(text_, "protocol_min", "protocol_mun")),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParsePeerCard(Replaced(text_, "protocol_min = 1", "protocol_min = -1")),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParsePeerCard(std::string(kMaxPeerCard + 1, '#')),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(PeerCardTest, RefusesValuesOutOfTheirForm) {
  const auto refuses = [&](auto change) {
    PeerCard card = card_;
    change(card);
    EXPECT_THAT(SignPeerCard(card, key_), FailsWith(ErrorCode::kInvalidArgument));
  };
  refuses([](PeerCard& card) { card.agency = "Eastvale"; });
  refuses([](PeerCard& card) { card.name = ""; });
  refuses([](PeerCard& card) { card.name = "two\nlines"; });
  refuses([](PeerCard& card) { card.name = std::string(129, 'x'); });
  refuses([](PeerCard& card) { card.name = "\xff"; });
  refuses([](PeerCard& card) { card.spiffe_id = "spiffe://eastvale-council.example/engine/x"; });
  refuses([](PeerCard& card) { card.address = "gateway.eastvale.example"; });
  refuses([](PeerCard& card) { card.address = "gateway.eastvale.example:0"; });
  refuses([&](PeerCard& card) { card.log_key = sign::EncodePublicKey(key_.public_key()); });
  refuses([](PeerCard& card) { card.protocol_min = 0; });
  refuses([](PeerCard& card) { card.protocol_min = 3; });
  refuses([](PeerCard& card) { card.capabilities = {"direct", "direct"}; });
  refuses([](PeerCard& card) { card.capabilities = {"Direct"}; });
}

TEST_F(PeerCardTest, ChangeCardIsSignedByBothKeys) {
  const auto next = sign::SigningKey::Generate(random_);
  const auto change = SignPeerCard(card_, next, &key_);
  ASSERT_THAT(change, IsOk());
  EXPECT_EQ(change->former_key, card_.signing_key);
  EXPECT_THAT(ParsePeerCard(EncodePeerCard(*change)), IsOk());
  PeerCard half = *change;
  half.former_signature = half.signature;
  EXPECT_THAT(ParsePeerCard(EncodePeerCard(half)), FailsWith(ErrorCode::kCorrupt));
  half.former_signature.clear();
  EXPECT_THAT(ParsePeerCard(EncodePeerCard(half)), FailsWith(ErrorCode::kInvalidArgument));
  PeerCard stray = card_;
  stray.former_signature = stray.signature;
  EXPECT_THAT(ParsePeerCard(EncodePeerCard(stray)), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(SignPeerCard(card_, key_, &key_), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(PeerCardTest, FingerprintIsReadHoweverPeopleWriteIt) {
  const Digest fingerprint = CardFingerprint(card_);
  const std::string grouped = EncodeFingerprint(fingerprint);
  EXPECT_EQ(grouped.size(), 64U + 15U);
  EXPECT_EQ(*ParseFingerprint(grouped), fingerprint);
  std::string upper = EncodeHex(fingerprint.view());
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_EQ(*ParseFingerprint(upper), fingerprint);
  EXPECT_EQ(*ParseFingerprint(Replaced(grouped, " ", ":")), fingerprint);
  EXPECT_EQ(*ParseFingerprint(Replaced(grouped, " ", "-")), fingerprint);
  for (const std::string& wrong : {std::string(), grouped.substr(0, 40), grouped + " 0000",
                                   Replaced(grouped, " ", "."), std::string(64, 'g')}) {
    EXPECT_THAT(ParseFingerprint(wrong), FailsWith(ErrorCode::kInvalidArgument)) << wrong;
  }
}

TEST_F(PeerCardTest, NextKeyIsMadeAnnouncedAndSwitchedTo) {
  const auto next = MakeNextKey(agency_.root(), card_);
  ASSERT_THAT(next, IsOk());
  EXPECT_THAT(ParsePeerCard(EncodePeerCard(*next)), IsOk());
  EXPECT_EQ(next->former_key, card_.signing_key);
  EXPECT_EQ(next->address, card_.address);
  EXPECT_THAT(MakeNextKey(agency_.root(), card_), FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(KeyIn(folder_.signing_key()).public_key(), key_.public_key());
  ASSERT_THAT(SwitchKey(agency_.root()), IsOk());
  EXPECT_EQ(sign::EncodePublicKey(KeyIn(folder_.signing_key()).public_key()), next->signing_key);
  EXPECT_EQ(KeyIn(agency_.root() / "keys" / "agency-signing.former.key").public_key(),
            key_.public_key());
  EXPECT_THAT(SwitchKey(agency_.root()), FailsWith(ErrorCode::kNotFound));
}

TEST_F(PeerCardTest, NextKeyIsMadeForThePresentCardOnly) {
  PeerCard other = *SignPeerCard(card_, sign::SigningKey::Generate(random_));
  EXPECT_THAT(MakeNextKey(agency_.root(), other), FailsWith(ErrorCode::kInvalidArgument));
  other = card_;
  other.agency = "westvale-council";
  EXPECT_THAT(MakeNextKey(agency_.root(), other), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(PeerCardTest, SwitchThatWasCutOffIsEnded) {
  const auto next = MakeNextKey(agency_.root(), card_);
  ASSERT_THAT(next, IsOk());
  std::filesystem::rename(folder_.signing_key(),
                          agency_.root() / "keys" / "agency-signing.former.key");
  ASSERT_THAT(SwitchKey(agency_.root()), IsOk());
  EXPECT_EQ(sign::EncodePublicKey(KeyIn(folder_.signing_key()).public_key()), next->signing_key);
}

TEST_F(PeerCardTest, OwnAnchorIsTheRootThatSpeaksForTheGateway) {
  const TestAgency other("mallory", kNow);
  const auto issued = agency_.IssueGateway(kNow);
  const auto roots = agency_.root() / "roots.pem";
  ASSERT_THAT(runtime::WriteFile(
                  roots, AsBytes(ReadText(other.anchor()) + ReadText(agency_.anchor())), 0644),
              IsOk());
  EXPECT_EQ(OwnAnchor(issued.pem_file, roots, kNow).value(), ReadText(agency_.anchor()));
  EXPECT_THAT(OwnAnchor(issued.pem_file, other.anchor(), kNow),
              FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace comity::transport
