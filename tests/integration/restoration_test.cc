// SPDX-License-Identifier: Apache-2.0
// A gateway is backed up, goes on, is lost and put back: nothing that was erased or forbidden since
// comes back with it.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <thread>

#include "comity/v1/retention.grpc.pb.h"
#include "services/backup/backup_file.h"
#include "services/cli/backup_restore.h"
#include "tests/integration/direct_search_world.h"
#include "tests/integration/live_acts.h"
#include "tests/support/manual_clock.h"
#include "tests/support/result_matchers.h"
#include "tests/support/staff.h"

namespace comity::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

bool Eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < deadline) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return false;
}

std::string TextOf(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class RestoredNode : public DirectSearchWorld {
 protected:
  void SetUp() override {
    DirectSearchWorld::SetUp();
    Agree();
    ImportEntries(10);
  }
  static std::unique_ptr<v1::Backup::Stub> BackupOf(const LiveAgency& agency,
                                                    const std::string& person = "admin-1") {
    return v1::Backup::NewStub(agency.ChannelOf(person));
  }
  fs::path Backup(const LiveAgency& agency) {
    const fs::path file = folder_.path() / (agency.name() + ".backup");
    grpc::ClientContext context;
    const auto reader = BackupOf(agency)->Make(&context, v1::MakeBackupRequest());
    std::ofstream out(file, std::ios::binary);
    v1::BackupChunk chunk;
    while (reader->Read(&chunk)) out << chunk.data();
    EXPECT_TRUE(chunk.last());
    EXPECT_TRUE(reader->Finish().ok());
    return file;
  }
  // The node is lost with its data directory; the second copy of the ledger and the keys are not.
  void Lose(LiveAgency& agency) {
    agency.Stop();
    fs::rename(agency.data(), folder_.path() / ("lost-" + agency.name()));
  }
  Result<cli::Restored> Restore(const LiveAgency& agency, const fs::path& file) {
    return cli::RestoreBackup({file, agency.config_file(), agency.data()}, clock_);
  }
  static v1::RestorationResponse RestorationOf(const LiveAgency& agency) {
    grpc::ClientContext context;
    v1::RestorationResponse response;
    EXPECT_TRUE(BackupOf(agency)->Restoration(&context, v1::RestorationRequest(), &response).ok());
    return response;
  }
  static v1::PendingAct ProposeConfirmation(const LiveAgency& agency) {
    v1::ConfirmRestorationRequest request;
    request.set_reason("disk replaced, the ledger is that of today");
    grpc::ClientContext context;
    v1::PendingAct act;
    EXPECT_TRUE(BackupOf(agency)->Confirm(&context, request, &act).ok());
    return act;
  }
  // Two people confirm; the gateway asks to be started anew, which comityd does.
  void Confirm(LiveAgency& agency) {
    agency.ApproveAct(ProposeConfirmation(agency), "keys-1");
    std::stop_source patience;
    EXPECT_EQ(agency.gateway().AwaitRestart(patience.get_token()), "restoration confirmed");
    agency.Stop();
    ASSERT_THAT(agency.Restart(), IsOk());
  }
  void Withdraw(const std::string& reference) {
    v1::WithdrawEntryRequest request;
    request.set_watchlist("lantern");
    request.set_reference(reference);
    request.set_reason("found");
    grpc::ClientContext context;
    v1::WithdrawEntryResponse response;
    ASSERT_TRUE(police_.watchlists()->Withdraw(&context, request, &response).ok());
  }
  void RevokeOperator() {
    v1::RevokePersonRequest request;
    request.set_id("operator");
    request.set_reason("left the agency");
    grpc::ClientContext context;
    v1::RevokePersonResponse response;
    ASSERT_TRUE(police_.people()->Revoke(&context, request, &response).ok());
  }
  void RemoveCouncil() {
    v1::RemovePeerRequest request;
    request.set_agency(council_.name());
    request.set_reason("left the federation");
    grpc::ClientContext context;
    v1::PendingAct act;
    ASSERT_TRUE(police_.peers()->Remove(&context, request, &act).ok());
    police_.ApproveAct(act, "admin-2");
  }
  std::size_t BarsInLedger() const {
    const std::string text = TextOf(police_.ledger() / "ledger");
    std::size_t count = 0;
    for (auto at = text.find(kBarred); at != std::string::npos; at = text.find(kBarred, at + 1)) {
      ++count;
    }
    return count;
  }
  // Notices that the police show `person`; absent: they let nobody of that id in.
  std::optional<std::string> NoticesOf(const std::string& person) {
    grpc::ClientContext context;
    v1::ListNoticesResponse response;
    const grpc::Status status =
        police_.notices(person)->List(&context, v1::ListNoticesRequest(), &response);
    if (status.ok()) return response.DebugString();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
    return std::nullopt;
  }
  std::string StateOfCouncil() {
    grpc::ClientContext context;
    v1::ListPeersResponse response;
    EXPECT_TRUE(police_.peers()->List(&context, v1::ListPeersRequest(), &response).ok());
    return response.peers_size() == 1 ? response.peers(0).state() : std::string();
  }
  v1::WatchlistSummary ListStatus() {
    grpc::ClientContext context;
    v1::WatchlistStatusResponse response;
    EXPECT_TRUE(
        police_.watchlists()->Status(&context, v1::WatchlistStatusRequest(), &response).ok());
    EXPECT_EQ(response.watchlists_size(), 1);
    return response.watchlists_size() == 1 ? response.watchlists(0) : v1::WatchlistSummary();
  }
  // What the police's gateway decides about a search, whatever the council's would say.
  policy::ReasonCode DecisionOfPolice() {
    const auto unchecked = UncheckedRequester::Create(council_.unchecked_towards(police_), clock_);
    EXPECT_THAT(unchecked, IsOk());
    const auto decision = (*unchecked)->Open(Terms());
    return decision ? decision->code : policy::ReasonCode::kMalformedRequest;
  }

  static constexpr const char* kBarred = R"("kind":"barred")";
  const TemporaryDirectory folder_;
};

TEST_F(RestoredNode, SearchesNothingBeforeTwoPeopleConfirmAndBringsNothingErasedBack) {
  const fs::path backup = Backup(police_);
  Withdraw("ref-3");
  ASSERT_EQ(ListStatus().active(), 9U);
  Lose(police_);
  const auto restored = Restore(police_, backup);
  ASSERT_THAT(restored, IsOk());
  EXPECT_GE(restored->lines_after, 1U);

  ASSERT_THAT(police_.Restart(), IsOk());
  EXPECT_EQ(police_.gateway().ports().federation, 0);
  const auto waiting = RestorationOf(police_);
  EXPECT_EQ(waiting.state(), "restored");
  EXPECT_EQ(waiting.replayed(), 1U);
  EXPECT_GT(waiting.largest_seen(), waiting.log_size());
  ASSERT_EQ(waiting.waiting_for_size(), 1);
  EXPECT_EQ(waiting.waiting_for(0), "eastvale-council");
  {
    const auto unchecked = UncheckedRequester::Create(council_.unchecked_towards(police_), clock_);
    ASSERT_THAT(unchecked, IsOk());
    EXPECT_FALSE((*unchecked)->Open(Terms()).has_value());
    grpc::ClientContext context;
    v1::WatchlistStatusResponse response;
    EXPECT_EQ(police_.watchlists()
                  ->Status(&context, v1::WatchlistStatusRequest(), &response)
                  .error_code(),
              grpc::StatusCode::UNIMPLEMENTED);
  }
  // One person alone does not do.
  v1::PendingAct act = ProposeConfirmation(police_);
  EXPECT_THAT(act.words(), HasSubstr("THIS IS A ROLLBACK"));
  EXPECT_FALSE(Decide(police_.ChannelOf("admin-1"), police_.pki(), "admin-1", act).ok());
  police_.ApproveAct(act, "keys-1");
  EXPECT_EQ(police_.gateway().AwaitRestart(std::stop_token()), "restoration confirmed");
  police_.Stop();
  ASSERT_THAT(police_.Restart(), IsOk());

  EXPECT_EQ(RestorationOf(police_).state(), "confirmed");
  const v1::WatchlistSummary list = ListStatus();
  EXPECT_EQ(list.active(), 9U);
  EXPECT_EQ(list.withdrawn(), 1U);
  EXPECT_FALSE(list.searchable() && list.state() == "approved");  // a stop stands on it
  // The partner answers, and still nothing is searched: a stop, and the day's counters are lost.
  EXPECT_TRUE(Eventually([&] { return RestorationOf(police_).waiting_for_size() == 0; }));
  EXPECT_NE(DecisionOfPolice(), policy::ReasonCode::kPermit);
  EXPECT_THAT(TextOf(police_.data() / "log" / "log.vkey"),
              HasSubstr("northshire-police.example/log/20"));
}

TEST_F(RestoredNode, DoesNotForgetASuspensionThatCameAfterTheBackup) {
  const fs::path backup = Backup(council_);
  Suspend();  // by the police
  Lose(council_);
  police_.Stop();
  ASSERT_THAT(Restore(council_, backup), IsOk());
  ASSERT_THAT(council_.Restart(), IsOk());
  Confirm(council_);
  // In its database the agreement is in force; whom it was made with cannot be asked.
  const auto refused = StartDeployment(Definition());
  ASSERT_EQ(refused.holders_size(), 1);
  EXPECT_NE(refused.holders(0).decision().code(), v1::DECISION_CODE_PERMIT);
  EXPECT_EQ(RestorationOf(council_).waiting_for_size(), 1);
  ASSERT_THAT(police_.Restart(), IsOk());
  EXPECT_TRUE(Eventually([&] { return RestorationOf(council_).waiting_for_size() == 0; }));
  EXPECT_TRUE(Eventually([&] {
    grpc::ClientContext context;
    v1::ListAgreementsResponse response;
    EXPECT_TRUE(council_.agreements()->List(&context, v1::ListAgreementsRequest(), &response).ok());
    return response.agreements_size() == 1 && response.agreements(0).status() == "suspended";
  }));
}

TEST_F(RestoredNode, KeepsOutWhoWasRevokedOrRemovedAfterTheBackup) {
  const fs::path backup = Backup(police_);
  ASSERT_TRUE(NoticesOf("operator").has_value());
  RevokeOperator();
  RemoveCouncil();
  // By itself, while it works: nothing may wait for an orderly end.
  ASSERT_TRUE(Eventually([&] { return BarsInLedger() == 3; }));  // also the person's id
  Lose(police_);
  ASSERT_THAT(Restore(police_, backup), IsOk());
  ASSERT_THAT(police_.Restart(), IsOk());

  EXPECT_FALSE(NoticesOf("operator").has_value());
  EXPECT_THAT(NoticesOf("supervisor-1").value_or(""),
              HasSubstr("people who had been revoked: 1, partners that had been removed: 1"));
  EXPECT_EQ(RestorationOf(police_).waiting_for_size(), 0);
  Confirm(police_);
  EXPECT_FALSE(NoticesOf("operator").has_value());
  EXPECT_EQ(StateOfCouncil(), "removed");
  const auto unchecked = UncheckedRequester::Create(council_.unchecked_towards(police_), clock_);
  ASSERT_THAT(unchecked, IsOk());
  EXPECT_FALSE((*unchecked)->Open(Terms()).has_value());
  EXPECT_EQ(BarsInLedger(), 3U);
}

class BackupRefused : public RestoredNode {
 protected:
  void SetUp() override {
    RestoredNode::SetUp();
    backup_ = Backup(police_);
    Withdraw("ref-3");
    Lose(police_);
  }
  // Refused, with these words, and nothing is there.
  void ExpectRefused(const fs::path& file, const std::string& words) {
    const auto restored = Restore(police_, file);
    ASSERT_FALSE(restored.has_value());
    EXPECT_THAT(restored.error().detail, HasSubstr(words));
    EXPECT_FALSE(fs::exists(police_.data()));
    EXPECT_FALSE(fs::exists(police_.data().string() + ".restoring"));
  }
  fs::path Changed(const std::function<void(std::string&)>& change) {
    std::string text = TextOf(backup_);
    change(text);
    const fs::path file = folder_.path() / "changed.backup";
    std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
    return file;
  }
  // The same parts under another manifest that the agency signed.
  fs::path Signed(const std::function<void(backup::Manifest&)>& change) {
    const auto key =
        sign::SigningKey::ParseKeyFile(TextOf(police_.pki() / "keys" / "agency-signing.key"));
    auto file = backup::BackupFile::Open(backup_, key->public_key());
    EXPECT_THAT(file, IsOk());
    backup::Manifest manifest = file->manifest();
    std::uint64_t parts = 0;
    for (const auto& part : manifest.parts) parts += part.size;
    change(manifest);
    return Changed([&](std::string& text) {
      text = backup::EncodeBackupHead(backup::SignManifest(manifest, *key)) +
             text.substr(text.size() - parts);
    });
  }

  fs::path backup_;
};

TEST_F(BackupRefused, WhenAnyPartOfItWasChanged) {
  const std::size_t size = TextOf(backup_).size();
  for (const std::size_t at :
       {std::size_t{3}, std::size_t{200}, std::size_t{1500}, size / 2, size - 30'000, size - 1}) {
    ExpectRefused(Changed([&](std::string& text) { text[at] = static_cast<char>(text[at] ^ 4); }),
                  "");
  }
  ExpectRefused(Changed([](std::string& text) { text.resize(text.size() - 1); }), "cut short");
  ExpectRefused(Changed([](std::string& text) { text += "x"; }), "longer");
  ASSERT_THAT(Restore(police_, backup_), IsOk());  // the backup itself is good
}

TEST_F(BackupRefused, OfAnotherAgencyOrANewerSchemaOrWhenItExpired) {
  const auto foreign =
      cli::RestoreBackup({backup_, council_.config_file(), folder_.path() / "foreign"}, clock_);
  ASSERT_FALSE(foreign.has_value());
  EXPECT_FALSE(fs::exists(folder_.path() / "foreign"));
  ExpectRefused(Signed([](backup::Manifest& manifest) {
                  manifest.agency = policy::AgencyId::Parse("eastvale-council").value();
                }),
                "is that of eastvale-council");
  ExpectRefused(Signed([](backup::Manifest& manifest) { ++manifest.schema; }), "has schema");
  ManualClock later(clock_.Now() + std::chrono::days(31));
  const auto expired = cli::RestoreBackup({backup_, police_.config_file(), police_.data()}, later);
  ASSERT_FALSE(expired.has_value());
  EXPECT_THAT(expired.error().detail, HasSubstr("expired"));
}

TEST_F(BackupRefused, IntoAFolderThatIsNotEmpty) {
  fs::create_directories(police_.data());
  std::ofstream(police_.data() / "something") << "here";
  EXPECT_THAT(Restore(police_, backup_), FailsWith(ErrorCode::kConflict));
  EXPECT_TRUE(fs::exists(police_.data() / "something"));
  fs::remove(police_.data() / "something");
  EXPECT_THAT(Restore(police_, backup_), IsOk());
}

TEST_F(BackupRefused, WithoutALedgerThatExtendsIt) {
  const fs::path ledger = police_.ledger() / "ledger";
  const std::string whole = TextOf(ledger);
  const auto put = [&](const std::string& text) {
    std::ofstream(ledger, std::ios::binary | std::ios::trunc) << text;
  };
  put("");
  ExpectRefused(backup_, "erasure ledger");
  put(whole.substr(0, whole.find('\n') + 1));  // as it was before the backup
  ExpectRefused(backup_, "older than the backup");
  std::string flipped = whole;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
  put(flipped);
  ExpectRefused(backup_, "line");
  fs::remove(ledger);
  ExpectRefused(backup_, "nobody knows what must not come back");
  put(whole);
  fs::remove_all(police_.ledger() / "backups");
  ExpectRefused(backup_, "key of backup");
}

}  // namespace
}  // namespace comity::testing
