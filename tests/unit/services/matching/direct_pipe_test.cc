// SPDX-License-Identifier: Apache-2.0
// Direct sessions of two agencies that meet over a pipe, with the threads that gateways give them,
// while entries are withdrawn, agreements suspended, lists halted and sessions closed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "services/audit/events.h"
#include "services/matching/deployments.h"
#include "services/matching/exchange_id.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/matching/holder_world.h"
#include "tests/unit/services/matching/pipe.h"

namespace comity::matching {
namespace {

using comity::testing::IsOk;
using testing::AgreementKnobs;
using testing::HolderWorld;
using testing::kDimension;
using testing::Pipe;

struct ProbeMessage {
  std::uint64_t sequence = 0;
  policy::AgreementRef agreement;
  SearchCommitments commitments;
  Bytes embedding;
};

// What must not be in an answer that is sealed from now on. Entries by number.
struct Forbidden {
  std::array<std::atomic<bool>, 6> entries{};
  std::atomic<bool> all{false};
  std::atomic<int> violations{0};

  void Check(const ProbeAnswer& answer) {
    for (const ReleasedHit& hit : answer.hits) {
      const auto number = static_cast<std::size_t>(hit.reference.back() - '0');
      if (all || entries.at(number)) ++violations;
    }
  }
};

// Counts what it is told, from all sessions.
class Observing final : public HitObserver {
 public:
  void OnMiss(const ObservedSearch&) override { ++misses; }
  Result<bool> OnHits(store::Transaction&, audit::Recorder&, const ObservedSearch&,
                      std::span<const std::string> entries) override {
    hits += entries.size();
    return false;
  }
  Result<bool> OnOverCap(store::Transaction&, audit::Recorder&, const ObservedSearch&) override {
    return false;
  }
  void AfterHits() override { ++after; }

  std::atomic<std::uint64_t> misses{0};
  std::atomic<std::uint64_t> hits{0};
  std::atomic<std::uint64_t> after{0};
};

// One session at both ends. At the requester an engine's thread, one that reads answers and one
// that keeps time; at the holder one that answers and one that keeps time.
class DirectLink {
 public:
  DirectLink(HolderWorld& world, Forbidden& forbidden)
      : world_(world),
        forbidden_(forbidden),
        ports_(world.CouncilPorts()),
        terms_(world.CouncilTerms()),
        requester_(std::make_unique<RequesterSession>(terms_, ports_)),
        holder_(world.Open()) {
    threads_.emplace_back([this](const std::stop_token& stop) { SendFaces(stop); });
    threads_.emplace_back([this] { Answer(); });
    threads_.emplace_back([this] { ReadAnswers(); });
    threads_.emplace_back([this](const std::stop_token& stop) { KeepTime(stop); });
  }
  ~DirectLink() { Close(); }

  // As when the connection is lost: at any moment, from any thread, more than once.
  void Cut() {
    probes_.Close();
    answers_.Close();
  }
  void Close() {
    if (threads_.empty()) return;
    for (std::jthread& thread : threads_) thread.request_stop();
    Cut();
    threads_.clear();
    requester_.With([&](auto& session) {
      lost_ += session->Abandon().size();
      EXPECT_THAT(session->Close("over"), IsOk());
    });
    holder_.With([](auto& session) { EXPECT_THAT(session->Close("over"), IsOk()); });
  }

  std::uint64_t sent() const { return sent_; }
  std::uint64_t answered() const { return answered_; }
  std::uint64_t hits() const { return hits_; }
  std::uint64_t lost() const { return lost_; }

 private:
  void SendFaces(const std::stop_token& stop) {
    for (std::uint64_t i = 1; !stop.stop_requested(); ++i) {
      const auto message = requester_.With([&](auto& session) { return Decide(*session, i); });
      if (!message) {
        std::this_thread::yield();
        continue;
      }
      ++sent_;
      if (!probes_.Send(*message)) return;
    }
  }
  std::optional<ProbeMessage> Decide(RequesterSession& session, std::uint64_t sequence) {
    const policy::Instant now = world_.clock.Now();
    if (session.pending() == RequesterSession::kMaxPending) return std::nullopt;
    const policy::Decision decision = session.DecideProbe(now);
    if (!decision.permitted()) return std::nullopt;
    EXPECT_THAT(session.Sent({.sequence = sequence,
                              .number = sequence,
                              .capture_ref = "frame",
                              .camera = "hall",
                              .captured_at = now,
                              .decision = decision}),
                IsOk());
    const std::size_t row = sequence % 6;
    return ProbeMessage{
        sequence, *decision.agreement, session.Commitments(decision.agreement->id, now),
        testing::ToOctets(std::span(world_.rows).subspan(row * kDimension, kDimension))};
  }

  void Answer() {
    while (auto message = probes_.Receive()) {
      const SessionProbe probe{.sequence = message->sequence,
                               .agreement = message->agreement,
                               .commitments = message->commitments,
                               .embedding = message->embedding,
                               .message = {}};
      const auto seal = [&](const ProbeAnswer& answer) {
        std::this_thread::sleep_for(std::chrono::microseconds(100));  // building and signing it
        forbidden_.Check(answer);
        return testing::SealedAs(answer);
      };
      auto answer = holder_.With([&](auto& session) { return session->OnProbe(probe, seal); });
      EXPECT_THAT(answer, IsOk());
      if (!answer || !answers_.Send(*std::move(answer))) return;
    }
  }

  void ReadAnswers() {
    while (const auto answer = answers_.Receive()) {
      const auto pending = requester_.With([&](auto& session) {
        return session->OnAnswer(answer->sequence, answer->decision, answer->hits.size());
      });
      EXPECT_THAT(pending, IsOk());
      ++answered_;
      if (!pending || answer->hits.empty()) continue;
      ++hits_;
      std::vector<std::string> references;
      for (const ReleasedHit& hit : answer->hits) references.push_back(hit.reference);
      const auto observe = [&](store::Transaction& transaction, audit::Recorder& recorder) {
        return ObserveHits(transaction, recorder, ports_, {terms_, pending->decision, references});
      };
      EXPECT_THAT(ports_.journal.Commit(observe), IsOk());
    }
  }

  void KeepTime(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      EXPECT_THAT(requester_.With([&](auto& s) { return s->Tick(world_.clock.Now()); }), IsOk());
      EXPECT_THAT(holder_.With([](auto& session) { return session->Tick(); }), IsOk());
      requester_.With([&](const auto& session) { session->Outlook(world_.clock.Now()); });
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  HolderWorld& world_;
  Forbidden& forbidden_;
  const RequesterPorts ports_;
  const RequesterTerms terms_;
  runtime::Guarded<std::unique_ptr<RequesterSession>> requester_;
  runtime::Guarded<std::unique_ptr<HolderSession>> holder_;
  Pipe<ProbeMessage> probes_;
  Pipe<ProbeAnswer> answers_;
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> answered_{0};
  std::atomic<std::uint64_t> hits_{0};
  std::uint64_t lost_ = 0;
  std::vector<std::jthread> threads_;
};

AgreementKnobs Ample() {
  AgreementKnobs knobs;
  knobs.probes_per_day = 1'000'000;
  knobs.per_officer_per_day = 1'000'000;
  knobs.per_case_per_day = 1'000'000;
  return knobs;
}

// Two agencies with sessions, and everything that may happen to them.
class DirectPipe : public ::testing::Test {
 protected:
  static constexpr std::size_t kLinks = 2;
  static constexpr int kRounds = 8;

  DirectPipe() {
    world_.Agree(Ample());
    world_.observer = &observing_;
    world_.halted = [this](const policy::SearchRequest&, const std::string&) { return Stopped(); };
    world_.halted_at_council = [this](const policy::SearchRequest&, const policy::DeploymentId&) {
      return Stopped();
    };
    full_ = world_.galleries
                .Snapshot({testing::Profile(kDimension),
                           world_.Ref().id,
                           testing::Named<policy::PurposeCode>("court-order-arrest"),
                           {.max_entries = 1000, .max_age = std::chrono::hours(24 * 7)}},
                          world_.clock.Now())
                .front()
                .gallery;
    for (std::size_t i = 0; i < kLinks; ++i) Connect();
  }

  std::optional<policy::ReasonCode> Stopped() const {
    return stopped_ ? std::optional(policy::ReasonCode::kStopped) : std::nullopt;
  }
  void Connect() { links_.push_back(std::make_unique<DirectLink>(world_, forbidden_)); }
  void PutList() { world_.galleries.Put(world_.list, full_, testing::BoundTo(world_.Ref().id)); }
  void AwaitHits(std::size_t more) {
    const std::size_t target = world_.journal->Count(audit::kSearchHit) + more;
    while (world_.journal->Count(audit::kSearchHit) < target) std::this_thread::yield();
  }
  // From here on a while nothing that `flag` forbids may be sealed.
  static void Hold(std::atomic<bool>& flag) {
    flag = true;
    for (int i = 0; i < 20; ++i) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    flag = false;
  }
  void Withdraw(std::size_t entry) {
    world_.galleries.Withdraw(world_.list, std::vector{"r" + std::to_string(entry)});
    Hold(forbidden_.entries.at(entry));
    PutList();
  }
  void Suspend() {
    AgreementKnobs suspended = Ample();
    suspended.last_word = policy::StatementKind::kSuspension;
    world_.Agree(suspended);
    world_.barrier.Drain();
    Hold(forbidden_.all);
    world_.Agree(Ample());
  }
  void Stop() {
    stopped_ = true;
    world_.barrier.Drain();
    Hold(forbidden_.all);
    stopped_ = false;
  }
  void Halt() {
    world_.galleries.Halt({world_.list});
    world_.barrier.Drain();
    Hold(forbidden_.all);
    world_.galleries.Halt({});
  }
  void Drop() {
    world_.galleries.Drop(world_.list);
    Hold(forbidden_.all);
    PutList();
  }
  // Every probe has one end, and the log knows of each hit that was sealed.
  void Finish() {
    std::uint64_t answers_with_hits = 0;
    for (const auto& link : links_) {
      link->Close();
      EXPECT_EQ(link->sent(), link->answered() + link->lost());
      answers_with_hits += link->hits();
    }
    EXPECT_EQ(forbidden_.violations, 0);
    // The hits of both ends stand in this one log; those that were lost on their way only once.
    EXPECT_GE(world_.journal->Count(audit::kSearchHit), answers_with_hits);
    EXPECT_GE(observing_.hits, answers_with_hits);
    EXPECT_EQ(world_.journal->Count(audit::kSearchOpened),
              world_.journal->Count(audit::kSearchClosed));
  }

  HolderWorld world_;
  Forbidden forbidden_;
  Observing observing_;
  std::atomic<bool> stopped_{false};
  std::shared_ptr<const Gallery> full_;
  std::vector<std::unique_ptr<DirectLink>> links_;
};

TEST_F(DirectPipe, NothingThatWasTakenAwayIsAnswered) {
  for (int round = 0; round < kRounds; ++round) {
    AwaitHits(3);
    Withdraw(static_cast<std::size_t>(round) % 4);
    Suspend();
    AwaitHits(1);
    Stop();
    Halt();
    AwaitHits(1);
    Drop();
    world_.clock.Advance(std::chrono::seconds(4));  // every third round writes period entries
  }
  Finish();
}

TEST_F(DirectPipe, EveryProbeHasOneEndWhenSessionsAreCutAndOpenedAnew) {
  for (int round = 0; round < kRounds; ++round) {
    AwaitHits(2);
    DirectLink& link = *links_[links_.size() - kLinks];
    std::jthread other_end([&] { link.Cut(); });
    link.Close();
    Connect();
  }
  Finish();
}

// Several people may take things away at the same moment.
TEST_F(DirectPipe, TakersDoNotWaitForEachOtherForEver) {
  const std::vector<std::function<void()>> takers = {
      [&] { Withdraw(1); }, [&] { Suspend(); }, [&] { Drop(); }, [&] { world_.barrier.Drain(); }};
  std::vector<std::jthread> threads;
  for (const auto& taker : takers) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) taker();
    });
  }
  threads.clear();
  forbidden_.violations = 0;  // what one took away another may have put back at once
  AwaitHits(1);
  Finish();
}

}  // namespace
}  // namespace comity::matching
