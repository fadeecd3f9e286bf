// SPDX-License-Identifier: Apache-2.0
#include "services/identity/approval_decision.h"

#include <gmock/gmock.h>

#include "crypto/base/random.h"
#include "crypto/sign/dsse.h"
#include "tests/support/result_matchers.h"

namespace comity::identity {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using comity::testing::IsOkAnd;

class ApprovalDecision : public ::testing::Test {
 protected:
  Decision Example() const {
    Decision decision;
    decision.approval = "p-abcdefghijklmnopqrstuvwxyz";
    decision.act = "deployment-start";
    decision.sha256.bytes.fill(7);
    decision.kind = DecisionKind::kReject;
    decision.person = policy::PersonId::Parse("supervisor-1").value();
    decision.at = policy::ParseInstant("2026-11-25T08:00:00.000250Z").value();
    decision.reason = "The place is too wide.";
    return decision;
  }
  std::string Sign(std::string_view payload, std::string_view type = kDecisionPayloadType) const {
    sign::DsseEnvelope envelope;
    envelope.payload_type = type;
    envelope.payload = ToBytes(payload);
    sign::AddSignature(key_, envelope);
    return sign::EncodeDsseJson(envelope);
  }

  SystemRandom random_;
  sign::SigningKey key_ = sign::SigningKey::Generate(random_);
};

TEST_F(ApprovalDecision, GivesBackEveryField) {
  const std::string envelope = SignDecision(key_, Example()).value();
  EXPECT_THAT(VerifyDecision(envelope, key_.public_key()), IsOkAnd(Example()));
  EXPECT_THAT(ParseDecision(envelope), IsOkAnd(Example()));
}

TEST_F(ApprovalDecision, IsThatOfItsSignerOnly) {
  const std::string envelope = SignDecision(key_, Example()).value();
  const auto other = sign::SigningKey::Generate(random_);
  EXPECT_THAT(VerifyDecision(envelope, other.public_key()), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(ApprovalDecision, NeedsAReasonButForAnApproval) {
  Decision decision = Example();
  decision.reason.clear();
  for (const DecisionKind kind : {DecisionKind::kReject, DecisionKind::kUrgent,
                                  DecisionKind::kUphold, DecisionKind::kOverturn}) {
    decision.kind = kind;
    EXPECT_THAT(SignDecision(key_, decision), FailsWith(ErrorCode::kInvalidArgument));
  }
  decision.kind = DecisionKind::kApprove;
  EXPECT_THAT(SignDecision(key_, decision), IsOk());
}

TEST_F(ApprovalDecision, RefusesASignedStatementOfAnotherType) {
  const std::string envelope = SignDecision(key_, Example()).value();
  const auto parsed = sign::ParseDsseJson(envelope, kMaxDecision).value();
  EXPECT_THAT(
      ParseDecision(Sign(AsText(parsed.payload), "application/vnd.comity.statement.v1+json")),
      FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(ApprovalDecision, RefusesASecondSignature) {
  auto parsed = sign::ParseDsseJson(SignDecision(key_, Example()).value(), kMaxDecision).value();
  sign::AddSignature(sign::SigningKey::Generate(random_), parsed);
  EXPECT_THAT(VerifyDecision(sign::EncodeDsseJson(parsed), key_.public_key()),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(ApprovalDecision, RefusesFieldsThatAreUnknownMissingOrMalformed) {
  const std::string good =
      R"({"act":"deployment-start","approval":"p-abcdefghijklmnopqrstuvwxyz",)"
      R"("at":"2026-11-25T08:00:00Z","decision":"approve","person":"supervisor-1","reason":"",)"
      R"("sha256":"0707070707070707070707070707070707070707070707070707070707070707"})";
  ASSERT_THAT(ParseDecision(Sign(good)), IsOk());
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string changed = good;
    changed.replace(changed.find(from), from.size(), to);
    return Sign(changed);
  };
  for (const std::string& bad :
       {with(R"("sha256")", R"("salt":"1","sha256")"), with(R"("reason":"",)", ""),
        with("approve", "accept"), with("supervisor-1", "Supervisor"), with("T08", "T28"),
        with("00Z", "00.000Z"), with("00Z", "00+00:00"), with("p-abc", "q-abc"), with("0707", "07"),
        with("deployment-start", ""), with(R"("reason":"")", R"("reason":7)"),
        with(R"({"act")", R"({ "act")"), with(R"("reason":"")", R"("reason":"line\u000abreak")")}) {
    EXPECT_THAT(ParseDecision(bad), FailsWith(ErrorCode::kInvalidArgument)) << bad;
  }
}

TEST_F(ApprovalDecision, RefusesMoreThanItsBound) {
  EXPECT_THAT(ParseDecision(std::string(kMaxDecision + 1, ' ')),
              FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace comity::identity
