// SPDX-License-Identifier: Apache-2.0
// The live search with two real gateways in which nobody sees the other's templates.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <thread>

#include "services/audit/events.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/store/sealed_list_store.h"
#include "services/store/sqlite/sqlite_store.h"
#include "tests/integration/direct_search_world.h"
#include "tests/integration/exported_log.h"
#include "tests/integration/live_acts.h"
#include "tests/integration/raw_peer.h"
#include "tests/support/result_matchers.h"
#include "tests/support/watchlist_text.h"

namespace comity::testing {
namespace {

using namespace std::chrono_literals;

class SealedSearch : public DirectSearchWorld {
 protected:
  void SetUp() override {
    police_.Configure("[sealed]\nanswer_after = 0\n");
    DirectSearchWorld::SetUp();
    text_.mode = "sealed";
  }
  void Begin(std::size_t entries) {
    Agree();
    ImportEntries(entries);
    engine_ = Watch();
    ASSERT_NE(engine_, nullptr);
  }
  v1::WatchAnswer AskOnce(const Template& face) { return Ask(*engine_, ++sequence_, face); }
  // A camera sees a person again and again: asks until the holder has searched.
  v1::WatchAnswer AskUntilSearched(const Template& face, std::chrono::seconds patience = 60s) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (true) {
      v1::WatchAnswer answer = AskOnce(face);
      if (answer.has_answered() || std::chrono::steady_clock::now() > end) return answer;
      std::this_thread::sleep_for(50ms);
    }
  }
  v1::WatchAnswer AskUntilRefused(const Template& face, v1::DecisionCode code,
                                  std::chrono::seconds patience = 60s) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (true) {
      v1::WatchAnswer answer = AskOnce(face);
      if (answer.refused().code() == code || std::chrono::steady_clock::now() > end) return answer;
      std::this_thread::sleep_for(50ms);
    }
  }
  void ExpectHit(const v1::WatchAnswer& answer, const std::string& reference) {
    ASSERT_EQ(answer.answered().alerts_size(), 1) << answer.DebugString();
    EXPECT_EQ(answer.answered().alerts(0).hit().reference(), reference);
    EXPECT_FALSE(answer.answered().alerts(0).hit().has_similarity());
    EXPECT_EQ(answer.answered().mode(), v1::SEARCH_MODE_SEALED);
  }
  static v1::ListSealedReply List(RawPeer& requester, const v1::ListSealedRequest& request) {
    const v1::SignedMessage message = requester.Sign(request, requester.NewExchange());
    v1::SignedMessage answer;
    grpc::ClientContext context;
    const grpc::Status status = requester.stub().ListSealed(&context, message, &answer);
    EXPECT_TRUE(status.ok()) << status.error_message();
    const auto reply = requester.Read<v1::ListSealedReply>(answer);
    EXPECT_THAT(reply, IsOk());
    return reply ? *reply : v1::ListSealedReply();
  }
  static std::size_t FilesIn(const std::filesystem::path& folder) {
    std::size_t count = 0;
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator file(folder, error), end; file != end;
         file.increment(error)) {
      if (file->is_regular_file()) ++count;
    }
    return count;
  }
  static std::set<std::filesystem::path> NamesIn(const std::filesystem::path& folder) {
    std::set<std::filesystem::path> names;
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
      if (file.is_regular_file()) names.insert(file.path());
    }
    return names;
  }
  grpc::Status Shred(const std::string& reason, v1::ShredWatchlistResponse& response,
                     const std::string& list = "lantern") {
    v1::ShredWatchlistRequest request;
    request.set_watchlist(list);
    request.set_reason(reason);
    grpc::ClientContext context;
    return police_.watchlists("supervisor-1")->Shred(&context, request, &response);
  }
  // What the police's database says of a sealed list; their gateway must not run.
  store::SealedListRecord Stored(const Digest& header) const {
    const auto opened = store::OpenSqliteStore(police_.data()).value();
    store::SealedListRecord record;
    EXPECT_THAT(opened->Read([&](const store::Transaction& transaction) -> Status {
      COMITY_ASSIGN_OR_RETURN(record, transaction.sealed_lists().Get(header));
      return {};
    }),
                IsOk());
    return record;
  }

  std::unique_ptr<EngineClient> engine_;
  std::uint64_t sequence_ = 0;
};

TEST_F(SealedSearch, AListedFaceBecomesAnAlertAndAPasserByDoesNot) {
  Begin(200);
  ExpectHit(AskUntilSearched(entries_[17]), "ref-17");
  const v1::WatchAnswer miss = AskUntilSearched(RandomTemplate(random_));
  EXPECT_EQ(miss.answered().alerts_size(), 0) << miss.DebugString();
  EXPECT_EQ(miss.answered().entries(), 200U);
  EXPECT_EQ(miss.holder(), "northshire-police");
  Template opposite = entries_[17];
  for (float& value : opposite) value = -value;
  EXPECT_EQ(AskUntilSearched(opposite).answered().alerts_size(), 0) << "a face of cosine -1";
}

TEST_F(SealedSearch, BothLogsTellOfTheListAndOfTheHitByTheSameDigests) {
  Begin(30);
  ExpectHit(AskUntilSearched(entries_[3]), "ref-3");
  engine_->DoneSending();
  EXPECT_THAT(engine_->Finish(), IsOk());
  const ExportedLog police = ExportLog(police_);
  const ExportedLog council = ExportLog(council_);
  EXPECT_EQ(police.Count(audit::kSealedListPublished), 1U);
  EXPECT_EQ(council.Count(audit::kSealedListReceived), 1U);
  EXPECT_EQ(police.Count(audit::kSearchHit), 1U);
  EXPECT_EQ(council.Count(audit::kAlertRaised), 1U);
}

TEST_F(SealedSearch, ASuspensionBitesInTheOpenStream) {
  Begin(10);
  ExpectHit(AskUntilSearched(entries_[0]), "ref-0");
  Suspend();
  EXPECT_EQ(AskOnce(entries_[0]).refused().code(), v1::DECISION_CODE_AGREEMENT_SUSPENDED);
}

TEST_F(SealedSearch, AWithdrawnEntryStopsMatchingAtOnce) {
  Begin(10);
  ExpectHit(AskUntilSearched(entries_[3]), "ref-3");
  v1::WithdrawEntryRequest request;
  request.set_watchlist("lantern");
  request.set_reference("ref-3");
  request.set_reason("found");
  grpc::ClientContext context;
  v1::WithdrawEntryResponse response;
  ASSERT_TRUE(police_.watchlists()->Withdraw(&context, request, &response).ok());
  const v1::WatchAnswer answer = AskUntilSearched(entries_[3]);
  EXPECT_TRUE(answer.has_answered()) << answer.DebugString();
  EXPECT_EQ(answer.answered().alerts_size(), 0);
  ExpectHit(AskUntilSearched(entries_[4]), "ref-4");
}

// More hits than the release budget of a block: it is sealed again, and no hit is lost silently.
TEST_F(SealedSearch, ABlockWhoseBudgetIsSpentIsSealedAgain) {
  Begin(40);
  for (std::size_t i = 0; i < 30; ++i) {
    ExpectHit(AskUntilSearched(entries_[i]), "ref-" + std::to_string(i));
  }
  EXPECT_GE(ExportLog(police_).Count(audit::kSealedListPublished), 4U);
}

// A call that waits holds a thread: it does so only while it can be worth it.
TEST_F(SealedSearch, TheQuestionForListsDoesNotWaitWhenNothingIsBeingSealed) {
  Begin(10);
  ExpectHit(AskUntilSearched(entries_[0]), "ref-0");
  RawPeer council(council_.unchecked_towards(police_), clock_);
  v1::ListSealedRequest request;
  *request.mutable_agreement() = gateway::ToProto(ref_);
  request.set_purpose(text_.purpose);
  *request.mutable_engine() = gateway::ToProto(*Terms().engine);
  const v1::ListSealedReply held = List(council, request);
  ASSERT_EQ(held.lists_size(), 1);
  request.set_wait_ms(5'000);
  const auto asked = std::chrono::steady_clock::now();
  EXPECT_EQ(List(council, request).lists_size(), 1) << "what the caller does not hold";
  v1::SealedListRef& ref = *request.add_held();
  ref.set_list(held.lists(0).list());
  ref.set_sequence(held.lists(0).sequence());
  ref.set_state(held.lists(0).state());
  EXPECT_EQ(List(council, request).lists_size(), 1) << "nothing else is to come";
  EXPECT_LT(std::chrono::steady_clock::now() - asked, 5s);
}

TEST_F(SealedSearch, ACopyServesAfterARestartOfTheRequester) {
  Begin(20);
  ExpectHit(AskUntilSearched(entries_[0]), "ref-0");
  engine_->Cancel();
  engine_.reset();
  const std::string log_before = council_.log_text();
  council_.Stop();
  ASSERT_THAT(council_.Restart(), IsOk());
  engine_ = Watch();
  ASSERT_NE(engine_, nullptr);
  sequence_ = 0;
  ExpectHit(AskUntilSearched(entries_[1]), "ref-1");
  EXPECT_EQ(ExportLog(council_).Count(audit::kSealedListReceived), 1U);
}

TEST_F(SealedSearch, AHolderThatIsGoneIsReportedAndComesBack) {
  Begin(10);
  ExpectHit(AskUntilSearched(entries_[0]), "ref-0");
  police_.Stop();
  EXPECT_TRUE(AskOnce(entries_[1]).has_unanswered());
  ASSERT_THAT(police_.Restart(), IsOk());
  ExpectHit(AskUntilSearched(entries_[1]), "ref-1");
}

TEST_F(SealedSearch, AShreddedListIsOfNoUseToAnybody) {
  Begin(10);
  ExpectHit(AskUntilSearched(entries_[0]), "ref-0");
  EXPECT_GT(FilesIn(police_.data() / "sealed"), 0U);
  EXPECT_GT(FilesIn(council_.data() / "sealed"), 0U);
  v1::CloseWatchlistRequest request;
  request.set_watchlist("lantern");
  request.set_reason("the operation is over");
  grpc::ClientContext context;
  v1::CloseWatchlistResponse response;
  ASSERT_TRUE(police_.watchlists("supervisor-1")->Close(&context, request, &response).ok());
  const v1::WatchAnswer answer = AskOnce(entries_[0]);
  EXPECT_FALSE(answer.has_answered()) << answer.DebugString();
  EXPECT_EQ(FilesIn(police_.data() / "sealed"), 0U);
  for (int i = 0; i < 600 && FilesIn(council_.data() / "sealed") > 0; ++i) {
    std::this_thread::sleep_for(100ms);
  }
  EXPECT_EQ(FilesIn(council_.data() / "sealed"), 0U) << "the copy is not erased";
  EXPECT_GE(ExportLog(council_).Count(audit::kSealedListErased), 1U);
}

TEST_F(SealedSearch, ShreddingMakesEverySealedCopyUselessAtOnce) {
  Begin(10);
  ExpectHit(AskUntilSearched(entries_[0]), "ref-0");
  const std::set<std::filesystem::path> copies = NamesIn(police_.data() / "sealed");
  ASSERT_FALSE(copies.empty());
  v1::ShredWatchlistResponse shredded;
  ASSERT_TRUE(Shred("a copy was stolen", shredded).ok());
  EXPECT_EQ(shredded.destroyed(), 1U);
  for (const auto& file : copies) EXPECT_FALSE(std::filesystem::exists(file)) << file;
  // The list goes on, as another epoch, and the copy that was searched is no part of it.
  ExpectHit(AskUntilSearched(entries_[1]), "ref-1");
  const auto received = ExportLog(council_).OfType(audit::kSealedListReceived);
  ASSERT_EQ(received.size(), 2U);
  const Digest old = received[0].messages.at("header");
  const Digest next = received[1].messages.at("header");
  EXPECT_NE(old, next);
  const auto ended = ExportLog(police_).OfType(audit::kSealedListShredded);
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].messages.at("header"), old);
  engine_->Cancel();
  police_.Stop();
  const store::SealedListRecord kept = Stored(old);
  EXPECT_EQ(kept.end_reason, "a copy was stolen");
  EXPECT_TRUE(kept.wrapped_key.empty()) << "the key of the shredded list is still there";
  EXPECT_TRUE(kept.sealed_header.empty());
  EXPECT_FALSE(Stored(next).wrapped_key.empty());
}

TEST_F(SealedSearch, NothingIsShreddedWithoutAListAndAReason) {
  Begin(10);
  ExpectHit(AskUntilSearched(entries_[0]), "ref-0");
  v1::ShredWatchlistResponse shredded;
  EXPECT_EQ(Shred("", shredded).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Shred("why", shredded, "no-such-list").error_code(), grpc::StatusCode::NOT_FOUND);
  ExpectHit(AskOnce(entries_[1]), "ref-1");
  EXPECT_EQ(ExportLog(police_).Count(audit::kSealedListShredded), 0U);
}

TEST_F(SealedSearch, TheHitThatRaisesTheAlarmIsRefusedAndNotLoggedAsReleased) {
  text_.repeated_hits_of_entry = 3;
  Begin(10);
  ExpectHit(AskUntilSearched(entries_[0]), "ref-0");
  ExpectHit(AskUntilSearched(entries_[0]), "ref-0");
  const v1::WatchAnswer third = AskUntilRefused(entries_[0], v1::DECISION_CODE_STOPPED);
  EXPECT_EQ(third.refused().code(), v1::DECISION_CODE_STOPPED) << third.DebugString();
  engine_->DoneSending();
  EXPECT_THAT(engine_->Finish(), IsOk());
  const ExportedLog police = ExportLog(police_);
  EXPECT_EQ(police.Count(audit::kAlarmRaised), 1U);
  EXPECT_EQ(police.Count(audit::kSearchHit), 2U);
  EXPECT_GE(police.Count(audit::kSearchRefused), 1U);
  EXPECT_EQ(ExportLog(council_).Count(audit::kAlertRaised), 2U);
}

TEST_F(SealedSearch, MoreHitsThanTheCapReleaseNothingAndRaiseTheAlarm) {
  Agree();
  const Template face = RandomTemplate(random_);
  for (std::size_t i = 0; i < 20; ++i) entries_.push_back(face);
  DefinitionText list;
  list.agreements = {text_.id};
  list.purpose = text_.purpose;
  list.starts_at = Now() - 5min;
  list.ends_at = Now() + 12h;
  FillList(police_, list, entries_);
  engine_ = Watch();
  ASSERT_NE(engine_, nullptr);
  const v1::WatchAnswer answer = AskUntilRefused(face, v1::DECISION_CODE_OVER_CAP);
  EXPECT_EQ(answer.refused().code(), v1::DECISION_CODE_OVER_CAP) << answer.DebugString();
  EXPECT_FALSE(AskOnce(RandomTemplate(random_)).has_answered()) << "the alarm stops the searches";
  EXPECT_EQ(ExportLog(police_).Count(audit::kAlarmRaised), 1U);
}

}  // namespace
}  // namespace comity::testing
