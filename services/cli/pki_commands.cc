// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "services/cli/commands.h"
#include "services/cli/gateway_config.h"
#include "services/cli/local_file.h"
#include "services/cli/output.h"
#include "services/cli/pki_issue.h"
#include "services/transport/peer_card.h"
#include "services/transport/pki.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

struct InitOptions {
  std::string agency, name, trust_domain, dir;
};
struct CardOptions {
  std::string dir, out;
};
struct InstallOptions {
  std::string file, dir;
};
struct RevokeOptions {
  std::string dir, certificate, serial, reason;
};
struct ConfigOptions {
  GatewayConfigRequest request;
  std::string dir, out, data = "data";
};

Result<ExitCode> Init(const InitOptions& options, const Session& session) {
  COMITY_RETURN_IF_ERROR(Locally(
      transport::InitCa({options.agency, options.trust_domain, options.dir}, session.clock.Now())));
  if (!options.name.empty()) {
    COMITY_RETURN_IF_ERROR(WriteNewFile(AgencyNameFile(options.dir), options.name + "\n"));
  }
  if (session.json) {
    PrintJson(Json{
        {"agency", options.agency}, {"trust_domain", options.trust_domain}, {"dir", options.dir}});
  } else {
    Print("Made the keys of " + options.agency + " in " + options.dir +
          ". Next: comity pki issue --dir " + options.dir + " --gateway\n");
  }
  return ExitCode::kOk;
}

Json CardJson(const transport::PeerCard& card) {
  return {{"agency", card.agency},
          {"spiffe_id", card.spiffe_id},
          {"signing_key", card.signing_key},
          {"log_key", card.log_key},
          {"anchor_sha256", card.anchor_fingerprint}};
}

void PrintComparison(const transport::PeerCard& card) {
  Print(
      "Compare over another way (in person, or a telephone number known before):\n"
      "  agency       " +
      card.agency + "\n  signing key  " + card.signing_key + "\n  log key      " + card.log_key +
      "\n  CA SHA-256   " + card.anchor_fingerprint + "\n");
}

Result<ExitCode> Card(const CardOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const transport::PeerCard card,
                          Locally(transport::ExportPeerCard(options.dir)));
  if (!options.out.empty()) {
    COMITY_RETURN_IF_ERROR(WriteNewFile(options.out, transport::EncodePeerCard(card)));
  }
  if (session.json) {
    PrintJson(CardJson(card));
  } else if (options.out.empty()) {
    Print(transport::EncodePeerCard(card));
  } else {
    PrintComparison(card);
  }
  return ExitCode::kOk;
}

Result<ExitCode> InstallCard(const InstallOptions& options, const Session& session) {
  constexpr std::size_t kMaxCard = 64 * 1024;
  COMITY_ASSIGN_OR_RETURN(const std::string text, ReadLocalText(options.file, kMaxCard));
  COMITY_ASSIGN_OR_RETURN(const transport::PeerCard card, transport::ParsePeerCard(text));
  COMITY_RETURN_IF_ERROR(Locally(transport::InstallPeerCard(card, options.dir)));
  if (session.json) {
    PrintJson(CardJson(card));
  } else {
    PrintComparison(card);
  }
  return ExitCode::kOk;
}

Result<ExitCode> Revoke(const RevokeOptions& options, const Session& session) {
  if (options.certificate.empty() == options.serial.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "give one of --certificate and --serial");
  }
  COMITY_ASSIGN_OR_RETURN(const auto reason, transport::ParseRevocationReason(options.reason));
  COMITY_ASSIGN_OR_RETURN(
      const std::string serial,
      Locally(transport::Revoke(
          options.dir, {options.serial.empty() ? options.certificate : options.serial, reason},
          session.clock.Now())));
  if (session.json) {
    PrintJson(Json{{"serial", serial}, {"crl", options.dir + "/crl.pem"}});
  } else {
    Print("Revoked " + serial + ". Give " + options.dir +
          "/crl.pem to the own gateway and to every partner; it bites where it is in place.\n");
  }
  return ExitCode::kOk;
}

Result<ExitCode> RenewCrl(const CardOptions& options, const Session& session) {
  COMITY_RETURN_IF_ERROR(Locally(transport::RenewCrl(options.dir, session.clock.Now())));
  if (session.json) {
    PrintJson(Json{{"crl", options.dir + "/crl.pem"}});
  } else {
    Print("Signed " + options.dir + "/crl.pem anew, for 7 days.\n");
  }
  return ExitCode::kOk;
}

Result<ExitCode> Config(const ConfigOptions& options, const Session& session) {
  GatewayConfigRequest request = options.request;
  request.pki_folder = options.dir;
  request.out = options.out;
  request.data = options.data;
  COMITY_RETURN_IF_ERROR(WriteGatewayConfig(request));
  if (session.json) {
    PrintJson(Json{{"config", options.out}});
  } else {
    Print("Wrote " + options.out + ". Next: comity doctor --config " + options.out + "\n");
  }
  return ExitCode::kOk;
}

const OptionText kDir = {"--dir", "DIR", "the agency's key folder", true};

void AddInit(CommandLine& line, Session& session) {
  const auto options = std::make_shared<InitOptions>();
  line.Add({"pki init", "make an agency's CA and keys",
            "Makes a certificate authority for the agency and the keys of its gateway in DIR. "
            "Nothing\n"
            "that exists is overwritten. Keep DIR/ca off the gateway's machine in earnest use.",
            "DIR holds keys already",
            "comity pki init --agency northshire-police --name 'Northshire Police' \\\n"
            "    --trust-domain northshire-police.example --dir northshire"},
           Asks::kNobody, [options, &session] { return Init(*options, session); })
      .Add({"--agency", "ID", "agency id: 1 to 64 of a-z 0-9 '-'", true}, options->agency)
      .Add({"--name", "TEXT", "the agency's name for people", false}, options->name)
      .Add({"--trust-domain", "DOMAIN", "a DNS name that is the agency's own", true},
           options->trust_domain)
      .Add({"--dir", "DIR", "folder to make", true}, options->dir);
}

void AddCards(CommandLine& line, Session& session) {
  const auto card = std::make_shared<CardOptions>();
  line.Add({"pki card", "what a partner needs to enrol this agency",
            "Writes the peer card: agency, public keys, CA certificate. It holds no secret, but "
            "both\n"
            "sides must compare its keys and fingerprint over another way before they use it.",
            "FILE exists already", "comity pki card --dir northshire --out northshire.card.toml"},
           Asks::kNobody, [card, &session] { return Card(*card, session); })
      .Add(kDir, card->dir)
      .Add({"--out", "FILE", "file to write; default: standard output", false}, card->out);
  const auto install = std::make_shared<InstallOptions>();
  line.Add({"pki install-card", "install a partner's card",
            "Checks a peer card and writes DIR/<agency>/anchor.pem and signing.pub, which the\n"
            "configuration's [[peer]] names. Prints what must be compared with the partner.",
            "a card of this agency is installed already",
            "comity pki install-card eastvale.card.toml --dir peers"},
           Asks::kNobody, [install, &session] { return InstallCard(*install, session); })
      .Add({"file", "FILE", "the partner's card", true}, install->file)
      .Add({"--dir", "DIR", "folder of all peers", true}, install->dir);
}

void AddRevocation(CommandLine& line, Session& session) {
  const auto revoke = std::make_shared<RevokeOptions>();
  line.Add({"pki revoke", "revoke a certificate",
            "Marks a certificate of this CA as revoked and signs a new revocation list.",
            "it is revoked already",
            "comity pki revoke --dir northshire --certificate northshire/people/j-smith.pem \\\n"
            "    --reason key-compromise"},
           Asks::kNobody, [revoke, &session] { return Revoke(*revoke, session); })
      .Add(kDir, revoke->dir)
      .Add({"--certificate", "FILE", "PEM file of the certificate", false}, revoke->certificate)
      .Add({"--serial", "HEX", "or its serial number", false}, revoke->serial)
      .Add(
          {"--reason", "TEXT",
           "unspecified, key-compromise, affiliation-changed, superseded or cessation-of-operation",
           true},
          revoke->reason);
  const auto renew = std::make_shared<CardOptions>();
  line.Add(
          {"pki renew-crl", "sign the revocation list anew",
           "Signs DIR/crl.pem for another 7 days. Where a list is configured and older, everybody\n"
           "whom it covers is refused: run this daily.",
           "", "comity pki renew-crl --dir northshire"},
          Asks::kNobody, [renew, &session] { return RenewCrl(*renew, session); })
      .Add(kDir, renew->dir);
}

void AddConfig(CommandLine& line, Session& session) {
  const auto options = std::make_shared<ConfigOptions>();
  auto& request = options->request;
  request.federation = "127.0.0.1:7443";
  request.agency_port = "127.0.0.1:7444";
  request.web = "127.0.0.1:7445";
  line.Add({"pki config", "write a gateway's configuration",
            "Writes a complete, commented comityd.toml from the key folder and installs the cards "
            "of\n"
            "peers beside it (peers/<agency>). Compare each card with its agency before.",
            "FILE exists, or another card of a peer is installed",
            "comity pki config --dir northshire --out comityd.toml \\\n"
            "    --peer eastvale.card.toml@192.0.2.7:7443"},
           Asks::kNobody, [options, &session] { return Config(*options, session); })
      .Add(kDir, options->dir)
      .Add({"--out", "FILE", "file to write, e.g. comityd.toml", true}, options->out)
      .Add({"--name", "TEXT", "the agency's name for people; default: as at init", false},
           request.name)
      .Add({"--federation", "HOST:PORT", "where partners connect; default 127.0.0.1:7443", false},
           request.federation)
      .Add({"--agency-port", "HOST:PORT", "own engines and people; default 127.0.0.1:7444", false},
           request.agency_port)
      .Add({"--web", "HOST:PORT", "health, metrics, log; default 127.0.0.1:7445", false},
           request.web)
      .Add({"--data", "DIR", "data folder, relative to FILE; default: data", false}, options->data)
      .Add({"--peer", "CARD@ADDRESS", "a peer's card and its federation port; repeatable", false},
           request.peers);
}

}  // namespace

void AddPkiCommands(CommandLine& line, Session& session) {
  line.Group("pki", "keys and certificates of an agency");
  AddInit(line, session);
  AddPkiIssue(line, session);
  AddCards(line, session);
  AddRevocation(line, session);
  AddConfig(line, session);
}

}  // namespace comity::cli
