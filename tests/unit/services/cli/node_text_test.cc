// SPDX-License-Identifier: Apache-2.0
#include "services/cli/node_text.h"

#include <gmock/gmock.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace comity::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::int64_t kNow = 1'764'000'000;
constexpr std::int64_t kHour = 3'600;
constexpr std::int64_t kDay = 86'400;

// A node of two partners at which all is well.
v1::NodeStatusResponse Well() {
  v1::NodeStatusResponse status;
  status.set_agency("northshire-police");
  status.set_version("0.9.0");
  status.mutable_now()->set_seconds(kNow);
  status.mutable_started_at()->set_seconds(kNow - 3 * kDay);
  status.set_log_size(1234);
  status.set_checkpoint_size(1234);
  status.set_configuration_acknowledged(true);
  v1::NodeHealth& health = *status.mutable_health();
  health.set_schema(14);
  health.set_disk_free(std::uint64_t{80} << 30);
  health.set_disk_size(std::uint64_t{250} << 30);
  health.set_publishing(true);
  health.mutable_checkpoint_at()->set_seconds(kNow - 20);
  for (const char* agency : {"eastvale-council", "westmoor-police"}) {
    v1::PeerStatus& peer = *status.add_peers();
    peer.set_agency(agency);
    peer.set_reachable(true);
    peer.set_clock_skew_ms(3);
    peer.mutable_certificate_expires_at()->set_seconds(kNow + 60 * kDay);
    v1::PartnerHealth& partner = *health.add_partners();
    partner.set_agency(agency);
    partner.set_state("active");
    partner.set_presence("present");
    partner.mutable_last_seen()->set_seconds(kNow - 5);
  }
  v1::AgreementHealth& agreement = *health.add_agreements();
  agreement.set_agreement("northshire-eastvale-2026@1");
  agreement.set_status("in-force");
  agreement.mutable_until()->set_seconds(kNow + 300 * kDay);
  agreement.mutable_review_by()->set_seconds(kNow + 100 * kDay);
  v1::ListHealth& list = *health.add_lists();
  list.set_list("warrants");
  list.set_state("approved");
  list.set_searchable(true);
  list.set_active(500);
  v1::CapacityHealth& capacity = *health.add_capacities();
  capacity.set_agreement("northshire-eastvale-2026");
  capacity.set_clause("p1");
  capacity.set_requester("eastvale-council");
  capacity.set_holder("northshire-police");
  capacity.set_used(100);
  capacity.set_limit(1000);
  v1::CertificateHealth& certificate = *health.add_certificates();
  certificate.set_what("keys.tls");
  certificate.mutable_expires_at()->set_seconds(kNow + 80 * kDay);
  return status;
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string TextOf(const v1::NodeStatusResponse& status) {
  const auto concerns = ConcernsOf(status, true);
  return NodeText({status, concerns, true});
}

TEST(NodeConcerns, AreNoneWhenAllIsWell) {
  EXPECT_THAT(ConcernsOf(Well(), true), IsEmpty());
  EXPECT_THAT(TextOf(Well()), HasSubstr("ALL WELL\n"));
}

struct Trouble {
  const char* words;
  const char* remedy;
  std::function<void(v1::NodeStatusResponse&)> make;
};

const std::vector<Trouble> kTroubles = {
    {"was put back from a backup", "restoration confirm", [](auto& s) { s.clear_health(); }},
    {"configuration is another one", "acknowledge-configuration",
     [](auto& s) { s.set_configuration_acknowledged(false); }},
    {"only 100 MiB are free", "make room",
     [](auto& s) { s.mutable_health()->set_disk_free(std::uint64_t{100} << 20); }},
    {"audit log: another writer", "at once",
     [](auto& s) { s.mutable_health()->set_log_problem("another writer"); }},
    {"cannot be published", "log", [](auto& s) { s.mutable_health()->set_publishing(false); }},
    {"the last checkpoint", "log",
     [](auto& s) {
       s.set_log_size(1300);
       s.mutable_health()->mutable_checkpoint_at()->set_seconds(kNow - 120);
     }},
    {"eastvale-council does not answer: refused", "doctor",
     [](auto& s) {
       s.mutable_peers(0)->set_reachable(false);
       s.mutable_peers(0)->set_fault("refused");
     }},
    {"clock of eastvale-council differs by -9000 ms", "timedatectl",
     [](auto& s) { s.mutable_peers(0)->set_clock_skew_ms(-9000); }},
    {"certificate of eastvale-council expires", "tell the partner",
     [](auto& s) {
       s.mutable_peers(0)->mutable_certificate_expires_at()->set_seconds(kNow + 3 * kDay);
     }},
    {"eastvale-council is suspended here", "peer resume",
     [](auto& s) { s.mutable_health()->mutable_partners(0)->set_state("suspended"); }},
    {"eastvale-council is away", "ask the partner",
     [](auto& s) { s.mutable_health()->mutable_partners(0)->set_presence("away"); }},
    {"3 messages wait for eastvale-council, the oldest", "withdrawals",
     [](auto& s) {
       auto& partner = *s.mutable_health()->mutable_partners(0);
       partner.set_waiting(3);
       partner.mutable_oldest()->set_seconds(kNow - 2 * kHour);
     }},
    {"refused with INTERNAL", "gateway's log",
     [](auto& s) {
       auto& partner = *s.mutable_health()->mutable_partners(0);
       partner.set_waiting(1);
       partner.set_refused("INTERNAL");
       partner.mutable_oldest()->set_seconds(kNow - 5);
     }},
    {"2026@1 ends at", "next version",
     [](auto& s) {
       s.mutable_health()->mutable_agreements(0)->mutable_until()->set_seconds(kNow + 20 * kDay);
     }},
    {"2026@1 is suspended", "agreement status northshire-eastvale-2026",
     [](auto& s) { s.mutable_health()->mutable_agreements(0)->set_status("suspended"); }},
    {"must be reviewed by", "agreement review",
     [](auto& s) {
       s.mutable_health()->mutable_agreements(0)->mutable_review_by()->set_seconds(kNow + kDay);
     }},
    {"stands otherwise at the partner", "agreement status",
     [](auto& s) { s.mutable_health()->mutable_agreements(0)->set_differs(true); }},
    {"keys.tls expires at", "pki issue --gateway --renew",
     [](auto& s) {
       s.mutable_health()->mutable_certificates(0)->mutable_expires_at()->set_seconds(kNow + kDay);
     }},
    {"7 entries of warrants match no more", "watchlist entries warrants",
     [](auto& s) { s.mutable_health()->mutable_lists(0)->set_stale(7); }},
    {"warrants should have been erased", "retention due",
     [](auto& s) {
       s.mutable_health()->mutable_lists(0)->mutable_delete_by()->set_seconds(kNow - kDay);
     }},
    {"950 of 1000 used today", "midnight UTC",
     [](auto& s) { s.mutable_health()->mutable_capacities(0)->set_used(950); }},
    {"partner eastvale-council is stopped by sup-1", "stop lift stop-1",
     [](auto& s) {
       auto& stop = *s.mutable_health()->add_stops();
       stop.set_stop("stop-1");
       stop.set_scope("partner");
       stop.set_reference("eastvale-council");
       stop.set_set_by("sup-1");
     }},
    {"1 acts wait for a second person", "approvals list",
     [](auto& s) { s.mutable_health()->add_approvals()->set_act("person-add"); }},
    {"4 notices are not acknowledged", "notice list",
     [](auto& s) { s.mutable_health()->set_notices(4); }},
};

TEST(NodeConcerns, NameEachTroubleAloneWithWhatToDo) {
  for (const Trouble& trouble : kTroubles) {
    v1::NodeStatusResponse status = Well();
    trouble.make(status);
    const auto concerns = ConcernsOf(status, true);
    ASSERT_EQ(concerns.size(), 1U) << trouble.words;
    EXPECT_THAT(concerns[0].words, HasSubstr(trouble.words));
    EXPECT_THAT(concerns[0].remedy, HasSubstr(trouble.remedy));
  }
}

TEST(NodeConcerns, SayNothingOfPartnersThatWereNotAsked) {
  v1::NodeStatusResponse status = Well();
  status.mutable_peers(0)->set_reachable(false);
  EXPECT_THAT(ConcernsOf(status, false), IsEmpty());
}

TEST(NodeText, FitsOneScreenWhenLittleIsWrong) {
  v1::NodeStatusResponse status = Well();
  status.mutable_health()->mutable_partners(0)->set_presence("away");
  status.mutable_health()->set_notices(2);
  const auto lines = LinesOf(TextOf(status));
  EXPECT_LE(lines.size(), 24U);
  for (const std::string& line : lines) EXPECT_LE(line.size(), 79U) << line;
  EXPECT_THAT(lines[1], StartsWith("NEEDS ATTENTION (2)"));
}

TEST(NodeText, CutsLongPartsWithACountAndTheCommandThatShowsAll) {
  v1::NodeStatusResponse status = Well();
  for (int i = 0; i < 20; ++i) {
    *status.mutable_health()->add_partners() = status.health().partners(0);
    status.mutable_health()->add_partners()->set_agency("p" + std::to_string(i));
    status.mutable_health()->mutable_partners(i)->set_presence("away");
  }
  const std::string text = TextOf(status);
  EXPECT_THAT(text, AllOf(HasSubstr("and 39 more: comity peer list"),
                          HasSubstr("and 23 more: comity status --json")));
}

// It may stand for ever, as a stolen key stays stolen: shown, and no trouble.
TEST(NodeText, ShowsHowManyCertificatesAreRevoked) {
  v1::NodeStatusResponse status = Well();
  EXPECT_THAT(TextOf(status), Not(HasSubstr("revoked here")));
  auto& one = *status.mutable_health()->add_revocations();
  one.set_revocation("rev-1");
  one.set_scope("key");
  EXPECT_THAT(TextOf(status), HasSubstr("certificates or keys revoked here: 1"));
  EXPECT_THAT(ConcernsOf(status, true), IsEmpty());
}

TEST(NodeText, SaysWhatIsWithheldFromTheRole) {
  v1::NodeStatusResponse status = Well();
  status.mutable_health()->clear_lists();
  status.mutable_health()->clear_agreements();
  for (const char* part : {"lists", "agreements"}) status.mutable_health()->add_withheld(part);
  EXPECT_THAT(TextOf(status), AllOf(HasSubstr("agreements    not shown to this role"),
                                    HasSubstr("lists         not shown to this role")));
}

TEST(NodeText, LetsNoControlCharacterOfAPartnerThrough) {
  v1::NodeStatusResponse status = Well();
  status.mutable_peers(0)->set_reachable(false);
  status.mutable_peers(0)->set_fault("\x1b[2Jgone\nALL WELL");
  const std::string text = TextOf(status);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find("\nALL WELL"), std::string::npos);
}

TEST(NodeJson, HasEveryConcernAndPart) {
  v1::NodeStatusResponse status = Well();
  status.mutable_health()->set_notices(4);
  const auto concerns = ConcernsOf(status, true);
  const auto json = NodeJson({status, concerns, true});
  EXPECT_EQ(json["attention"][0]["remedy"], "comity notice list");
  for (const char* part : {"partners", "agreements", "lists", "copies", "capacities",
                           "certificates", "stops", "approvals", "notices", "disk_free"}) {
    EXPECT_TRUE(json["health"].contains(part)) << part;
  }
}

}  // namespace
}  // namespace comity::cli
