// SPDX-License-Identifier: Apache-2.0
// How long one decision takes over 1,000 agreements in force: 100 partners with 10 agreements each,
// and all 1,000 between one pair. Each measured call decides for another agreement.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/check.h"
#include "policy/decide/decide.h"

namespace comity::policy {
namespace {

constexpr Instant kNow = std::chrono::sys_days(std::chrono::year(2026) / 6 / 1);
constexpr int kAgreements = 1000;
constexpr Usage kUsage{17, 17, 17};

template <typename IdType>
IdType Make(const std::string& text) {
  return IdType::Parse(text).value();
}

Party MakeParty(const std::string& agency) {
  Party party;
  party.agency = Make<AgencyId>(agency);
  party.dpo.post = "Data Protection Officer";
  party.signatories = {{"Chief Executive", ""}, {"Senior Information Risk Owner", ""}};
  return party;
}

SearchPermission MakePermission(const std::string& id, UseMode use, const AgencyId& requester) {
  SearchPermission permission;
  permission.id = id;
  permission.requester = requester;
  permission.holder = Make<AgencyId>("northshire-police");
  permission.roles = {RequesterRole::kEngine};
  permission.uses = {use};
  permission.purposes = {Make<PurposeCode>("missing-person"),
                         Make<PurposeCode>("court-order-arrest")};
  permission.list_categories = {Make<ListCategory>("missing-at-risk"),
                                Make<ListCategory>("wanted-by-courts")};
  permission.mode = SearchMode::kDirect;
  permission.engine = {"facenet", "20180402", 128};
  permission.threshold_floor = 0.64;
  permission.hit_cap = 5;
  permission.capacity = {200'000, 200'000, 200'000};
  const TermSet<ReceiverRole> seen_by = {ReceiverRole::kOperator, ReceiverRole::kSupervisor};
  permission.releases = {{ReleaseItem::kReferenceNumber, seen_by},
                         {ReleaseItem::kCategory, seen_by},
                         {ReleaseItem::kResponseCode, seen_by}};
  return permission;
}

// Two permissions of which the second governs, one prohibition, two attachments.
Agreement MakeAgreement(int number, int partner) {
  Agreement agreement;
  agreement.id = Make<AgreementId>("northshire-partner-" + std::to_string(number) + "-2026");
  agreement.version = 1;
  agreement.sha256.bytes[0] = static_cast<std::uint8_t>(number);
  agreement.parties = {MakeParty("council-" + std::string(1, 'a') + std::to_string(partner)),
                       MakeParty("northshire-police")};
  Purpose purpose;
  purpose.code = Make<PurposeCode>("court-order-arrest");
  purpose.regime = Regime::kUkPart3;
  purpose.offence_floor = OffenceClass::k1To4Years;
  agreement.purposes = {purpose};
  Attachment attachment;
  attachment.id = "dpia-1";
  attachment.kind = AttachmentKind::kDpia;
  attachment.valid_from = kNow - std::chrono::days(1);
  attachment.valid_until = kNow + std::chrono::days(1);
  agreement.attachments = {attachment, attachment};
  agreement.attachments[1].kind = AttachmentKind::kApd;
  const AgencyId& requester = agreement.parties[0].agency;
  agreement.permissions = {MakePermission("p1", UseMode::kRetrospective, requester),
                           MakePermission("p2", UseMode::kLive, requester)};
  agreement.prohibitions = {{"x1", {}, {}, {Make<ListCategory>("victim")}, ""}};
  agreement.effective_from = kNow - std::chrono::days(1);
  agreement.effective_until = kNow + std::chrono::days(1);
  agreement.review_by = kNow + std::chrono::days(1);
  return agreement;
}

VerifiedStatement Say(const Agreement& agreement, const Party& party, const std::string& post) {
  VerifiedStatement verified;
  verified.statement.kind =
      post == party.dpo.post ? StatementKind::kAdvice : StatementKind::kSignature;
  if (post == party.dpo.post) verified.statement.position = AdvicePosition::kFor;
  verified.statement.agreement = RefOf(agreement);
  verified.statement.party = party.agency;
  verified.statement.post = post;
  return verified;
}

struct World {
  AgreementSet set;
  std::vector<SearchRequest> requests;  // one an agreement
};

SearchRequest MakeRequest(const Agreement& agreement) {
  SearchRequest request;
  request.requester = agreement.parties[0].agency;
  request.holder = agreement.parties[1].agency;
  request.agreement = RefOf(agreement);
  request.purpose = Make<PurposeCode>("court-order-arrest");
  request.role = RequesterRole::kEngine;
  request.use = UseMode::kLive;
  request.mode = SearchMode::kDirect;
  request.list_categories = {Make<ListCategory>("wanted-by-courts")};
  request.engine = EngineProfile{"facenet", "20180402", 128};
  request.threshold = 0.64;
  request.offence_class = OffenceClass::k4YearsOrMore;
  request.has_case_reference = true;
  return request;
}

World MakeWorld(int partners) {
  World world;
  std::vector<AgreementInput> inputs;
  for (int i = 0; i < kAgreements; ++i) {
    AgreementInput input{MakeAgreement(i, i % partners), {}, {}};
    for (const Party& party : input.agreement.parties) {
      input.statements.push_back(Say(input.agreement, party, party.dpo.post));
      for (const Signatory& signatory : party.signatories) {
        input.statements.push_back(Say(input.agreement, party, signatory.post));
      }
    }
    world.requests.push_back(MakeRequest(input.agreement));
    inputs.push_back(std::move(input));
  }
  world.set = AgreementSet::Build(std::move(inputs)).value();
  return world;
}

// The stride is prime to 1,000, so that neighbours in memory do not follow one another.
constexpr std::size_t kStride = 37;

void Permit(benchmark::State& state) {
  const World world = MakeWorld(static_cast<int>(state.range(0)));
  std::size_t next = 0;
  for (auto _ : state) {
    const Decision decision = Decide(world.set, world.requests[next], kUsage, kNow);
    COMITY_CHECK(decision.permitted());
    benchmark::DoNotOptimize(decision);
    next = (next + kStride) % kAgreements;
  }
}

void Deny(benchmark::State& state) {
  World world = MakeWorld(static_cast<int>(state.range(0)));
  for (SearchRequest& request : world.requests) request.threshold = 0.6;
  std::size_t next = 0;
  for (auto _ : state) {
    const Decision decision = Decide(world.set, world.requests[next], kUsage, kNow);
    COMITY_CHECK(decision.code == ReasonCode::kThresholdBelowFloor);
    benchmark::DoNotOptimize(decision);
    next = (next + kStride) % kAgreements;
  }
}

// p50 and p99 of single calls, clock reads included.
void PermitPercentiles(benchmark::State& state) {
  const World world = MakeWorld(static_cast<int>(state.range(0)));
  std::vector<double> nanoseconds;
  std::size_t next = 0;
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(Decide(world.set, world.requests[next], kUsage, kNow));
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    nanoseconds.push_back(took.count());
    next = (next + kStride) % kAgreements;
  }
  std::sort(nanoseconds.begin(), nanoseconds.end());
  state.counters["p50_ns"] = nanoseconds[nanoseconds.size() / 2];
  state.counters["p99_ns"] = nanoseconds[nanoseconds.size() * 99 / 100];
}

// Argument: number of partners that the 1,000 agreements are spread over.
BENCHMARK(Permit)->Arg(100)->Arg(1);
BENCHMARK(Deny)->Arg(100)->Arg(1);
BENCHMARK(PermitPercentiles)->Arg(100)->Arg(1)->Iterations(500'000);

}  // namespace
}  // namespace comity::policy
