// SPDX-License-Identifier: Apache-2.0
// kill -9 of either gateway at any step of the life of agreements: from the proposal over advice,
// signatures, suspension and a new version to the end with its deletions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "comity/v1/holdings.grpc.pb.h"
#include "crypto/base/encoding.h"
#include "services/audit/events.h"
#include "services/gateway/wire/convert_policy.h"
#include "tests/e2e/killed_gateways.h"
#include "tests/integration/opened_log.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using policy::AgreementRef;
using policy::StatementKind;
using Entry = OpenedLog::Entry;
using namespace std::chrono_literals;

constexpr int kUsualKills = 12;

const std::map<std::string, std::string> kPosts = {{"dpo", "Data Protection Officer"},
                                                   {"siro", "Senior Information Risk Owner"},
                                                   {"chief", "Chief Officer"}};

std::string Words(const AgreementRef& agreement) {
  return agreement.id.text() + " " + std::to_string(agreement.version);
}

class AgreementKill : public ::testing::Test {
 protected:
  void SetUp() override {
    police_.Start({&council_});
    council_.Start({&police_});
    gateways_.Start();
  }
  policy::Instant Now() const { return std::chrono::floor<std::chrono::seconds>(clock_.Now()); }
  LiveAgency& Other(const LiveAgency& agency) { return &agency == &police_ ? council_ : police_; }

  // A data protection officer hands the document in.
  AgreementRef Propose(const LiveAgency& agency, const AgreementText& text) {
    const std::string yaml = WriteAgreement(text);
    const AgreementRef agreement = RefOf(text, yaml);
    gateways_.Step("propose " + Words(agreement), [&] {
      gateways_.Do(agency, "dpo", [&](const auto& channel, grpc::ClientContext& context) {
        v1::SubmitAgreementRequest request;
        v1::SubmitAgreementResponse response;
        request.set_document(yaml);
        return v1::Agreements::NewStub(channel)->Submit(&context, request, &response);
      });
    });
    documents_.insert(Words(agreement));
    return agreement;
  }

  // A person signs the statement once, and hands it in until it is taken. Returns its id.
  Digest Say(const LiveAgency& agency, const std::string& person, policy::Statement statement) {
    statement.party = policy::AgencyId::Parse(agency.name()).value();
    statement.post = kPosts.at(person);
    statement.at = clock_.Now();
    const auto envelope = policy::MakeStatement(agency.PersonKey(person), statement);
    EXPECT_THAT(envelope, IsOk());
    const Digest id = policy::StatementId(envelope->payload);
    const std::string name(policy::Name(statement.kind));
    gateways_.Step(name + " by " + person + " of " + agency.name(), [&] {
      gateways_.Do(agency, person,
                   [&](const auto& channel, grpc::ClientContext& context) {
                     v1::SubmitAgreementRequest request;
                     v1::SubmitAgreementResponse response;
                     request.set_statement(sign::EncodeDsseJson(*envelope));
                     return v1::Agreements::NewStub(channel)->Submit(&context, request, &response);
                   },
                   {.waits = true});  // for the document
    });
    said_[agency.name()].insert(EncodeHex(id.view()));
    told_.insert(statement.agreement.id.text() + " version " +
                 std::to_string(statement.agreement.version) + ": " + name + " by " +
                 statement.post + " of " + agency.name());
    return id;
  }
  static policy::Statement About(const AgreementRef& agreement, StatementKind kind) {
    policy::Statement statement;
    statement.kind = kind;
    statement.agreement = agreement;
    statement.text = "as agreed";
    if (kind == StatementKind::kAdvice) statement.position = policy::AdvicePosition::kFor;
    return statement;
  }
  void Agree(const AgreementRef& agreement) {
    for (const LiveAgency* agency : {&council_, &police_}) {
      Say(*agency, "dpo", About(agreement, StatementKind::kAdvice));
    }
    for (const LiveAgency* agency : {&council_, &police_}) {
      Say(*agency, "siro", About(agreement, StatementKind::kSignature));
      Say(*agency, "chief", About(agreement, StatementKind::kSignature));
    }
  }
  void SuspendAndResume(const AgreementRef& agreement) {
    policy::Statement resumption = About(agreement, StatementKind::kResumption);
    resumption.lifts = Say(police_, "dpo", About(agreement, StatementKind::kSuspension));
    AwaitBoth(agreement, "suspended");
    Say(police_, "siro", resumption);
    Say(police_, "chief", resumption);
    AwaitBoth(agreement, "in-force");
  }
  void End(const AgreementRef& agreement) {
    Say(council_, "siro", About(agreement, StatementKind::kTermination));
    Say(council_, "chief", About(agreement, StatementKind::kTermination));
    AwaitBoth(agreement, "terminated");
  }

  v1::AgreementSummary Summary(const LiveAgency& agency, const AgreementRef& agreement) {
    v1::ListAgreementsResponse response;
    gateways_.Do(agency, "dpo", [&](const auto& channel, grpc::ClientContext& context) {
      return v1::Agreements::NewStub(channel)->List(&context, {}, &response);
    });
    for (const v1::AgreementSummary& summary : response.agreements()) {
      const auto ref = gateway::FromProto(summary.agreement());
      if (ref && *ref == agreement) return summary;
    }
    return {};
  }
  static std::set<std::string> StatementsOf(const v1::AgreementSummary& summary) {
    std::set<std::string> ids;
    for (const auto& statement : summary.statements()) ids.insert(statement.id());
    return ids;
  }
  // Both gateways hold the same and say `status`. What each last heard of the other may be older
  // than what time alone has changed since.
  bool Agrees(const AgreementRef& agreement, const std::string& status) {
    const v1::AgreementSummary police = Summary(police_, agreement);
    const v1::AgreementSummary council = Summary(council_, agreement);
    const auto says = [&](const v1::AgreementSummary& summary) {
      return summary.status() == status && summary.deliveries_size() == 1 &&
             summary.deliveries(0).delivered() && !summary.deliveries(0).status_differs();
    };
    return says(police) && says(council) && StatementsOf(police) == StatementsOf(council);
  }
  void AwaitBoth(const AgreementRef& agreement, const std::string& status) {
    gateways_.Step("await " + status, [&] {
      if (!gateways_.Await(status, [&] { return Agrees(agreement, status); })) {
        ADD_FAILURE() << Summary(police_, agreement).DebugString()
                      << Summary(council_, agreement).DebugString();
      }
    });
  }

  bool HasDeleted(const LiveAgency& agency, const AgreementRef& agreement) {
    v1::DeletionsRequest request;
    v1::DeletionsResponse response;
    request.set_agreement(agreement.id.text());
    gateways_.Do(agency, "dpo", [&](const auto& channel, grpc::ClientContext& context) {
      return v1::Holdings::NewStub(channel)->Deletions(&context, request, &response);
    });
    std::set<std::string> holders;
    for (const v1::Deletion& deletion : response.deletions()) {
      if (deletion.version() != agreement.version || !deletion.has_done_at()) continue;
      const bool own = deletion.holder() == agency.name();
      if (own || deletion.answer().receipt_verified()) holders.insert(deletion.holder());
    }
    return holders.size() == 2;
  }

  void Live(int round) {
    AgreementText text;
    text.id = "agreement-" + std::to_string(round);
    text.requester = council_.party_keys();
    text.holder = police_.party_keys();
    text.effective_from = Now() - 24h;
    text.effective_until = Now() + 24h * 30;
    text.attachment_until = text.effective_until;
    const AgreementRef first = Propose(council_, text);
    Agree(first);
    AwaitBoth(first, "in-force");
    SuspendAndResume(first);
    text.version = 2;
    text.threshold_floor = "0.55";
    const AgreementRef second = Propose(police_, text);
    Agree(second);
    AwaitBoth(second, "in-force");
    AwaitBoth(first, "superseded");
    End(second);
    gateways_.Step("await deletions", [&] {
      gateways_.Await("deletions at both",
                      [&] { return HasDeleted(police_, second) && HasDeleted(council_, second); });
    });
    ended_.insert(Words(second));
  }

  // Each change is told to the people once.
  void CheckNotices(const LiveAgency& agency) {
    v1::ListNoticesRequest request;
    v1::ListNoticesResponse response;
    request.set_all(true);
    request.set_limit(1000);
    gateways_.Do(agency, "dpo", [&](const auto& channel, grpc::ClientContext& context) {
      return v1::Notices::NewStub(channel)->List(&context, request, &response);
    });
    for (const std::string& words : told_) {
      EXPECT_EQ(std::ranges::count_if(
                    response.notices(),
                    [&](const v1::Notice& notice) { return notice.words().starts_with(words); }),
                1)
          << words << " at " << agency.name();
    }
  }
  void CheckLog(const OpenedLog& log, const LiveAgency& agency) {
    const auto agreement = [](const Entry& entry) {
      return entry.entry.agreement->id + " " + std::to_string(entry.entry.agreement->version);
    };
    const auto statement = [](const Entry& entry) { return entry.Message("statement"); };
    log.ExpectEachOnce(audit::kAgreementReceived, agreement, documents_);
    log.ExpectEachOnce(audit::kStatementIssued, statement, said_[agency.name()]);
    log.ExpectEachOnce(audit::kStatementReceived, statement, said_[Other(agency).name()]);
    log.ExpectNoneTwice(audit::kAgreementMarked, [&](const Entry& entry) {
      return agreement(entry) + " " + entry.entry.decision->code;
    });
    const auto ended = [](const Entry& entry) {
      return entry.Field("agreement") + " " + entry.Count("version");
    };
    log.ExpectEachOnce(audit::kDeletionStarted, ended, ended_);
    // Of what this agency holds: by its own order and by the partner's; and the partner's answer.
    std::set<std::string> done;
    for (const std::string& each : ended_) {
      done.merge(std::set{each + " here", each + " here ordered", each + " there"});
    }
    log.ExpectEachOnce(
        audit::kDeletionDone,
        [&](const Entry& entry) {
          const bool here = entry.Field("holder") == agency.name();
          const bool ordered = here && entry.entry.parties.size() > 1;
          return ended(entry) + (here ? " here" : " there") + (ordered ? " ordered" : "");
        },
        done);
  }
  void Check() {
    for (const LiveAgency* agency : {&police_, &council_}) CheckNotices(*agency);
    gateways_.ExpectSettled();
    gateways_.Stop();
    const auto police = OpenedLog::Of(police_);
    const auto council = OpenedLog::Of(council_);
    ASSERT_THAT(police, IsOk());
    ASSERT_THAT(council, IsOk());
    CheckLog(*police, police_);
    CheckLog(*council, council_);
    ExpectMessagesArrivedOnce(*police, *council);
    ExpectMessagesArrivedOnce(*council, *police);
  }

  runtime::SystemClock clock_;
  LiveAgency police_{"northshire-police"};
  LiveAgency council_{"eastvale-council"};
  KilledGateways gateways_{{&police_, &council_}, kUsualKills};
  std::set<std::string> documents_, ended_;            // what was handed in, and what was ended
  std::map<std::string, std::set<std::string>> said_;  // ids of statements, by agency
  std::set<std::string> told_;                         // how notices of them begin
};

TEST_F(AgreementKill, LosesNoStatementRepeatsNoneAndBothSidesAgree) {
  for (int round = 1; gateways_.has_kills_left() && !HasFailure(); ++round) Live(round);
  if (!HasFailure()) Check();
}

}  // namespace
}  // namespace comity::testing
