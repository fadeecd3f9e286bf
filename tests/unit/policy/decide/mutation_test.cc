// SPDX-License-Identifier: Apache-2.0
// Whatever is unknown, missing, unparsable or expired denies: valid documents and their statements
// are damaged at random, and nothing that comes of it may permit what was not signed.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "policy/decide/decide.h"
#include "policy/decide/rehearsal.h"
#include "tests/unit/policy/agreement_fixture.h"
#include "tests/unit/policy/decide/decision_case.h"

namespace comity::policy {
namespace {

using namespace comity::policy::testing;

const Instant kNow = At("2026-06-01T00:00:00Z");
constexpr Usage kUnused{0, 0, 0};

class Damage {
 public:
  explicit Damage(unsigned seed) : random_(seed) {}

  std::string Document(std::string yaml) {
    for (std::size_t i = 1 + random_() % 2; i > 0 && !yaml.empty(); --i) {
      yaml = Once(std::move(yaml));
    }
    return yaml;
  }
  std::size_t Below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }

 private:
  std::string Once(std::string yaml) {
    switch (random_() % 6) {
      case 0:
        return WithoutALine(std::move(yaml));
      case 1:
        yaml.erase(Below(yaml.size()), 1);
        return yaml;
      case 2:
        yaml[Below(yaml.size())] = static_cast<char>(random_() % 256);
        return yaml;
      case 3:
        yaml.insert(Below(yaml.size()), 1, "0123456789-:[]{}\"'#&*!|>% \n"[random_() % 26]);
        return yaml;
      case 4:
        return WithALineTwice(std::move(yaml));
      default:
        return WithTwoLinesSwapped(std::move(yaml));
    }
  }
  std::pair<std::size_t, std::size_t> Line(const std::string& yaml) {
    const std::size_t at = Below(yaml.size());
    const std::size_t before = at == 0 ? std::string::npos : yaml.rfind('\n', at - 1);
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    const std::size_t end = yaml.find('\n', begin);
    return {begin, (end == std::string::npos ? yaml.size() : end + 1) - begin};
  }
  std::string WithoutALine(std::string yaml) {
    const auto [begin, size] = Line(yaml);
    return yaml.erase(begin, size);
  }
  std::string WithALineTwice(std::string yaml) {
    const auto [begin, size] = Line(yaml);
    return yaml.insert(begin, yaml.substr(begin, size));
  }
  std::string WithTwoLinesSwapped(std::string yaml) {
    const auto [begin, size] = Line(yaml);
    const std::string line = yaml.substr(begin, size);
    yaml.erase(begin, size);
    return yaml.insert(Line(yaml).first, line);
  }

  std::mt19937 random_;
};

TEST(Mutation, ADamagedDocumentPermitsNothingByTheOldSignatures) {
  const std::string yaml = BaseDocument();
  const Agreement agreement = BaseAgreement();
  const auto statements = InForce(agreement);
  Damage damage(20260801);
  int still_documents = 0;
  for (int i = 0; i < 3'000; ++i) {
    const std::string damaged = damage.Document(yaml);
    if (damaged == yaml) continue;
    const LoadedAgreement loaded = LoadAgreement(damaged);
    ASSERT_EQ(loaded.agreement.has_value(), loaded.issues.empty());
    if (!loaded.agreement) continue;
    ++still_documents;
    ASSERT_NE(loaded.agreement->sha256, agreement.sha256);
    const auto set = AgreementSet::Build({{*loaded.agreement, statements, {}}}).value();
    SearchRequest request = BaseRequest(agreement);
    ASSERT_FALSE(Decide(set, request, kUnused, kNow).permitted()) << damaged;
    request.agreement = RefOf(*loaded.agreement);
    ASSERT_FALSE(Decide(set, request, kUnused, kNow).permitted()) << damaged;
  }
  EXPECT_GT(still_documents, 50) << "too few damaged documents can still be read";
}

// A damaged document that people do sign permits only what its own text says.
TEST(Mutation, ADamagedDocumentThatIsSignedAnewPermitsWithinItsOwnBounds) {
  const std::string yaml = BaseDocument();
  const SearchRequest good = BaseRequest(BaseAgreement());
  Damage damage(20260802);
  int permits = 0;
  for (int i = 0; i < 2'000; ++i) {
    const LoadedAgreement loaded = LoadAgreement(damage.Document(yaml));
    if (!loaded.agreement) continue;
    const Agreement& agreement = *loaded.agreement;
    SearchRequest request = good;
    request.agreement = RefOf(agreement);
    const Decision decision = Decide(AsIfSigned(agreement).value(), request, kUnused, kNow);
    if (!decision.permitted()) continue;
    ++permits;
    const SearchPermission* const permission = agreement.FindPermission(decision.clauses.front());
    ASSERT_NE(permission, nullptr);
    EXPECT_GE(*request.threshold, permission->threshold_floor);
    EXPECT_EQ(permission->engine, *request.engine);
    EXPECT_EQ(decision.releases, permission->releases);
    EXPECT_GT(permission->capacity.probes_per_day, 0U);
    EXPECT_LT(kNow, std::min(agreement.review_by, agreement.effective_until));
    EXPECT_GE(kNow, agreement.effective_from);
    EXPECT_TRUE(MissingAttachments(agreement).empty());
    for (const Attachment& attachment : agreement.attachments) {
      EXPECT_TRUE(kNow >= attachment.valid_from && kNow < attachment.valid_until);
    }
  }
  EXPECT_GT(permits, 50);
}

// Statements that are damaged before they are verified never count for others than they were.
TEST(Mutation, ADamagedStatementIsRefusedOrTheSame) {
  const Agreement agreement = BaseAgreement();
  for (const auto& [person, kind] : {std::pair{kCouncilDpo, StatementKind::kAdvice},
                                     std::pair{kCouncilChief, StatementKind::kSignature},
                                     std::pair{kPoliceSiro, StatementKind::kTermination}}) {
    const auto envelope =
        Countersign(Key(person.agency_key),
                    MakeStatement(Key(person.key), StatementBy(person, kind, agreement)).value());
    const std::string good = sign::EncodeDsseJson(envelope);
    const Digest id = StatementId(envelope.payload);
    Damage damage(static_cast<unsigned>(kind) + 20260803);
    int parsed = 0;
    for (int i = 0; i < 1'000; ++i) {
      const auto damaged = sign::ParseDsseJson(damage.Document(good), 16 * 1024);
      if (!damaged) continue;
      ++parsed;
      const auto verified = VerifyStatement(*damaged, agreement, {});
      if (verified) {
        ASSERT_EQ(verified->id, id);
      }
    }
    EXPECT_GT(parsed, 20);
  }
}

}  // namespace
}  // namespace comity::policy
