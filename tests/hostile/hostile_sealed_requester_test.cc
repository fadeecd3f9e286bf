// SPDX-License-Identifier: Apache-2.0
// What a holder's gateway does with a partner that has valid papers and asks for more of its sealed
// lists than it may have, or holds it up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <thread>

#include "crypto/sealed/release_budget.h"
#include "services/audit/events.h"
#include "services/transport/limits.h"
#include "tests/hostile/hostile_sealed_world.h"
#include "tests/integration/exported_log.h"
#include "tests/integration/live_acts.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

namespace limits = transport::limits;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

// --- getting lists ---

TEST_F(HostileSealedRequester, GetsNothingThatIsAnothers) {
  LiveAgency stranger{"westmark-customs"};
  police_.Stop();
  police_.Start({&stranger});
  Connect();
  SealedPeer other(SetupOf(stranger));
  const auto listed = other.List(other.ListRequest());
  ASSERT_THAT(listed, IsOk());
  EXPECT_NE(listed->decision().code(), v1::DECISION_CODE_PERMIT);
  EXPECT_EQ(listed->lists_size(), 0);
  EXPECT_FALSE(listed->preparing());
  EXPECT_THAT(other.Fetch(SealedPeer::StateOf(*lists_[0])), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(other.Fetch(SealedPeer::BlockOf(*lists_[0], 0)), FailsWith(ErrorCode::kNotFound));
  const auto session = other.NewSession(lists_);
  EXPECT_THAT(session->Open(session->Opening()), FailsWith(ErrorCode::kPermissionDenied));
  const ExportedLog log = ExportLog(police_);
  const auto refused = log.OfType(audit::kSearchRefused);
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].parties,
            (std::vector<std::string>{"northshire-police", "westmark-customs"}));
  EXPECT_EQ(refused[0].exchange, session->exchange());
  ExpectServes();
}

TEST_F(HostileSealedRequester, IsOfferedNothingButWhatIsAgreed) {
  const auto with = [&](auto change) {
    v1::ListSealedRequest request = peer_->ListRequest();
    change(request);
    return peer_->List(request);
  };
  const auto expect_nothing = [](const Result<v1::ListSealedReply>& reply) {
    ASSERT_THAT(reply, IsOk());
    EXPECT_NE(reply->decision().code(), v1::DECISION_CODE_PERMIT);
    EXPECT_EQ(reply->lists_size(), 0);
    EXPECT_FALSE(reply->preparing());
  };
  expect_nothing(with([](auto& r) { r.mutable_agreement()->set_id("northshire-nobody"); }));
  expect_nothing(with([](auto& r) { r.mutable_agreement()->set_version(2); }));
  expect_nothing(
      with([](auto& r) { r.mutable_agreement()->set_sha256(Changed(r.agreement().sha256())); }));
  expect_nothing(with([](auto& r) { r.set_purpose("missing-person-search"); }));
  expect_nothing(with([](auto& r) { r.mutable_engine()->set_dimension(512); }));
  const auto invalid = FailsWith(ErrorCode::kInvalidArgument);
  EXPECT_THAT(with([](auto& r) { r.clear_agreement(); }), invalid);
  EXPECT_THAT(with([](auto& r) { r.set_purpose("Not a code"); }), invalid);
  EXPECT_THAT(with([](auto& r) { r.mutable_engine()->set_dimension(0xffffffff); }), invalid);
  ExpectServes();
}

TEST_F(HostileSealedRequester, FetchesNoOctetThatIsNotThere) {
  const auto& list = *lists_[0];
  const auto of_state = SealedPeer::StateOf(list);
  const auto of_block = SealedPeer::BlockOf(list, 0);
  const auto with = [&](v1::FetchSealedRequest request, auto change) {
    change(request);
    return peer_->Fetch(request);
  };
  const auto missing = FailsWith(ErrorCode::kNotFound);
  const auto invalid = FailsWith(ErrorCode::kInvalidArgument);
  EXPECT_THAT(with(of_block, [](auto& r) { r.set_list(Changed(r.list())); }), missing);
  EXPECT_THAT(with(of_state, [](auto& r) { r.set_state_sequence(2); }), missing);
  EXPECT_THAT(with(of_block, [](auto& r) { r.set_block(1); }), missing);
  EXPECT_THAT(with(of_block, [](auto& r) { r.set_block(0xffffffff); }), missing);
  EXPECT_THAT(with(of_block, [](auto& r) { r.set_block_hash(Changed(r.block_hash())); }), missing);
  EXPECT_THAT(with(of_block, [](auto& r) { r.set_list("../../comity.db"); }), invalid);
  EXPECT_THAT(with(of_block, [](auto& r) { r.clear_block_hash(); }), invalid);
  EXPECT_THAT(with(of_state, [&](auto& r) { r.set_block_hash(of_block.block_hash()); }), invalid);
  for (const auto& whole : {of_state, of_block}) {
    const std::size_t size = with(whole, [](auto&) {})->size();
    ASSERT_GT(size, 0U);
    EXPECT_EQ(with(whole, [&](auto& r) { r.set_offset(size - 1); })->size(), 1U);
    EXPECT_EQ(with(whole, [&](auto& r) { r.set_offset(size); })->size(), 0U);
    EXPECT_THAT(with(whole, [&](auto& r) { r.set_offset(size + 1); }), invalid);
    EXPECT_THAT(with(whole, [](auto& r) { r.set_offset(kFarBeyond); }), invalid);
  }
  ExpectServes();
}

TEST_F(HostileSealedRequester, GetsAndSearchesNothingOfAListThatIsOver) {
  const auto open = ReadySession();
  Shred();
  EXPECT_THAT(peer_->Fetch(SealedPeer::StateOf(*lists_[0])), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(peer_->Fetch(SealedPeer::BlockOf(*lists_[0], 0)), FailsWith(ErrorCode::kNotFound));
  const auto late = NewSession();
  const Status refused = late->Open(late->Opening());
  ASSERT_THAT(refused, FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_EQ(refused.error().detail, "DECISION_CODE_LIST_CHANGED");
  // The session that was open by then ends by itself, and its probes are not compared.
  open->Say(OneProbe(*open));
  const auto answers = open->Answers();
  if (answers) {
    EXPECT_EQ(answers->answers(0).decision().code(), v1::DECISION_CODE_LIST_CHANGED);
  }
  EXPECT_THAT(open->End(), FailsWith(ErrorCode::kUnavailable));
  lists_ = peer_->AwaitLists();
  ExpectServes();
  ExpectEverySessionClosed(StoppedLog());
}

TEST_F(HostileSealedRequester, IsHeldToItsShareOfCalls) {
  constexpr int kCallers = 8;
  // All together fewer than the port takes of any kind at once: it ends the connections of a caller
  // that does not heed that, and the share of this kind of call would not show.
  constexpr int kCallsEach = (static_cast<int>(limits::kFederationCalls.burst) - 100) / kCallers;
  static_assert(kCallers * kCallsEach > 2 * limits::kPeerFetchBurst);
  const auto honest = ReadySession();
  std::atomic<int> served = 0;
  std::atomic<int> refused = 0;
  std::atomic<int> others = 0;
  std::atomic<bool> over = false;
  const auto start = steady_clock::now();
  std::vector<std::jthread> callers;
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace_back([&] {
      SealedPeer peer(SetupOf(council_));
      for (int call = 0; call < kCallsEach; ++call) {
        const auto fetched = peer.Fetch(SealedPeer::BlockOf(*lists_[0], 0));
        const bool is_limit = !fetched && fetched.error().code == ErrorCode::kExhausted;
        ++(fetched ? served : is_limit ? refused : others);
      }
    });
  }
  // What is open already goes on beside it.
  std::jthread asker([&] {
    while (!over) {
      const auto answers = honest->Search(RandomTemplate(random_));
      ASSERT_THAT(answers, IsOk());
      EXPECT_EQ(answers->answers(0).decision().code(), v1::DECISION_CODE_PERMIT);
      std::this_thread::sleep_for(20ms);
    }
  });
  callers.clear();
  over = true;
  asker.join();
  const auto took = std::chrono::duration<double>(steady_clock::now() - start).count();
  EXPECT_LE(served, limits::kPeerFetchBurst + limits::kPeerFetchesPerSecond * took);
  EXPECT_EQ(served + refused, kCallers * kCallsEach) << others << " failed otherwise";
}

// It would hold a thread of the holder's for as long as it likes.
TEST_F(HostileSealedRequester, LosesACallWhoseAnswerItDoesNotRead) {
  // Too large for what the connection takes unread: a block of 1,000 entries has 387 KB.
  DefinitionText list;
  list.reference = "beacon";
  list.agreements = {text_.id};
  list.purpose = text_.purpose;
  list.starts_at = Now() - 5min;
  list.ends_at = Now() + 12h;
  std::vector<Template> many;
  for (int i = 0; i < 1000; ++i) many.push_back(RandomTemplate(random_));
  FillList(police_, list, many, "many-");
  gateway::SealedLists lists = peer_->AwaitLists();
  for (int i = 0; i < 600 && lists.size() < 2; ++i) {
    std::this_thread::sleep_for(100ms);
    lists = peer_->AwaitLists();
  }
  ASSERT_EQ(lists.size(), 2U);
  const auto& larger = lists[lists[0]->slot_count() > lists[1]->slot_count() ? 0 : 1];
  const auto stub = StubWithSmallWindow(peer_->setup().settings);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + 60s);
  const auto stream = stub->FetchSealed(
      &context, peer_->raw().Sign(SealedPeer::BlockOf(*larger, 0), peer_->raw().NewExchange()));
  std::this_thread::sleep_for(limits::kSealedRoundDeadline + 2s);
  for (v1::SealedChunk chunk; stream->Read(&chunk);) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

// Each question that waits holds a thread.
TEST_F(HostileSealedRequester, WaitsWithTwoQuestionsAndNotWithAThird) {
  DefinitionText list;
  list.reference = "beacon";
  list.agreements = {text_.id};
  list.purpose = text_.purpose;
  list.starts_at = Now() - 5min;
  list.ends_at = Now() + 12h;
  std::vector<Template> many;
  for (int i = 0; i < 3000; ++i) many.push_back(RandomTemplate(random_));
  FillList(police_, list, many, "many-");
  v1::ListSealedRequest question = peer_->ListRequest();
  const auto before = peer_->List(question);
  ASSERT_THAT(before, IsOk());
  ASSERT_TRUE(before->preparing()) << "the list is too small for this test";
  for (const auto& offer : before->lists()) {
    v1::SealedListRef& held = *question.add_held();
    held.set_list(offer.list());
    held.set_sequence(offer.sequence());
    held.set_state(offer.state());
  }
  question.set_wait_ms(std::numeric_limits<std::uint32_t>::max());
  constexpr int kQuestions = 5;
  std::atomic<int> waited = 0;
  std::vector<std::jthread> callers;
  for (int i = 0; i < kQuestions; ++i) {
    callers.emplace_back([&] {
      SealedPeer peer(SetupOf(council_));
      const auto start = steady_clock::now();
      const auto reply = peer.List(question);
      ASSERT_THAT(reply, IsOk());
      // Whoever waits comes back with news, which a slow machine may have often, or after five
      // seconds; all others at once.
      if (steady_clock::now() - start > 3s) ++waited;
      EXPECT_LT(steady_clock::now() - start, 10s);
    });
  }
  callers.clear();
  EXPECT_LE(waited, limits::kMaxSealedWaitsPerPeer);
}

// --- a session ---

TEST_F(HostileSealedRequester, IsNotWaitedForInSilence) {
  const auto unopened = NewSession();
  const auto opened = NewSession();
  ASSERT_THAT(opened->Open(opened->Opening()), IsOk());
  const auto asking = ReadySession();
  asking->Say(OneProbe(*asking));
  ASSERT_THAT(asking->Tables(1), IsOk());
  const auto halfway = ReadySession();
  halfway->Say(OneProbe(*halfway));
  auto half = halfway->Tables(1);
  ASSERT_THAT(half, IsOk());
  half->front().mutable_part()->mutable_data()->pop_back();
  halfway->Write(half->front());
  const auto start = steady_clock::now();
  for (const auto& session : {unopened.get(), opened.get(), asking.get(), halfway.get()}) {
    EXPECT_THAT(session->End(), FailsWith(ErrorCode::kUnavailable));
  }
  EXPECT_LT(steady_clock::now() - start, 50s) << "it was this end that did not wait any longer";
  ExpectServes();
  const OpenedLog log = StoppedLog();
  ExpectEverySessionClosed(log);
  for (const auto& session : {opened.get(), asking.get(), halfway.get()}) {
    const auto closed = [&](const OpenedLog::Entry& entry) {
      return entry.entry.exchange == session->exchange() ? entry.Field("reason") : std::string();
    };
    log.ExpectEachOnce(audit::kSearchClosed, closed, {"timeout"});
  }
}

class HostileSealedAsker : public HostileSealedRequester {
 protected:
  static constexpr std::uint64_t kProbesADay = 600;
  HostileSealedAsker() { probes_a_day_ = kProbesADay; }
};

TEST_F(HostileSealedAsker, IsComparedNoMoreOftenThanAgreed) {
  const auto session = ReadySession();
  constexpr int kBatches = 24;
  std::uint64_t compared = 0;
  std::uint64_t refused = 0;
  for (int batch = 0; batch < kBatches; ++batch) {
    std::vector<Template> faces;
    for (int i = 0; i < 32; ++i) faces.push_back(RandomTemplate(random_));
    session->Say(session->Probes(faces));
    std::size_t left = faces.size();
    if (compared + left > kProbesADay) {
      const auto at_once = session->Answers();
      ASSERT_THAT(at_once, IsOk());
      for (const auto& answer : at_once->answers()) {
        EXPECT_EQ(answer.decision().code(), v1::DECISION_CODE_CAPACITY_EXHAUSTED);
      }
      refused += static_cast<std::uint64_t>(at_once->answers_size());
      left -= static_cast<std::size_t>(at_once->answers_size());
    }
    if (left == 0) continue;
    const auto tables = session->Tables(left);
    ASSERT_THAT(tables, IsOk());
    for (const auto& message : *tables) session->Write(message);
    const auto answers = session->Answers();
    ASSERT_THAT(answers, IsOk());
    compared += static_cast<std::uint64_t>(answers->answers_size());
  }
  EXPECT_EQ(compared, kProbesADay);
  EXPECT_EQ(refused, kBatches * 32 - kProbesADay);
  EXPECT_GE(ExportLog(police_).Count(audit::kSearchRefused), 1U);
}

// Whatever it does not fetch again.
TEST_F(HostileSealedRequester, GetsNoMoreHitsThanTheBudgetOfABlock) {
  std::size_t hits = 0;
  const auto session = ReadySession();
  for (const Template& face : entries_) {
    const auto answers = session->Search(face);
    // At once: the states are no longer those in force, or the block has no release left.
    if (!answers && answers.error().code == ErrorCode::kConflict) break;
    ASSERT_THAT(answers, IsOk());
    hits += static_cast<std::size_t>(answers->answers(0).hits_size());
  }
  EXPECT_EQ(hits, sealed::kReleaseBudget);
  EXPECT_EQ(ExportLog(police_).Count(audit::kSearchHit), sealed::kReleaseBudget);
  // Sealed again, the list is searched again.
  const std::uint64_t former = lists_[0]->state().sequence;
  for (int i = 0; i < 600 && lists_[0]->state().sequence == former; ++i) {
    std::this_thread::sleep_for(100ms);
    lists_ = peer_->AwaitLists();
    ASSERT_EQ(lists_.size(), 1U);
  }
  ExpectFinds(*ReadySession(), 9);
}

// What a stream takes away is counted, whether its answer was read or not.
TEST_F(HostileSealedRequester, IsChargedForAnAnswerThatItDoesNotRead) {
  const auto session = ReadySession();
  session->Say(session->Probes({&entries_[4], 1}));
  const auto tables = session->Tables(1);
  ASSERT_THAT(tables, IsOk());
  for (const auto& message : *tables) session->Write(message);
  session->Cancel();
  const auto next = ReadySession();
  ExpectFinds(*next, 5);
  next->Cancel();
  const OpenedLog log = StoppedLog();
  ExpectEverySessionClosed(log);
  // Cancelled before the tables came, or after: then the hit is in the log.
  const auto hits = log.Times(audit::kSearchHit,
                              [](const OpenedLog::Entry& entry) { return entry.Field("hits"); });
  EXPECT_GE(hits.size(), 1U);
  EXPECT_LE(hits.size(), 2U);
}

TEST_F(HostileSealedRequester, HasNoMoreThanItsShareOfSessions) {
  std::vector<std::unique_ptr<SealedSession>> sessions;
  for (int i = 0; i < limits::kMaxSealedSessionsPerPeer; ++i) sessions.push_back(ReadySession());
  const auto beyond = NewSession();
  beyond->Say(beyond->Opening());
  EXPECT_THAT(beyond->End(), FailsWith(ErrorCode::kExhausted));
  for (const auto& session : sessions) {
    EXPECT_THAT(session->Search(RandomTemplate(random_)), IsOk());
  }
  sessions.pop_back();
  for (int i = 0; i < 600; ++i) {
    const auto next = NewSession();
    if (next->BeReady()) return;
    std::this_thread::sleep_for(100ms);
  }
  ADD_FAILURE() << "the place of a session that has ended is not given to another one";
}

}  // namespace
}  // namespace comity::testing
