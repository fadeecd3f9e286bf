// SPDX-License-Identifier: Apache-2.0
#include "tests/support/partners.h"

#include <fmt/format.h>
#include <grpcpp/client_context.h>

#include <sstream>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/base/random.h"
#include "services/audit/log.h"
#include "services/gateway/agency/own_card.h"
#include "services/gateway/database.h"
#include "services/gateway/federation/peer_terms.h"
#include "services/gateway/identity_keys.h"
#include "services/identity/peers.h"
#include "services/runtime/file.h"
#include "services/runtime/logging.h"
#include "services/transport/fingerprint.h"
#include "services/transport/pki_folder.h"
#include "tests/support/staff.h"

namespace comity::testing {
namespace {

template <typename T>
T Must(Result<T> result) {
  if (!result) fmt::print(stderr, "{}\n", result.error().detail);
  COMITY_CHECK(result.has_value());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

sign::SigningKey KeyIn(const std::filesystem::path& file) {
  const auto text = Must(runtime::ReadSecretFile(file, 4096));
  return Must(sign::SigningKey::ParseKeyFile(AsText(text.Expose())));
}

identity::PeerTerms SelfOf(const runtime::Config& config, const gateway::IdentityKeys& keys) {
  identity::PeerTerms self;
  self.agency = Must(policy::AgencyId::Parse(config.agency.id));
  self.name = config.agency.name;
  self.spiffe_id = "spiffe://" + config.agency.trust_domain + "/gateway";
  self.address = config.listen.federation.text();
  self.signing_key = keys.agency->public_key();
  self.log_key = keys.log->public_key();
  return self;
}

}  // namespace

std::string AgencyKey(const std::filesystem::path& pki) {
  return sign::EncodePublicKey(KeyIn(transport::PkiFolder{pki}.signing_key()).public_key());
}

transport::PeerCard CardOf(const AgencyFiles& files, const runtime::Clock& clock) {
  const transport::PkiFolder folder{files.pki};
  const auto name = Must(transport::ReadAgencyName(folder));
  const sign::SigningKey key = KeyIn(folder.signing_key());
  const gateway::OwnCard card({files.agency, "Agency " + files.agency, name.trust_domain,
                               files.pki / "gateway.pem", folder.ca_certificate(), key,
                               KeyIn(folder.log_key()).public_key(), clock});
  return Must(card.Make(files.address));
}

void SeedPartners(const runtime::Config& config, const std::vector<transport::PeerCard>& cards,
                  const runtime::Clock& clock) {
  if (cards.empty()) return;
  SystemRandom random;
  const gateway::IdentityKeys keys = Must(gateway::LoadIdentityKeys(config));
  const auto store = Must(gateway::OpenDatabase(config));
  std::ostringstream text;
  const auto logger = runtime::MakeStreamLogger(runtime::LogLevel::kError, clock, text);
  const auto log = Must(audit::Log::Open({*store, *keys.log, gateway::LogOrigin(config), keys.kek,
                                          config.data_directory, clock, *logger, random}));
  const auto peers =
      Must(identity::Peers::Open({*store, *log, SelfOf(config, keys), *keys.agency, {}, clock}));
  const auto by = Must(policy::PersonId::Parse("admin-2"));
  Must(log->Commit([&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    for (const transport::PeerCard& card : cards) {
      COMITY_ASSIGN_OR_RETURN(const identity::PeerTerms terms, gateway::TermsOf(card));
      if (peers->Find(terms.agency)) continue;
      COMITY_RETURN_IF_ERROR(peers->Enrol(transaction, recorder, terms, by));
    }
    return {};
  }));
}

grpc::Status ApproveCard(const TwoPeople& people, const v1::PendingAct& act,
                         const std::string& fingerprint) {
  v1::DecideApprovalRequest request;
  request.set_decision(SignedDecision(people.pki, people.second, act,
                                      identity::DecisionKind::kApprove, fingerprint));
  grpc::ClientContext context;
  v1::PendingAct decided;
  return v1::Approvals::NewStub(people.second_channel)->Decide(&context, request, &decided);
}

void Enrol(const TwoPeople& people, const transport::PeerCard& card) {
  v1::AcceptPeerRequest request;
  request.set_card(transport::EncodePeerCard(card));
  grpc::ClientContext context;
  v1::PendingAct act;
  grpc::Status status = v1::Peers::NewStub(people.first_channel)->Accept(&context, request, &act);
  if (status.ok()) {
    status =
        ApproveCard(people, act, transport::EncodeFingerprint(transport::CardFingerprint(card)));
  }
  if (!status.ok()) fmt::print(stderr, "{}\n", status.error_message());
  COMITY_CHECK(status.ok());
}

}  // namespace comity::testing
