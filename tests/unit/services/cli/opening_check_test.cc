// SPDX-License-Identifier: Apache-2.0
// What an opening proves against the holder's log.
#include "services/cli/opening_check.h"

#include <gmock/gmock.h>

#include "services/cli/opening_file.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/cli/opening_world.h"

namespace comity::cli {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using comity::testing::OpeningWorld;
using comity::testing::SampleLog;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kExchange = "x-1/7";

class OpeningChecks : public ::testing::Test {
 protected:
  std::vector<FrameFinding> Check() const {
    const SampleLog log = world_.Log();
    OpeningCheck check(world_.opening);
    EXPECT_THAT(tlog::VerifyLog(check.Watch(log.AsExport())), IsOk());
    return check.Findings();
  }
  FrameFinding CheckOne() const { return Check().at(0); }
  v1::SealedListOpening& List(int index) {
    return *world_.opening.mutable_frames(0)->mutable_lists(index);
  }
  // An honest search, logged.
  void SearchAndLog() {
    world_.LogLists();
    world_.LogHit(kExchange, world_.Search(kExchange));
    ASSERT_EQ(CheckOne().finding, OpeningFinding::kVerified);
  }

  OpeningWorld world_;
};

TEST_F(OpeningChecks, TheHonestProbeIsVerified) {
  SearchAndLog();
  world_.LogHit("x-1/9", world_.Search("x-1/9"));
  const auto findings = Check();
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[1].exchange, "x-1/9");
  EXPECT_EQ(findings[1].finding, OpeningFinding::kVerified);
  EXPECT_EQ(findings[1].words, "");
}

TEST_F(OpeningChecks, AnotherProbeThanTheHoldersDiffers) {
  SearchAndLog();
  const v1::AlertOpening honest = world_.opening;
  (*List(1).mutable_seed())[31] ^= 1;
  EXPECT_EQ(CheckOne().finding, OpeningFinding::kDiffers) << "another seed";
  world_.opening = honest;
  const auto other = world_.faces.Template();
  world_.opening.mutable_frames(0)->set_probe(other.data(), other.size());
  EXPECT_EQ(CheckOne().finding, OpeningFinding::kDiffers) << "another face";
  world_.opening = honest;
  List(0).mutable_seed()->swap(*List(1).mutable_seed());
  EXPECT_EQ(CheckOne().finding, OpeningFinding::kDiffers) << "seeds of one another's list";
  world_.opening = honest;
  world_.opening.mutable_frames(0)->mutable_lists()->RemoveLast();
  EXPECT_EQ(CheckOne().finding, OpeningFinding::kDiffers) << "a list is kept back";
  world_.opening = honest;
  EXPECT_EQ(CheckOne().finding, OpeningFinding::kVerified);
}

// The requester keeps an honest opening and sends something else.
TEST_F(OpeningChecks, ACraftedMessageDiffers) {
  world_.LogLists();
  auto blinded = world_.Search(kExchange);
  blinded["blinded-1"] = hash::Blake2b256({Bytes(sealed::kElementBytes, 3)});
  world_.LogHit(kExchange, blinded);
  const FrameFinding finding = CheckOne();
  EXPECT_EQ(finding.finding, OpeningFinding::kDiffers);
  EXPECT_THAT(finding.words, HasSubstr("something else"));
}

// What it makes of the one list, it sends against the other: the holder published both.
TEST_F(OpeningChecks, AProbeForAnotherPublishedListDiffers) {
  world_.LogLists();
  world_.LogHit(kExchange, world_.Search(kExchange, {world_.headers[1], world_.headers[1]}));
  const FrameFinding finding = CheckOne();
  EXPECT_EQ(finding.finding, OpeningFinding::kDiffers);
  EXPECT_THAT(finding.words, HasSubstr("other lists"));
}

TEST_F(OpeningChecks, AListUnderAnotherAgreementThanTheSearchDiffers) {
  SearchAndLog();
  tlog::LogEntry& hit = world_.entries.back();
  const auto agreement = hit.agreement.value();
  hit.agreement->version = 1;
  EXPECT_EQ(CheckOne().finding, OpeningFinding::kDiffers);
  EXPECT_THAT(CheckOne().words, HasSubstr("another agreement"));
  hit.agreement = agreement;
  hit.agreement->sha256.bytes[0] ^= 1;
  EXPECT_EQ(CheckOne().finding, OpeningFinding::kDiffers);
  hit.agreement = agreement;
  hit.agreement->id = "another";
  EXPECT_EQ(CheckOne().finding, OpeningFinding::kDiffers);
  hit.agreement.reset();
  EXPECT_EQ(CheckOne().finding, OpeningFinding::kVerified);
}

TEST_F(OpeningChecks, AHitThatDoesNotNameItsListsVerifiesNothing) {
  SearchAndLog();
  auto& messages = world_.entries.back().messages;
  messages.erase("header-1");
  EXPECT_EQ(CheckOne().finding, OpeningFinding::kDiffers);
  messages.erase("header-0");
  const FrameFinding finding = CheckOne();
  EXPECT_EQ(finding.finding, OpeningFinding::kNotInLog);
  EXPECT_THAT(finding.words, HasSubstr("which sealed lists"));
  messages["blinded-0"] = Digest();
  EXPECT_EQ(CheckOne().finding, OpeningFinding::kDiffers);
}

// A vector of five times a face's length finds more than whether it is listed.
TEST_F(OpeningChecks, WhatIsNoTemplateDiffersWhateverWasSent) {
  SearchAndLog();
  world_.opening.mutable_frames(0)->set_probe(std::string(128, 127));
  const FrameFinding finding = CheckOne();
  EXPECT_EQ(finding.finding, OpeningFinding::kDiffers);
  EXPECT_THAT(finding.words, HasSubstr("no opening of an honest probe"));
  for (const std::size_t size : {0U, 1U, 127U, 256U}) {
    world_.opening.mutable_frames(0)->set_probe(std::string(size, 20));
    EXPECT_EQ(CheckOne().finding, OpeningFinding::kDiffers) << size;
  }
}

TEST_F(OpeningChecks, AListThatTheHolderNeverPublishedIsNotVerified) {
  world_.LogHit(kExchange, world_.Search(kExchange));
  FrameFinding finding = CheckOne();
  EXPECT_EQ(finding.finding, OpeningFinding::kNotInLog);
  EXPECT_THAT(finding.words, HasSubstr("published"));
  world_.LogLists();
  world_.entries.pop_back();  // the second list is still missing
  EXPECT_EQ(CheckOne().finding, OpeningFinding::kNotInLog);
  for (tlog::LogEntry& entry : world_.entries) {
    if (entry.type == "sealed-list-published") entry.parties[1] = "another-partner";
  }
  EXPECT_EQ(CheckOne().finding, OpeningFinding::kNotInLog) << "published for somebody else";
}

TEST_F(OpeningChecks, AHeaderOfSomebodyElsesListDiffers) {
  SearchAndLog();
  const v1::AlertOpening honest = world_.opening;
  sealed::ListHeader other = world_.headers[0];
  other.requester = "another-partner";
  const Bytes header = sealed::EncodeListHeader(other);
  List(0).set_header(header.data(), header.size());
  EXPECT_EQ(CheckOne().finding, OpeningFinding::kDiffers);
  world_.opening = honest;
  List(0).mutable_header()->push_back('x');
  EXPECT_EQ(CheckOne().finding, OpeningFinding::kDiffers) << "trailing octets";
  world_.opening = honest;
  List(0).mutable_seed()->pop_back();
  EXPECT_EQ(CheckOne().finding, OpeningFinding::kDiffers) << "a short seed";
}

TEST_F(OpeningChecks, ALogThatDoesNotTellOfTheProbeSaysNothing) {
  world_.LogLists();
  const auto blinded = world_.Search(kExchange);
  world_.LogHit("x-1/8", blinded);
  EXPECT_EQ(CheckOne().finding, OpeningFinding::kNotInLog) << "another exchange";
  world_.LogHit(kExchange, {});
  EXPECT_EQ(CheckOne().finding, OpeningFinding::kNotInLog) << "a search that was not sealed";
  world_.LogHit(kExchange, blinded);
  world_.entries.back().parties = {world_.opening.requester(), world_.opening.holder()};
  EXPECT_EQ(CheckOne().finding, OpeningFinding::kNotInLog) << "the requester's own log";
  world_.entries.back().parties = {world_.opening.holder(), "another-partner"};
  EXPECT_EQ(CheckOne().finding, OpeningFinding::kNotInLog) << "another requester's exchange";
}

TEST_F(OpeningChecks, EveryEntryOfTheExchangeMustAgree) {
  SearchAndLog();
  world_.LogHit(kExchange, {{"blinded-0", Digest{}}});
  EXPECT_EQ(CheckOne().finding, OpeningFinding::kDiffers);
}

TEST(OpeningFiles, ReadBackAsTheyWere) {
  OpeningWorld world;
  world.Search("x-1/1");
  world.Search("x-1/2");
  const std::string text = EncodeOpening(world.opening);
  const auto read = ParseOpening(text);
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->SerializeAsString(), world.opening.SerializeAsString());
}

TEST(OpeningFiles, OfAnotherFormAreRefused) {
  OpeningWorld world;
  world.Search("x-1/1");
  const std::string text = EncodeOpening(world.opening);
  const auto refused = [&](const std::string& from, const std::string& to) {
    std::string other = text;
    const std::size_t at = other.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    other.replace(at, from.size(), to);
    EXPECT_THAT(ParseOpening(other), FailsWith(ErrorCode::kInvalidArgument)) << from;
  };
  refused("comity-opening/1", "comity-opening/2");
  refused("\"holder\"", "\"keeper\"");
  refused("\"alert\": \"a-1\"", "\"alert\": 1");
  refused("\"alert\": \"a-1\"", "\"alert\": \"a-1\", \"more\": 1");
  refused("\"seed\": \"", "\"seed\": \" ");
  refused("\"template\": \"", "\"template\": [\"");
  refused("\"exchange\": \"x-1/1\"", "\"exchange\": \"\"");
  refused("\"lists\": [", "\"lists\": [1,");
  refused("\"frames\": [", "\"frames\": [[],");
  for (const char* other : {"", "[]", "{}", "null", "\"x\""}) {
    EXPECT_THAT(ParseOpening(other), FailsWith(ErrorCode::kInvalidArgument)) << other;
  }
  world.opening.clear_frames();
  EXPECT_THAT(ParseOpening(EncodeOpening(world.opening)), FailsWith(ErrorCode::kInvalidArgument));
  for (int i = 0; i < 17; ++i) world.Search("x-1/" + std::to_string(i));
  EXPECT_THAT(ParseOpening(EncodeOpening(world.opening)), FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace comity::cli
