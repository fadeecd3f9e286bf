// SPDX-License-Identifier: Apache-2.0
#include "services/transport/trust_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "crypto/base/encoding.h"
#include "services/runtime/file.h"
#include "services/transport/certificate.h"
#include "services/transport/certificate_builder.h"
#include "services/transport/pki_folder.h"
#include "tests/support/result_matchers.h"
#include "tests/support/test_agency.h"

namespace comity::transport {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::ReadText;
using testing::TestAgency;

constexpr runtime::Instant kNow{std::chrono::seconds(1'790'000'000)};
constexpr TrustTiming kAtOnce{std::chrono::milliseconds(0), std::chrono::seconds(60)};

class TrustStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<TrustStore> Open(std::vector<PinnedPeer> peers) {
    auto store = TrustStore::ForFederation(std::move(peers), kAtOnce);
    EXPECT_THAT(store, IsOk());
    return std::move(store).value_or(nullptr);
  }

  // A leaf by `agency`'s CA with alternative names of the test's choice.
  static std::string Leaf(const TestAgency& agency, const std::string& names,
                          bool is_authority = false) {
    const auto ca = ReadAuthority(PkiFolder{agency.root()});
    EXPECT_THAT(ca, IsOk());
    const PkeyPtr key = GenerateTlsKey();
    CertificateSpec spec;
    spec.organisation = agency.agency();
    spec.common_name = "gateway";
    spec.not_before = kNow;
    spec.not_after = kNow + std::chrono::days(10);
    spec.alternative_names = names;
    spec.is_authority = is_authority;
    return EncodePem(
        *MakeCertificate(spec, key.get(), Issuer{ca->certificate.get(), ca->key.get()}));
  }

  TestAgency police_{"northshire-police", kNow};
  TestAgency council_{"eastvale-council", kNow};
};

TEST_F(TrustStoreTest, KnowsAPinnedGateway) {
  const auto store = Open({council_.AsPeer()});
  const IssuedCertificate issued = council_.IssueGateway(kNow);
  const auto peer = store->Verify(ReadText(issued.pem_file), kNow);
  ASSERT_THAT(peer, IsOk());
  EXPECT_EQ(peer->agency, "eastvale-council");
  EXPECT_EQ(EncodeSpiffeId(peer->identity), issued.spiffe_id);
  EXPECT_EQ(peer->serial, issued.serial);
  EXPECT_EQ(peer->expires_at, issued.expires_at);
  EXPECT_THAT(store->Verify(ReadText(issued.pem_file), kNow, PeerRole::kServer), IsOk());
}

TEST_F(TrustStoreTest, RefusesAnAgencyThatIsNotEnrolled) {
  const auto store = Open({council_.AsPeer()});
  EXPECT_THAT(store->Verify(ReadText(police_.IssueGateway(kNow).pem_file), kNow),
              FailsWith(ErrorCode::kUnauthenticated));
}

TEST_F(TrustStoreTest, WithoutPeersNobodyGetsIn) {
  const auto store = Open({});
  EXPECT_THAT(store->AnchorBundle(), IsEmpty());
  EXPECT_THAT(store->Verify(ReadText(council_.IssueGateway(kNow).pem_file), kNow),
              FailsWith(ErrorCode::kUnauthenticated));
}

// As the register of partners pins it: by text, not by file.
PinnedPeer AsText(const TestAgency& agency) {
  return {agency.agency(), agency.gateway_id(), {}, {}, ReadText(agency.anchor())};
}

TEST_F(TrustStoreTest, PeersComeAndGoWhileItWorks) {
  const auto store = Open({});
  const std::string council = ReadText(council_.IssueGateway(kNow).pem_file);
  const std::string police = ReadText(police_.IssueGateway(kNow).pem_file);
  EXPECT_THAT(store->Verify(council, kNow), FailsWith(ErrorCode::kUnauthenticated));
  ASSERT_THAT(store->SetPeers({AsText(council_)}), IsOk());
  EXPECT_THAT(store->Verify(council, kNow), IsOk());
  EXPECT_EQ(store->AnchorBundle(), ReadText(council_.anchor()));
  ASSERT_THAT(store->SetPeers({AsText(police_)}), IsOk());
  EXPECT_THAT(store->Verify(council, kNow), FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_THAT(store->Verify(police, kNow), IsOk());
}

TEST_F(TrustStoreTest, OldAndNewAnchorTextAreBothTrusted) {
  TestAgency renewed("eastvale-council", kNow);
  TestAgency third("eastvale-council", kNow);
  PinnedPeer both = AsText(council_);
  both.anchor_pem += ReadText(renewed.anchor());
  const auto store = Open({both});
  EXPECT_THAT(store->Verify(ReadText(council_.IssueGateway(kNow).pem_file), kNow), IsOk());
  EXPECT_THAT(store->Verify(ReadText(renewed.IssueGateway(kNow).pem_file), kNow), IsOk());
  EXPECT_THAT(store->Verify(ReadText(third.IssueGateway(kNow).pem_file), kNow),
              FailsWith(ErrorCode::kUnauthenticated));
}

TEST_F(TrustStoreTest, UnusableAnchorTextRefusesItsPeerAndNoOther) {
  const auto store = Open({});
  PinnedPeer broken = AsText(council_);
  broken.anchor_pem = "no certificate";
  ASSERT_THAT(store->SetPeers({broken, AsText(police_)}), IsOk());
  EXPECT_THAT(store->Verify(ReadText(council_.IssueGateway(kNow).pem_file), kNow),
              FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(store->Verify(ReadText(police_.IssueGateway(kNow).pem_file), kNow), IsOk());
  EXPECT_THAT(store->Faults(kNow), ElementsAre(HasSubstr("eastvale-council")));
}

TEST_F(TrustStoreTest, PeersThatContradictEachOtherChangeNothing) {
  const auto store = Open({AsText(council_)});
  EXPECT_THAT(store->SetPeers({AsText(police_), AsText(police_)}),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(store->Verify(ReadText(council_.IssueGateway(kNow).pem_file), kNow), IsOk());
}

TEST_F(TrustStoreTest, OnePeersCaCannotSpeakForAnother) {
  const auto store = Open({council_.AsPeer(false), police_.AsPeer(false)});
  const std::string forged = Leaf(police_, "URI:" + council_.gateway_id());
  const auto refused = store->Verify(forged + ReadText(police_.anchor()), kNow);
  ASSERT_THAT(refused, FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_THAT(refused.error().detail, HasSubstr("eastvale-council"));
}

TEST_F(TrustStoreTest, OurCasConstrainTheNamesTheyCertify) {
  // Even if the wrong anchor were pinned for a name, the CA's own constraint refuses it.
  PinnedPeer confused = council_.AsPeer(false);
  confused.anchor_file = police_.anchor();
  const auto store = Open({confused});
  const auto refused = store->Verify(Leaf(police_, "URI:" + council_.gateway_id()), kNow);
  ASSERT_THAT(refused, FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_THAT(refused.error().detail, HasSubstr("permitted subtree"));
}

TEST_F(TrustStoreTest, RefusesWrongNamesFromTheRightCa) {
  const auto store = Open({council_.AsPeer()});
  const std::string id = "URI:" + council_.gateway_id();
  EXPECT_THAT(store->Verify(Leaf(council_, id), kNow), IsOk());  // the control
  for (const std::string& names :
       {id + "," + id, id + ",URI:spiffe://eastvale-council.example/person/x",
        std::string("DNS:eastvale-council.example"),
        std::string("URI:https://eastvale-council.example/gateway"),
        std::string("URI:spiffe://eastvale-council.example/engine/bridge"),
        std::string("URI:spiffe://eastvale-council.example/person/x"),
        "email:gateway@eastvale-council.example" + std::string()}) {
    EXPECT_THAT(store->Verify(Leaf(council_, names), kNow), FailsWith(ErrorCode::kUnauthenticated))
        << names;
  }
}

TEST_F(TrustStoreTest, RefusesACaCertificateAsCaller) {
  const auto store = Open({council_.AsPeer()});
  EXPECT_THAT(store->Verify(ReadText(council_.anchor()), kNow),
              FailsWith(ErrorCode::kUnauthenticated));
}

TEST_F(TrustStoreTest, RefusesExpiredAndNotYetValidLeaves) {
  const auto store = Open({council_.AsPeer(false)});
  const std::string pem = ReadText(council_.IssueGateway(kNow, 1).pem_file);
  const auto day = std::chrono::days(1);
  EXPECT_THAT(store->Verify(pem, kNow + day - std::chrono::seconds(1)), IsOk());
  EXPECT_THAT(store->Verify(pem, kNow + day + std::chrono::seconds(1)),
              FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_THAT(store->Verify(pem, kNow - day), FailsWith(ErrorCode::kUnauthenticated));
}

TEST_F(TrustStoreTest, RefusesBytesThatAreNoChain) {
  const auto store = Open({council_.AsPeer()});
  const std::string pem = ReadText(council_.IssueGateway(kNow).pem_file);
  const std::string leaf = pem.substr(pem.find("-----BEGIN CERT"));
  std::string many;
  for (int i = 0; i < 9; ++i) many += leaf;
  std::string broken = leaf;
  broken[100] = '!';
  for (const std::string& text : {std::string(), std::string("x"), broken, many,
                                  std::string(70'000, 'a'), leaf.substr(0, leaf.size() / 2)}) {
    EXPECT_THAT(store->Verify(text, kNow), FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST_F(TrustStoreTest, EveryChangedOctetOfTheCertificateIsRefused) {
  const auto store = Open({council_.AsPeer()});
  const auto chain = ParseCertificateChain(ReadText(council_.IssueGateway(kNow).pem_file));
  ASSERT_THAT(chain, IsOk());
  unsigned char* der = nullptr;
  const int size = i2d_X509(chain->leaf.get(), &der);
  ASSERT_GT(size, 0);
  for (int i = 0; i < size; ++i) {
    std::vector<unsigned char> changed(der, der + size);
    changed[static_cast<std::size_t>(i)] ^= 0x01;
    const BioPtr bio(BIO_new(BIO_s_mem()));
    const unsigned char* cursor = changed.data();
    const X509Ptr parsed(d2i_X509(nullptr, &cursor, size));
    if (!parsed) continue;
    EXPECT_FALSE(store->Verify(EncodePem(*parsed), kNow).has_value()) << "octet " << i;
  }
  OPENSSL_free(der);
}

TEST_F(TrustStoreTest, ARevocationBitesAtTheNextCall) {
  const auto store = Open({council_.AsPeer()});
  const IssuedCertificate issued = council_.IssueGateway(kNow);
  const std::string pem = ReadText(issued.pem_file);
  ASSERT_THAT(store->Verify(pem, kNow), IsOk());
  council_.Revoke(issued.serial, kNow);
  const auto refused = store->Verify(pem, kNow);
  ASSERT_THAT(refused, FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_THAT(refused.error().detail, HasSubstr("revoked"));
  EXPECT_THAT(store->Verify(ReadText(council_.IssueGateway(kNow).pem_file), kNow), IsOk());
}

TEST_F(TrustStoreTest, AMissingUnreadableOrForeignListRefusesItsPeerOnly) {
  const auto store = Open({council_.AsPeer(), police_.AsPeer()});
  const std::string council = ReadText(council_.IssueGateway(kNow).pem_file);
  const std::string police = ReadText(police_.IssueGateway(kNow).pem_file);
  const std::string good = ReadText(council_.crl());
  ASSERT_THAT(store->Verify(council, kNow), IsOk());

  std::filesystem::remove(council_.crl());
  EXPECT_THAT(store->Verify(council, kNow), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(store->Verify(police, kNow), IsOk());
  EXPECT_EQ(store->Faults(kNow).size(), 1U);

  for (const std::string& text :
       {std::string("no list"), std::string(), good.substr(0, 200), ReadText(police_.crl())}) {
    ASSERT_THAT(runtime::WriteFile(council_.crl(), AsBytes(text), 0644), IsOk());
    EXPECT_THAT(store->Verify(council, kNow), FailsWith(ErrorCode::kUnavailable));
  }
  ASSERT_THAT(runtime::WriteFile(council_.crl(), AsBytes(good), 0644), IsOk());
  EXPECT_THAT(store->Verify(council, kNow), IsOk());
  EXPECT_THAT(store->Faults(kNow), IsEmpty());
}

TEST_F(TrustStoreTest, AnExpiredListRefusesUntilItIsRenewed) {
  const auto store = Open({council_.AsPeer()});
  const std::string pem = ReadText(council_.IssueGateway(kNow).pem_file);
  const runtime::Instant later = kNow + std::chrono::days(7) + std::chrono::seconds(1);
  EXPECT_THAT(store->Verify(pem, later), FailsWith(ErrorCode::kUnavailable));
  ASSERT_EQ(store->Faults(later).size(), 1U);
  EXPECT_THAT(store->Faults(later).front(), HasSubstr("expired"));
  ASSERT_THAT(RenewCrl(council_.root(), later), IsOk());
  EXPECT_THAT(store->Verify(pem, later), IsOk());
}

TEST_F(TrustStoreTest, AnchorsRotateWithoutRestart) {
  const auto store = Open({council_.AsPeer(false)});
  const std::string old_leaf = ReadText(council_.IssueGateway(kNow).pem_file);
  TestAgency renewed("eastvale-council", kNow);
  const std::string new_leaf = ReadText(renewed.IssueGateway(kNow).pem_file);
  const std::string old_anchor = ReadText(council_.anchor());
  ASSERT_THAT(store->Verify(new_leaf, kNow), FailsWith(ErrorCode::kUnauthenticated));

  const std::string both = old_anchor + ReadText(renewed.anchor());
  ASSERT_THAT(runtime::WriteFile(council_.anchor(), AsBytes(both), 0644), IsOk());
  EXPECT_THAT(store->Verify(old_leaf, kNow), IsOk());
  EXPECT_THAT(store->Verify(new_leaf, kNow), IsOk());
  EXPECT_EQ(store->AnchorBundle(), both);

  ASSERT_THAT(runtime::WriteFile(council_.anchor(), AsBytes(ReadText(renewed.anchor())), 0644),
              IsOk());
  EXPECT_THAT(store->Verify(old_leaf, kNow), FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_THAT(store->Verify(new_leaf, kNow), IsOk());
}

TEST_F(TrustStoreTest, AnAnchorThatBecomesUnreadableRefusesItsPeer) {
  const auto store = Open({council_.AsPeer(false)});
  const std::string pem = ReadText(council_.IssueGateway(kNow).pem_file);
  ASSERT_THAT(store->Verify(pem, kNow), IsOk());
  std::filesystem::remove(council_.anchor());
  EXPECT_THAT(store->Verify(pem, kNow), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(store->AnchorBundle(), IsEmpty());
}

TEST_F(TrustStoreTest, OpenRefusesAnAnchorFileWithoutARoot) {
  PinnedPeer peer = council_.AsPeer(false);
  peer.anchor_file = council_.IssueGateway(kNow).pem_file;
  EXPECT_THAT(TrustStore::ForFederation({peer}), FailsWith(ErrorCode::kInvalidArgument));
  peer.anchor_file = "/no/such/file";
  EXPECT_THAT(TrustStore::ForFederation({peer}), FailsWith(ErrorCode::kNotFound));
}

TEST_F(TrustStoreTest, OpenRefusesMalformedAndRepeatedPeers) {
  PinnedPeer engine = council_.AsPeer();
  engine.spiffe_id = "spiffe://eastvale-council.example/engine/x";
  EXPECT_THAT(TrustStore::ForFederation({engine}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(TrustStore::ForFederation({council_.AsPeer(), council_.AsPeer()}),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(TrustStoreTest, TheAgencyPortTakesOwnEnginesAndPeopleOnly) {
  auto store = TrustStore::ForAgency(police_.AsOwn(), kAtOnce);
  ASSERT_THAT(store, IsOk());
  const auto verify = [&](TestAgency& agency, PeerKind kind, const std::string& name) {
    return (*store)->Verify(ReadText(agency.Issue(kind, name, kNow).pem_file), kNow);
  };
  const auto person = verify(police_, PeerKind::kPerson, "j-smith");
  ASSERT_THAT(person, IsOk());
  EXPECT_EQ(person->identity.name, "j-smith");
  EXPECT_THAT(verify(police_, PeerKind::kEngine, "bridge"), IsOk());
  EXPECT_THAT(verify(police_, PeerKind::kGateway, ""), FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_THAT(verify(council_, PeerKind::kPerson, "j-smith"),
              FailsWith(ErrorCode::kUnauthenticated));
}

TEST_F(TrustStoreTest, AVerdictIsRememberedForAMinuteAtMost) {
  // Files are looked at never again, so only the verdict's own age counts.
  auto store = TrustStore::ForFederation({council_.AsPeer(false)},
                                         {std::chrono::hours(24), std::chrono::seconds(60)});
  ASSERT_THAT(store, IsOk());
  const std::string pem = ReadText(council_.IssueGateway(kNow, 1).pem_file);
  const runtime::Instant end = kNow + std::chrono::days(1);
  ASSERT_THAT((*store)->Verify(pem, end - std::chrono::seconds(30)), IsOk());
  EXPECT_THAT((*store)->Verify(pem, end - std::chrono::seconds(1)), IsOk());
  EXPECT_THAT((*store)->Verify(pem, end + std::chrono::seconds(1)),
              FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_THAT((*store)->Verify(pem, kNow - std::chrono::days(2)),
              FailsWith(ErrorCode::kUnauthenticated));
}

// A root, an authority below it and a gateway's certificate, as a real CA makes them.
struct RealCa {
  Authority root;
  Authority issuing;
  std::string leaf;

  static Authority Make(const std::string& name, int path_length, const Authority* above) {
    Authority made{nullptr, GenerateTlsKey()};
    CertificateSpec spec;
    spec.organisation = "Real CA";
    spec.common_name = name;
    spec.not_before = kNow;
    spec.not_after = kNow + std::chrono::days(100);
    spec.is_authority = true;
    spec.path_length = path_length;
    const Issuer issuer = above ? Issuer{above->certificate.get(), above->key.get()}
                                : Issuer{nullptr, made.key.get()};
    made.certificate = MakeCertificate(spec, made.key.get(), issuer);
    return made;
  }
  explicit RealCa(const std::string& spiffe_id)
      : root(Make("root", 1, nullptr)), issuing(Make("issuing", 0, &root)) {
    const PkeyPtr key = GenerateTlsKey();
    CertificateSpec spec;
    spec.organisation = "Real CA";
    spec.common_name = "gateway";
    spec.not_before = kNow;
    spec.not_after = kNow + std::chrono::days(10);
    spec.alternative_names = "URI:" + spiffe_id;
    leaf = EncodePem(
        *MakeCertificate(spec, key.get(), Issuer{issuing.certificate.get(), issuing.key.get()}));
  }
  static std::string ListOf(const Authority& authority, std::vector<RevokedEntry> entries = {}) {
    return MakeRevocationList(entries, {authority.certificate.get(), authority.key.get()}, kNow,
                              kNow + std::chrono::days(7));
  }
};

TEST_F(TrustStoreTest, TakesAChainWithAnIssuingCaAndWantsAListOfBoth) {
  const RealCa ca(council_.gateway_id());
  const PinnedPeer peer = council_.AsPeer();
  const auto write = [](const std::filesystem::path& path, const std::string& text) {
    ASSERT_THAT(runtime::WriteFile(path, AsBytes(text), 0644), IsOk());
  };
  const std::string chain = ca.leaf + EncodePem(*ca.issuing.certificate);
  write(peer.anchor_file, EncodePem(*ca.root.certificate));
  write(*peer.crl_file, RealCa::ListOf(ca.root) + RealCa::ListOf(ca.issuing));
  const auto store = Open({peer});
  EXPECT_THAT(store->Verify(chain, kNow), IsOk());
  EXPECT_THAT(store->Verify(ca.leaf, kNow), FailsWith(ErrorCode::kUnauthenticated));

  write(*peer.crl_file, RealCa::ListOf(ca.issuing));
  EXPECT_THAT(store->Verify(chain, kNow), FailsWith(ErrorCode::kUnavailable));

  const auto serial = ParseHex(SerialOf(*ca.issuing.certificate));
  ASSERT_THAT(serial, IsOk());
  write(*peer.crl_file, RealCa::ListOf(ca.root, {{*serial, kNow, 1}}) + RealCa::ListOf(ca.issuing));
  EXPECT_THAT(store->Verify(chain, kNow), FailsWith(ErrorCode::kUnauthenticated));
}

TEST_F(TrustStoreTest, ManyThreadsSeeOneRevocationWhileFilesChange) {
  const auto store = Open({council_.AsPeer(), police_.AsPeer()});
  const IssuedCertificate doomed = council_.IssueGateway(kNow);
  const std::string doomed_pem = ReadText(doomed.pem_file);
  const std::string police = ReadText(police_.IssueGateway(kNow).pem_file);
  std::atomic<bool> revoking{false};
  std::atomic<bool> revoked{false};
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::vector<std::jthread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      while (!stop) {
        const bool was_revoked = revoked;
        const bool accepted = store->Verify(doomed_pem, kNow).has_value();
        if (was_revoked ? accepted : !accepted && !revoking) ++wrong;
        if (!store->Verify(police, kNow)) ++wrong;
      }
    });
  }
  for (int i = 0; i < 20; ++i) ASSERT_THAT(RenewCrl(police_.root(), kNow), IsOk());
  revoking = true;  // while the list is replaced either answer is right
  council_.Revoke(doomed.serial, kNow);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // a look at files in flight ends
  revoked = true;
  for (int i = 0; i < 20; ++i) ASSERT_THAT(RenewCrl(police_.root(), kNow), IsOk());
  stop = true;
  callers.clear();
  EXPECT_THAT(store->Verify(doomed_pem, kNow), FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace comity::transport
