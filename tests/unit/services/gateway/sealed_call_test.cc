// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/sealed_call.h"

#include <gmock/gmock.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/sign/ed25519.h"
#include "services/gateway/federation/sealed_flights.h"
#include "services/runtime/clock.h"
#include "services/runtime/logging.h"
#include "tests/unit/services/gateway/holder_end.h"

namespace comity::gateway {
namespace {

using sealed::testing::Faces;
using sealed::testing::SampleList;
using std::chrono::steady_clock;
using testing::DigestOf;
using testing::HolderEnd;

constexpr sealed::Scales kScales{
    .dimension = 128, .tau_min = 4000, .tau_max = 6000, .cos_min = -10000};
constexpr std::size_t kProbes = 2;
const std::string kExchange = "abcdefghijklmnopqrstuvwxya";
const policy::AgencyId kHolderId = policy::AgencyId::Parse("northshire-police").value();
const policy::AgencyId kRequesterId = policy::AgencyId::Parse("eastvale-council").value();

Digest BindingOf(const v1::SealedProbes& probes, std::size_t list) {
  Digest binding;
  std::ranges::copy(AsBytes(probes.bindings(static_cast<int>(list))), binding.bytes.begin());
  return binding;
}

// A holder that opens sessions as it should; what becomes of the first batch is up to the test.
class ScriptedHolder final : public v1::Federation::Service {
 public:
  using Stream = grpc::ServerReaderWriter<v1::SealedMessage, v1::SealedMessage>;
  using Script = std::function<void(ScriptedHolder&, const v1::SealedProbes&)>;

  ScriptedHolder(HolderEnd& end, const MessageSigner& signer, Script script)
      : end_(end), signer_(signer), script_(std::move(script)) {}

  grpc::Status SealedSearch(grpc::ServerContext*, Stream* stream) override {
    stream_ = stream;
    Next();
    Say(end_.Opened());
    for (const auto& part : end_.Trees(Signed<v1::SealedSetUp>())) Say(part);
    Say(end_.Ready());
    for (const auto& part : end_.Pads(0)) Say(part);
    script_(*this, Signed<v1::SealedProbes>());
    while (Next()) {
    }
    return grpc::Status::OK;
  }

  void SendOffsets(const v1::SealedProbes& probes, std::span<const std::size_t> indices) {
    for (const auto& one : end_.Begin(probes, indices)) {
      SendParts({v1::SealedPart::KIND_OFFSETS, static_cast<std::uint32_t>(one.list),
                 BindingOf(probes, one.list), probes.batch(), static_cast<std::uint32_t>(one.probe),
                 one.octets.size()},
                one.octets, [this](const auto& part) { return stream_->Write(part); });
    }
  }
  void Answer(const v1::SealedProbes& probes, std::span<const std::size_t> indices,
              v1::DecisionCode code) {
    v1::SealedAnswers answers;
    answers.set_batch(probes.batch());
    for (const std::size_t index : indices) {
      v1::SealedAnswer& answer = *answers.add_answers();
      answer.set_sequence(probes.probes(static_cast<int>(index)).sequence());
      answer.mutable_decision()->set_code(code);
    }
    Say(answers);
  }
  void Refuse() {
    v1::SearchRefused refused;
    refused.mutable_decision()->set_code(v1::DECISION_CODE_AGREEMENT_SUSPENDED);
    Say(refused);
  }
  // Waits for tables, up to the last of this many probes.
  void AwaitTables(std::size_t probes) {
    while (wholes_ < probes && Next()) {
    }
  }
  std::size_t tables() const { return tables_; }

 private:
  bool Next() {
    if (!stream_->Read(&message_)) return false;
    if (!message_.has_part()) return true;
    const v1::SealedPart& part = message_.part();
    tables_ += part.kind() == v1::SealedPart::KIND_TABLES ? 1 : 0;
    wholes_ += part.offset() + part.data().size() == part.size() ? 1U : 0U;
    return true;
  }
  template <typename Payload>
  Payload Signed() {
    Payload payload;
    EXPECT_TRUE(Next() && payload.ParseFromString(message_.signed_().payload()));
    return payload;
  }
  void Say(const v1::SealedPart& part) {
    v1::SealedMessage message;
    *message.mutable_part() = part;
    stream_->Write(message);
  }
  template <typename Payload>
  void Say(const Payload& payload) {
    v1::SealedMessage message;
    *message.mutable_signed_() = signer_.Sign(payload, kRequesterId, kExchange);
    stream_->Write(message);
  }

  HolderEnd& end_;
  const MessageSigner& signer_;
  const Script script_;
  Stream* stream_ = nullptr;
  v1::SealedMessage message_;
  std::atomic<std::size_t> tables_{0};
  std::size_t wholes_ = 0;
};

// The requester's end of a session over one list, up to the first batch. The connection is within
// the process and shows no certificate, of which Begin() and SetUp() complain; the rest goes on.
class SealedCallTest : public ::testing::Test {
 protected:
  SealedCallTest() : faces_(128, 3), list_(kScales, 1) {
    nonce_.fill(0x11);
    list_.Seal(0, faces_.Templates(20));
    end_.emplace(std::vector<const SampleList*>{&list_}, nonce_);
  }
  ~SealedCallTest() override {
    if (call_) call_->Cancel();
    call_.reset();
    if (server_) server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
  }

  void OpenAgainst(ScriptedHolder::Script script) {
    holder_ = std::make_unique<ScriptedHolder>(*end_, holder_signer_, std::move(script));
    grpc::ServerBuilder builder;
    builder.RegisterService(holder_.get());
    server_ = builder.BuildAndStart();
    ASSERT_TRUE(peers_.Set({{{kHolderId, holder_key_.public_key()}, "", false}}).has_value());
    call_ = std::make_unique<SealedCall>(
        SealedCall::Ports{peers_, verifier_, *logger_},
        SealedCall::Terms{kHolderId, kExchange,
                          std::chrono::system_clock::now() + std::chrono::seconds(30)},
        SealedCall::Events{[this](const auto& answers, const Digest&) { return Take(answers); },
                           [](const Error&) {}, [this](const HolderClosed&) { Note(true); }});
    EXPECT_FALSE(call_->Begin(until_).has_value());
    const auto opened = call_->Open(signer_.Sign(v1::SealedOpen(), kHolderId, kExchange), until_);
    ASSERT_TRUE(opened);
    auto exchange = SealedExchange::Create({{list_.view()},
                                            HolderEnd::kTau,
                                            HolderEnd::kCap,
                                            nonce_,
                                            DigestOf(0x33),
                                            DigestOf(0x44),
                                            {},
                                            random_},
                                           *opened);
    ASSERT_TRUE(exchange.has_value());
    const auto set_up = signer_.Sign((*exchange)->SetUp(), kHolderId, kExchange);
    call_->SetUp(*std::move(exchange), set_up, until_);
    ASSERT_TRUE(call_->IsOpen());
    flights_.Begin(kExchange);
  }
  void SendBatch() {
    std::vector<sealed::SecretArray<std::int8_t>> templates;
    for (std::uint32_t slot = 1; slot <= kProbes; ++slot) {
      const auto entry = list_.Entry(slot);
      templates.emplace_back(entry.size());
      std::ranges::copy(entry, templates.back().ExposeMutable().begin());
    }
    auto batch = call_->WithExchange([&](SealedExchange& own) { return own.Begin(templates); });
    ASSERT_TRUE(batch.has_value());
    first_ = batch->message.probes(0).sequence();
    for (std::size_t i = 0; i < kProbes; ++i) {
      SealedFlight flight;
      flight.batch = batch->message.batch();
      flights_.Add(first_ + i, std::move(flight));
    }
    ASSERT_TRUE(call_->Send(*batch, signer_.Sign(batch->message, kHolderId, kExchange), until_));
  }
  bool AnswerBatch() {
    return call_->Answer(until_, [this](std::span<const std::size_t> probes) {
      return flights_.Spend(first_, probes);
    });
  }
  // Until the holder's word was taken, or the session ended by it.
  void AwaitWord(std::size_t answers = 1) {
    EXPECT_TRUE(heard_.WaitUntil(
        {}, until_, [&](const Heard& heard) { return heard.ended || heard.answers >= answers; },
        [](Heard&) {}));
  }
  std::size_t TablesAtTheEnd() {
    call_->Cancel();
    call_.reset();
    server_->Shutdown();
    server_->Wait();
    return holder_->tables();
  }
  std::size_t free_refusals() {
    return heard_.With([](const Heard& heard) { return heard.unspent; });
  }

 private:
  struct Heard {
    std::size_t answers = 0;
    std::size_t unspent = 0;  // answered before they counted for their track
    bool ended = false;
  };
  Status Take(const v1::SealedAnswers& answers) {
    std::size_t unspent = 0;
    for (const auto& answer : answers.answers()) {
      const auto flight = flights_.Take(kExchange, answers.batch(), answer.sequence());
      if (!flight) return Fail(ErrorCode::kInvalidArgument, "no probe waits");
      unspent += flight->is_spent ? 0U : 1U;
    }
    heard_.With([&](Heard& heard) {
      heard.unspent += unspent;
      ++heard.answers;
    });
    return {};
  }
  void Note(bool ended) {
    heard_.With([&](Heard& heard) { heard.ended = ended; });
  }

 protected:
  Faces faces_;
  SampleList list_;
  std::array<std::uint8_t, 32> nonce_{};
  std::optional<HolderEnd> end_;
  SystemRandom random_;
  runtime::SystemClock clock_;
  std::ostringstream log_;
  std::unique_ptr<runtime::Logger> logger_ =
      runtime::MakeStreamLogger(runtime::LogLevel::kInfo, clock_, log_);
  sign::SigningKey key_ = sign::SigningKey::Generate(random_);
  sign::SigningKey holder_key_ = sign::SigningKey::Generate(random_);
  MessageSigner signer_{kRequesterId, key_, clock_, random_};
  MessageSigner holder_signer_{kHolderId, holder_key_, clock_, random_};
  MessageVerifier verifier_{kRequesterId, clock_};
  std::unique_ptr<transport::TrustStore> trust_ = transport::TrustStore::ForFederation({}).value();
  std::unique_ptr<ScriptedHolder> holder_;
  std::unique_ptr<grpc::Server> server_;
  PeerLinks peers_{{[this](const auto&, const auto&) -> Result<std::shared_ptr<grpc::Channel>> {
                      return server_->InProcessChannel({});
                    },
                    [](const policy::AgencyId&) { return PeerView{}; }, *trust_, signer_, verifier_,
                    clock_, random_}};
  const steady_clock::time_point until_ = steady_clock::now() + std::chrono::seconds(20);
  SealedFlights flights_;
  std::uint64_t first_ = 0;
  runtime::Watched<Heard> heard_;
  std::unique_ptr<SealedCall> call_;
};

constexpr std::array<std::size_t, kProbes> kBoth{0, 1};

TEST_F(SealedCallTest, TablesLeaveForTheProbesThatTheHolderGoesOnWith) {
  OpenAgainst([](ScriptedHolder& holder, const v1::SealedProbes& probes) {
    holder.Answer(probes, std::span(kBoth).first(1), v1::DECISION_CODE_CAPACITY_EXHAUSTED);
    holder.SendOffsets(probes, std::span(kBoth).last(1));
    holder.AwaitTables(1);
    holder.Answer(probes, std::span(kBoth).last(1), v1::DECISION_CODE_PERMIT);
  });
  SendBatch();
  EXPECT_TRUE(AnswerBatch());
  AwaitWord(2);
  EXPECT_EQ(free_refusals(), 1U);
  EXPECT_EQ(TablesAtTheEnd(), 1U);
}

// A holder that takes a sketch and has the face asked again must pay with a search of its track.
TEST_F(SealedCallTest, ARefusalDirectlyBehindTheOffsetsGetsNoTables) {
  OpenAgainst([](ScriptedHolder& holder, const v1::SealedProbes& probes) {
    holder.SendOffsets(probes, kBoth);
    holder.Answer(probes, std::span(kBoth).first(1), v1::DECISION_CODE_STALE_BLOCK);
  });
  SendBatch();
  AwaitWord();
  EXPECT_FALSE(AnswerBatch());
  EXPECT_EQ(free_refusals(), 0U);
  EXPECT_EQ(TablesAtTheEnd(), 0U);
}

TEST_F(SealedCallTest, ARefusalBehindTheTablesIsNotFree) {
  OpenAgainst([](ScriptedHolder& holder, const v1::SealedProbes& probes) {
    holder.SendOffsets(probes, kBoth);
    holder.AwaitTables(kProbes);
    holder.Answer(probes, kBoth, v1::DECISION_CODE_STALE_BLOCK);
  });
  SendBatch();
  EXPECT_TRUE(AnswerBatch());
  AwaitWord();
  EXPECT_EQ(free_refusals(), 0U);
  EXPECT_EQ(TablesAtTheEnd(), kProbes);
}

TEST_F(SealedCallTest, NoTableLeavesForAFaceThatIsGone) {
  OpenAgainst([](ScriptedHolder& holder, const v1::SealedProbes& probes) {
    holder.SendOffsets(probes, kBoth);
  });
  SendBatch();
  ASSERT_TRUE(flights_.Take(kExchange, 0, first_ + 1));
  EXPECT_FALSE(AnswerBatch());
  EXPECT_EQ(TablesAtTheEnd(), 0U);
}

TEST_F(SealedCallTest, NoTableLeavesOnceTheSessionHasEnded) {
  OpenAgainst([](ScriptedHolder& holder, const v1::SealedProbes& probes) {
    holder.SendOffsets(probes, kBoth);
    holder.Refuse();
  });
  SendBatch();
  while (call_->IsOpen() && steady_clock::now() < until_) std::this_thread::yield();
  EXPECT_FALSE(AnswerBatch());
  EXPECT_EQ(TablesAtTheEnd(), 0U);
}

// The faces of the next batch are noted before it is sent, and its numbers can be guessed.
TEST_F(SealedCallTest, AnAnswerToABatchThatIsNotSentYetEndsTheSession) {
  OpenAgainst([](ScriptedHolder& holder, const v1::SealedProbes& asked) {
    v1::SealedProbes next = asked;
    next.set_batch(asked.batch() + 1);
    next.mutable_probes(0)->set_sequence(asked.probes(1).sequence() + 1);
    holder.Answer(next, std::span(kBoth).first(1), v1::DECISION_CODE_STALE_BLOCK);
  });
  SealedFlight noted;
  noted.batch = 1;
  flights_.Add(1 + kProbes, std::move(noted));
  SendBatch();
  AwaitWord();
  EXPECT_FALSE(call_->IsOpen());
  EXPECT_FALSE(AnswerBatch());
  EXPECT_TRUE(flights_.Take(kExchange, 1, 1 + kProbes));
}

}  // namespace
}  // namespace comity::gateway
