// SPDX-License-Identifier: Apache-2.0
#include "services/cli/gateway_config.h"

#include <system_error>
#include <utility>

#include "services/cli/exit_code.h"
#include "services/cli/local_file.h"
#include "services/runtime/config.h"
#include "services/transport/peer_card.h"

namespace comity::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxCard = 64 * 1024;
constexpr std::size_t kMaxName = 1024;

struct Peer {
  transport::PeerCard card;
  std::string address;
};

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

fs::path FolderOf(const fs::path& out) {
  return fs::absolute(out).lexically_normal().parent_path();
}

// A path as it stands in the configuration: relative to the configuration's folder.
std::string FromConfig(const fs::path& out, const fs::path& path) {
  return Quoted(fs::absolute(path).lexically_normal().lexically_proximate(FolderOf(out)).string());
}

Result<Peer> ReadPeer(const std::string& text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string::npos || at == 0 || at + 1 == text.size()) {
    return Fail(ErrorCode::kInvalidArgument,
                "--peer takes CARD@ADDRESS, for example partner.card.toml@192.0.2.7:7443");
  }
  const std::string file = text.substr(0, at);
  COMITY_ASSIGN_OR_RETURN(const std::string content, ReadLocalText(file, kMaxCard));
  auto card = transport::ParsePeerCard(content);
  if (!card) return Fail(ErrorCode::kInvalidArgument, file + ": " + card.error().detail);
  return Peer{*std::move(card), text.substr(at + 1)};
}

// A card that is installed already is kept; another one of the same agency is a conflict.
Status Install(const transport::PeerCard& card, const fs::path& folder) {
  const fs::path own = folder / card.agency;
  const auto anchor = ReadLocalText(own / "anchor.pem", kMaxCard);
  const auto key = ReadLocalText(own / "signing.pub", kMaxCard);
  if (anchor && key && *anchor == card.anchor_pem && *key == card.signing_key + "\n") return {};
  return Locally(transport::InstallPeerCard(card, folder));
}

std::string PeerText(const Peer& peer, const fs::path& out) {
  const fs::path own = FolderOf(out) / "peers" / peer.card.agency;
  std::string text = "\n[[peer]]\nagency = " + Quoted(peer.card.agency) +
                     "\naddress = " + Quoted(peer.address) + "  # its federation port" +
                     "\nspiffe_id = " + Quoted(peer.card.spiffe_id) +
                     "\ntrust_anchor = " + FromConfig(out, own / "anchor.pem") + "\n";
  std::error_code ignored;
  const std::string crl = "crl = " + FromConfig(out, own / "crl.pem");
  text += fs::exists(own / "crl.pem", ignored)
              ? crl + "  # must be renewed by the peer every 7 days\n"
              : "# " + crl + "  # once the peer sends its crl.pem daily\n";
  return text + "signing_key_file = " + FromConfig(out, own / "signing.pub") + "\n";
}

std::string ConfigText(const GatewayConfigRequest& request, const transport::PeerCard& own) {
  const fs::path& pki = request.pki_folder;
  const auto file = [&](const char* name) { return FromConfig(request.out, pki / name); };
  const std::string domain = own.spiffe_id.substr(9, own.spiffe_id.rfind('/') - 9);
  return "# Configuration of a gateway: comityd --config FILE. Every key: "
         "docs/formats/configuration.md.\n"
         "# Relative paths are relative to this file. 'comity doctor --config FILE' checks all of "
         "it.\n\n"
         "[agency]\nid = " +
         Quoted(own.agency) + "\nname = " + Quoted(request.name) +
         "  # as people read it\ntrust_domain = " + Quoted(domain) +
         "\n\n[data]\n# Database and log; made with mode 0700 if absent. On a local "
         "disk.\ndirectory = " +
         Quoted(request.data.string()) +
         "\n\n[listen]\n# Partners' gateways only. To be reached by them, bind it to an outside "
         "address.\n"
         "federation = " +
         Quoted(request.federation) +
         "\n# Own engines, command line and console.\nagency = " + Quoted(request.agency_port) +
         "\n# Health, metrics and the published log.\nweb = " + Quoted(request.web) +
         "\n\n[keys]\ntls = " + file("gateway.pem") + "\nroots = " + file("ca/ca.pem") +
         "\n# Older than 7 days, it refuses everybody: run 'comity pki renew-crl' daily.\ncrl = " +
         file("crl.pem") + "\nsigning = " + file("keys/agency-signing.key") +
         "\nlog = " + file("keys/log.key") +
         "\n# Back it up apart from the data: without it, templates and personal fields are lost.\n"
         "key_encryption = " +
         file("keys/key-encryption.key") + "\n";
}

Status CheckText(const std::string& text, const fs::path& out) {
  const auto parsed = runtime::ParseConfig(text, out);
  if (parsed) return {};
  std::string faults;
  for (const runtime::ConfigIssue& issue : parsed.error()) {
    faults += (faults.empty() ? "" : "\n") + issue.message;
  }
  return Fail(ErrorCode::kInvalidArgument, faults);
}

}  // namespace

fs::path AgencyNameFile(const fs::path& pki_folder) {
  return pki_folder / "name.txt";
}

Status WriteGatewayConfig(const GatewayConfigRequest& request) {
  COMITY_ASSIGN_OR_RETURN(const transport::PeerCard own,
                          Locally(transport::ExportPeerCard(request.pki_folder)));
  GatewayConfigRequest filled = request;
  if (filled.name.empty()) {
    const auto name = ReadLocalText(AgencyNameFile(request.pki_folder), kMaxName);
    filled.name = name ? name->substr(0, name->find('\n')) : own.agency;
  }
  std::vector<Peer> peers;
  std::string text = ConfigText(filled, own);
  for (const std::string& peer : request.peers) {
    COMITY_ASSIGN_OR_RETURN(Peer read, ReadPeer(peer));
    text += PeerText(read, request.out);
    peers.push_back(std::move(read));
  }
  if (peers.empty())
    text += "\n# One [[peer]] for each partner: 'comity pki config --peer CARD@ADDRESS'.\n";
  COMITY_RETURN_IF_ERROR(CheckText(text, request.out));
  std::error_code fault;  // shows when the file is written
  fs::create_directories(FolderOf(request.out), fault);
  for (const Peer& peer : peers) {
    fs::create_directories(FolderOf(request.out) / "peers", fault);
    COMITY_RETURN_IF_ERROR(Install(peer.card, FolderOf(request.out) / "peers"));
  }
  return WriteNewFile(request.out, text);
}

}  // namespace comity::cli
