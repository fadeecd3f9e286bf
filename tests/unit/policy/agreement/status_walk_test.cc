// SPDX-License-Identifier: Apache-2.0
// Random walks over the life of an agreement at two gateways. People of both sides make statements;
// each reaches its own gateway at once and the other one later, in any order and sometimes twice.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <utility>

#include "policy/agreement/status.h"
#include "tests/unit/policy/agreement_fixture.h"

namespace comity::policy {
namespace {

using namespace comity::policy::testing;

const std::vector<Person> kSignatories = {kCouncilChief, kCouncilSiro, kPoliceChief, kPoliceSiro};
const std::vector<Person> kDpos = {kCouncilDpo, kPoliceDpo};

// Everything that anybody says in a walk, signed once.
class Pool {
 public:
  explicit Pool(const Agreement& agreement) : agreement_(agreement) {
    for (const Person& dpo : kDpos) {
      for (const auto position :
           {AdvicePosition::kFor, AdvicePosition::kAgainst, AdvicePosition::kConditional}) {
        Statement advice = StatementBy(dpo, StatementKind::kAdvice, agreement_);
        advice.position = position;
        advice.at += std::chrono::hours(static_cast<int>(position));
        Add(dpo, advice);
      }
      AddReview(dpo);
      AddSuspension(dpo);
    }
    for (const Person& person : kSignatories) {
      Add(person, StatementBy(person, StatementKind::kSignature, agreement_));
      AddReview(person);
      for (const char* at : {"2026-04-01T00:00:00Z", "2026-05-20T00:00:00Z"}) {
        Statement termination = StatementBy(person, StatementKind::kTermination, agreement_);
        termination.at = At(at);
        Add(person, termination);
      }
    }
    AddSuspension(kCouncilGateway);
    AddSuspension(kPoliceChief);
    Add(kCouncilChief, StatementBy(kCouncilChief, StatementKind::kRejection, agreement_));
  }
  const std::vector<VerifiedStatement>& all() const { return all_; }

 private:
  void Add(const Person& person, const Statement& statement) {
    all_.push_back(Said(person, statement, agreement_));
  }
  void AddReview(const Person& person) {
    Statement review = StatementBy(person, StatementKind::kReview, agreement_);
    review.text = "Reviewed.";
    Add(person, review);
  }
  // With the resumptions of everybody, also of the side that may not lift it.
  void AddSuspension(const Person& person) {
    Add(person, StatementBy(person, StatementKind::kSuspension, agreement_));
    const Digest id = all_.back().id;
    for (const Person& signatory : kSignatories) {
      all_.push_back(Resumed(signatory, id, agreement_));
    }
  }

  const Agreement& agreement_;
  std::vector<VerifiedStatement> all_;
};

// The rules of the format document once more, as one would check them by hand: counts over a set.
class Rules {
 public:
  Rules(const Agreement& agreement, const std::set<Digest>& known,
        const std::vector<VerifiedStatement>& pool)
      : agreement_(agreement) {
    for (const VerifiedStatement& each : pool) {
      if (known.contains(each.id)) said_.push_back(each.statement);
      if (known.contains(each.id)) ids_.push_back(each.id);
    }
  }

  std::string Status(Instant now) const {
    if (IsTerminated(now)) return "terminated";
    if (People(StatementKind::kRejection, "").size() > 0) return "rejected";
    if (IsSuspended()) return "suspended";
    const std::size_t advised = People(StatementKind::kAdvice, "").size();
    const std::size_t has_signed = People(StatementKind::kSignature, "").size();
    if (advised < 2) return "drafted";
    if (has_signed == 0) return "advised";
    if (has_signed < 4) return "signed";
    if (now < agreement_.effective_from) return "not-yet-valid";
    if (now >= agreement_.effective_until) return "expired";
    return now >= agreement_.review_by ? "review-overdue" : "in-force";
  }

 private:
  using People_ = std::set<std::pair<std::string, std::string>>;
  People_ People(StatementKind kind, const std::string& party) const {
    People_ people;
    for (const Statement& statement : said_) {
      if (statement.kind != kind) continue;
      if (!party.empty() && statement.party.text() != party) continue;
      people.emplace(statement.party.text(), statement.post);
    }
    return people;
  }
  bool IsSuspended() const {
    for (std::size_t i = 0; i < said_.size(); ++i) {
      if (said_[i].kind != StatementKind::kSuspension) continue;
      std::set<std::string> lifted_by;
      for (const Statement& other : said_) {
        if (other.kind == StatementKind::kResumption && other.lifts == ids_[i] &&
            other.party == said_[i].party) {
          lifted_by.insert(other.post);
        }
      }
      if (lifted_by.size() < 2) return true;
    }
    return false;
  }
  // Tries every moment at which it could have ended, from the earliest on.
  bool IsTerminated(Instant now) const {
    std::map<std::string, std::map<std::string, Instant>> first;  // party, post
    for (const Statement& statement : said_) {
      if (statement.kind != StatementKind::kTermination) continue;
      auto& at =
          first[statement.party.text()].try_emplace(statement.post, statement.at).first->second;
      at = std::min(at, statement.at);
    }
    const auto made_by = [&](const std::string& party, Instant moment) {
      return std::count_if(first[party].begin(), first[party].end(),
                           [&](const auto& each) { return each.second <= moment; }) >= 2;
    };
    const bool council = made_by("eastvale-council", now - agreement_.termination.notice);
    const bool police = made_by("northshire-police", now - agreement_.termination.notice);
    const bool both = made_by("eastvale-council", now) && made_by("northshire-police", now);
    return council || police || both;
  }

  const Agreement& agreement_;
  std::vector<Statement> said_;
  std::vector<Digest> ids_;
};

// What one gateway knows, in the order in which it learnt it.
struct Gateway {
  std::vector<VerifiedStatement> received;
  std::set<Digest> known;

  void Receive(const VerifiedStatement& statement) {
    received.push_back(statement);
    known.insert(statement.id);
  }
  StatementState State(const Agreement& agreement) const {
    return ComputeStatementState(agreement, received);
  }
};

TEST(StatusWalk, TenThousandWalksGiveBothSidesTheSameStatus) {
  const Agreement agreement = BaseAgreement();
  const Pool pool(agreement);
  const auto in_force = InForce(agreement);
  std::mt19937 random(20260701);
  const std::vector<Instant> moments = {At("2026-01-20T00:00:00Z"), At("2026-03-01T00:00:00Z"),
                                        At("2026-05-01T00:00:00Z"), At("2026-06-10T00:00:00Z"),
                                        At("2026-06-25T00:00:00Z"), At("2026-10-05T00:00:00Z"),
                                        At("2026-12-01T00:00:00Z")};
  std::map<std::string, int> seen;
  for (int walk = 0; walk < 10'000; ++walk) {
    Gateway council;
    Gateway police;
    std::vector<std::pair<Gateway*, VerifiedStatement>> under_way;
    const auto look = [&](const Gateway& gateway) {
      const Instant now = moments[random() % moments.size()];
      const std::string status(Name(StatusAt(agreement, gateway.State(agreement), now)));
      ++seen[status];
      return status == Rules(agreement, gateway.known, pool.all()).Status(now);
    };
    // Most walks come into force first, as most agreements do.
    const std::size_t steps = random() % 40;
    std::vector<VerifiedStatement> script;
    if (walk % 4 != 0) script = in_force;
    while (script.size() < steps) script.push_back(pool.all()[random() % pool.all().size()]);
    for (const VerifiedStatement& statement : script) {
      const bool at_council = statement.statement.party.text() == "eastvale-council";
      (at_council ? council : police).Receive(statement);
      under_way.emplace_back(at_council ? &police : &council, statement);
      if (random() % 3 == 0) {
        std::swap(under_way[random() % under_way.size()], under_way.back());
        under_way.back().first->Receive(under_way.back().second);
        if (random() % 4 != 0) under_way.pop_back();  // else it comes again
      }
    }
    ASSERT_TRUE(look(council)) << walk;
    ASSERT_TRUE(look(police)) << walk;
    std::shuffle(under_way.begin(), under_way.end(), random);
    for (const auto& [gateway, statement] : under_way) gateway->Receive(statement);
    ASSERT_EQ(council.known, police.known);
    const StatementState state = council.State(agreement);
    ASSERT_EQ(state, police.State(agreement)) << walk;
    ASSERT_TRUE(look(council)) << walk;
  }
  for (int i = 0; i < static_cast<int>(AgreementStatus::kSuperseded); ++i) {
    const std::string name(Name(static_cast<AgreementStatus>(i)));
    EXPECT_GT(seen[name], 10) << name << " was hardly ever reached";
  }
}

}  // namespace
}  // namespace comity::policy
