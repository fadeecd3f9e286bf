// SPDX-License-Identifier: Apache-2.0
// A lawful request for what the log only commits to, from the question to the offline verdict.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "crypto/base/encoding.h"
#include "services/audit/events.h"
#include "services/cli/commands.h"
#include "services/cli/output.h"
#include "services/cli/payload_check.h"
#include "services/cli/payload_file.h"
#include "services/cli/profile.h"
#include "services/runtime/file.h"
#include "services/store/approval_store.h"
#include "services/store/retention_store.h"
#include "services/store/sqlite/sqlite_store.h"
#include "tests/integration/direct_search_world.h"
#include "tests/integration/exported_log.h"
#include "tests/integration/opened_log.h"
#include "tests/support/result_matchers.h"
#include "tests/support/staff.h"
#include "tests/support/temporary_directory.h"

namespace comity::testing {
namespace {

using cli::PayloadFinding;
using grpc::StatusCode;
using ::testing::HasSubstr;
using ::testing::Not;

class PayloadOpening : public DirectSearchWorld {
 protected:
  void SetUp() override {
    DirectSearchWorld::SetUp();
    Agree();
    ImportEntries(3);
    const auto engine = Watch();
    ASSERT_TRUE(engine);
    Ask(*engine, 1, entries_[1]);
    search_ = IndexOf(audit::kSearchOpened);
  }
  // Of the first entry of this type in the council's log.
  std::uint64_t IndexOf(std::string_view type) const {
    const auto entries = ExportLog(council_).entries;
    for (std::uint64_t i = 0; i < entries.size(); ++i) {
      if (entries[i].type == type) return i;
    }
    ADD_FAILURE() << "no entry of type " << type;
    return 0;
  }
  grpc::Status Request(const std::vector<std::uint64_t>& entries, v1::PendingAct& act,
                       const std::string& person = "auditor",
                       const std::vector<std::string>& days = {}) {
    v1::RequestOpeningRequest request;
    for (const std::uint64_t index : entries) request.add_entries(index);
    for (const std::string& day : days) request.add_days(day);
    request.set_order("court order 7/2026");
    request.set_reason("complaint of 12 November");
    grpc::ClientContext context;
    return council_.audit(person)->RequestOpening(&context, request, &act);
  }
  v1::PendingAct Requested(const std::vector<std::uint64_t>& entries,
                           const std::vector<std::string>& days = {}) {
    v1::PendingAct act;
    const grpc::Status status = Request(entries, act, "auditor", days);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return act;
  }
  v1::PendingAct Agreed(const std::vector<std::uint64_t>& entries,
                        const std::vector<std::string>& days = {}) {
    return council_.ApproveAct(Requested(entries, days), "dpo");
  }
  grpc::Status Open(const std::string& approval, cli::PayloadOpenings& openings,
                    const std::string& person = "auditor") {
    v1::OpenPayloadsRequest request;
    request.set_approval(approval);
    grpc::ClientContext context;
    const auto stub = council_.audit(person);
    const auto reader = stub->Open(&context, request);
    openings.approval = approval;
    v1::OpenedEntry entry;
    while (reader->Read(&entry)) openings.entries.push_back(entry);
    return reader->Finish();
  }
  cli::PayloadOpenings Opened(const v1::PendingAct& act) {
    cli::PayloadOpenings openings;
    const grpc::Status status = Open(act.approval(), openings);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return openings;
  }
  static PayloadFinding Check(const cli::PayloadOpenings& openings, const ExportedLog& log) {
    cli::PayloadCheck check(openings);
    EXPECT_THAT(tlog::VerifyLog(check.Watch(log.AsExport())), IsOk());
    return check.Findings().at(0).finding;
  }
  static std::string FieldOf(const v1::OpenedEntry& entry, std::string_view name) {
    for (const v1::OpenedField& field : entry.fields()) {
      if (field.name() == name) return field.octets();
    }
    return {};
  }
  // As somebody with a pen in the council's database.
  void WriteIntoDatabase(const std::function<Status(store::Transaction&)>& change) {
    council_.Stop();
    {
      const auto store = store::OpenSqliteStore(council_.data());
      ASSERT_THAT(store, IsOk());
      ASSERT_THAT((*store)->Write(change), IsOk());
    }
    ASSERT_THAT(council_.Restart(), IsOk());
  }
  void ChangeStored(const v1::PendingAct& act,
                    const std::function<void(store::ApprovalRecord&)>& change) {
    WriteIntoDatabase([&](store::Transaction& transaction) -> Status {
      COMITY_ASSIGN_OR_RETURN(auto stored, transaction.approvals().Get(act.approval()));
      const store::ApprovalState from = stored.state;
      change(stored);
      return transaction.approvals().Change(stored, from);
    });
  }
  cli::ExitCode Comity(std::vector<std::string> words, const std::string& person);

  TemporaryDirectory folder_;
  std::uint64_t search_ = 0;
};

TEST_F(PayloadOpening, SaysWhoSearchedForWhichCaseAndTheLogCommitsToIt) {
  const cli::PayloadOpenings openings = Opened(Agreed({search_}));
  ASSERT_EQ(openings.entries.size(), 1U);
  EXPECT_EQ(FieldOf(openings.entries[0], "operator"), "operator");
  EXPECT_NE(FieldOf(openings.entries[0], "operator_key"), "");
  EXPECT_EQ(Check(openings, ExportLog(council_)), PayloadFinding::kVerified);
}

TEST_F(PayloadOpening, IsInTheLogEachTimeBeforeAnythingLeaves) {
  const v1::PendingAct act = Agreed({search_, search_ + 1});
  EXPECT_EQ(ExportLog(council_).Count(audit::kPayloadOpened), 0U);
  Opened(act);
  Opened(act);
  const auto opened = ExportLog(council_).OfType(audit::kPayloadOpened);
  ASSERT_EQ(opened.size(), 4U);
  EXPECT_EQ(opened[0].counts.at("index"), static_cast<std::int64_t>(search_));
  EXPECT_EQ(opened[1].counts.at("index"), static_cast<std::int64_t>(search_ + 1));
}

TEST_F(PayloadOpening, NeedsADataProtectionOfficerBesidesWhoAsks) {
  v1::PendingAct act = Requested({search_});
  EXPECT_THAT(act.words(), HasSubstr("entry " + std::to_string(search_) + ": search-opened of"));
  EXPECT_THAT(act.words(), HasSubstr("court order 7/2026"));
  cli::PayloadOpenings openings;
  EXPECT_EQ(Open(act.approval(), openings).error_code(), StatusCode::FAILED_PRECONDITION);
  for (const char* person : {"auditor", "keys-1", "supervisor-1", "admin-1", "siro"}) {
    EXPECT_FALSE(Decide(council_.ChannelOf(person), council_.pki(), person, act).ok()) << person;
  }
  EXPECT_EQ(Open(act.approval(), openings).error_code(), StatusCode::FAILED_PRECONDITION);
  council_.ApproveAct(act, "dpo");
  EXPECT_EQ(Open(act.approval(), openings, "keys-1").error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Open(act.approval(), openings, "dpo").error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_TRUE(openings.entries.empty());
  EXPECT_EQ(ExportLog(council_).Count(audit::kPayloadOpened), 0U);
  EXPECT_TRUE(Open(act.approval(), openings).ok());
}

TEST_F(PayloadOpening, IsAskedForEntriesThatTheLogHasByThoseWhoMay) {
  v1::PendingAct act;
  for (const char* person : {"operator", "adjudicator", "supervisor-1", "dpo", "siro", "admin-1"}) {
    EXPECT_EQ(Request({search_}, act, person).error_code(), StatusCode::PERMISSION_DENIED)
        << person;
  }
  EXPECT_EQ(Request({1'000'000}, act).error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(Request({}, act).error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Request({2, 1}, act).error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Request({1}, act, "auditor", {"2026-02-30"}).error_code(),
            StatusCode::INVALID_ARGUMENT);
}

TEST_F(PayloadOpening, OfAnApprovalThatSomebodyWroteIntoTheDatabaseOpensNothing) {
  const v1::PendingAct act = Requested({search_});
  const v1::PendingAct agreed = Agreed({search_ + 1});
  ChangeStored(act, [&](store::ApprovalRecord& stored) {
    stored.state = store::ApprovalState::kApproved;
    stored.decided_by = policy::PersonId::Parse("dpo").value();
    stored.decided_at = clock_.Now();
  });
  cli::PayloadOpenings openings;
  EXPECT_FALSE(Open(act.approval(), openings).ok()) << "nobody signed it";
  std::string signature;
  ChangeStored(agreed, [&](store::ApprovalRecord& stored) { signature = stored.decision; });
  ChangeStored(act, [&](store::ApprovalRecord& stored) { stored.decision = signature; });
  EXPECT_FALSE(Open(act.approval(), openings).ok()) << "the signature is about another act";
  EXPECT_TRUE(openings.entries.empty());
  EXPECT_EQ(ExportLog(council_).Count(audit::kPayloadOpened), 0U);
}

TEST_F(PayloadOpening, IsFetchedWithinADayOfItsApproval) {
  const v1::PendingAct act = Agreed({search_});
  ChangeStored(act,
               [](store::ApprovalRecord& stored) { stored.decided_at -= std::chrono::hours(24); });
  cli::PayloadOpenings openings;
  EXPECT_EQ(Open(act.approval(), openings).error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_TRUE(openings.entries.empty());
}

// The stored time of the approval is nobody's word.
TEST_F(PayloadOpening, IsFetchedWithinADayOfWhatItsApproverSigned) {
  const v1::PendingAct act = Agreed({search_});
  const auto sign_at = [&](std::chrono::hours ago) {
    ChangeStored(act, [&](store::ApprovalRecord& stored) {
      auto decision = identity::ParseDecision(stored.decision).value();
      decision.at = clock_.Now() - ago;
      stored.decision = identity::SignDecision(StaffKey(council_.pki(), "dpo"), decision).value();
      stored.decided_at = clock_.Now();
    });
  };
  cli::PayloadOpenings openings;
  sign_at(std::chrono::hours(25));
  EXPECT_EQ(Open(act.approval(), openings).error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_TRUE(openings.entries.empty());
  EXPECT_EQ(ExportLog(council_).Count(audit::kPayloadOpened), 0U);
  sign_at(std::chrono::hours(23));
  EXPECT_TRUE(Open(act.approval(), openings).ok());
}

TEST_F(PayloadOpening, OfAnErasedPayloadSaysSinceWhen) {
  WriteIntoDatabase([&](store::Transaction& transaction) -> Status {
    const std::string index = std::to_string(search_);
    COMITY_ASSIGN_OR_RETURN(
        const bool erased,
        transaction.retention().Erase(policy::RetentionClass::kAuditPayload,
                                      {"audit-payload", index, "expired"}, clock_.Now()));
    return erased ? Status() : Fail(ErrorCode::kNotFound, "nothing was erased");
  });
  const v1::PendingAct act = Requested({search_});
  EXPECT_THAT(act.words(), HasSubstr("erased"));
  council_.ApproveAct(act, "dpo");
  const cli::PayloadOpenings openings = Opened(act);
  ASSERT_EQ(openings.entries.size(), 1U);
  EXPECT_TRUE(openings.entries[0].erased());
  EXPECT_TRUE(openings.entries[0].has_period_ended());
  EXPECT_EQ(openings.entries[0].record_key(), "");
  EXPECT_EQ(Check(openings, ExportLog(council_)), PayloadFinding::kErased);
}

TEST_F(PayloadOpening, OpensTheCommitmentsThatThePartnerWasSentOnADay) {
  const std::string today = policy::UtcDay(Now());
  const cli::PayloadOpenings openings = Opened(Agreed({search_}, {"2026-01-01", today}));
  ASSERT_EQ(openings.entries[0].commitments_size(), 4);
  const v1::OpenedCommitment& officer = openings.entries[0].commitments(2);
  EXPECT_EQ(officer.kind() + " " + officer.day(), "officer " + today);
  EXPECT_EQ(EncodeHex(AsBytes(officer.key())), FieldOf(openings.entries[0], "operator_key"));
  const ExportedLog log = ExportLog(council_);
  EXPECT_EQ(Check(openings, log), PayloadFinding::kVerified);
  police_.Stop();
  const auto police = OpenedLog::Of(police_);
  ASSERT_THAT(police, IsOk());
  const auto sent = police->Times(audit::kSearchOpened, [](const OpenedLog::Entry& entry) {
    return entry.Field("officer_commitment");
  });
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent.begin()->first, EncodeHex(AsBytes(officer.value())));
  cli::PayloadOpenings wrong = openings;
  wrong.entries[0].mutable_commitments(0)->set_day("2026-01-02");
  EXPECT_EQ(Check(wrong, log), PayloadFinding::kDiffers);
}

TEST_F(PayloadOpening, SaysInTheLogForWhichDaysCommitmentsWereOpened) {
  Opened(Agreed({search_}, {"2026-01-01", "2026-01-02"}));
  Opened(Agreed({search_ + 1}));
  council_.Stop();
  const auto log = OpenedLog::Of(council_);
  ASSERT_THAT(log, IsOk());
  log->ExpectEachOnce(
      audit::kPayloadOpened,
      [](const OpenedLog::Entry& entry) {
        return entry.Count("index") + ": " + entry.Field("days");
      },
      {std::to_string(search_) + ": 2026-01-01 2026-01-02", std::to_string(search_ + 1) + ": "});
}

TEST_F(PayloadOpening, ThatWasAlteredDiffersFromTheLog) {
  const cli::PayloadOpenings openings = Opened(Agreed({search_}));
  const ExportedLog log = ExportLog(council_);
  const auto altered = [&](const std::function<void(v1::OpenedEntry&)>& alter) {
    cli::PayloadOpenings copy = openings;
    alter(copy.entries[0]);
    return Check(copy, log);
  };
  EXPECT_EQ(altered([](auto&) {}), PayloadFinding::kVerified);
  EXPECT_EQ(altered([](auto& entry) { entry.mutable_fields(0)->set_octets("somebody else"); }),
            PayloadFinding::kDiffers);
  EXPECT_EQ(altered([](auto& entry) { entry.mutable_fields(0)->set_name("unknown"); }),
            PayloadFinding::kDiffers);
  EXPECT_EQ(altered([](auto& entry) { entry.mutable_fields()->RemoveLast(); }),
            PayloadFinding::kDiffers)
      << "a field was left out";
  EXPECT_EQ(altered([](auto& entry) { entry.set_record_key(std::string(32, 'k')); }),
            PayloadFinding::kDiffers);
  EXPECT_EQ(altered([](auto& entry) { entry.set_record_key("short"); }), PayloadFinding::kDiffers);
  EXPECT_EQ(altered([](auto& entry) { entry.set_index(entry.index() + 1); }),
            PayloadFinding::kDiffers);
  EXPECT_EQ(altered([](auto& entry) { entry.set_index(1'000'000); }), PayloadFinding::kNotInLog);
  EXPECT_EQ(altered([](auto& entry) { entry.set_entry("{}"); }), PayloadFinding::kDiffers);
}

// The program's command, as one of the council's people; in this process.
cli::ExitCode PayloadOpening::Comity(std::vector<std::string> words, const std::string& person) {
  cli::Profile profile;
  profile.gateway = {"127.0.0.1", static_cast<std::uint16_t>(council_.gateway().ports().agency)};
  profile.spiffe_id = council_.spiffe_id();
  profile.identity = council_.person_identity(person);
  profile.roots = council_.pki() / "ca" / "ca.pem";
  const std::filesystem::path file = folder_.path() / (person + ".toml");
  EXPECT_THAT(runtime::WriteFile(file, AsBytes(cli::EncodeProfile(profile)), 0600), IsOk());
  cli::Session session{clock_, file.string(), false};
  cli::CommandLine line(session);
  cli::AddAuditCommands(line, session);
  words.insert(words.begin(), "comity");
  std::vector<const char*> arguments;
  for (const std::string& word : words) arguments.push_back(word.c_str());
  return line.Execute(static_cast<int>(arguments.size()), arguments.data());
}

TEST_F(PayloadOpening, IsAPrivateFileThatTheCommandsWriteAndVerifyOffline) {
  const std::string file = folder_.path() / "opened.json";
  const std::string log = folder_.path() / "log";
  const std::string index = std::to_string(search_);
  EXPECT_EQ(Comity({"audit", "request-opening", "--index", index, "--order", "order 7", "--reason",
                    "why"},
                   "auditor"),
            cli::ExitCode::kOk);
  grpc::ClientContext context;
  v1::ListApprovalsResponse waiting;
  ASSERT_TRUE(council_.approvals("dpo")->List(&context, v1::ListApprovalsRequest(), &waiting).ok());
  ASSERT_EQ(waiting.approvals_size(), 1);
  const std::vector<std::string> open{"audit", "open", waiting.approvals(0).approval(), "--out",
                                      file};
  EXPECT_NE(Comity(open, "auditor"), cli::ExitCode::kOk) << "nobody has approved it";
  EXPECT_FALSE(std::filesystem::exists(file));
  council_.ApproveAct(waiting.approvals(0), "dpo");
  EXPECT_EQ(Comity(open, "auditor"), cli::ExitCode::kOk);
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(Comity(open, "auditor"), cli::ExitCode::kNo) << "it was overwritten";
  EXPECT_EQ(ExportLog(council_).Count(audit::kPayloadOpened), 1U) << "opened for nothing";
  EXPECT_EQ(Comity({"audit", "export", log}, "auditor"), cli::ExitCode::kOk);
  const std::vector<std::string> verify{"audit",  "verify-opened",   file,    "--log", log,
                                        "--vkey", log + "/log.vkey", "--show"};
  cli::FlushOutput();
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Comity(verify, "auditor"), cli::ExitCode::kOk);
  cli::FlushOutput();
  const std::string printed = ::testing::internal::GetCapturedStdout();
  EXPECT_THAT(printed, HasSubstr("verified"));
  EXPECT_THAT(printed, HasSubstr("operator  operator"));
  auto openings = cli::ReadPayloadOpenings(file);
  ASSERT_THAT(openings, IsOk());
  openings->entries[0].mutable_fields(0)->set_octets("somebody else");
  ASSERT_THAT(runtime::WriteFile(file, AsBytes(cli::EncodePayloadOpenings(*openings)), 0600),
              IsOk());
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Comity(verify, "auditor"), cli::ExitCode::kNo);
  cli::FlushOutput();
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), Not(HasSubstr("somebody else")));
}

}  // namespace
}  // namespace comity::testing
