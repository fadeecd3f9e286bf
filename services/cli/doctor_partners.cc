// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <future>
#include <string>
#include <utility>

#include "comity/v1/node.grpc.pb.h"
#include "policy/model/instant.h"
#include "services/cli/doctor_checks.h"
#include "services/cli/own_gateway.h"
#include "services/transport/address.h"
#include "services/transport/certificate.h"
#include "services/transport/chain_gap.h"
#include "services/transport/handshake_probe.h"
#include "services/transport/trust_store.h"

namespace comity::cli {
namespace {

constexpr std::chrono::seconds kPatience{3};
constexpr std::size_t kAtOnce = 32;  // threads
constexpr std::chrono::days kSoon{14};
constexpr std::chrono::milliseconds kClockWarning{5000};

std::string What(const identity::Peer& peer) {
  return "partner " + peer.terms.agency.text();
}

// Whether who answers has another name than was enrolled, or a chain to another authority.
bool IsSomebodyElse(const identity::Peer& peer, const transport::ShownIdentity& shown,
                    const std::string& anchors) {
  const auto certificate = transport::ReadPublicCertificate(shown.pem_chain);
  if (!certificate) return true;
  return transport::EncodeSpiffeId(certificate->identity) != peer.terms.spiffe_id ||
         transport::FindChainGap(shown.pem_chain, anchors).has_value();
}

std::string RefusalWords(const PartnerCheck& check, const identity::Peer& peer,
                         const transport::ShownIdentity& shown, const Error& refusal) {
  if (refusal.code == ErrorCode::kUnavailable) {
    return "it is refused, because its revocation list or CA cannot be used here: " +
           refusal.detail + "; install its fresh crl.pem";
  }
  const std::string who = "who answers at " + peer.terms.address;
  if (!IsSomebodyElse(peer, shown, peer.AnchorsAt(check.now))) {
    return who + " shows a certificate that is refused: " + refusal.detail +
           "; ask the partner to renew it";
  }
  return who + " shows another certificate than the enrolled CA speaks for: " + refusal.detail +
         "; ask the partner by telephone whether it changed its CA or address, then comity peer "
         "rekey";
}

// Verifies what a partner showed as the gateway does.
void CheckShown(const PartnerCheck& check, const identity::Peer& peer,
                const transport::ShownIdentity& shown, Findings& findings) {
  transport::PinnedPeer pin{
      peer.terms.agency.text(), peer.terms.spiffe_id, {}, {}, peer.AnchorsAt(check.now)};
  if (check.config.peers.crl_folder) {
    pin.crl_file = *check.config.peers.crl_folder / (pin.agency + ".pem");
  }
  const auto trust = transport::TrustStore::ForFederation({std::move(pin)});
  if (!trust) {
    findings.Wrong(What(peer), "its enrolled CA cannot be used: " + trust.error().detail);
    return;
  }
  const auto verified = (*trust)->Verify(shown.pem_chain, check.now, transport::PeerRole::kServer);
  if (!verified) {
    findings.Wrong(What(peer), RefusalWords(check, peer, shown, verified.error()));
  } else if (!shown.admits) {
    findings.Wrong(What(peer), "it is who was enrolled, and does not admit this gateway (" +
                                   shown.refusal +
                                   "): ask whether it has enrolled this agency and has its "
                                   "present CA and revocation list");
  } else if (verified->expires_at < check.now + kSoon) {
    findings.Warn(
        What(peer),
        "its certificate expires at " +
            policy::EncodeInstant(std::chrono::floor<std::chrono::seconds>(verified->expires_at)) +
            ", in less than 14 days: tell the partner");
  } else {
    findings.Ok(What(peer), peer.terms.address + " is who was enrolled, and admits this gateway");
  }
}

Findings CheckPartner(const PartnerCheck& check, const identity::Peer& peer) {
  Findings findings;
  const auto address = transport::ParseAddress(peer.terms.address);
  if (!address) {
    findings.Wrong(What(peer), peer.terms.address + ": " + address.error().detail);
    return findings;
  }
  const auto shown = transport::ProbeHandshake(*address, check.config.keys.tls, kPatience);
  if (shown) {
    CheckShown(check, peer, *shown, findings);
  } else {
    findings.Wrong(What(peer), "it cannot be reached at " + peer.terms.address + ": " +
                                   shown.error().detail +
                                   "; check route and firewall, and ask whether it runs there");
  }
  return findings;
}

// Partners connect to this gateway too: their answers say nothing of that way.
void CheckListensOutside(const PartnerCheck& check, Findings& findings) {
  const runtime::Endpoint& own = check.config.listen.federation;
  if (!transport::IsLoopback(own)) return;
  for (const identity::Peer& peer : check.partners) {
    const auto address = transport::ParseAddress(peer.terms.address);
    if (!address || transport::IsLoopback(*address)) continue;
    findings.Warn("listen.federation",
                  own.text() + " is reached from this machine only, and " +
                      peer.terms.agency.text() + " is at " + peer.terms.address +
                      ": bind it to an outside address, unless something forwards to it");
    return;
  }
}

}  // namespace

void CheckPartners(const PartnerCheck& check, Findings& findings) {
  CheckListensOutside(check, findings);
  for (std::size_t first = 0; first < check.partners.size(); first += kAtOnce) {
    const std::size_t end = std::min(first + kAtOnce, check.partners.size());
    std::vector<std::future<Findings>> looks;
    for (std::size_t i = first; i < end; ++i) {
      looks.push_back(std::async(std::launch::async,
                                 [&check, i] { return CheckPartner(check, check.partners[i]); }));
    }
    for (auto& look : looks) findings.Append(look.get());
  }
}

void CheckContacts(const Session& session, Findings& findings) {
  if (session.profile_file.empty() && std::getenv("COMITY_PROFILE") == nullptr) return;
  const auto gateway = OwnGateway::Open(session);
  if (!gateway) {
    findings.Wrong("profile", gateway.error().detail);
    return;
  }
  v1::NodeStatusRequest request;
  request.set_contact_peers(true);
  const auto status = gateway->Call<v1::Node>(&v1::Node::Stub::Status, request);
  if (!status) {
    findings.Warn("running gateway", status.error().detail + "; clocks were not compared");
    return;
  }
  for (const v1::PeerStatus& peer : status->peers()) {
    const std::string what = "clock of " + peer.agency();
    const std::chrono::milliseconds skew(peer.clock_skew_ms());
    const std::string words = "differs from this one by " + std::to_string(skew.count()) + " ms";
    if (!peer.reachable()) {
      findings.Wrong("running gateway", peer.agency() + " does not answer it: " + peer.fault());
    } else if (skew > kClockWarning || skew < -kClockWarning) {
      findings.Warn(what, words + "; messages are refused from 60 s on");
    } else {
      findings.Ok(what, words);
    }
  }
}

}  // namespace comity::cli
