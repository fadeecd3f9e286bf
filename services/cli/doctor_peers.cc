// SPDX-License-Identifier: Apache-2.0
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <chrono>
#include <map>

#include "comity/v1/federation.grpc.pb.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/instant.h"
#include "services/cli/doctor_checks.h"
#include "services/cli/local_file.h"
#include "services/cli/tcp_probe.h"
#include "services/transport/credentials.h"
#include "services/transport/limits.h"
#include "services/transport/status.h"
#include "services/transport/trust_store.h"
#include "services/transport/validity.h"

namespace comity::cli {
namespace {

constexpr std::chrono::days kSoon{14};
constexpr std::chrono::days kCrlSoon{2};
constexpr std::size_t kMaxKeyFile = 4096;

std::string NameOf(const runtime::PeerConfig& peer) {
  return "peer " + peer.agency;
}

transport::PinnedPeer PinOf(const runtime::PeerConfig& peer) {
  return {peer.agency, peer.spiffe_id, peer.trust_anchor, peer.crl};
}

std::string Until(runtime::Instant instant) {
  return policy::EncodeInstant(std::chrono::floor<std::chrono::seconds>(instant));
}

bool CheckTrust(const runtime::PeerConfig& peer, runtime::Instant now, Findings& findings) {
  auto trust = transport::TrustStore::ForFederation({PinOf(peer)});
  if (!trust) {
    findings.Wrong(NameOf(peer), trust.error().detail);
    return false;
  }
  const auto faults = (*trust)->Faults(now);
  for (const std::string& fault : faults) findings.Wrong(NameOf(peer), fault);
  if (!faults.empty()) return false;
  const auto anchors = transport::ValidityOfAnchors(peer.trust_anchor);
  if (anchors && now + kSoon > anchors->until) {
    findings.Warn(NameOf(peer), "its trust anchor expires at " + Until(anchors->until) +
                                    ": ask for its next card");
  }
  if (!peer.crl) return true;
  const auto crl = transport::ValidityOfRevocationLists(*peer.crl);
  if (crl && now + kCrlSoon > crl->until) {
    findings.Warn(NameOf(peer), "its revocation list expires at " + Until(crl->until) +
                                    "; then it is refused: install its fresh crl.pem");
  }
  return true;
}

void CheckSigningKey(const runtime::PeerConfig& peer, std::map<std::string, std::string>& keys,
                     Findings& findings) {
  const auto text = ReadLocalText(peer.signing_key_file, kMaxKeyFile);
  if (!text) {
    findings.Wrong(NameOf(peer), text.error().detail);
    return;
  }
  const std::string key = text->substr(0, text->find('\n'));
  if (const auto parsed = sign::ParsePublicKey(key); !parsed) {
    findings.Wrong(NameOf(peer), peer.signing_key_file.string() + ": " + parsed.error().detail +
                                     ": install the peer's card again");
    return;
  }
  const auto [at, is_new] = keys.emplace(key, NameOf(peer));
  if (!is_new) {
    findings.Wrong(NameOf(peer),
                   "its signing key is that of " + at->second + ": two cards were mixed up");
    return;
  }
  findings.Ok(NameOf(peer), "pinned as " + peer.spiffe_id + ", signing key " + key);
}

std::string OwnSigningKey(const runtime::Config& config) {
  const auto key = ReadSigningKey(config.keys.signing);
  return key ? sign::EncodePublicKey(key->public_key()) : std::string();
}

// Why the handshake failed: a call on the dead channel ends with its reason.
std::string ReasonOf(const std::shared_ptr<grpc::Channel>& channel) {
  const auto stub = v1::Federation::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(1));
  v1::SignedMessage reply;
  const grpc::Status status = stub->Hello(&context, v1::SignedMessage(), &reply);
  return status.ok() ? std::string() : transport::FromLocalGrpcStatus(status).detail;
}

void Contact(const runtime::Config& config, const runtime::PeerConfig& peer,
             const runtime::Clock& clock, Findings& findings) {
  const std::string at = peer.address.text();
  if (const Status tcp = TryConnect(peer.address, transport::limits::kHelloDeadline); !tcp) {
    findings.Warn(NameOf(peer), "no connection to " + at + " (" + tcp.error().detail +
                                    "): is it running, is the address right, does a firewall block "
                                    "it?");
    return;
  }
  const auto channel = transport::OpenChannel({peer.address, config.keys.tls, PinOf(peer)},
                                              {transport::limits::kMaxFederationMessage, clock});
  if (!channel) {
    findings.Wrong(NameOf(peer), channel.error().detail);
    return;
  }
  if ((*channel)->WaitForConnected(std::chrono::system_clock::now() +
                                   transport::limits::kHelloDeadline)) {
    findings.Ok(NameOf(peer), "TLS handshake with " + at + " succeeds");
    return;
  }
  findings.Wrong(NameOf(peer),
                 at +
                     " accepts connections, but the TLS handshake fails: it is "
                     "another gateway than the pinned one, or it does not accept this "
                     "one; compare both cards (" +
                     ReasonOf(*channel) + ")");
}

}  // namespace

void CheckPeerFiles(const runtime::Config& config, runtime::Instant now, Findings& findings) {
  if (config.peers.empty()) {
    findings.Warn("peers", "none is configured: this gateway talks to nobody");
  }
  std::map<std::string, std::string> keys;
  if (const std::string own = OwnSigningKey(config); !own.empty()) keys[own] = "this agency";
  for (const runtime::PeerConfig& peer : config.peers) {
    if (CheckTrust(peer, now, findings)) CheckSigningKey(peer, keys, findings);
  }
}

void CheckPeerReachability(const runtime::Config& config, const runtime::Clock& clock,
                           Findings& findings) {
  for (const runtime::PeerConfig& peer : config.peers) Contact(config, peer, clock, findings);
}

}  // namespace comity::cli
