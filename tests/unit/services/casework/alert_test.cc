// SPDX-License-Identifier: Apache-2.0
#include "services/casework/alert.h"

#include <gmock/gmock.h>

#include "crypto/base/random.h"
#include "crypto/base/secret.h"
#include "services/casework/alert_id.h"
#include "services/casework/alert_seal.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/casework/hit_reports.h"

namespace comity::casework {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using comity::testing::IsOkAnd;
using namespace testing;

Alert FullAlert() {
  const HitReport report = Report("ns-1", "c1");
  Alert alert;
  alert.id = "a-abcdefghijklmnopqrstuvwxyz";
  alert.state = store::AlertState::kAcknowledged;
  alert.deployment = report.deployment;
  alert.holder = report.holder;
  alert.hit = report.hit;
  alert.releases = report.releases;
  alert.threshold = 0.1 + 0.2;  // no short decimal form
  alert.engine = report.engine;
  alert.exchange_id = "x-c1";
  alert.agreement = report.agreement;
  alert.frames = {report.frame, Report("ns-1", "c\"2").frame};
  alert.frame_count = 40;
  alert.first_seen = At("2026-11-25T08:00:00Z");
  alert.last_seen = At("2026-11-25T08:00:09.000001Z");
  alert.expires_at = At("2026-11-26T08:00:00Z");
  alert.acknowledgement = Acknowledgement{Outcome::kCannotSay, "zu unscharf, \u00fcbergeben", "p",
                                          At("2026-11-25T08:01:00Z")};
  return alert;
}

TEST(AlertText, ReadsBackWhatItEncodes) {
  EXPECT_THAT(ParseAlert(EncodeAlert(FullAlert())), IsOkAnd(::testing::Eq(FullAlert())));
  Alert bare = FullAlert();
  bare.deployment = {};
  bare.hit = {};
  bare.releases.clear();
  bare.acknowledgement.reset();
  bare.state = store::AlertState::kNew;
  bare.frames.clear();
  EXPECT_THAT(ParseAlert(EncodeAlert(bare)), IsOkAnd(::testing::Eq(bare)));
}

TEST(VisibleTo, ShowsEachRoleItsOwnItems) {
  using enum policy::ReceiverRole;
  const HitReport report = Report("ns-1", "c1");
  const auto seen = [&](policy::TermSet<policy::ReceiverRole> roles) {
    return VisibleTo(roles, report.hit, report.releases);
  };
  EXPECT_EQ(seen({}), ReleasedHit{});
  EXPECT_EQ(seen({kDpo, kAuditor}), ReleasedHit{});
  EXPECT_EQ(seen({kEngine}), (ReleasedHit{"ns-1", {}, "", {}}));
  EXPECT_EQ(seen({kSupervisor}), (ReleasedHit{"ns-1", report.hit.category, "", {}}));
  EXPECT_EQ(seen({kAdjudicator}), (ReleasedHit{"", {}, "", report.hit.similarity}));
  EXPECT_EQ(seen({kOperator, kAdjudicator}), report.hit);
  EXPECT_EQ(VisibleTo({kOperator}, report.hit, {}), ReleasedHit{});
}

TEST(AlertText, RefusesEveryTruncationAndForeignField) {
  const std::string text = EncodeAlert(FullAlert());
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_THAT(ParseAlert(text.substr(0, size)), FailsWith(ErrorCode::kCorrupt)) << size;
  }
  EXPECT_THAT(ParseAlert("{\"zz\":1," + text.substr(1)), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(ParseAlert("{}"), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(ParseAlert("[]"), FailsWith(ErrorCode::kCorrupt));
}

TEST(AlertText, NamesOutcomesBothWays) {
  for (const Outcome outcome : {Outcome::kTrueMatch, Outcome::kNotAMatch, Outcome::kCannotSay}) {
    EXPECT_THAT(ParseOutcome(Name(outcome)), IsOkAnd(outcome));
  }
  EXPECT_THAT(ParseOutcome("match"), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(AlertSeal, OpensWhatItSealsAndNothingElse) {
  SystemRandom random;
  const SecretBytes kek = SecretBytes::CopyOf(Bytes(32, 7));
  const store::AlertRecord record = SealAlert(FullAlert(), kek, random);
  EXPECT_THAT(OpenAlert(record, kek), IsOkAnd(::testing::Eq(FullAlert())));
  EXPECT_THAT(OpenAlert(record, SecretBytes::CopyOf(Bytes(32, 8))), FailsWith(ErrorCode::kCorrupt));
  store::AlertRecord changed = record;
  changed.id.back() = 'b';
  EXPECT_THAT(OpenAlert(changed, kek), FailsWith(ErrorCode::kCorrupt));
  changed = record;
  changed.expires_at += std::chrono::hours(1);
  EXPECT_THAT(OpenAlert(changed, kek), FailsWith(ErrorCode::kCorrupt));
  changed = record;
  changed.state = store::AlertState::kNew;
  EXPECT_THAT(OpenAlert(changed, kek), FailsWith(ErrorCode::kCorrupt));
  changed = record;
  changed.sealed[changed.sealed.size() / 2] ^= 1;
  EXPECT_THAT(OpenAlert(changed, kek), FailsWith(ErrorCode::kCorrupt));
  changed = record;
  changed.wrapped_key.clear();
  EXPECT_THAT(OpenAlert(changed, kek), FailsWith(ErrorCode::kCorrupt));
}

class FixedRandom final : public RandomSource {
 public:
  void Fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& octet : out) octet = 0xff;
  }
};

TEST(AlertId, HasTheDocumentedForm) {
  FixedRandom ones;
  // 128 one bits: 25 times five bits, then three bits and two zeros (11100 = 28 = '4').
  EXPECT_EQ(MakeAlertId(ones), "a-" + std::string(25, '7') + "4");
}

}  // namespace
}  // namespace comity::casework
