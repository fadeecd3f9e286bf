// SPDX-License-Identifier: Apache-2.0
// The life of a list at its keeper, as a partner's running search sees it.
#include <gmock/gmock.h>

#include <algorithm>
#include <sstream>
#include <thread>

#include "crypto/base/encoding.h"
#include "crypto/merkle/compact_tree.h"
#include "crypto/merkle/tree_hash.h"
#include "crypto/sign/dsse.h"
#include "services/transport/limits.h"
#include "tests/integration/direct_search_world.h"
#include "tests/integration/live_acts.h"
#include "tests/support/result_matchers.h"
#include "tests/support/watchlist_text.h"

namespace comity::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class WatchlistLife : public DirectSearchWorld {
 protected:
  // Calls one method of the police's Watchlists as `person`.
  template <typename Request, typename Response>
  grpc::Status Call(const std::string& person,
                    grpc::Status (v1::Watchlists::Stub::*method)(grpc::ClientContext*,
                                                                 const Request&, Response*),
                    const Request& request, Response* response) {
    grpc::ClientContext context;
    const auto stub = police_.watchlists(person);
    return (stub.get()->*method)(&context, request, response);
  }
  v1::WatchlistSummary Summary(const std::string& list = "lantern") {
    v1::WatchlistStatusRequest request;
    v1::WatchlistStatusResponse response;
    request.set_watchlist(list);
    const auto status = Call("operator", &v1::Watchlists::Stub::Status, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.watchlists_size() == 1 ? response.watchlists(0) : v1::WatchlistSummary();
  }
  grpc::Status Restrict(const std::string& reference) {
    v1::RestrictEntryRequest request;
    v1::RestrictEntryResponse response;
    request.set_watchlist("lantern");
    request.set_reference(reference);
    request.set_contested(true);
    request.set_reason("The person says it is somebody else.");
    return Call("operator", &v1::Watchlists::Stub::Restrict, request, &response);
  }
  grpc::Status Close(const std::string& person) {
    v1::CloseWatchlistRequest request;
    v1::CloseWatchlistResponse response;
    request.set_watchlist("lantern");
    request.set_reason("The operation is over.");
    return Call(person, &v1::Watchlists::Stub::Close, request, &response);
  }
  // Words of the notices about what one person did alone.
  static std::vector<std::string> ToldOfOnePerson(const LiveAgency& agency,
                                                  const std::string& person) {
    grpc::ClientContext context;
    v1::ListNoticesResponse response;
    EXPECT_TRUE(agency.notices(person)->List(&context, v1::ListNoticesRequest(), &response).ok());
    std::vector<std::string> told;
    for (const v1::Notice& notice : response.notices()) {
      if (notice.kind() == "act-of-one-person") told.push_back(notice.words());
    }
    return told;
  }
  std::string CategoryAndCode(EngineClient& engine, std::size_t face) {
    const v1::WatchAnswer answer = Ask(engine, ++sequence_, entries_[face]);
    if (!answer.has_answered()) return "not answered";
    if (answer.answered().alerts_size() == 0) return "no hit";
    const v1::Hit& hit = answer.answered().alerts(0).hit();
    return hit.reference() + ", " + hit.category() + ", " + hit.response_code();
  }

  std::uint64_t sequence_ = 0;
};

TEST_F(WatchlistLife, WhatItsKeepersDoShowsInARunningSearchBeforeTheirCallReturns) {
  Agree();
  ImportEntries(5);
  const auto engine = Watch();
  ASSERT_TRUE(engine);
  const std::string hit = "ref-1, wanted-by-courts, amber: speak to the person";
  EXPECT_EQ(CategoryAndCode(*engine, 1), hit);

  ASSERT_TRUE(Restrict("ref-1").ok());
  EXPECT_EQ(CategoryAndCode(*engine, 1), "no hit");
  EXPECT_EQ(Summary().contested(), 1U);
  v1::UnrestrictEntryRequest unrestrict;
  v1::PendingAct act;
  unrestrict.set_watchlist("lantern");
  unrestrict.set_reference("ref-1");
  unrestrict.set_reason("Fingerprints agree.");
  auto status = Call("operator", &v1::Watchlists::Stub::Unrestrict, unrestrict, &act);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(act.words(), HasSubstr("Fingerprints agree."));
  EXPECT_EQ(CategoryAndCode(*engine, 1), "no hit");
  police_.ApproveAct(act, "supervisor-1");
  EXPECT_EQ(CategoryAndCode(*engine, 1), hit);

  v1::CorrectEntryRequest correct;
  v1::CorrectEntryResponse corrected;
  correct.set_watchlist("lantern");
  correct.set_reference("ref-2");
  correct.set_reason("The warrant was reissued.");
  v1::ShowEntryRequest show;
  v1::ShowEntryResponse shown;
  show.set_watchlist("lantern");
  show.set_reference("ref-2");
  ASSERT_TRUE(Call("supervisor-1", &v1::Watchlists::Stub::ShowEntry, show, &shown).ok());
  auto entry = nlohmann::json::parse(shown.fields());
  entry["response"]["text"] = "arrest";
  correct.set_entry(entry.dump());
  status = Call("operator", &v1::Watchlists::Stub::Correct, correct, &corrected);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(corrected.faults(), SizeIs(0));
  EXPECT_TRUE(corrected.awaits_approval());
  EXPECT_EQ(CategoryAndCode(*engine, 2), "no hit") << "one person alone changed what it means";
  v1::ApproveEntriesRequest approve;
  approve.set_watchlist("lantern");
  approve.add_references("ref-2");
  ASSERT_TRUE(Call("supervisor-1", &v1::Watchlists::Stub::ApproveEntries, approve, &act).ok());
  police_.ApproveAct(act, "supervisor-2");
  EXPECT_EQ(CategoryAndCode(*engine, 2), "ref-2, wanted-by-courts, amber: arrest");
  EXPECT_EQ(Call("dpo", &v1::Watchlists::Stub::Correct, correct, &corrected).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Call("dpo", &v1::Watchlists::Stub::ShowEntry, show, &shown).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT)
      << "a sample has a reason";
  show.set_reason("sample of the month");
  EXPECT_TRUE(Call("dpo", &v1::Watchlists::Stub::ShowEntry, show, &shown).ok());
  correct.set_entry("{}");
  ASSERT_TRUE(Call("operator", &v1::Watchlists::Stub::Correct, correct, &corrected).ok());
  EXPECT_GT(corrected.faults_size(), 10);

  ASSERT_TRUE(Close("supervisor-1").ok());
  EXPECT_EQ(CategoryAndCode(*engine, 1), "not answered");
  EXPECT_EQ(CategoryAndCode(*engine, 2), "not answered");
  EXPECT_EQ(Summary().state(), "closed");
}

TEST_F(WatchlistLife, WhatOnePersonDoesAloneIsToldByTheGatewayToThoseWhoOversee) {
  Agree();
  ImportEntries(3);
  ASSERT_TRUE(Restrict("ref-1").ok());
  ASSERT_TRUE(Close("supervisor-1").ok());
  for (const char* person : {"supervisor-2", "dpo", "auditor"}) {
    EXPECT_THAT(
        ToldOfOnePerson(police_, person),
        ElementsAre(HasSubstr("ref-1 was marked contested by operator alone"), HasSubstr("closed")))
        << person;
  }
}

TEST_F(WatchlistLife, WhoStopsADeploymentAloneIsToldToThoseWhoOversee) {
  Agree();
  ImportEntries(3);
  const std::string deployment = StartDeployment(Definition()).deployment();
  v1::StopDeploymentRequest request;
  request.set_deployment(deployment);
  request.set_reason("somebody is to pass");
  grpc::ClientContext context;
  v1::StopDeploymentResponse response;
  ASSERT_TRUE(council_.deployments("adjudicator")->Stop(&context, request, &response).ok());
  for (const char* person : {"supervisor-2", "dpo", "auditor"}) {
    EXPECT_THAT(ToldOfOnePerson(council_, person),
                ElementsAre(HasSubstr(deployment + " was stopped by adjudicator alone")))
        << person;
  }
}

TEST_F(WatchlistLife, WhoExportsTheLogOrErasesAloneIsToldToThoseWhoOversee) {
  {
    grpc::ClientContext context;
    const auto auditor = council_.audit();
    const auto reader = auditor->Export(&context, v1::ExportAuditRequest());
    v1::ExportedChunk chunk;
    while (reader->Read(&chunk)) {
    }
    ASSERT_TRUE(reader->Finish().ok());
  }
  grpc::ClientContext context;
  v1::RetentionRunResponse response;
  const auto status =
      council_.retention("admin-1")->Run(&context, v1::RetentionRunRequest(), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  for (const char* person : {"dpo", "auditor"}) {
    EXPECT_THAT(ToldOfOnePerson(council_, person),
                ElementsAre(HasSubstr("the audit log was exported by auditor alone"),
                            HasSubstr("of what is due was ordered by admin-1 alone")))
        << person;
  }
  EXPECT_THAT(ToldOfOnePerson(council_, "admin-2"), ElementsAre(HasSubstr("admin-1 alone")));
}

// Whoever begins an import and leaves it there keeps others out for 20 s, and not for good.
TEST_F(WatchlistLife, AnImportThatDoesNotGoOnIsGivenUp) {
  DefinitionText text;
  text.reference = "second";
  text.starts_at = Now();
  text.ends_at = Now() + std::chrono::hours(1);
  DraftList(police_, text);
  const auto stub = police_.watchlists();
  const auto add = [&](grpc::ClientContext& context, v1::AddEntriesResponse& response) {
    auto writer = stub->Add(&context, &response);
    v1::AddEntriesRequest request;
    request.mutable_begin()->set_watchlist("second");
    request.mutable_begin()->set_format(v1::TEMPLATE_FORMAT_FLOAT32);
    writer->Write(request);
    request.set_entries_chunk("{");
    writer->Write(request);
    return writer;
  };
  const auto begun = std::chrono::steady_clock::now();
  grpc::ClientContext idle;
  v1::AddEntriesResponse nothing;
  const auto writer = add(idle, nothing);
  const auto other = [&] {
    grpc::ClientContext context;
    v1::AddEntriesResponse response;
    const auto second = add(context, response);
    second->WritesDone();
    return second->Finish().error_code();
  };
  std::this_thread::sleep_for(std::chrono::seconds(1));  // it is at work
  EXPECT_EQ(other(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::CANCELLED);
  const auto waited = std::chrono::steady_clock::now() - begun;
  EXPECT_GE(waited, transport::limits::kImportPatience - std::chrono::seconds(1));
  EXPECT_LT(waited, 2 * transport::limits::kImportPatience);
  grpc::StatusCode again = grpc::StatusCode::UNAVAILABLE;
  for (int i = 0; i < 50 && again == grpc::StatusCode::UNAVAILABLE; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    again = other();
  }
  EXPECT_EQ(again, grpc::StatusCode::OK) << "it is told its faults";
}

TEST_F(WatchlistLife, RolesAndSeparationHold) {
  Agree();
  ImportEntries(3);
  EXPECT_EQ(Close("operator").error_code(), grpc::StatusCode::PERMISSION_DENIED);
  v1::DraftWatchlistRequest draft;
  v1::DraftWatchlistResponse drafted;
  DefinitionText text;
  text.reference = "second";
  text.starts_at = Now();
  text.ends_at = Now() + std::chrono::hours(1);
  draft.set_definition(WriteDefinition(text));
  EXPECT_EQ(Call("dpo", &v1::Watchlists::Stub::Draft, draft, &drafted).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  v1::WasOnRequest was_on;
  v1::WasOnResponse listings;
  was_on.set_reference("ref-1");
  was_on.set_day(policy::UtcDay(Now()));
  EXPECT_EQ(Call("operator", &v1::Watchlists::Stub::WasOn, was_on, &listings).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  draft.set_definition("schema: comity/watchlist/1\nowner: nobody\n");
  ASSERT_TRUE(Call("operator", &v1::Watchlists::Stub::Draft, draft, &drafted).ok());
  EXPECT_EQ(drafted.watchlist(), "");
  EXPECT_GT(drafted.faults_size(), 10);
}

TEST_F(WatchlistLife, EntriesThatNeedAFurtherApprovalMatchOnceTwoSupervisorsGaveIt) {
  Agree();
  // The agreement's purposes allow suspects, also those who are on the list as associates.
  for (int i = 0; i < 2; ++i) entries_.push_back(RandomTemplate(random_));
  DefinitionText list;
  list.agreements = {text_.id};
  list.purpose = text_.purpose;
  list.starts_at = Now() - std::chrono::minutes(5);
  list.ends_at = Now() + std::chrono::hours(12);
  FillList(police_, list, entries_);
  const auto engine = Watch();
  ASSERT_TRUE(engine);
  // A correction that makes an entry one of a vulnerable person takes it out of matching.
  v1::ShowEntryRequest show;
  v1::ShowEntryResponse shown;
  show.set_watchlist("lantern");
  show.set_reference("ref-0");
  ASSERT_TRUE(Call("supervisor-1", &v1::Watchlists::Stub::ShowEntry, show, &shown).ok());
  auto entry = nlohmann::json::parse(shown.fields());
  entry["vulnerable"] = true;
  v1::CorrectEntryRequest correct;
  v1::CorrectEntryResponse corrected;
  correct.set_watchlist("lantern");
  correct.set_reference("ref-0");
  correct.set_reason("Known to be vulnerable.");
  correct.set_entry(entry.dump());
  ASSERT_TRUE(Call("operator", &v1::Watchlists::Stub::Correct, correct, &corrected).ok());
  ASSERT_EQ(corrected.faults_size(), 0);
  EXPECT_EQ(CategoryAndCode(*engine, 0), "no hit");
  EXPECT_EQ(Summary().awaiting_approval(), 1U);
  v1::ApproveEntriesRequest approve;
  v1::PendingAct act;
  approve.set_watchlist("lantern");
  approve.add_references("ref-0");
  EXPECT_EQ(Call("operator", &v1::Watchlists::Stub::ApproveEntries, approve, &act).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  const auto status = Call("supervisor-1", &v1::Watchlists::Stub::ApproveEntries, approve, &act);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(act.words(), HasSubstr("\nref-0\n"));
  EXPECT_THAT(act.words(), Not(HasSubstr("vulnerable"))) << "this outlives the entry's key";
  const auto shown_to = [&](const std::string& person) {
    grpc::ClientContext context;
    v1::GetApprovalRequest get;
    get.set_approval(act.approval());
    v1::PendingAct seen;
    EXPECT_TRUE(police_.approvals(person)->Get(&context, get, &seen).ok());
    return seen.words();
  };
  EXPECT_THAT(shown_to("supervisor-2"), HasSubstr("ref-0: wanted-by-courts, suspect, vulnerable"));
  EXPECT_THAT(shown_to("siro"), Not(HasSubstr("vulnerable"))) << "who may not read entries";
  police_.ApproveAct(act, "supervisor-2");
  EXPECT_THAT(CategoryAndCode(*engine, 0), HasSubstr("ref-0"));
}

TEST_F(WatchlistLife, TheManifestIsSignedByTheAgencyAndAnswersAfterTheEnd) {
  Agree();
  ImportEntries(3);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ASSERT_TRUE(Close("supervisor-1").ok());
  grpc::ClientContext context;
  v1::ManifestRequest request;
  request.set_watchlist("lantern");
  const auto stub = police_.watchlists("dpo");
  const auto reader = stub->Manifest(&context, request);
  std::string head;
  std::string rows;
  v1::ManifestPart part;
  while (reader->Read(&part)) {
    if (part.has_head()) head = part.head();
    rows += part.rows();
  }
  ASSERT_TRUE(reader->Finish().ok());
  const auto envelope = sign::ParseDsseJson(head, 65536);
  ASSERT_THAT(envelope, IsOk());
  const auto key = sign::ParsePublicKey(police_.party_keys().agency_key);
  ASSERT_THAT(key, IsOk());
  EXPECT_THAT(sign::VerifySignedBy(*envelope, *key), IsOk());
  merkle::CompactTree tree;
  std::istringstream in(rows);
  for (std::string line; std::getline(in, line);) tree.Append(merkle::LeafHash(AsBytes(line)));
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 3);
  EXPECT_THAT(std::string(AsText(envelope->payload)),
              HasSubstr("\"root\":\"" + EncodeHex(tree.Root().view()) + "\""));
  v1::WasOnRequest was_on;
  v1::WasOnResponse listings;
  was_on.set_reference("ref-1");
  was_on.set_day(policy::UtcDay(Now()));
  ASSERT_TRUE(Call("auditor", &v1::Watchlists::Stub::WasOn, was_on, &listings).ok());
  ASSERT_EQ(listings.listings_size(), 1);
  EXPECT_EQ(listings.listings(0).watchlist(), "lantern");
  EXPECT_EQ(listings.listings(0).state(), "closed");
  EXPECT_TRUE(listings.listings(0).has_until());
}

}  // namespace
}  // namespace comity::testing
