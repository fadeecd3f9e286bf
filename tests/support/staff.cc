// SPDX-License-Identifier: Apache-2.0
#include "tests/support/staff.h"

#include <fmt/format.h>
#include <grpcpp/client_context.h>

#include <sstream>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/base/random.h"
#include "services/audit/log.h"
#include "services/gateway/database.h"
#include "services/gateway/first_people.h"
#include "services/gateway/identity_keys.h"
#include "services/identity/people.h"
#include "services/runtime/file.h"
#include "services/runtime/logging.h"
#include "services/store/person_store.h"
#include "services/transport/certificate.h"
#include "services/transport/pki.h"

namespace comity::testing {
namespace {

namespace fs = std::filesystem;
using enum identity::Role;

template <typename T>
T Must(Result<T> result) {
  if (!result) fmt::print(stderr, "{}\n", result.error().detail);
  COMITY_CHECK(result.has_value());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

identity::Person PersonOf(const StaffMember& member, const fs::path& pki,
                          const runtime::Clock& clock) {
  const fs::path base = pki / "people" / member.id;
  const auto certificate = Must(transport::ReadPublicCertificate(
      Must(runtime::ReadTextFile(fs::path(base).replace_extension(".crt"), 64 * 1024))));
  identity::Person person;
  person.id = Must(policy::PersonId::Parse(member.id));
  person.post = member.post;
  person.roles = member.roles;
  person.tls_key = certificate.public_key;
  person.signing_key = StaffKey(pki, member.id).public_key();
  person.active = true;
  person.added_at = clock.Now();
  return person;
}

Status AddAll(const identity::People& people, const fs::path& pki, const runtime::Clock& clock,
              audit::Journal& journal) {
  return journal.Commit([&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    for (const StaffMember& member : Staff()) {
      const identity::Person person = PersonOf(member, pki, clock);
      if (people.Find(person.id)) continue;
      COMITY_RETURN_IF_ERROR(
          people.Put(transaction, recorder, person, {"admin-1", "standard staff"}));
    }
    return {};
  });
}

bool IsSeeded(const store::Store& store) {
  std::size_t known = 0;
  Must(store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto people, transaction.people().All());
    known = people.size();
    return {};
  }));
  return known >= Staff().size();
}

}  // namespace

const std::vector<StaffMember>& Staff() {
  static const std::vector<StaffMember> staff = {
      {"admin-1", "First administrator", {kAdministrator}},
      {"admin-2", "Second administrator", {kAdministrator}},
      {"operator", "Control room operator", {kOperator}},
      {"supervisor-1", "Authorising officer, early", {kSupervisor}},
      {"supervisor-2", "Authorising officer, late", {kSupervisor}},
      {"adjudicator", "Adjudicating officer", {kAdjudicator}},
      {"release", "Release officer", {kReleaseOfficer}},
      {"dpo", "Data Protection Officer", {kDpo}},
      {"siro", "Senior Information Risk Owner", {kSignatory}},
      {"chief", "Chief Officer", {kSignatory}},
      {"auditor", "Internal auditor", {kAuditor}},
      {"keys-1", "Key administrator", {kKeyAdministrator}},
  };
  return staff;
}

void IssueStaff(const fs::path& pki, runtime::Instant now) {
  for (const StaffMember& member : Staff()) {
    if (fs::exists(pki / "people" / (member.id + ".pem"))) continue;
    transport::IssueRequest request;
    request.kind = transport::PeerKind::kPerson;
    request.name = member.id;
    Must(transport::Issue(pki, request, now));
  }
}

std::string AdministratorsToml(const std::string& pki) {
  std::string toml;
  for (const StaffMember& member : Staff()) {
    if (!member.roles.Has(kAdministrator)) continue;
    toml += fmt::format(
        "[[administrator]]\nid = \"{0}\"\npost = \"{1}\"\ncertificate = "
        "\"{2}/people/{0}.crt\"\nsigning_key_file = \"{2}/people/{0}.pub\"\n",
        member.id, member.post, pki);
  }
  return toml;
}

void SeedStaff(const runtime::Config& config, const fs::path& pki, const runtime::Clock& clock) {
  SystemRandom random;
  const policy::AgencyId own = Must(policy::AgencyId::Parse(config.agency.id));
  const gateway::IdentityKeys keys = Must(gateway::LoadIdentityKeys(config));
  const auto first = Must(gateway::LoadFirstPeople(config));
  const auto store = Must(gateway::OpenDatabase(config));
  if (IsSeeded(*store)) return;
  std::ostringstream text;
  const auto logger = runtime::MakeStreamLogger(runtime::LogLevel::kError, clock, text);
  const auto log = Must(audit::Log::Open({*store, *keys.log, gateway::LogOrigin(config), keys.kek,
                                          config.data_directory, clock, *logger, random}));
  const auto people = Must(identity::People::Open({*store, *log, own, *keys.agency, clock}, first));
  Must(AddAll(*people, pki, clock, *log));
}

sign::SigningKey StaffKey(const fs::path& pki, const std::string& person) {
  const auto file = Must(runtime::ReadSecretFile(pki / "people" / (person + ".key"), 4096));
  return Must(sign::SigningKey::ParseKeyFile(AsText(file.Expose())));
}

std::string SignedDecision(const fs::path& pki, const std::string& person,
                           const v1::PendingAct& act, identity::DecisionKind kind,
                           const std::string& reason) {
  identity::Decision decision;
  decision.approval = act.approval();
  decision.act = act.act();
  COMITY_CHECK(act.sha256().size() == Digest::kSize);
  std::copy(act.sha256().begin(), act.sha256().end(), decision.sha256.bytes.begin());
  decision.kind = kind;
  decision.person = Must(policy::PersonId::Parse(person));
  decision.at = runtime::SystemClock().Now();
  decision.reason = reason;
  return Must(identity::SignDecision(StaffKey(pki, person), decision));
}

grpc::Status Decide(const std::shared_ptr<grpc::Channel>& channel, const fs::path& pki,
                    const std::string& person, v1::PendingAct& act, identity::DecisionKind kind) {
  v1::DecideApprovalRequest request;
  request.set_decision(SignedDecision(pki, person, act, kind));
  grpc::ClientContext context;
  v1::PendingAct decided;
  const grpc::Status status = v1::Approvals::NewStub(channel)->Decide(&context, request, &decided);
  if (status.ok()) act = decided;
  return status;
}

}  // namespace comity::testing
