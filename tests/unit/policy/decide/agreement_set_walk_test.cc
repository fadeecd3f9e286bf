// SPDX-License-Identifier: Apache-2.0
// Random statements about three versions of one agreement, also dated back and contradicting one
// another, compared with the rules of the format document as one would check them by hand; and what
// no statement of the other side may ever do.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "policy/decide/agreement_set.h"
#include "tests/unit/policy/agreement_fixture.h"

namespace comity::policy {
namespace {

using namespace comity::policy::testing;

const std::vector<Person> kSignatories = {kCouncilChief, kCouncilSiro, kPoliceChief, kPoliceSiro};
const std::string kCouncil = kCouncilChief.party;
const std::string kPolice = kPoliceChief.party;

std::vector<Agreement> ThreeVersions() {
  std::vector<Agreement> versions;
  for (const auto& [number, from] :
       {std::pair("1", "2026-02-01"), std::pair("2", "2026-03-01"), std::pair("3", "2026-06-15")}) {
    const std::string yaml =
        Replaced(BaseDocument(), "version: 1\n", std::string("version: ") + number + "\n");
    versions.push_back(LoadOk(
        Replaced(yaml, "effective_from: 2026-02-01", std::string("effective_from: ") + from)));
  }
  return versions;
}

// Everything that anybody says of one version beyond what brings it into force.
std::vector<VerifiedStatement> Quarrels(const Agreement& agreement) {
  std::vector<VerifiedStatement> all;
  for (const Person& person : {kCouncilDpo, kPoliceDpo, kPoliceChief, kCouncilGateway}) {
    const auto suspension = Said(person, StatementKind::kSuspension, agreement);
    all.push_back(suspension);
    for (const Person& signatory : kSignatories) {
      all.push_back(Resumed(signatory, suspension.id, agreement));
    }
  }
  for (const Person& person : kSignatories) {
    for (const char* at : {"1970-01-02T00:00:00Z", "2026-05-20T00:00:00Z"}) {
      Statement termination = StatementBy(person, StatementKind::kTermination, agreement);
      termination.at = At(at);
      all.push_back(Said(person, termination, agreement));
    }
  }
  all.push_back(Said(kCouncilChief, StatementKind::kRejection, agreement));
  all.push_back(Said(kPoliceSiro, StatementKind::kRejection, agreement));
  return all;
}

// The rules of the format document once more, by counting.
class Rules {
 public:
  Rules(const std::vector<Agreement>& versions, const std::vector<VerifiedStatement>& said)
      : versions_(versions), said_(said) {}

  std::size_t Deciding(Instant now) const {
    std::size_t lowest = 0;
    for (std::size_t v = versions_.size(); v > 0; --v) {
      if (!IsAgreed(v)) continue;
      if (Of(v).effective_from <= now) return v;
      lowest = v;
    }
    return lowest == 0 ? versions_.size() : lowest;
  }
  bool IsAgreed(std::size_t v) const {
    return People(v, StatementKind::kAdvice) == 2 && People(v, StatementKind::kSignature) == 4;
  }
  std::string Status(std::size_t v, Instant now) const {
    if (IsTerminatedBy(v, kCouncil, now) || IsTerminatedBy(v, kPolice, now)) return "terminated";
    const std::size_t deciding = Deciding(now);
    if (v < deciding && IsAgreed(deciding)) return "superseded";
    if (People(v, StatementKind::kRejection) > 0) return "rejected";
    if (!HoldingIn(v, now).empty()) return "suspended";
    if (People(v, StatementKind::kAdvice) < 2) return "drafted";
    if (People(v, StatementKind::kSignature) == 0) return "advised";
    if (People(v, StatementKind::kSignature) < 4) return "signed";
    if (now < Of(v).effective_from) return "not-yet-valid";
    if (now >= Of(v).effective_until) return "expired";
    return now >= Of(v).review_by ? "review-overdue" : "in-force";
  }
  // The suspensions that hold for version `v`: of it and of every lower one.
  std::vector<const VerifiedStatement*> HoldingIn(std::size_t v, Instant now) const {
    std::vector<const VerifiedStatement*> holding;
    for (const VerifiedStatement& each : said_) {
      const Statement& said = each.statement;
      if (said.kind != StatementKind::kSuspension || said.agreement.version > v) continue;
      std::set<std::string> lifted_by;
      for (const VerifiedStatement& other : said_) {
        if (other.statement.lifts == each.id && other.statement.party == said.party) {
          lifted_by.insert(other.statement.post);
        }
      }
      const bool ended = IsTerminatedBy(said.agreement.version, said.party.text(), now);
      if (lifted_by.size() < 2 && !ended) holding.push_back(&each);
    }
    return holding;
  }

 private:
  const Agreement& Of(std::size_t v) const { return versions_[v - 1]; }
  std::size_t People(std::size_t v, StatementKind kind) const {
    std::set<std::pair<std::string, std::string>> people;
    for (const VerifiedStatement& each : said_) {
      const Statement& said = each.statement;
      if (said.kind == kind && said.agreement.version == v) {
        people.emplace(said.party.text(), said.post);
      }
    }
    return people.size();
  }
  bool HaveTerminated(std::size_t v, const std::string& party, Instant moment) const {
    std::set<std::string> people;
    for (const VerifiedStatement& each : said_) {
      const Statement& said = each.statement;
      if (said.kind == StatementKind::kTermination && said.agreement.version == v &&
          said.party.text() == party && said.at <= moment) {
        people.insert(said.post);
      }
    }
    return people.size() >= 2;
  }
  // With notice by this party, or without by both.
  bool IsTerminatedBy(std::size_t v, const std::string& party, Instant now) const {
    return HaveTerminated(v, party, now - Of(v).termination.notice) ||
           (HaveTerminated(v, kCouncil, now) && HaveTerminated(v, kPolice, now));
  }

  const std::vector<Agreement>& versions_;
  const std::vector<VerifiedStatement>& said_;
};

class SetWalk : public ::testing::Test {
 protected:
  SetWalk() {
    for (const Agreement& agreement : versions_) {
      in_force_.push_back(InForce(agreement));
      quarrels_.push_back(Quarrels(agreement));
    }
  }
  // What is known of all versions at some moment: most of them were agreed, as most are.
  std::vector<VerifiedStatement> SomeStatements() {
    std::vector<VerifiedStatement> said;
    for (std::size_t i = 0; i < versions_.size(); ++i) {
      const bool agreed = i == 0 || random_() % 3 != 0;
      for (const VerifiedStatement& each : in_force_[i]) {
        if (agreed || random_() % 2 == 0) said.push_back(each);
      }
      for (std::size_t n = random_() % 8; n > 0; --n) said.push_back(OneOf(quarrels_[i]));
    }
    return said;
  }
  // What the people of one side say next, of any version.
  std::vector<VerifiedStatement> SomeOf(const std::string& party) {
    std::vector<VerifiedStatement> said;
    for (std::size_t n = 1 + random_() % 40; n > 0; --n) {
      const std::size_t i = random_() % versions_.size();
      const VerifiedStatement& each = OneOf(random_() % 3 == 0 ? in_force_[i] : quarrels_[i]);
      if (each.statement.party.text() == party) said.push_back(each);
    }
    return said;
  }
  const VerifiedStatement& OneOf(const std::vector<VerifiedStatement>& all) {
    return all[random_() % all.size()];
  }
  AgreementSet SetOf(std::vector<VerifiedStatement> said) {
    std::shuffle(said.begin(), said.end(), random_);
    std::vector<AgreementInput> inputs;
    for (const Agreement& agreement : versions_) inputs.push_back({agreement, said});
    std::shuffle(inputs.begin(), inputs.end(), random_);
    return AgreementSet::Build(std::move(inputs)).value();
  }
  const AgreementVersion& Current(const AgreementSet& set, Instant now) const {
    return *set.FindCurrent(versions_.front().id, now);
  }

  const std::vector<Agreement> versions_ = ThreeVersions();
  const std::vector<Instant> moments_ = {At("2026-01-20T00:00:00Z"), At("2026-02-10T00:00:00Z"),
                                         At("2026-04-01T00:00:00Z"), At("2026-06-10T00:00:00Z"),
                                         At("2026-06-25T00:00:00Z"), At("2026-10-05T00:00:00Z"),
                                         At("2026-12-01T00:00:00Z")};
  std::vector<std::vector<VerifiedStatement>> in_force_;  // by version
  std::vector<std::vector<VerifiedStatement>> quarrels_;
  std::mt19937 random_{20261126};
};

TEST_F(SetWalk, DecidesByTheRulesWhateverWasSaidInWhateverOrder) {
  std::map<std::string, int> seen;
  for (int walk = 0; walk < 1'500; ++walk) {
    const auto said = SomeStatements();
    const Rules rules(versions_, said);
    const AgreementSet here = SetOf(said);
    const AgreementSet there = SetOf(said);
    for (const Instant now : moments_) {
      ASSERT_EQ(Current(here, now).ref.version, rules.Deciding(now)) << walk;
      for (std::uint32_t v = 1; v <= versions_.size(); ++v) {
        const AgreementVersion& version = *here.FindVersion(versions_[0].id, v);
        const std::string status(Name(here.StatusOf(version, now)));
        ASSERT_EQ(status, rules.Status(v, now)) << walk << ", version " << v;
        ASSERT_EQ(version.state, there.FindVersion(versions_[0].id, v)->state) << walk;
        ++seen[status];
      }
    }
  }
  for (int i = 0; i <= static_cast<int>(AgreementStatus::kSuperseded); ++i) {
    const std::string name(Name(static_cast<AgreementStatus>(i)));
    EXPECT_GT(seen[name], 10) << name << " was hardly ever reached";
  }
}

TEST_F(SetWalk, NothingThatTheOtherSideSaysLiftsASuspension) {
  int held = 0;
  for (int walk = 0; walk < 1'500; ++walk) {
    const auto said = SomeStatements();
    const auto& [own, other] =
        walk % 2 == 0 ? std::pair(kPolice, kCouncil) : std::pair(kCouncil, kPolice);
    auto more = said;
    for (const VerifiedStatement& each : SomeOf(other)) more.push_back(each);
    const AgreementSet after = SetOf(more);
    for (const Instant now : moments_) {
      const AgreementVersion& current = Current(after, now);
      for (const auto* suspension : Rules(versions_, said).HoldingIn(versions_.size(), now)) {
        if (suspension->statement.party.text() != own) continue;
        if (current.ref.version < suspension->statement.agreement.version) continue;
        ASSERT_NE(StatusAt(current.agreement, current.state, now), AgreementStatus::kInForce)
            << walk << ": " << other << " lifted what " << own << " had suspended";
        ++held;
      }
    }
  }
  EXPECT_GT(held, 1'000);
}

TEST_F(SetWalk, NoVersionThatAllSignedIsEverPassedOver) {
  int rejected = 0;
  for (int walk = 0; walk < 1'500; ++walk) {
    const auto said = SomeStatements();
    auto more = said;
    for (const auto& party : {kCouncil, kPolice}) {
      for (const VerifiedStatement& each : SomeOf(party)) more.push_back(each);
    }
    const AgreementSet before = SetOf(said);
    const AgreementSet after = SetOf(more);
    for (const Instant now : moments_) {
      const AgreementVersion& decided = Current(before, now);
      if (!decided.agreed) continue;
      ASSERT_GE(Current(after, now).ref.version, decided.ref.version) << walk;
      rejected += Current(after, now).state.rejection ? 1 : 0;
    }
  }
  EXPECT_GT(rejected, 100);
}

}  // namespace
}  // namespace comity::policy
