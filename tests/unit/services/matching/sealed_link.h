// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "services/matching/exchange_id.h"
#include "services/matching/requester_session.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/matching/pipe.h"
#include "tests/unit/services/matching/sealed/session.h"
#include "tests/unit/services/matching/sealed_world.h"
#include "tests/unit/services/matching/shared_lists.h"

// A sealed session whose two ends meet over a pipe, with the threads that gateways give them.
namespace comity::matching::testing {

// What the requester has fetched of the list: it is one with what is in force, or a state behind.
struct Fetched {
  std::shared_ptr<const sealed::ListView> view;
  SealedListRef ref;
};

struct Offer {
  Bytes octets;
};
struct BaseAnswer {
  Bytes octets;
};
struct Trees {
  Bytes octets;
};
struct Pads {
  Bytes octets;
};
struct Question {
  SealedProbe probe;
  SealedListRef ref;
  Digest binding;
  Bytes blinded;
};
struct Offsets {
  Bytes octets;
};
struct Tables {
  Bytes tables;
  Bytes sketch;
};
struct Answers {
  ProbeAnswer answer;
};
using ToRequester = std::variant<Offer, Trees, Pads, Offsets, Answers>;
using ToHolder = std::variant<BaseAnswer, Question, Tables>;

// What all sessions of a test share.
struct Scene {
  explicit Scene(SealedWorld& of) : world(of), lists(of.lists) {}
  SealedWorld& world;
  SharedLists lists;
  runtime::Guarded<Fetched> fetched;
  std::atomic<bool> forbidden{false};  // no answer with a hit may leave
  std::atomic<int> violations{0};
  std::atomic<std::uint64_t> hits{0};  // answers with hits that have come
};

// The holder's end: one thread reads, one lets answers go, one keeps time.
class HolderEnd {
 public:
  HolderEnd(Scene& scene, Pipe<ToHolder>& in, Pipe<ToRequester>& out)
      : scene_(scene), in_(in), out_(out) {
    threads_.emplace_back([this] { Read(); });
    threads_.emplace_back([this] { LetGo(); });
    threads_.emplace_back([this](const std::stop_token& stop) { KeepTime(stop); });
  }
  // Once the pipes are closed.
  void Join() {
    threads_.front().join();
    leaving_.Close();
    threads_.clear();
    session_.With([](auto& session) {
      if (session) {
        EXPECT_THAT(session->Close("over"), comity::testing::IsOk());
      }
    });
  }

 private:
  struct Leaving {
    SealedHolderSession::Batch batch;
    ProbeAnswer answer;
  };

  bool Open() {
    SealedHolderSession::Ground ground;
    auto opened = SealedHolderSession::Open(
        scene_.world.SealedTerms(), std::vector{scene_.fetched.With([](auto& f) { return f.ref; })},
        scene_.world.Ports(), scene_.lists,
        [&](const SessionOpening&, const SealedHolderSession::Ground& given) {
          ground = given;
          return Digest{};
        });
    if (!opened || opened->session == nullptr) return false;
    SealedSessionTerms terms = TermsFor(ground.lists.front().header());
    terms.tau = ground.tau;
    terms.cap = ground.cap;
    auto holder = SealedHolder::Create({.list = ground.lists.front().view,
                                        .terms = terms,
                                        .kernels = FastestKernels(),
                                        .random = random_});
    EXPECT_THAT(holder, comity::testing::IsOk());
    holder_ = std::make_unique<SealedHolder>(*std::move(holder));
    cap_ = ground.cap;
    live_ = opened->session.get();
    session_.With([&](auto& session) { session = std::move(opened->session); });
    return out_.Send(Offer{ToBytes(holder_->offer())});
  }

  void Read() {
    bool alive = Open();
    while (alive) {
      auto message = in_.Receive();
      if (!message) break;
      alive = std::visit([&](auto& content) { return On(content); }, *message);
    }
    out_.Close();
    in_.Close();
  }
  bool On(const BaseAnswer& answer) {
    const auto trees = holder_->OnAnswer(answer.octets);
    EXPECT_THAT(trees, comity::testing::IsOk());
    return trees && out_.Send(Trees{*trees});
  }
  bool On(Question& asked) {
    std::vector<ProbeAnswer> refused;
    auto batch = session_.With([&](auto& session) {
      return session->Begin({asked.probe}, std::vector{asked.ref}, scene_.world.Keep(refused));
    });
    EXPECT_THAT(batch, comity::testing::IsOk());
    if (!batch) return false;
    if (batch->accepted.empty()) {
      holder_->SkipBatch();
      return out_.Send(Answers{refused.front()});
    }
    const auto& view = batch->lists.front().view;
    if (view->state_digest() != holder_->list().state_digest()) {
      EXPECT_THAT(holder_->Update(view, 0), comity::testing::IsOk());
    }
    EXPECT_EQ(holder_->NextBinding(), asked.binding);
    while (holder_->pads() < view->slots().size()) {
      const auto pads = holder_->MakePads();
      if (!pads) return false;  // the session's are used up
      out_.Send(Pads{*pads});
    }
    const std::array<ByteView, 1> probes{asked.blinded};
    auto round = holder_->Begin(probes);
    EXPECT_THAT(round, comity::testing::IsOk());
    if (!round) return false;
    round_ = *std::move(round);
    batch_ = *std::move(batch);
    return out_.Send(Offsets{*holder_->Offsets(*round_, 0)});
  }
  bool On(const Tables& tables) {
    sealed::Sketch bits{.cap = cap_};
    EXPECT_THAT(holder_->Open(*round_, 0, tables.tables, bits), comity::testing::IsOk());
    const std::array<const SealedHolder::Round*, 1> rounds{round_.get()};
    const auto outcome = DecodeOutcome(bits, tables.sketch, rounds);
    EXPECT_THAT(outcome, comity::testing::IsOk());
    std::vector<ProbeAnswer> answers;
    const Status concluded = session_.With([&](auto& session) {
      return session->Conclude(*batch_, {&*outcome, 1}, scene_.world.Keep(answers));
    });
    if (!concluded) return false;  // the list has ended meanwhile
    return leaving_.Send({*std::move(batch_), answers.front()});
  }

  // As a gateway does when the time of an answer has come.
  void LetGo() {
    while (auto leaving = leaving_.Receive()) {
      std::this_thread::sleep_for(std::chrono::microseconds(300));  // until its time has come
      std::optional<policy::ReasonCode> why;
      {
        const AnswerBarrier::Ticket ticket = scene_.world.barrier.Enter();
        why = live_.load()->WhyStays(leaving->batch);
        if (!why && !leaving->answer.hits.empty() && scene_.forbidden) ++scene_.violations;
      }
      if (!why) {
        out_.Send(Answers{leaving->answer});
        continue;
      }
      EXPECT_THAT(live_.load()->Withhold(leaving->batch, *why), comity::testing::IsOk());
      in_.Close();
      out_.Close();
    }
  }
  void KeepTime(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      session_.With([](auto& session) {
        if (session) {
          EXPECT_THAT(session->Tick(), comity::testing::IsOk());
        }
      });
      if (const SealedHolderSession* live = live_; live != nullptr && !live->HasLists()) {
        in_.Close();
        out_.Close();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  Scene& scene_;
  Pipe<ToHolder>& in_;
  Pipe<ToRequester>& out_;
  Pipe<Leaving> leaving_;
  SystemRandom random_;
  runtime::Guarded<std::unique_ptr<SealedHolderSession>> session_;
  std::atomic<const SealedHolderSession*> live_{nullptr};  // for WhyStays, Withhold, HasLists
  // Of the reading thread.
  std::unique_ptr<SealedHolder> holder_;
  std::unique_ptr<SealedHolder::Round> round_;
  std::optional<SealedHolderSession::Batch> batch_;
  std::uint32_t cap_ = 0;
  std::vector<std::jthread> threads_;
};

// The requester's end: one thread runs the protocol, one keeps time and asks what would be decided.
class RequesterEnd {
 public:
  RequesterEnd(Scene& scene, Pipe<ToRequester>& in, Pipe<ToHolder>& out)
      : scene_(scene), in_(in), out_(out), session_(MakeSession()) {
    threads_.emplace_back([this](const std::stop_token& stop) { Run(stop); });
    threads_.emplace_back([this](const std::stop_token& stop) { KeepTime(stop); });
  }
  void Join() {
    threads_.clear();
    session_.With([&](auto& session) {
      lost += session->Abandon().size();
      EXPECT_THAT(session->Close("over"), comity::testing::IsOk());
    });
  }

  std::atomic<std::uint64_t> sent = 0;
  std::atomic<std::uint64_t> answered = 0;
  std::uint64_t lost = 0;

 private:
  static constexpr std::uint64_t kMostUnanswered = 3;

  std::unique_ptr<RequesterSession> MakeSession() {
    Deployment deployment = scene_.world.Operation();
    deployment.mode = policy::SearchMode::kSealed;
    RequesterTerms terms = scene_.world.CouncilTerms(OrderOf(
        deployment, NewDeploymentId(scene_.world.random), "person/ada", scene_.world.council));
    terms.mode = policy::SearchMode::kSealed;
    return std::make_unique<RequesterSession>(terms, scene_.world.CouncilPorts());
  }

  void Run(const std::stop_token& stop) {
    if (SetUp()) {
      for (std::uint64_t i = 1; !stop.stop_requested() && Search(i); ++i) {
      }
    }
    in_.Close();
    out_.Close();
  }
  // The next of this kind, taking the answers that come before it. Nothing: the session is over, or
  // the probe of this number is answered already, which is a refusal.
  template <typename Wanted>
  std::optional<Wanted> Next(std::uint64_t number = 0) {
    while (auto message = in_.Receive()) {
      if (const auto* pads = std::get_if<Pads>(&*message)) {
        EXPECT_THAT(requester_->OnPads(pads->octets), comity::testing::IsOk());
      } else if (auto* wanted = std::get_if<Wanted>(&*message)) {
        return std::move(*wanted);
      } else {
        const ProbeAnswer& answer = std::get<Answers>(*message).answer;
        Take(answer);
        if (answer.sequence == number) return std::nullopt;
      }
    }
    return std::nullopt;
  }
  bool SetUp() {
    const auto offer = Next<Offer>();
    if (!offer) return false;
    fetched_ = scene_.fetched.With([](const Fetched& fetched) { return fetched; });
    SealedSessionTerms terms = TermsFor(fetched_.ref.header);
    terms.tau = 9000;
    terms.cap = 3;
    auto made = SealedRequester::Create(
        {.list = fetched_.view, .terms = terms, .kernels = FastestKernels(), .random = random_},
        offer->octets);
    EXPECT_THAT(made, comity::testing::IsOk());
    requester_ = std::make_unique<SealedRequester>(*std::move(made));
    if (!out_.Send(BaseAnswer{ToBytes(requester_->answer())})) return false;
    const auto trees = Next<Trees>();
    if (!trees) return false;
    EXPECT_THAT(requester_->OnTrees(trees->octets), comity::testing::IsOk());
    return true;
  }

  // One probe from its decision to its tables; answers come when they come. False: the session is
  // over.
  bool Search(std::uint64_t number) {
    if (sent - answered == kMostUnanswered) {
      const auto answer = Next<Answers>();
      if (!answer) return false;
      Take(answer->answer);
    }
    const policy::Instant now = scene_.world.clock.Now();
    SealedProbe probe = scene_.world.Asked(number);
    const bool sent_on = session_.With([&](auto& session) {
      const policy::Decision decision = session->DecideProbe(now);
      if (!decision.permitted()) return false;
      probe.claims.commitments = session->Commitments(decision.agreement->id, now);
      EXPECT_THAT(session->Sent({.sequence = number,
                                 .number = number,
                                 .capture_ref = "frame",
                                 .camera = "hall",
                                 .captured_at = now,
                                 .decision = decision}),
                  comity::testing::IsOk());
      return true;
    });
    if (!sent_on) return std::this_thread::yield(), true;
    ++sent;
    TakeNews();
    const auto entry = scene_.world.sample.Entry(1 + static_cast<std::uint32_t>(number % 6));
    auto begun = requester_->Begin(
        Secretly(std::vector<Template>{Template(entry.begin(), entry.end())}), number);
    EXPECT_THAT(begun, comity::testing::IsOk());
    if (!out_.Send(Question{probe, fetched_.ref, begun->binding, begun->probes.front()})) {
      return false;
    }
    const auto offsets = Next<Offsets>(number);
    return offsets ? SendTables(*begun->round, offsets->octets) : !in_.is_closed();
  }
  // Another state of the list may be there to be searched.
  void TakeNews() {
    Fetched newest = scene_.fetched.With([](const Fetched& fetched) { return fetched; });
    if (newest.ref.state == fetched_.ref.state) return;
    EXPECT_THAT(requester_->Update(newest.view, 0), comity::testing::IsOk());
    fetched_ = std::move(newest);
  }
  bool SendTables(SealedRequester::Round& round, const Bytes& offsets) {
    EXPECT_THAT(requester_->Accept(round, std::array<std::size_t, 1>{0}), comity::testing::IsOk());
    sealed::Sketch masks{.cap = 3};
    const auto tables = requester_->Tables(round, 0, offsets, masks);
    EXPECT_THAT(tables, comity::testing::IsOk());
    return tables && out_.Send(Tables{*tables, sealed::EncodeSketch(masks)});
  }
  void Take(const ProbeAnswer& answer) {
    const auto pending = session_.With([&](auto& session) {
      return session->OnAnswer(answer.sequence, answer.decision, answer.hits.size());
    });
    EXPECT_THAT(pending, comity::testing::IsOk());
    ++answered;
    if (!answer.hits.empty()) ++scene_.hits;
  }
  void KeepTime(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      session_.With([&](auto& session) {
        EXPECT_THAT(session->Tick(scene_.world.clock.Now()), comity::testing::IsOk());
        session->Outlook(scene_.world.clock.Now());
      });
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  Scene& scene_;
  Pipe<ToRequester>& in_;
  Pipe<ToHolder>& out_;
  SystemRandom random_;
  runtime::Guarded<std::unique_ptr<RequesterSession>> session_;
  // Of the thread that runs the protocol.
  std::unique_ptr<SealedRequester> requester_;
  Fetched fetched_;
  std::vector<std::jthread> threads_;
};

struct SealedLink {
  explicit SealedLink(Scene& scene)
      : holder(scene, to_holder, to_requester), requester(scene, to_requester, to_holder) {}
  void Cut() {
    to_holder.Close();
    to_requester.Close();
  }
  // Every probe has one end.
  void Close() {
    Cut();
    holder.Join();
    requester.Join();
    EXPECT_EQ(requester.sent, requester.answered + requester.lost);
  }
  Pipe<ToHolder> to_holder;
  Pipe<ToRequester> to_requester;
  HolderEnd holder;
  RequesterEnd requester;
};

}  // namespace comity::matching::testing
