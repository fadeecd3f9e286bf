// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "comity/v1/federation.grpc.pb.h"
#include "crypto/base/random.h"
#include "services/gateway/federation/sealed_answers.h"
#include "services/gateway/federation/sealed_holder_exchange.h"
#include "services/gateway/federation/session_wire.h"
#include "services/runtime/guarded.h"
#include "tests/unit/crypto/sealed/sample_list.h"
#include "tests/unit/services/gateway/tls_holder.h"

namespace comity::gateway::testing {

// The police's end of sealed sessions over one list: the real protocol, and of policy what a test
// says for each session and batch. A batch that goes on hits nothing.
//
// Threads: thread-safe.
class ScriptedSealedHolder final : public v1::Federation::Service {
 public:
  using Stream = grpc::ServerReaderWriter<v1::SealedMessage, v1::SealedMessage>;
  enum class Turn {
    kAnswer,
    kRefuse,             // at once, with `code`
    kEnd,                // the call ends instead
    kEndAfterOffsets,    // when the first octets of tables have come
    kRefuseAfterTables,  // with `code`
    kStaySilent,
  };
  struct Say {
    Turn turn = Turn::kAnswer;
    policy::ReasonCode code = policy::ReasonCode::kStaleBlock;
  };
  struct Script {
    std::function<Say(const v1::SealedOpen&)> on_open;      // kAnswer or kRefuse; null: kAnswer
    std::function<Say(const v1::SealedProbes&)> on_probes;  // null: kAnswer
    std::function<void()> on_refusal;                       // before one of a batch leaves
  };
  struct Seen {
    std::vector<v1::SealedOpen> opens;
    std::vector<v1::SealedProbes> batches;
    std::size_t sketches = 0;
  };

  ScriptedSealedHolder(const TlsHolder& tls, std::uint32_t cap, std::int32_t tau)
      : tls_(tls), cap_(cap), tau_(tau) {}

  void Do(Script script) {
    script_.With([&](Script& own) { own = std::move(script); });
  }
  // What the list is for the holder from now on.
  void Hold(std::shared_ptr<const sealed::EpochView> list) {
    list_.With([&](auto& own) { own = std::move(list); });
  }
  Seen seen() const {
    return seen_.With([](const Seen& seen) { return seen; });
  }

  grpc::Status SealedSearch(grpc::ServerContext* context, Stream* stream) override {
    Session session{*context, *stream, {}, {}};
    v1::SealedOpen open;
    if (!session.Read() || !open.ParseFromString(session.message.signed_().payload())) {
      return grpc::Status::OK;
    }
    const Script script = script_.With([](const Script& own) { return own; });
    seen_.With([&](Seen& seen) { seen.opens.push_back(open); });
    const Say said = script.on_open ? script.on_open(open) : Say{};
    if (said.turn == Turn::kRefuse) return RefuseOpening(session, open, said.code);
    if (!SetUp(session, open)) return grpc::Status::OK;
    while (session.Read()) {
      v1::SealedProbes probes;
      if (!probes.ParseFromString(session.message.signed_().payload())) break;
      seen_.With([&](Seen& seen) { seen.batches.push_back(probes); });
      const Say turn = script.on_probes ? script.on_probes(probes) : Say{};
      if (!Take(session, open, probes, turn, script.on_refusal)) break;
    }
    return {grpc::StatusCode::UNAVAILABLE, "gone"};
  }

 private:
  struct Session {
    grpc::ServerContext& context;
    Stream& stream;
    v1::SealedMessage message;
    std::unique_ptr<SealedHolderExchange> exchange;

    bool Read() { return stream.Read(&message); }
  };

  template <typename Payload>
  bool Write(Session& session, const v1::SealedOpen& open, const Payload& payload) const {
    v1::SealedMessage message;
    *message.mutable_signed_() =
        tls_.police_signer.Sign(payload, tls_.council, open.header().exchange_id());
    return session.stream.Write(message);
  }
  static SealedHolderExchange::Send To(Session& session) {
    return [&session](const v1::SealedMessage& part) { return session.stream.Write(part); };
  }

  grpc::Status RefuseOpening(Session& session, const v1::SealedOpen& open,
                             policy::ReasonCode code) const {
    policy::Decision decision;
    decision.code = code;
    v1::SearchRefused refused;
    *refused.mutable_decision() = ToProto(decision);
    Write(session, open, refused);
    return grpc::Status::OK;
  }

  bool SetUp(Session& session, const v1::SealedOpen& open) {
    SealedHolderExchange::Setup setup{{}, {}, {}, random_};
    setup.lists = {list_.With([](const auto& own) { return own; })};
    setup.terms.tau = tau_;
    setup.terms.cap = cap_;
    std::ranges::copy(AsBytes(open.nonce()), setup.terms.requester_nonce.begin());
    random_.Fill(setup.terms.holder_nonce);
    setup.terms.holder_certificate = DigestOf(open.holder_certificate());
    session.exchange = SealedHolderExchange::Create(std::move(setup)).value();
    v1::SealedOpened opened;
    session.exchange->FillOpened(opened);
    v1::SealedSetUp set_up;
    if (!Write(session, open, opened) || !session.Read() ||
        !set_up.ParseFromString(session.message.signed_().payload()) ||
        !session.exchange->OnSetUp(set_up, To(session))) {
      return false;
    }
    v1::SealedReady ready;
    session.exchange->FillReady(ready);
    return Write(session, open, ready) && session.exchange->SendPads(1, To(session)).has_value();
  }

  // False: the call ends.
  bool Take(Session& session, const v1::SealedOpen& open, const v1::SealedProbes& probes,
            const Say& say, const std::function<void()>& on_refusal) {
    const std::vector list{list_.With([](const auto& own) { return own; })};
    if (say.turn == Turn::kEnd || !session.exchange->Update(list)) return false;
    if (say.turn == Turn::kStaySilent) return AwaitEnd(session);
    if (say.turn == Turn::kRefuse) {
      session.exchange->Skip();
      if (on_refusal) on_refusal();
      return Answer(session, open, probes, say.code);
    }
    std::vector<std::size_t> all;
    for (int i = 0; i < probes.probes_size(); ++i) all.push_back(static_cast<std::size_t>(i));
    if (!session.exchange->Begin(probes, all, To(session))) return false;
    while (session.exchange->is_comparing()) {
      if (!session.Read() || say.turn == Turn::kEndAfterOffsets) return false;
      const auto outcome = session.exchange->OnTables(session.message.part());
      if (!outcome) return false;
      if (*outcome) seen_.With([](Seen& seen) { ++seen.sketches; });
    }
    const bool permits = say.turn == Turn::kAnswer;
    if (!permits && on_refusal) on_refusal();
    return Answer(session, open, probes, permits ? policy::ReasonCode::kPermit : say.code);
  }

  bool Answer(Session& session, const v1::SealedOpen& open, const v1::SealedProbes& probes,
              policy::ReasonCode code) const {
    std::vector<matching::ProbeAnswer> answers;
    for (const v1::SealedProbe& probe : probes.probes()) {
      matching::ProbeAnswer& answer = answers.emplace_back();
      answer.sequence = probe.sequence();
      answer.decision.code = code;
      answer.decision.agreement = FromProto(probe.agreement()).value();
    }
    return Write(session, open, AnswersToProto(probes.batch(), answers));
  }

  static bool AwaitEnd(const Session& session) {
    while (!session.context.IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }

  const TlsHolder& tls_;
  const std::uint32_t cap_;
  const std::int32_t tau_;
  SystemRandom random_;
  runtime::Guarded<Script> script_;
  runtime::Guarded<std::shared_ptr<const sealed::EpochView>> list_;
  runtime::Guarded<Seen> seen_;
};

}  // namespace comity::gateway::testing
