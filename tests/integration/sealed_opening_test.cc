// SPDX-License-Identifier: Apache-2.0
// What auditors of both sides make of a live sealed search: openings against the holder's log, and
// the holder's blocks made again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "crypto/base/encoding.h"
#include "crypto/sealed/quantise.h"
#include "services/audit/events.h"
#include "services/cli/commands.h"
#include "services/cli/opening_check.h"
#include "services/cli/opening_file.h"
#include "services/cli/output.h"
#include "services/cli/profile.h"
#include "services/runtime/file.h"
#include "tests/integration/direct_search_world.h"
#include "tests/integration/exported_log.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace comity::testing {
namespace {

using namespace std::chrono_literals;
using cli::OpeningFinding;

class SealedOpening : public DirectSearchWorld {
 protected:
  void SetUp() override {
    police_.Configure("[sealed]\nanswer_after = 0\n");
    DirectSearchWorld::SetUp();
    text_.mode = "sealed";
    Agree();
    ImportEntries(10);
    engine_ = Watch();
    ASSERT_NE(engine_, nullptr);
  }
  // Searches until the holder has the face of this entry; returns the alert.
  std::string Hit(std::size_t entry) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (std::chrono::steady_clock::now() < end) {
      const v1::WatchAnswer answer = Ask(*engine_, ++sequence_, entries_[entry]);
      if (answer.answered().alerts_size() == 1) return answer.answered().alerts(0).alert();
      std::this_thread::sleep_for(50ms);
    }
    ADD_FAILURE() << "no hit within a minute";
    return {};
  }
  grpc::Status Open(const std::string& alert, v1::AlertOpening& opening,
                    const std::string& person = "auditor", const std::string& reason = "sample") {
    v1::OpenAlertRequest request;
    request.set_alert(alert);
    request.set_reason(reason);
    grpc::ClientContext context;
    return council_.alerts(person)->Open(&context, request, &opening);
  }
  static OpeningFinding Check(const v1::AlertOpening& opening, const ExportedLog& log) {
    cli::OpeningCheck check(opening);
    EXPECT_THAT(tlog::VerifyLog(check.Watch(log.AsExport())), IsOk());
    return check.Findings().at(0).finding;
  }
  // The program's command, as this person; in this process.
  cli::ExitCode Comity(std::vector<std::string> words, LiveAgency& agency,
                       const std::string& person) {
    cli::Profile profile;
    profile.gateway = {"127.0.0.1", static_cast<std::uint16_t>(agency.gateway().ports().agency)};
    profile.spiffe_id = agency.spiffe_id();
    profile.identity = agency.person_identity(person);
    profile.roots = agency.pki() / "ca" / "ca.pem";
    const std::filesystem::path file = folder_.path() / (agency.name() + "-" + person + ".toml");
    EXPECT_THAT(runtime::WriteFile(file, AsBytes(cli::EncodeProfile(profile)), 0600), IsOk());
    cli::Session session{clock_, file.string(), false};
    cli::CommandLine line(session);
    cli::AddAlertCommands(line, session);
    cli::AddAuditCommands(line, session);
    cli::AddWatchlistCommands(line, session);
    words.insert(words.begin(), "comity");
    std::vector<const char*> arguments;
    for (const std::string& word : words) arguments.push_back(word.c_str());
    return line.Execute(static_cast<int>(arguments.size()), arguments.data());
  }
  // The police's log in a folder.
  void WriteLog(const std::filesystem::path& folder) const {
    const ExportedLog log = ExportLog(police_);
    for (const auto& [path, content] : log.files) {
      std::filesystem::create_directories((folder / path).parent_path());
      ASSERT_THAT(runtime::WriteFile(folder / path, content, 0644), IsOk());
    }
  }
  v1::AuditWatchlistResponse Audit() {
    v1::AuditWatchlistRequest request;
    request.set_watchlist("lantern");
    grpc::ClientContext context;
    v1::AuditWatchlistResponse response;
    const auto status = police_.watchlists("auditor")->Audit(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  TemporaryDirectory folder_;
  std::unique_ptr<EngineClient> engine_;
  std::uint64_t sequence_ = 0;
};

TEST_F(SealedOpening, AHitIsVerifiedAgainstTheHoldersLog) {
  const std::string alert = Hit(3);
  v1::AlertOpening opening;
  const grpc::Status status = Open(alert, opening);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(opening.requester(), "eastvale-council");
  EXPECT_EQ(opening.holder(), "northshire-police");
  ASSERT_EQ(opening.frames_size(), 1);
  const auto quantiser = sealed::Quantiser::Create(kDimension).value();
  const auto face = quantiser.Quantise(entries_[3]).value();
  EXPECT_EQ(opening.frames(0).probe(),
            std::string(reinterpret_cast<const char*>(face.Expose().data()), face.size()));
  const ExportedLog police = ExportLog(police_);
  EXPECT_EQ(Check(opening, police), OpeningFinding::kVerified);
  EXPECT_EQ(Check(opening, ExportLog(council_)), OpeningFinding::kNotInLog);
  // The requester's own log has what it sent, so that neither side can say otherwise later.
  const auto hits = police.OfType(audit::kSearchHit);
  const auto alerts = ExportLog(council_).OfType(audit::kAlertRaised);
  ASSERT_EQ(hits.size(), 1U);
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].messages.at("blinded-0"), hits[0].messages.at("blinded-0"));
  EXPECT_EQ(alerts[0].messages.at("header-0"), hits[0].messages.at("header-0"));
}

// As the two auditors do it: one command at the requester, one anywhere.
TEST_F(SealedOpening, TheCommandsOpenIntoAPrivateFileAndVerifyItOffline) {
  const std::string alert = Hit(3);
  const std::filesystem::path file = folder_.path() / "opening.json";
  const std::filesystem::path log = folder_.path() / "log";
  WriteLog(log);
  const std::vector<std::string> open{"alert", "open",  alert,        "--reason",
                                      "why",   "--out", file.string()};
  EXPECT_EQ(Comity(open, council_, "adjudicator"), cli::ExitCode::kUnreachable);
  EXPECT_FALSE(std::filesystem::exists(file));
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Comity(open, council_, "auditor"), cli::ExitCode::kOk);
  cli::FlushOutput();
  const std::string printed = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const auto opening = cli::ReadOpeningFile(file);
  ASSERT_THAT(opening, IsOk());
  EXPECT_THAT(printed, ::testing::HasSubstr(alert));
  EXPECT_THAT(
      printed,
      ::testing::Not(::testing::HasSubstr(EncodeBase64(AsBytes(opening->frames(0).probe())))));
  EXPECT_EQ(Comity(open, council_, "auditor"), cli::ExitCode::kNo) << "it was overwritten";
  EXPECT_EQ(ExportLog(council_).Count(audit::kAlertOpened), 1U) << "opened for nothing";
  const std::vector<std::string> verify{"audit",
                                        "opening",
                                        file.string(),
                                        "--log",
                                        log.string(),
                                        "--vkey",
                                        (log / "log.vkey").string(),
                                        "--exchange",
                                        opening->frames(0).exchange_id()};
  EXPECT_EQ(Comity(verify, police_, "auditor"), cli::ExitCode::kOk);
  EXPECT_EQ(Comity({"watchlist", "audit", "lantern"}, police_, "auditor"), cli::ExitCode::kOk);
  EXPECT_EQ(Comity({"watchlist", "audit", "lantern"}, police_, "supervisor-1"),
            cli::ExitCode::kUnreachable);
}

TEST_F(SealedOpening, AnOpeningOfAnotherProbeDiffers) {
  v1::AlertOpening first;
  v1::AlertOpening second;
  ASSERT_TRUE(Open(Hit(1), first).ok());
  ASSERT_TRUE(Open(Hit(2), second).ok());
  const ExportedLog log = ExportLog(police_);
  EXPECT_EQ(Check(second, log), OpeningFinding::kVerified);
  *second.mutable_frames(0)->mutable_probe() = first.frames(0).probe();
  EXPECT_EQ(Check(second, log), OpeningFinding::kDiffers);
  *second.mutable_frames(0)->mutable_lists() = first.frames(0).lists();
  EXPECT_EQ(Check(second, log), OpeningFinding::kDiffers);
}

TEST_F(SealedOpening, NobodyButAnAuditorMayOpenAndOnlyForAReason) {
  const std::string alert = Hit(0);
  v1::AlertOpening opening;
  for (const char* person :
       {"operator", "adjudicator", "supervisor-1", "release", "dpo", "siro", "admin-1", "keys-1"}) {
    EXPECT_EQ(Open(alert, opening, person).error_code(), grpc::StatusCode::PERMISSION_DENIED)
        << person;
  }
  EXPECT_EQ(Open(alert, opening, "auditor", "").error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(opening.ByteSizeLong(), 0U);
  EXPECT_EQ(ExportLog(council_).Count(audit::kAlertOpened), 0U);
  ASSERT_TRUE(Open(alert, opening).ok());
  EXPECT_EQ(ExportLog(council_).Count(audit::kAlertOpened), 1U);
}

TEST_F(SealedOpening, TheHoldersBlocksAreAuditedAgainstItsEntries) {
  Hit(0);
  v1::AuditWatchlistResponse audit = Audit();
  ASSERT_EQ(audit.lists_size(), 1);
  EXPECT_EQ(audit.lists(0).requester(), "eastvale-council");
  EXPECT_EQ(audit.lists(0).verified_size(), 1);
  EXPECT_EQ(audit.lists(0).differing_size(), 0);
  v1::WithdrawEntryRequest request;
  request.set_watchlist("lantern");
  request.set_reference("ref-5");
  request.set_reason("found");
  grpc::ClientContext context;
  v1::WithdrawEntryResponse response;
  ASSERT_TRUE(police_.watchlists()->Withdraw(&context, request, &response).ok());
  audit = Audit();
  ASSERT_EQ(audit.lists_size(), 1);
  EXPECT_EQ(audit.lists(0).withdrawn_size(), 1);
  const auto logged = ExportLog(police_).OfType(audit::kSealedListAudited);
  ASSERT_EQ(logged.size(), 2U);
  EXPECT_EQ(logged[0].counts.at("verified"), 1);
  EXPECT_EQ(logged[1].counts.at("withdrawn"), 1);
  EXPECT_EQ(logged[0].messages.at("header").view().size(), audit.lists(0).header().size());
}

}  // namespace
}  // namespace comity::testing
