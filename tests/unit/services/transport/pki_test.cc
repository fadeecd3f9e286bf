// SPDX-License-Identifier: Apache-2.0
#include "services/transport/pki.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <set>
#include <string>

#include "crypto/base/encoding.h"
#include "crypto/sign/ed25519.h"
#include "services/transport/certificate.h"
#include "services/transport/key_encryption_file.h"
#include "services/transport/pki_folder.h"
#include "tests/support/result_matchers.h"
#include "tests/support/test_agency.h"

namespace comity::transport {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::ReadText;
using testing::TemporaryDirectory;
using testing::TestAgency;

constexpr runtime::Instant kNow{std::chrono::seconds(1'790'000'000)};

mode_t ModeOf(const std::filesystem::path& path) {
  struct stat info{};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

TEST(Pki, InitMakesAllKeysReadableByTheirOwnerOnly) {
  const TestAgency agency("northshire-police", kNow);
  const PkiFolder folder{agency.root()};
  for (const auto& path : {folder.ca_key(), folder.signing_key(), folder.log_key(),
                           folder.key_encryption_key(), folder.index()}) {
    EXPECT_EQ(ModeOf(path), 0600U) << path;
  }
  for (const auto& path : {folder.ca_certificate(), folder.crl(), folder.agency()}) {
    EXPECT_EQ(ModeOf(path), 0644U) << path;
  }
  EXPECT_EQ(ModeOf(folder.root), 0700U);
}

TEST(Pki, InitMakesKeysThatTheirReadersTake) {
  const TestAgency agency("northshire-police", kNow);
  const PkiFolder folder{agency.root()};
  EXPECT_THAT(sign::SigningKey::ParseKeyFile(ReadText(folder.signing_key())), IsOk());
  EXPECT_THAT(sign::SigningKey::ParseKeyFile(ReadText(folder.log_key())), IsOk());
  EXPECT_NE(ReadText(folder.signing_key()), ReadText(folder.log_key()));
  const auto key = ReadKeyEncryptionFile(folder.key_encryption_key());
  ASSERT_THAT(key, IsOk());
  EXPECT_EQ(key->size(), 32U);
}

TEST(Pki, InitTwiceIsRefusedAndChangesNothing) {
  const TestAgency agency("northshire-police", kNow);
  const PkiFolder folder{agency.root()};
  const std::string before = ReadText(folder.ca_certificate()) + ReadText(folder.ca_key());
  EXPECT_THAT(InitCa({"northshire-police", "other.example", agency.root()}, kNow),
              FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(ReadText(folder.ca_certificate()) + ReadText(folder.ca_key()), before);
  EXPECT_THAT(ReadText(folder.agency()), HasSubstr("northshire-police.example"));
}

TEST(Pki, InitRefusesMalformedNames) {
  const TemporaryDirectory folder;
  EXPECT_THAT(InitCa({"North", "a.example", folder.path() / "x"}, kNow),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(InitCa({"north", "a.example/../b", folder.path() / "x"}, kNow),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "x"));
}

TEST(Pki, AuthorityMaySignOnlyLeavesOfItsOwnDomain) {
  const TestAgency agency("northshire-police", kNow);
  const auto chain = ParseCertificateChain(ReadText(agency.anchor()));
  ASSERT_THAT(chain, IsOk());
  X509* ca = chain->leaf.get();
  EXPECT_EQ(X509_check_ca(ca), 1);
  EXPECT_EQ(X509_get_pathlen(ca), 0);
  EXPECT_EQ(X509_get_key_usage(ca), static_cast<std::uint32_t>(KU_KEY_CERT_SIGN | KU_CRL_SIGN));
  EXPECT_GE(X509_get_ext_by_NID(ca, NID_name_constraints, -1), 0);
}

TEST(Pki, IssuesOneFileWithKeyAndCertificate) {
  TestAgency agency("northshire-police", kNow);
  const IssuedCertificate issued = agency.IssueGateway(kNow);
  EXPECT_EQ(issued.pem_file, agency.root() / "gateway.pem");
  EXPECT_EQ(issued.spiffe_id, "spiffe://northshire-police.example/gateway");
  EXPECT_EQ(ModeOf(issued.pem_file), 0600U);
  const auto own = ReadOwnCertificate(issued.pem_file);
  ASSERT_THAT(own, IsOk());
  EXPECT_EQ(EncodeSpiffeId(own->identity), issued.spiffe_id);
  EXPECT_EQ(EncodeHex(own->fingerprint.view()), issued.fingerprint);
  EXPECT_EQ(own->expires_at, kNow + std::chrono::days(90));
}

TEST(Pki, GatewayCertificateNamesTheLoopbackHost) {
  TestAgency agency("northshire-police", kNow);
  const auto chain = ParseCertificateChain(ReadText(agency.IssueGateway(kNow).pem_file));
  ASSERT_THAT(chain, IsOk());
  EXPECT_EQ(X509_check_host(chain->leaf.get(), "localhost", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_ip_asc(chain->leaf.get(), "127.0.0.1", 0), 1);
  EXPECT_EQ(X509_check_host(chain->leaf.get(), "other.example", 0, 0, nullptr), 0);
}

TEST(Pki, IssuesAPersonWithASigningKeyThatRenewalKeeps) {
  TestAgency agency("northshire-police", kNow);
  const IssuedCertificate first = agency.Issue(PeerKind::kPerson, "j-smith", kNow);
  const IssuedCertificate second = agency.Issue(PeerKind::kPerson, "j-smith", kNow);
  ASSERT_TRUE(first.signing_key_file.has_value());
  EXPECT_EQ(ModeOf(*first.signing_key_file), 0600U);
  EXPECT_THAT(sign::ParsePublicKey(first.signing_key), IsOk());
  EXPECT_EQ(first.signing_key, second.signing_key);
  EXPECT_NE(first.serial, second.serial);
}

TEST(Pki, RefusesToOverwriteWithoutRenewal) {
  TestAgency agency("northshire-police", kNow);
  const IssuedCertificate first = agency.IssueGateway(kNow);
  const std::string before = ReadText(first.pem_file);
  EXPECT_THAT(Issue(agency.root(), IssueRequest{}, kNow), FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(ReadText(first.pem_file), before);
}

TEST(Pki, RefusesBadRequests) {
  const TestAgency agency("northshire-police", kNow);
  IssueRequest gateway_with_name;
  gateway_with_name.name = "x";
  IssueRequest traversal;
  traversal.kind = PeerKind::kEngine;
  traversal.name = "../x";
  IssueRequest days;
  days.days = 826;
  IssueRequest host;
  host.hosts = {"localhost,URI:spiffe://eastvale-council.example/gateway"};
  for (const IssueRequest& request : {gateway_with_name, traversal, days, host}) {
    EXPECT_THAT(Issue(agency.root(), request, kNow), FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST(Pki, RefusesACertificateThatOutlivesItsCa) {
  const TestAgency agency("northshire-police", kNow);
  EXPECT_THAT(Issue(agency.root(), IssueRequest{}, kNow + std::chrono::days(3600)),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST(Pki, SaysThatAFolderHoldsNoCa) {
  const TemporaryDirectory folder;
  EXPECT_THAT(Issue(folder.path(), IssueRequest{}, kNow), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(Revoke(folder.path(), {"00", {}}, kNow), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(RenewCrl(folder.path(), kNow), FailsWith(ErrorCode::kNotFound));
}

TEST(Pki, RefusesACaKeyThatOthersCanRead) {
  const TestAgency agency("northshire-police", kNow);
  std::filesystem::permissions(PkiFolder{agency.root()}.ca_key(), std::filesystem::perms(0644));
  EXPECT_THAT(Issue(agency.root(), IssueRequest{}, kNow), FailsWith(ErrorCode::kPermissionDenied));
}

TEST(Pki, EverySerialDiffers) {
  TestAgency agency("northshire-police", kNow);
  std::set<std::string> serials;
  for (int i = 0; i < 20; ++i) {
    const std::string serial = agency.IssueGateway(kNow).serial;
    EXPECT_EQ(serial.size(), 32U);
    EXPECT_TRUE(serials.insert(serial).second);
  }
}

TEST(Pki, ARevocationListExistsFromTheStartAndListsRevokedOnes) {
  TestAgency agency("northshire-police", kNow);
  const auto empty = ParseRevocationLists(ReadText(agency.crl()));
  ASSERT_THAT(empty, IsOk());
  EXPECT_EQ(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(sk_X509_CRL_value(empty->get(), 0))), -1);
  const IssuedCertificate issued = agency.Issue(PeerKind::kEngine, "bridge", kNow);
  const RevokeRequest request{issued.pem_file.string(), RevocationReason::kKeyCompromise};
  EXPECT_THAT(Revoke(agency.root(), request, kNow), testing::IsOkAnd(issued.serial));
  const auto one = ParseRevocationLists(ReadText(agency.crl()));
  ASSERT_THAT(one, IsOk());
  const X509_CRL* crl = sk_X509_CRL_value(one->get(), 0);
  EXPECT_EQ(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(sk_X509_CRL_value(one->get(), 0))), 1);
  int days = 0;
  int seconds = 0;
  ASSERT_EQ(
      ASN1_TIME_diff(&days, &seconds, X509_CRL_get0_lastUpdate(crl), X509_CRL_get0_nextUpdate(crl)),
      1);
  EXPECT_EQ(days, 7);
}

TEST(Pki, RevokesOnceAndOnlyItsOwn) {
  TestAgency agency("northshire-police", kNow);
  const IssuedCertificate issued = agency.IssueGateway(kNow);
  ASSERT_THAT(Revoke(agency.root(), {issued.serial, {}}, kNow), IsOk());
  EXPECT_THAT(Revoke(agency.root(), {issued.serial, {}}, kNow), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Revoke(agency.root(), {"00ff", {}}, kNow), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(Revoke(agency.root(), {"/no/such/file", {}}, kNow), FailsWith(ErrorCode::kNotFound));
}

TEST(Pki, OneCommandAtATimeWorksOnAFolder) {
  const TestAgency agency("northshire-police", kNow);
  const auto lock = FolderLock::Take(PkiFolder{agency.root()});
  ASSERT_THAT(lock, IsOk());
  EXPECT_THAT(Issue(agency.root(), IssueRequest{}, kNow), FailsWith(ErrorCode::kUnavailable));
}

TEST(PkiIndex, EncodesWhatItParsesAndNamesADamagedLine) {
  const std::string text =
      "valid 0a 1790000000 0 0 spiffe://a.example/gateway\n"
      "revoked 0b 1790000000 1780000000 4 spiffe://a.example/engine/x\n";
  const auto lines = ParseIndex(text);
  ASSERT_THAT(lines, IsOk());
  EXPECT_EQ(EncodeIndex(*lines), text);
  const auto damaged = ParseIndex(text + "valid 0c 17x 0 0 spiffe://a.example/gateway\n");
  ASSERT_THAT(damaged, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(damaged.error().detail, HasSubstr("line 3"));
  EXPECT_THAT(ParseIndex(text.substr(0, text.size() - 1)), FailsWith(ErrorCode::kCorrupt));
}

TEST(PkiReason, ReadsTheFiveNamesAndNoOther) {
  EXPECT_THAT(ParseRevocationReason("key-compromise"),
              testing::IsOkAnd(RevocationReason::kKeyCompromise));
  EXPECT_THAT(ParseRevocationReason("Key-Compromise"), FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace comity::transport
