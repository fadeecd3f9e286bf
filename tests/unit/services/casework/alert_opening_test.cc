// SPDX-License-Identifier: Apache-2.0
// What an auditor is shown of the sealed searches behind an alert.
#include <gmock/gmock.h>

#include "crypto/envelope/aead.h"
#include "services/audit/events.h"
#include "services/casework/alerts.h"
#include "tests/support/agency_store.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/casework/hit_reports.h"

namespace comity::casework {
namespace {

using comity::testing::AgencyStore;
using comity::testing::FailsWith;
using comity::testing::IsOk;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace testing;
using namespace std::chrono_literals;

class AlertOpenings : public ::testing::Test {
 protected:
  static HitReport Sealed(const std::string& capture, std::uint8_t octet) {
    HitReport report = Report("ns-1", capture);
    HitOpening opening;
    opening.probe = SecretBytes::CopyOf(Bytes(128, octet));
    for (const std::size_t header : {std::size_t{220}, HitOpening::kMaxHeader}) {
      opening.lists.push_back({Bytes(header, octet), SecretBytes::CopyOf(Bytes(32, octet))});
    }
    report.opening = std::make_shared<const HitOpening>(std::move(opening));
    return report;
  }
  std::string Raise(const HitReport& report) { return desk_.Raise(report).value().alert.id; }
  Result<OpenedAlert> Open(const std::string& id, const std::string& reason = "a sample") {
    return desk_.Open({id, reason, "spiffe://northshire-police.example/person/auditor"});
  }
  std::size_t Logged() { return agency_.CountEvents(audit::kAlertOpened); }

  std::vector<std::string> ToldTo(identity::Role role) {
    std::vector<std::string> words;
    const auto notices = notices_.List(identity::RoleSet{role}, 0, false, 100).value();
    for (const auto& notice : notices) {
      words.push_back(notice.words);
    }
    return words;
  }

  AgencyStore agency_;
  identity::Notices notices_{
      identity::Notices::Setup{agency_.store(), agency_.journal(), agency_.own, agency_.clock}};
  const identity::LoneActs lone_acts_{
      identity::LoneActs::Setup{notices_, agency_.store(), agency_.journal(), agency_.clock}};
  AlertDesk desk_{AlertDeskSetup{.store = agency_.store(),
                                 .journal = agency_.journal(),
                                 .kek = agency_.kek(),
                                 .random = agency_.random,
                                 .clock = agency_.clock,
                                 .own = agency_.own,
                                 .lone_acts = &lone_acts_}};
};

TEST_F(AlertOpenings, HoldEveryKeptFrameThatWasSearchedSealed) {
  const std::string id = Raise(Sealed("c1", 1));
  ASSERT_EQ(Raise(Report("ns-1", "c2")), id);
  ASSERT_EQ(Raise(Sealed("c3", 3)), id);
  const auto opened = Open(id);
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->id, id);
  EXPECT_EQ(opened->holder.text(), "eastvale-council");
  ASSERT_THAT(opened->frames, SizeIs(2));
  EXPECT_EQ(opened->frames[0].exchange_id, "x-c1");
  EXPECT_EQ(opened->frames[1].exchange_id, "x-c3");
  const HitOpening& last = opened->frames[1].opening;
  EXPECT_EQ(last.probe.Expose()[127], 3);
  ASSERT_THAT(last.lists, SizeIs(2));
  EXPECT_EQ(last.lists[1].header, Bytes(HitOpening::kMaxHeader, 3));
  EXPECT_EQ(last.lists[1].seed.Expose()[31], 3);
}

TEST_F(AlertOpenings, AreLoggedWithTheReasonBeforeTheyAreShown) {
  const std::string id = Raise(Sealed("c1", 1));
  ASSERT_THAT(Open(id), IsOk());
  EXPECT_EQ(Logged(), 1U);
  ASSERT_THAT(Open(id), IsOk());
  EXPECT_EQ(Logged(), 2U);
}

// However many alerts an auditor opens within ten minutes, the officer has one notice at once.
TEST_F(AlertOpenings, AreToldToTheDataProtectionOfficer) {
  const std::string one = Raise(Sealed("c1", 1));
  HitReport report = Sealed("c2", 2);
  report.hit.reference = "ns-2";
  const std::string other = Raise(report);
  ASSERT_NE(one, other);
  ASSERT_THAT(Open(one), IsOk());
  ASSERT_THAT(Open(other), IsOk());
  EXPECT_THAT(ToldTo(identity::Role::kDpo),
              ElementsAre(AllOf(HasSubstr(one + " were opened by"), HasSubstr("auditor alone"))));
  EXPECT_THAT(ToldTo(identity::Role::kAuditor), IsEmpty());
}

TEST_F(AlertOpenings, NeedAReasonAndAnAlertThatLasts) {
  const std::string id = Raise(Sealed("c1", 1));
  EXPECT_THAT(Open(id, ""), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Open(id, std::string(1001, 'x')), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Open(id, "two\nlines"), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Open("a-unknown"), FailsWith(ErrorCode::kNotFound));
  agency_.clock.Advance(24h);
  EXPECT_THAT(Open(id), FailsWith(ErrorCode::kNotFound));
  EXPECT_EQ(Logged(), 0U);
}

TEST_F(AlertOpenings, AreThereAfterTheOutcomeToo) {
  const std::string id = Raise(Sealed("c1", 1));
  ASSERT_THAT(desk_.Acknowledge({id, Outcome::kNotAMatch, "", "adjudicator"}), IsOk());
  EXPECT_THAT(Open(id), IsOk());
}

TEST_F(AlertOpenings, OfAnAlertWithoutSealedFramesAreNotFound) {
  EXPECT_THAT(Open(Raise(Report("ns-1", "c1"))), FailsWith(ErrorCode::kNotFound));
  EXPECT_EQ(Logged(), 0U);
}

TEST_F(AlertOpenings, OfAWithdrawnEntryAreGone) {
  const std::string id = Raise(Sealed("c1", 1));
  HolderChange change;
  change.holder = policy::AgencyId::Parse("eastvale-council").value();
  change.reference = "ns-1";
  change.change = "withdrawn";
  change.at = agency_.clock.Now();
  ASSERT_THAT(agency_.journal().Commit([&](store::Transaction& t, audit::Recorder& r) -> Status {
    COMITY_RETURN_IF_ERROR(desk_.Apply(t, r, std::span(&change, 1)));
    return {};
  }),
              IsOk());
  EXPECT_THAT(Open(id), FailsWith(ErrorCode::kNotFound));
}

// Whatever was sealed under the right key, it is read within its bounds or not at all.
TEST_F(AlertOpenings, OfAnotherFormAreRefused) {
  const auto sealed_as = [&](const Bytes& text) {
    return SealedOpening{
        "x-1", envelope::Seal(agency_.kek(), text, AsBytes("hit-opening|x-1"), agency_.random)};
  };
  Bytes former(1 + 64 + 128, 7);  // one list: digest of the header, seed; template
  former[0] = 1;
  EXPECT_THAT(OpenOpening(sealed_as(former), agency_.kek()), FailsWith(ErrorCode::kCorrupt));
  Bytes text = {0x20, 2};
  for (int list = 0; list < 2; ++list) {
    text.insert(text.end(), {3, 0, 'a', 'b', 'c'});
    text.insert(text.end(), 32, 9);
  }
  const std::size_t without_template = text.size();
  for (std::size_t size = 0; size < without_template; ++size) {
    const Bytes cut(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_THAT(OpenOpening(sealed_as(cut), agency_.kek()), FailsWith(ErrorCode::kCorrupt)) << size;
  }
  text.insert(text.end(), HitOpening::kMaxTemplate, 5);
  EXPECT_THAT(OpenOpening(sealed_as(text), agency_.kek()), IsOk());
  text.push_back(5);
  EXPECT_THAT(OpenOpening(sealed_as(text), agency_.kek()), FailsWith(ErrorCode::kCorrupt));
  text[1] = 17;
  EXPECT_THAT(OpenOpening(sealed_as(text), agency_.kek()), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(OpenOpening(sealed_as({}), agency_.kek()), FailsWith(ErrorCode::kCorrupt));
}

}  // namespace
}  // namespace comity::casework
