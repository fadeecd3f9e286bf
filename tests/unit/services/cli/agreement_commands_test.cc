// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "crypto/base/encoding.h"
#include "crypto/base/random.h"
#include "crypto/sign/dsse.h"
#include "policy/agreement/statement.h"
#include "policy/check/check.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/services/cli/comity_process.h"

namespace comity::testing {
namespace {

using ::testing::HasSubstr;

// The sample agreement with keys of people whose key files are here: the order of the document.
class AgreementCommands : public ::testing::Test {
 protected:
  AgreementCommands() {
    std::string text = ReadWhole(std::string(COMITY_SOURCE_DIR) + "/docs/sample_agreement.yaml");
    SystemRandom random;
    std::size_t at = 0;
    for (const char* name : {"ev-agency", "ev-dpo", "ev-chief", "ev-siro", "ns-agency", "ns-dpo",
                             "ns-acc", "ns-siro"}) {
      const sign::SigningKey key = sign::SigningKey::Generate(random);
      WriteWhole(Key(name), AsText(key.EncodeKeyFile().Expose()), 0600);
      at = text.find("ed25519:", at);
      COMITY_CHECK(at != std::string::npos);
      const std::string encoded = sign::EncodePublicKey(key.public_key());
      text.replace(at, encoded.size(), encoded);
      at += encoded.size();
    }
    WriteWhole(document_, text);
    agreement_ = policy::LoadAgreement(text).agreement;
    COMITY_CHECK(agreement_.has_value());
  }

  std::string Key(const std::string& name) const {
    return (root_.path() / (name + ".key")).string();
  }
  Result<policy::VerifiedStatement> Verify(const std::string& dsse_json) const {
    COMITY_ASSIGN_OR_RETURN(const auto envelope, sign::ParseDsseJson(dsse_json, 16 * 1024));
    return policy::VerifyStatement(envelope, *agreement_, {.countersignature_required = false});
  }

  TemporaryDirectory root_;
  const std::string document_ = (root_.path() / "agreement.yaml").string();
  std::optional<policy::Agreement> agreement_;
};

TEST_F(AgreementCommands, CheckAcceptsAGoodDocument) {
  const CommandOutput output = Comity({"agreement", "check", document_});
  EXPECT_EQ(output.exit_code, 0);
  EXPECT_THAT(output.out, HasSubstr("no faults; northshire-eastvale-2026 version 1"));
}

TEST_F(AgreementCommands, CheckListsAllFaultsWithTheirPlaces) {
  Replace(document_, "version: 1\n", "version: 0\n");
  Replace(document_, "mode: sealed ", "mode: sealet ");
  const CommandOutput output = Comity({"agreement", "check", document_});
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.out, HasSubstr(document_ + ":15:10: version: "));
  EXPECT_THAT(output.out, HasSubstr(": permissions[0].mode: "));
  const auto json = ComityJson({"agreement", "check", document_});
  EXPECT_EQ(json["agreement"], nullptr);
  EXPECT_EQ(json["faults"][0]["line"], 15);
  EXPECT_EQ(json["faults"].size(), 2U);
}

TEST_F(AgreementCommands, CheckEndsWithTwoWhenThereIsNoFile) {
  EXPECT_EQ(Comity({"agreement", "check", document_ + "x"}).exit_code, 2);
}

TEST_F(AgreementCommands, ShowPrintsNumberedClausesAndTheHash) {
  const CommandOutput output = Comity({"agreement", "show", document_});
  EXPECT_EQ(output.exit_code, 0);
  EXPECT_THAT(output.out, HasSubstr("[p1]"));
  EXPECT_THAT(output.out, HasSubstr("SHA-256 of the document: "));
}

TEST_F(AgreementCommands, SignFindsPartyAndPostByTheKey) {
  const CommandOutput output = Comity({"agreement", "sign", document_, "--key", Key("ev-chief")});
  EXPECT_EQ(output.exit_code, 0);
  const auto verified = Verify(output.out);
  ASSERT_THAT(verified, IsOk());
  EXPECT_EQ(verified->statement.kind, policy::StatementKind::kSignature);
  EXPECT_EQ(verified->statement.party.text(), "eastvale-council");
  EXPECT_EQ(verified->statement.post, "Chief Executive");
}

TEST_F(AgreementCommands, AdviseWritesAFileThatIsNeverOverwritten) {
  const std::string out = (root_.path() / "advice.json").string();
  const std::vector<std::string> command = {"agreement",
                                            "advise",
                                            document_,
                                            "--key",
                                            Key("ns-dpo"),
                                            "--position",
                                            "conditional",
                                            "--text",
                                            "only with a DPIA",
                                            "--out",
                                            out};
  EXPECT_EQ(Comity(command).exit_code, 0);
  const auto verified = Verify(ReadWhole(out));
  ASSERT_THAT(verified, IsOk());
  EXPECT_EQ(verified->statement.position, policy::AdvicePosition::kConditional);
  EXPECT_EQ(verified->statement.text, "only with a DPIA");
  EXPECT_EQ(Comity(command).exit_code, 1);
}

TEST_F(AgreementCommands, SuspendResumeAndTerminateMakeTheirStatements) {
  const auto suspended = Verify(
      Comity({"agreement", "suspend", document_, "--key", Key("ns-dpo"), "--reason", "inquiry"})
          .out);
  ASSERT_THAT(suspended, IsOk());
  const std::string id = EncodeHex(suspended->id.view());
  const auto resumed = Verify(Comity({"agreement", "resume", document_, "--key", Key("ns-acc"),
                                      "--lifts", id, "--reason", "closed"})
                                  .out);
  ASSERT_THAT(resumed, IsOk());
  EXPECT_EQ(resumed->statement.lifts, suspended->id);
  const auto terminated = Verify(
      Comity({"agreement", "terminate", document_, "--key", Key("ev-siro"), "--reason", "replaced"})
          .out);
  ASSERT_THAT(terminated, IsOk());
  EXPECT_EQ(terminated->statement.kind, policy::StatementKind::kTermination);
}

TEST_F(AgreementCommands, RejectAndReviewMakeTheirStatements) {
  const auto rejected = Verify(
      Comity({"agreement", "reject", document_, "--key", Key("ev-siro"), "--reason", "too wide"})
          .out);
  ASSERT_THAT(rejected, IsOk());
  EXPECT_EQ(rejected->statement.kind, policy::StatementKind::kRejection);
  for (const char* person : {"ns-dpo", "ns-acc"}) {
    const auto reviewed = Verify(
        Comity({"agreement", "review", document_, "--key", Key(person), "--text", "still needed"})
            .out);
    ASSERT_THAT(reviewed, IsOk());
    EXPECT_EQ(reviewed->statement.kind, policy::StatementKind::kReview);
  }
  const CommandOutput refused =
      Comity({"agreement", "reject", document_, "--key", Key("ns-dpo"), "--reason", "no"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("signatories sign, reject, resume and terminate"));
}

TEST_F(AgreementCommands, DiffShowsTheClausesThatDiffer) {
  const std::string next = (root_.path() / "next.yaml").string();
  WriteWhole(next, ReadWhole(document_));
  Replace(next, "version: 1\n", "version: 2\n");
  EXPECT_EQ(Comity({"agreement", "diff", document_, next}).exit_code, 0);
  Replace(next, "hit_cap: 5 ", "hit_cap: 6 ");
  const CommandOutput output = Comity({"agreement", "diff", document_, next});
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.out, HasSubstr("[p1.hit_cap]\n- One search returns no more than 5 entries.\n"
                                    "+ One search returns no more than 6 entries.\n"));
  EXPECT_EQ(Comity({"agreement", "show", next, "--against", document_}).out, output.out);
  const auto json = ComityJson({"agreement", "diff", document_, next});
  EXPECT_EQ(json.size(), 1U);
  EXPECT_EQ(json[0]["clause"], "p1.hit_cap");
}

TEST_F(AgreementCommands, TestRunsTheRequestsBesideTheDocument) {
  const std::string tests = (root_.path() / "agreement.tests.yaml").string();
  EXPECT_EQ(Comity({"agreement", "test", document_}).exit_code, 2) << "there are none";
  WriteWhole(tests,
             ReadWhole(std::string(COMITY_SOURCE_DIR) + "/docs/sample_agreement.tests.yaml"));
  const CommandOutput good = Comity({"agreement", "test", document_});
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_THAT(good.out, HasSubstr("ok  never for victims"));
  Replace(document_, "threshold_floor: 0.64", "threshold_floor: 0.99");
  const CommandOutput bad = Comity({"agreement", "test", document_});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.out, HasSubstr("NO  the council's cameras"));
  const auto json = ComityJson({"agreement", "test", document_});
  EXPECT_EQ(json[0]["as_expected"], false);
  EXPECT_EQ(json[0]["decision"], "threshold-below-floor");
  Replace(tests, "expect: permit", "expect: maybe");
  const CommandOutput faulty = Comity({"agreement", "test", document_, "--requests", tests});
  EXPECT_EQ(faulty.exit_code, 2);
  EXPECT_THAT(faulty.err, HasSubstr(tests + ":"));
  EXPECT_THAT(faulty.err, HasSubstr("cases[0].expect"));
}

TEST_F(AgreementCommands, ExplainNeedsNoGatewayForADocument) {
  const std::vector<std::string> question = {"agreement",
                                             "explain",
                                             document_,
                                             "--requester",
                                             "eastvale-council",
                                             "--holder",
                                             "northshire-police",
                                             "--purpose",
                                             "court-order-arrest",
                                             "--category",
                                             "wanted-by-courts",
                                             "--role",
                                             "engine",
                                             "--use",
                                             "live",
                                             "--mode",
                                             "sealed",
                                             "--engine",
                                             "facenet/20180402/128",
                                             "--offence",
                                             "1-to-4-years",
                                             "--case",
                                             "--at",
                                             "2026-06-01T00:00:00Z"};
  const auto with = [&](const std::string& threshold, const std::string& more = "") {
    std::vector<std::string> command = question;
    command.insert(command.end(), {"--threshold", threshold});
    if (!more.empty()) command.push_back(more);
    return command;
  };
  const CommandOutput permitted = Comity(with("0.64"));
  EXPECT_EQ(permitted.exit_code, 0) << permitted.err;
  EXPECT_THAT(permitted.out, HasSubstr("permit [p1]"));
  const CommandOutput denied = Comity(with("0.6"));
  EXPECT_EQ(denied.exit_code, 1);
  EXPECT_THAT(denied.out, HasSubstr("threshold 0.6 is below the floor of 0.64"));
  EXPECT_THAT(denied.out, HasSubstr("nearest: northshire-eastvale-2026 version 1 [p1]"));
  const auto json = ComityJson(with("0.6"));
  EXPECT_EQ(json["nearest"]["changes"][0]["field"], "threshold");
}

TEST_F(AgreementCommands, RefuseAKeyThatTheDocumentDoesNotName) {
  SystemRandom random;
  WriteWhole(Key("stranger"), AsText(sign::SigningKey::Generate(random).EncodeKeyFile().Expose()),
             0600);
  const CommandOutput output = Comity({"agreement", "sign", document_, "--key", Key("stranger")});
  EXPECT_EQ(output.exit_code, 2);
  EXPECT_EQ(output.out, "");
  EXPECT_THAT(output.err, HasSubstr("is none of the document's"));
}

TEST_F(AgreementCommands, RefuseAnActThatThePostMayNotDo) {
  const CommandOutput output = Comity({"agreement", "sign", document_, "--key", Key("ns-dpo")});
  EXPECT_EQ(output.exit_code, 2);
  EXPECT_THAT(output.err, HasSubstr("Data Protection Officer, northshire-police, whose post makes "
                                    "no signature"));
}

TEST_F(AgreementCommands, RefuseAKeyFileThatOthersCanRead) {
  std::filesystem::permissions(Key("ev-chief"), std::filesystem::perms(0644));
  const CommandOutput output = Comity({"agreement", "sign", document_, "--key", Key("ev-chief")});
  EXPECT_EQ(output.exit_code, 2);
  EXPECT_THAT(output.err, HasSubstr("chmod"));
}

TEST_F(AgreementCommands, RefuseToSignADocumentWithFaults) {
  Replace(document_, "version: 1\n", "version: 0\n");
  const CommandOutput output = Comity({"agreement", "sign", document_, "--key", Key("ev-chief")});
  EXPECT_EQ(output.exit_code, 2);
  EXPECT_THAT(output.err, HasSubstr(":15:10: "));
}

TEST_F(AgreementCommands, SubmitChecksAllDocumentsBeforeItNeedsAGateway) {
  Replace(document_, "version: 1\n", "version: 0\n");
  const CommandOutput output = Comity({"agreement", "submit", document_});
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.err, HasSubstr(":15:10: version: "));
}

}  // namespace
}  // namespace comity::testing
