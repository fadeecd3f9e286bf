// SPDX-License-Identifier: Apache-2.0
// Random walks over the life of agreements at two registers with stores and logs of their own:
// statements reach the other side late, in any order and twice, and either side restarts at any
// moment. In the end both sides say the same, and each log alone explains what its side says.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "crypto/base/encoding.h"
#include "policy/agreement/status.h"
#include "tests/unit/services/agreements/agreement_register.h"

namespace comity::agreements {
namespace {

using comity::testing::IsOk;
using policy::StatementKind;
using namespace policy::testing;

const std::vector<Person> kPeople = {kCouncilDpo, kCouncilChief, kCouncilSiro,
                                     kPoliceDpo,  kPoliceChief,  kPoliceSiro};

// One agency with its register.
class Side {
 public:
  Side(const policy::AgencyId& own, std::uint8_t key) : own_(own), key_(Key(key)) {
    agency_.clock.Set(At("2026-03-01T08:00:00Z"));
    Open();
  }
  void Restart() {
    register_.reset();
    agency_.Reopen();
    Open();
  }
  Register& operator*() { return *register_; }
  Register* operator->() { return register_.get(); }
  const policy::AgencyId& own() const { return own_; }
  void SetClock(policy::Instant now) { agency_.clock.Set(now); }
  std::string StatusOf(const policy::AgreementRef& ref) {
    return register_->Get(ref.id, ref.version)->status;
  }

  // The statements that the log names for this version, in its order.
  std::vector<std::string> LoggedStatements(const policy::AgreementRef& ref) {
    std::vector<std::string> ids;
    const Status read = agency_.store().Read([&](const store::Transaction& transaction) -> Status {
      COMITY_ASSIGN_OR_RETURN(const auto entries, transaction.audit().Read(0, 1'000'000));
      for (const store::AuditEntryRecord& record : entries) {
        const auto entry = nlohmann::json::parse(AsText(record.entry));
        const std::string type = entry.at("type");
        if (type != "statement-issued" && type != "statement-received") continue;
        if (entry.at("agreement").at("sha256") != EncodeHex(ref.sha256.view())) continue;
        ids.push_back(entry.at("messages").at("statement"));
      }
      return {};
    });
    EXPECT_THAT(read, IsOk());
    return ids;
  }

 private:
  void Open() {
    notices_.emplace(
        identity::Notices::Setup{agency_.store(), agency_.journal(), own_, agency_.clock});
    auto opened = Register::Open({.store = agency_.store(),
                                  .journal = agency_.journal(),
                                  .notices = *notices_,
                                  .own = own_,
                                  .agency_key = key_,
                                  .keys = [] { return Histories(); },
                                  .clock = agency_.clock});
    ASSERT_THAT(opened, IsOk());
    register_ = std::move(opened).value();
  }
  static policy::KeyHistories Histories() {
    const auto only = [](std::uint8_t key) {
      return policy::KeyHistory({{sign::EncodePublicKey(Key(key).public_key()), {}, std::nullopt}});
    };
    return {{kCouncil, only(1)}, {kPolice, only(5)}};
  }

  const policy::AgencyId own_;
  const sign::SigningKey key_;
  comity::testing::AgencyStore agency_;
  std::optional<identity::Notices> notices_;
  std::unique_ptr<Register> register_;
};

class Walk {
 public:
  Walk(Side& council, Side& police, unsigned seed)
      : council_(council), police_(police), random_(seed) {
    yaml_ = Replaced(BaseDocument(), "id: northshire-eastvale-2026",
                     "id: walk-" + std::to_string(seed));
    agreement_ = LoadOk(yaml_);
  }

  void Run(int steps) {
    Submit(council_, yaml_, true);
    Deliver(police_, council_.own(), yaml_, true);
    if (random_() % 3 != 0) {
      for (const Person& person : kPeople) {
        Say(person, person.post == std::string("Data Protection Officer")
                        ? StatementKind::kAdvice
                        : StatementKind::kSignature);
      }
    }
    for (int i = 0; i < steps; ++i) {
      Say(kPeople[random_() % kPeople.size()], static_cast<StatementKind>(random_() % 7));
      while (random_() % 2 == 0 && !under_way_.empty()) DeliverOne();
      if (random_() % 20 == 0) (random_() % 2 == 0 ? council_ : police_).Restart();
    }
    while (!under_way_.empty()) DeliverOne();
  }

  // Both sides say the same at every moment, and as their logs say.
  void Check() {
    const auto ref = policy::RefOf(agreement_);
    const auto explained = [&](Side& side) {
      std::vector<policy::VerifiedStatement> said;
      for (const std::string& id : side.LoggedStatements(ref)) {
        EXPECT_TRUE(made_.contains(id)) << "the log names a statement that nobody made";
        said.push_back(made_.at(id));
      }
      return said;
    };
    const auto council = explained(council_);
    const auto police = explained(police_);
    EXPECT_EQ(council.size(), police.size()) << "something was lost, or happened twice";
    for (const char* text : {"2026-03-01T08:00:00Z", "2026-03-31T09:00:00Z", "2026-10-02T00:00:00Z",
                             "2026-11-02T00:00:00Z"}) {
      const policy::Instant now = At(text);
      council_.SetClock(now);
      police_.SetClock(now);
      const std::string status = council_.StatusOf(ref);
      EXPECT_EQ(status, police_.StatusOf(ref)) << text;
      EXPECT_EQ(status, Name(policy::ComputeStatus(agreement_, council, now).status)) << text;
      EXPECT_EQ(status, Name(policy::ComputeStatus(agreement_, police, now).status)) << text;
      ++seen[status];
    }
    council_.SetClock(At("2026-03-01T08:00:00Z"));
    police_.SetClock(At("2026-03-01T08:00:00Z"));
  }

  static std::map<std::string, int> seen;

 private:
  Side& SideOf(const Person& person) {
    return person.party == council_.own().text() ? council_ : police_;
  }
  void Submit(Side& side, const std::string& content, bool document) {
    const Source own{.peer = {}, .by = "somebody", .exchange = "", .request = {}};
    ASSERT_THAT(document ? side->SubmitDocument(content, own) : side->SubmitStatement(content, own),
                IsOk());
  }
  void Deliver(Side& side, const policy::AgencyId& from, const std::string& content,
               bool document) {
    const Source peer{.peer = from, .by = "", .exchange = "x-1", .request = Digest{}};
    ASSERT_THAT(
        document ? side->SubmitDocument(content, peer) : side->SubmitStatement(content, peer),
        IsOk());
  }

  void Say(const Person& person, StatementKind kind) {
    Side& side = SideOf(person);
    policy::Statement statement = StatementBy(person, kind, agreement_);
    statement.at = At("2026-03-01T08:00:00Z") + std::chrono::minutes(random_() % 1000);
    statement.text = "walk";
    if (kind == StatementKind::kResumption) {
      if (suspensions_.empty()) return;
      statement.lifts = suspensions_[random_() % suspensions_.size()];
    }
    const Source own{.peer = {}, .by = "somebody", .exchange = "", .request = {}};
    const auto submitted = side->SubmitStatement(Signed(person, statement), own);
    if (!submitted || submitted->known_already) return;  // not theirs to say, or not any more
    const auto ref = policy::RefOf(agreement_);
    const std::string kept = side->Get(ref.id, ref.version)->statements.back();
    const auto verified =
        policy::VerifyStatement(sign::ParseDsseJson(kept, Register::kMaxStatement).value(),
                                agreement_, {})
            .value();
    made_.emplace(EncodeBase64(verified.id.view()), verified);
    if (kind == StatementKind::kSuspension) suspensions_.push_back(verified.id);
    under_way_.emplace_back(&side == &council_ ? &police_ : &council_, kept);
  }

  void DeliverOne() {
    std::swap(under_way_[random_() % under_way_.size()], under_way_.back());
    const auto [side, envelope] = under_way_.back();
    const auto& from = side == &council_ ? police_.own() : council_.own();
    Deliver(*side, from, envelope, false);
    if (random_() % 5 != 0) under_way_.pop_back();  // else it comes again
  }

  Side& council_;
  Side& police_;
  std::mt19937 random_;
  std::string yaml_;
  policy::Agreement agreement_;
  std::map<std::string, policy::VerifiedStatement> made_;
  std::vector<Digest> suspensions_;
  std::vector<std::pair<Side*, std::string>> under_way_;
};
std::map<std::string, int> Walk::seen;

TEST(RegisterWalk, BothSidesConvergeAndTheirLogsExplainIt) {
  Side council(kCouncil, 1);
  Side police(kPolice, 5);
  for (unsigned walk = 1; walk <= 40; ++walk) {
    Walk each(council, police, walk);
    each.Run(static_cast<int>(walk % 12));
    each.Check();
    if (HasFailure()) FAIL() << "walk " << walk;
  }
  for (const char* status : {"drafted", "in-force", "suspended", "rejected", "terminated"}) {
    EXPECT_GT(Walk::seen[status], 0) << status;
  }
}

}  // namespace
}  // namespace comity::agreements
