// SPDX-License-Identifier: Apache-2.0
// Every attack on a signed message, at every unary method of the federation port: refused, in the
// log, and the same peer is served as ever if it then asks as agreed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "services/audit/events.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/gateway/wire/convert_time.h"
#include "tests/integration/direct_search_world.h"
#include "tests/integration/exported_log.h"
#include "tests/integration/raw_peer.h"
#include "tests/support/manual_clock.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using Stub = v1::Federation::Stub;
using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const v1::SignedMessage&,
                                      v1::SignedMessage*);

class HostileCall : public DirectSearchWorld {
 protected:
  void SetUp() override {
    DirectSearchWorld::SetUp();
    Agree();
    settings_ = council_.unchecked_towards(police_);
    peer_ = std::make_unique<RawPeer>(settings_, clock_);
  }
  // A method, and what an honest peer would ask it.
  struct Call {
    std::string name;
    Method method;
    std::function<v1::SignedMessage(RawPeer&)> question;
  };
  std::vector<Call> Calls() {
    const auto with = [](auto payload) {
      return [payload](RawPeer& peer) { return peer.Sign(payload, peer.NewExchange()); };
    };
    v1::HelloRequest hello;
    hello.set_protocol_min(1);
    hello.set_protocol_max(1);
    hello.mutable_view()->set_state("active");
    v1::AgreementDelivery delivery;
    *delivery.mutable_agreement() = gateway::ToProto(ref_);
    delivery.set_status("in-force");
    v1::ListSealedRequest sealed;
    *sealed.mutable_agreement() = gateway::ToProto(ref_);
    sealed.set_purpose("court-order-arrest");
    sealed.mutable_engine()->set_name("facenet");
    sealed.mutable_engine()->set_version("20180402");
    sealed.mutable_engine()->set_dimension(kDimension);
    v1::ValidateListsRequest validate;
    *validate.mutable_terms() = gateway::ToProto(Terms());
    validate.set_deployment("d-raw");
    *validate.mutable_starts_at() = gateway::ToProto(clock_.Now());
    return {{"Hello", &Stub::Hello, with(hello)},
            {"DeliverAgreement", &Stub::DeliverAgreement, with(delivery)},
            {"ListOffers", &Stub::ListOffers, with(v1::ListOffersRequest())},
            {"ListSealed", &Stub::ListSealed, with(sealed)},
            {"ValidateLists", &Stub::ValidateLists, with(validate)}};
  }
  grpc::StatusCode Ask(const Call& call, const v1::SignedMessage& message) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    v1::SignedMessage reply;
    return (peer_->stub().*call.method)(&context, message, &reply).error_code();
  }
  // `attack` makes a message out of an honest one's method.
  void ExpectRefused(const std::function<v1::SignedMessage(const Call&)>& attack) {
    for (const Call& call : Calls()) {
      SCOPED_TRACE(call.name);
      EXPECT_NE(Ask(call, attack(call)), grpc::StatusCode::OK);
      EXPECT_EQ(Ask(call, call.question(*peer_)), grpc::StatusCode::OK);
    }
    EXPECT_EQ(Refusals(), Calls().size());
  }
  std::size_t Refusals() { return ExportLog(police_).Count(audit::kPeerMessageRefused); }

  UncheckedRequester::Settings settings_;
  std::unique_ptr<RawPeer> peer_;
};

TEST_F(HostileCall, OfNoiseIsRefused) {
  ExpectRefused([&](const Call&) {
    std::string noise(4096, '\0');
    for (char& octet : noise) octet = static_cast<char>(random_());
    v1::SignedMessage message;
    message.set_payload(noise);
    message.set_signature(noise.substr(0, 64));
    return message;
  });
}

TEST_F(HostileCall, WithASignatureOfAnotherKeyIsRefused) {
  RawPeer forger(settings_, clock_);
  forger.ForgetKey();
  ExpectRefused([&](const Call& call) { return call.question(forger); });
}

TEST_F(HostileCall, WithAChangedOctetIsRefused) {
  ExpectRefused([&](const Call& call) {
    v1::SignedMessage message = call.question(*peer_);
    message.mutable_payload()->back() ^= 1;
    return message;
  });
}

TEST_F(HostileCall, ThatIsReplayedIsRefused) {
  ExpectRefused([&](const Call& call) {
    v1::SignedMessage message = call.question(*peer_);
    EXPECT_EQ(Ask(call, message), grpc::StatusCode::OK);
    return message;
  });
}

TEST_F(HostileCall, OfAnotherKindIsRefused) {
  ExpectRefused([&](const Call&) {
    v1::SearchProbe probe;
    probe.set_sequence(1);
    return peer_->Sign(probe, peer_->NewExchange());
  });
}

TEST_F(HostileCall, ThatWasSentTooLongAgoOrIsOfATimeToComeIsRefused) {
  ManualClock slow(clock_.Now() - std::chrono::minutes(2));
  ManualClock fast(clock_.Now() + std::chrono::minutes(5));
  RawPeer late(settings_, slow);
  RawPeer early(settings_, fast);
  bool is_late = false;
  ExpectRefused([&](const Call& call) {
    is_late = !is_late;
    return call.question(is_late ? late : early);
  });
}

TEST_F(HostileCall, LargerThanAnyMayBeIsRefusedAndNotRead) {
  for (const Call& call : Calls()) {
    SCOPED_TRACE(call.name);
    v1::SignedMessage message = call.question(*peer_);
    message.set_payload(std::string(3 << 20, 'a'));
    EXPECT_NE(Ask(call, message), grpc::StatusCode::OK);
    EXPECT_EQ(Ask(call, call.question(*peer_)), grpc::StatusCode::OK);
  }
}

TEST_F(HostileCall, InAProtocolThatIsNotSpokenIsRefused) {
  v1::HelloRequest hello;
  hello.mutable_view()->set_state("active");
  for (const std::uint32_t version : {0U, 99U, 0xffffffffU}) {
    hello.set_protocol_min(version);
    hello.set_protocol_max(version);
    grpc::ClientContext context;
    v1::SignedMessage reply;
    const auto status =
        peer_->stub().Hello(&context, peer_->Sign(hello, peer_->NewExchange()), &reply);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << version;
  }
}

}  // namespace
}  // namespace comity::testing
