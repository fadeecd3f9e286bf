// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/wire/signed_message.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <string>

#include "crypto/base/encoding.h"
#include "crypto/sign/dsse.h"
#include "services/gateway/wire/convert_time.h"
#include "tests/support/manual_clock.h"
#include "tests/support/result_matchers.h"

namespace comity::gateway {
namespace {

using testing::FailsWith;
using testing::IsOk;
using testing::ManualClock;

constexpr std::chrono::microseconds kTick{1};
constexpr const char* kExchange = "abcdefghijklmnopqrstuvwxya";

policy::AgencyId Agency(std::string_view text) {
  return policy::AgencyId::Parse(text).value();
}

class SignedMessage : public ::testing::Test {
 protected:
  v1::SignedMessage Hello() {
    v1::HelloRequest hello;
    hello.set_protocol_max(1);
    return signer_.Sign(hello, holder_, kExchange);
  }
  // A hello whose signature is right and whose payload is not what an honest signer writes.
  v1::SignedMessage Altered(const std::function<void(v1::HelloRequest&)>& alter) {
    v1::HelloRequest hello;
    EXPECT_TRUE(hello.ParseFromString(Hello().payload()));
    alter(hello);
    return Resigned(hello.SerializeAsString());
  }
  v1::SignedMessage Resigned(std::string payload) {
    v1::SignedMessage message = Hello();
    message.set_payload(std::move(payload));
    const auto signature = sign::SignDsse(key_, message.payload_type(), AsBytes(message.payload()));
    message.set_signature(signature.bytes.data(), signature.bytes.size());
    return message;
  }
  Result<v1::HelloRequest> Verify(const v1::SignedMessage& message) {
    return verifier_.Verify<v1::HelloRequest>(message, peer_);
  }

  ManualClock clock_{policy::ParseInstant("2026-11-25T08:00:00Z").value()};
  SystemRandom random_;
  const sign::SigningKey key_ = sign::SigningKey::Generate(random_);
  const policy::AgencyId requester_ = Agency("eastvale-council");
  const policy::AgencyId holder_ = Agency("northshire-police");
  const PinnedPeer peer_{requester_, key_.public_key()};
  const MessageSigner signer_{requester_, key_, clock_, random_};
  const MessageVerifier verifier_{holder_, clock_};
};

// A restored node has perhaps forgotten that it took them.
TEST_F(SignedMessage, IsRefusedWhenItWasSentBeforeTheReceiverWasRestored) {
  const v1::SignedMessage before = Hello();
  const MessageVerifier restored(holder_, clock_, clock_.Now());
  EXPECT_THAT(restored.Verify<v1::HelloRequest>(before, peer_),
              FailsWith(ErrorCode::kUnauthenticated));
  clock_.Advance(kTick);
  EXPECT_THAT(restored.Verify<v1::HelloRequest>(Hello(), peer_), IsOk());
}

TEST_F(SignedMessage, IsAcceptedByTheReceiverItNames) {
  const auto hello = Verify(Hello());
  ASSERT_THAT(hello, IsOk());
  EXPECT_EQ(hello->protocol_max(), 1u);
  EXPECT_EQ(hello->header().sender(), "eastvale-council");
  EXPECT_EQ(hello->header().receiver(), "northshire-police");
  EXPECT_EQ(hello->header().exchange_id(), kExchange);
  EXPECT_EQ(hello->header().salt().size(), 16u);
}

TEST_F(SignedMessage, IsAcceptedByAFormerKeyWhileKeysChange) {
  const PinnedPeer changing{requester_,
                            sign::SigningKey::Generate(random_).public_key(),
                            {sign::SigningKey::Generate(random_).public_key(), key_.public_key()}};
  EXPECT_THAT(verifier_.Verify<v1::HelloRequest>(Hello(), changing), IsOk());
  const PinnedPeer changed{requester_, changing.signing_key};
  EXPECT_THAT(verifier_.Verify<v1::HelloRequest>(Hello(), changed), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(SignedMessage, HasAFreshSaltEachTime) {
  EXPECT_NE(MessageDigest(Hello()), MessageDigest(Hello()));
}

TEST_F(SignedMessage, IsRefusedUnderAnotherSender) {
  EXPECT_THAT(
      Verify(Altered([](auto& hello) { hello.mutable_header()->set_sender("westmere-council"); })),
      FailsWith(ErrorCode::kPermissionDenied));
}

TEST_F(SignedMessage, IsRefusedByAnyOtherReceiver) {
  EXPECT_THAT(Verify(Altered(
                  [](auto& hello) { hello.mutable_header()->set_receiver("eastvale-council"); })),
              FailsWith(ErrorCode::kPermissionDenied));
  const MessageVerifier other(Agency("westmere-police"), clock_);
  EXPECT_THAT(other.Verify<v1::HelloRequest>(Hello(), peer_),
              FailsWith(ErrorCode::kPermissionDenied));
}

TEST_F(SignedMessage, HasAnExchangeIdOf128RandomBitsInBase32) {
  const std::string good = kExchange;
  for (const auto& bad : {std::string(), good.substr(1), good + "a", good.substr(1) + "A",
                          good.substr(1) + "1", good.substr(1) + "/", std::string(26, '\0')}) {
    EXPECT_THAT(Verify(Altered([&](auto& hello) { hello.mutable_header()->set_exchange_id(bad); })),
                FailsWith(ErrorCode::kInvalidArgument))
        << bad;
  }
}

TEST_F(SignedMessage, HasASaltOfExactly16Octets) {
  for (const std::size_t size : {0u, 15u, 17u}) {
    EXPECT_THAT(Verify(Altered([&](auto& hello) {
                  hello.mutable_header()->set_salt(std::string(size, 's'));
                })),
                FailsWith(ErrorCode::kInvalidArgument))
        << size;
  }
}

TEST_F(SignedMessage, IsAcceptedUpTo60SecondsLateAndNoLonger) {
  const v1::SignedMessage message = Hello();
  clock_.Advance(kMaxClockSkew);
  EXPECT_THAT(Verify(message), IsOk());
  clock_.Advance(kTick);
  EXPECT_THAT(Verify(message), FailsWith(ErrorCode::kUnauthenticated));
}

TEST_F(SignedMessage, IsAcceptedUpTo60SecondsEarlyAndNoMore) {
  const v1::SignedMessage message = Hello();
  clock_.Advance(-kMaxClockSkew);
  EXPECT_THAT(Verify(message), IsOk());
  clock_.Advance(-kTick);
  EXPECT_THAT(Verify(message), FailsWith(ErrorCode::kUnauthenticated));
}

TEST_F(SignedMessage, IsRefusedWithoutAHeaderOrAReadableTime) {
  EXPECT_THAT(Verify(Altered([](auto& hello) { hello.clear_header(); })),
              FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(Verify(Altered([](auto& hello) { hello.mutable_header()->clear_sent_at(); })),
              FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_THAT(Verify(Altered(
                  [](auto& hello) { hello.mutable_header()->mutable_sent_at()->set_nanos(-1); })),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Verify(Altered([](auto& hello) {
                hello.mutable_header()->mutable_sent_at()->set_seconds(
                    std::numeric_limits<std::int64_t>::max());
              })),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(SignedMessage, IsRefusedAsAnotherType) {
  EXPECT_THAT(verifier_.Verify<v1::SearchOpen>(Hello(), peer_),
              FailsWith(ErrorCode::kInvalidArgument));
  // The type is under the signature: one cannot be passed off as the other.
  v1::SignedMessage message = Hello();
  message.set_payload_type("application/vnd.comity.v1.HelloReply+protobuf");
  EXPECT_THAT(verifier_.Verify<v1::HelloReply>(message, peer_), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(SignedMessage, IsRefusedWithAnUnknownFieldAtAnyDepth) {
  const auto add_unknown = [](google::protobuf::Message& message) {
    message.GetReflection()->MutableUnknownFields(&message)->AddVarint(1000, 1);
  };
  EXPECT_THAT(Verify(Altered([&](auto& hello) { add_unknown(hello); })),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Verify(Altered([&](auto& hello) { add_unknown(*hello.mutable_header()); })),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Verify(Altered(
                  [&](auto& hello) { add_unknown(*hello.mutable_header()->mutable_sent_at()); })),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(SignedMessage, IsRefusedWhenThePayloadDoesNotParse) {
  EXPECT_THAT(Verify(Resigned("\x0a\xff")), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(SignedMessage, IsRefusedAfterAnyFlippedOctetOfPayloadOrSignature) {
  const v1::SignedMessage message = Hello();
  for (std::size_t i = 0; i < message.payload().size(); ++i) {
    v1::SignedMessage broken = message;
    (*broken.mutable_payload())[i] ^= 1;
    EXPECT_THAT(Verify(broken), FailsWith(ErrorCode::kCorrupt)) << i;
  }
  for (std::size_t i = 0; i < message.signature().size(); ++i) {
    v1::SignedMessage broken = message;
    (*broken.mutable_signature())[i] ^= 1;
    EXPECT_THAT(Verify(broken), FailsWith(ErrorCode::kCorrupt)) << i;
  }
}

TEST_F(SignedMessage, IsRefusedWithASignatureOfAnotherLengthOrKey) {
  v1::SignedMessage message = Hello();
  message.mutable_signature()->push_back('\0');
  EXPECT_THAT(Verify(message), FailsWith(ErrorCode::kCorrupt));
  message.clear_signature();
  EXPECT_THAT(Verify(message), FailsWith(ErrorCode::kCorrupt));
  const PinnedPeer other{requester_, sign::SigningKey::Generate(random_).public_key()};
  EXPECT_THAT(verifier_.Verify<v1::HelloRequest>(Hello(), other), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(SignedMessage, IsRefusedAboveOneMebibyteEvenWhenSigned) {
  constexpr std::size_t kLimit = std::size_t{1} << 20;
  const auto of_size = [&](std::size_t size) {
    v1::HelloRequest hello;
    EXPECT_TRUE(hello.ParseFromString(Hello().payload()));
    hello.set_software(std::string(size - hello.ByteSizeLong() - 4, 'x'));
    return hello.SerializeAsString();
  };
  ASSERT_EQ(of_size(kLimit).size(), kLimit);
  EXPECT_THAT(Verify(Resigned(of_size(kLimit))), IsOk());
  EXPECT_THAT(Verify(Resigned(of_size(kLimit + 1))), FailsWith(ErrorCode::kInvalidArgument));
}

// SHA-256 over "DSSEv1 4 type 7 payload", by `printf ... | sha256sum`.
TEST_F(SignedMessage, DigestIsThatOfTheSignedOctets) {
  v1::SignedMessage message;
  message.set_payload_type("type");
  message.set_payload("payload");
  EXPECT_EQ(EncodeHex(MessageDigest(message).view()),
            "73c0ecc98eb2761e07320bcade76eed7a94f1909ac57c20a8e76ad2db12b1740");
  message.set_signature("whatever");
  EXPECT_EQ(EncodeHex(MessageDigest(message).view()),
            "73c0ecc98eb2761e07320bcade76eed7a94f1909ac57c20a8e76ad2db12b1740");
}

TEST_F(SignedMessage, ClaimsOnlyItsOwnType) {
  EXPECT_TRUE(MessageVerifier::Claims<v1::HelloRequest>(Hello()));
  EXPECT_FALSE(MessageVerifier::Claims<v1::HelloReply>(Hello()));
}

}  // namespace
}  // namespace comity::gateway
