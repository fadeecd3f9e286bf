// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "services/cli/commands.h"
#include "services/cli/gateway_config.h"
#include "services/cli/local_file.h"
#include "services/cli/output.h"
#include "services/cli/pki_issue.h"
#include "services/transport/fingerprint.h"
#include "services/transport/peer_card.h"
#include "services/transport/pki.h"
#include "services/transport/pki_rotate.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

struct InitOptions {
  std::string agency, name, trust_domain, dir;
};
struct CrlOptions {
  std::string dir;
};
struct RotateOptions {
  std::string dir, card, out;
  bool switch_now = false;
};
struct RevokeOptions {
  std::string dir, certificate, serial, reason;
};
struct ConfigOptions {
  GatewayConfigRequest request;
  std::string dir, out, data = "data", ledger = "erasure-ledger";
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

Result<ExitCode> SwitchKey(const RotateOptions& options, const Session& session) {
  if (!options.card.empty() || !options.out.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "--switch goes without --card and --out");
  }
  COMITY_RETURN_IF_ERROR(Locally(transport::SwitchKey(options.dir)));
  if (session.json) {
    PrintJson(Json{{"dir", options.dir}, {"state", "switched"}});
  } else {
    Print("The next key is the present one now. Start the gateway again, then destroy\n" +
          options.dir + "/keys/agency-signing.former.key.\n");
  }
  return ExitCode::kOk;
}

Result<ExitCode> RotateKey(const RotateOptions& options, const Session& session) {
  if (options.switch_now) return SwitchKey(options, session);
  if (options.card.empty() || options.out.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "give --card and --out, or --switch");
  }
  COMITY_ASSIGN_OR_RETURN(const std::string text,
                          ReadLocalText(options.card, transport::kMaxPeerCard));
  COMITY_ASSIGN_OR_RETURN(transport::PeerCard present, transport::ParsePeerCard(text));
  COMITY_ASSIGN_OR_RETURN(const transport::PeerCard next,
                          Locally(transport::MakeNextKey(options.dir, std::move(present))));
  COMITY_RETURN_IF_ERROR(WriteNewFile(options.out, transport::EncodePeerCard(next)));
  const std::string fingerprint = transport::EncodeFingerprint(transport::CardFingerprint(next));
  if (session.json) {
    PrintJson(Json{
        {"card", options.out}, {"signing_key", next.signing_key}, {"fingerprint", fingerprint}});
  } else {
    Print("next signing key  " + next.signing_key + "\ncard fingerprint  " + fingerprint +
          "\nNext: comity peer rekey " + options.out +
          "  (two people; it is announced to all partners)\n");
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

Result<ExitCode> RenewCrl(const CrlOptions& options, const Session& session) {
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
  request.ledger = options.ledger;
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

void AddRotation(CommandLine& line, Session& session) {
  const auto options = std::make_shared<RotateOptions>();
  line.Add(
          {"pki rotate-key", "replace the agency's signing key",
           "Makes the agency's next signing key and a card of it, signed by the present key and\n"
           "the next one. Announce that card with 'comity peer rekey'; once the partners have\n"
           "approved it ('comity peer list' says who), run this again with --switch and start the\n"
           "gateway again.",
           "a next key is there already, or with --switch a former one",
           "comity peer invite --out present.card.toml\n"
           "  comity pki rotate-key --dir northshire --card present.card.toml --out "
           "next.card.toml\n"
           "  comity peer rekey next.card.toml\n"
           "  comity pki rotate-key --dir northshire --switch"},
          Asks::kNobody, [options, &session] { return RotateKey(*options, session); })
      .Add(kDir, options->dir)
      .Add({"--card", "FILE", "the present card, of 'comity peer invite'", false}, options->card)
      .Add({"--out", "FILE", "file to write the next card to", false}, options->out)
      .Add({"--switch", "", "the next key becomes the present one", false}, options->switch_now);
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
  const auto renew = std::make_shared<CrlOptions>();
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
            "Writes a complete, commented comityd.toml from the key folder and installs the cards\n"
            "of the first two administrators beside it (administrators/<id>). Partners are\n"
            "enrolled later, in the running gateway: 'comity peer'.",
            "FILE exists, or another card of an administrator is installed",
            "comity pki config --dir northshire --out comityd.toml \\\n"
            "    --administrator northshire/people/admin-1.card.toml \\\n"
            "    --administrator northshire/people/admin-2.card.toml"},
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
      .Add({"--ledger", "DIR",
            "the erasure ledger, on another disk than the data; default: erasure-ledger", false},
           options->ledger)
      .Add({"--administrator", "CARD", "card of one of the first two administrators; twice", true},
           request.administrators);
}

}  // namespace

void AddPkiCommands(CommandLine& line, Session& session) {
  line.Group("pki", "keys and certificates of an agency");
  AddInit(line, session);
  AddPkiIssue(line, session);
  AddRotation(line, session);
  AddRevocation(line, session);
  AddConfig(line, session);
}

}  // namespace comity::cli
