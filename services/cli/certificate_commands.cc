// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "comity/v1/certificates.grpc.pb.h"
#include "crypto/base/encoding.h"
#include "services/cli/approval_text.h"
#include "services/cli/commands.h"
#include "services/cli/local_file.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/wire_text.h"
#include "services/transport/certificate.h"
#include "services/transport/peer_identity.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxCertificateFile = std::size_t{64} << 10;

struct CertificateOptions {
  std::string scope, certificate, subject, reason, revocation;
  bool all = false;
};

Result<v1::RevocationScope> ScopeNamed(std::string_view text) {
  if (text == "certificate") return v1::REVOCATION_SCOPE_CERTIFICATE;
  if (text == "key") return v1::REVOCATION_SCOPE_KEY;
  return Fail(ErrorCode::kInvalidArgument, "what is revoked is a certificate or a key");
}

std::string ScopeText(v1::RevocationScope scope) {
  return scope == v1::REVOCATION_SCOPE_KEY ? "key" : "certificate";
}

Json RevocationJson(const v1::CertificateRevocation& one) {
  return {{"revocation", one.revocation()},   {"scope", ScopeText(one.scope())},
          {"sha256", HexText(one.sha256())},  {"subject", one.subject()},
          {"set_by", one.set_by()},           {"reason", one.reason()},
          {"set_at", TimeText(one.set_at())}, {"lifted_by", one.lifted_by()},
          {"lift_reason", one.lift_reason()}, {"lifted_at", TimeText(one.lifted_at())}};
}

// The SHA-256 itself, or a file that holds the certificate: then whose it is, too.
Result<v1::RevokeCertificateRequest> RequestOf(const CertificateOptions& options) {
  v1::RevokeCertificateRequest request;
  COMITY_ASSIGN_OR_RETURN(const v1::RevocationScope scope, ScopeNamed(options.scope));
  request.set_scope(scope);
  request.set_reason(options.reason);
  request.set_subject(options.subject);
  const auto set = [&](const Digest& sha256) {
    request.set_sha256(sha256.bytes.data(), sha256.bytes.size());
  };
  if (const auto sha256 = ParseHexDigest(options.certificate); sha256) {
    set(*sha256);
    return request;
  }
  std::error_code fault;
  if (!std::filesystem::exists(options.certificate, fault)) {
    return Fail(ErrorCode::kInvalidArgument,
                options.certificate +
                    " is neither a file nor a SHA-256: 64 characters 0-9 a-f without colons");
  }
  COMITY_ASSIGN_OR_RETURN(const std::string pem,
                          ReadLocalText(options.certificate, kMaxCertificateFile));
  COMITY_ASSIGN_OR_RETURN(const auto certificate, transport::ReadPublicCertificate(pem));
  set(scope == v1::REVOCATION_SCOPE_KEY ? certificate.public_key : certificate.fingerprint);
  const std::string found = transport::EncodeSpiffeId(certificate.identity);
  if (!options.subject.empty() && options.subject != found) {
    return Fail(ErrorCode::kInvalidArgument,
                options.certificate + " is of " + found + ", not of " + options.subject);
  }
  request.set_subject(found);
  return request;
}

Result<ExitCode> Revoke(const CertificateOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const v1::RevokeCertificateRequest request, RequestOf(options));
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::CertificateRevocation one,
                          gateway.Call<v1::Certificates>(&v1::Certificates::Stub::Revoke, request));
  if (session.json) {
    PrintJson(RevocationJson(one));
    return ExitCode::kOk;
  }
  const std::string of = one.subject().empty() ? "" : " of " + Clean(one.subject());
  Print(Clean(one.revocation()) + ": the " + ScopeText(one.scope()) + " " + HexText(one.sha256()) +
        of + " is refused from now on, until two people reinstate it\n");
  return ExitCode::kOk;
}

Result<ExitCode> List(const CertificateOptions& options, const Session& session) {
  v1::ListCertificateRevocationsRequest request;
  request.set_all(options.all);
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::ListCertificateRevocationsResponse response,
                          gateway.Call<v1::Certificates>(&v1::Certificates::Stub::List, request));
  Table table(
      {"REVOCATION", "SCOPE", "SHA-256", "SUBJECT", "SET BY", "SET AT", "LIFTED BY", "REASON"});
  Json json = Json::array();
  for (const v1::CertificateRevocation& one : response.revocations()) {
    json.push_back(RevocationJson(one));
    table.Add({one.revocation(), ScopeText(one.scope()), HexText(one.sha256()), one.subject(),
               one.set_by(), TimeText(one.set_at()), one.lifted_by(), one.reason()});
  }
  if (session.json) {
    PrintJson(json);
  } else {
    Print(table.empty() ? "this gateway has revoked no certificate\n" : table.Text());
  }
  return ExitCode::kOk;
}

Result<ExitCode> Reinstate(const CertificateOptions& options, const Session& session) {
  v1::ReinstateCertificateRequest request;
  request.set_revocation(options.revocation);
  request.set_reason(options.reason);
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(
      const v1::PendingAct act,
      gateway.Call<v1::Certificates>(&v1::Certificates::Stub::Reinstate, request));
  ReportPending(act, session.json);
  return ExitCode::kOk;
}

}  // namespace

void AddCertificateCommands(CommandLine& line, Session& session) {
  line.Group("certificate", "certificates and keys that this gateway itself bars");
  auto options = std::make_shared<CertificateOptions>();
  line.Add(
          {"certificate revoke", "bar a certificate or a key at this gateway at once",
           "For a partner's gateway, an engine or a person whose key may be in other hands: one\n"
           "person is enough, and nobody waits for a revocation list. When the command ends, "
           "calls\n"
           "and handshakes of it are refused at both ports and on channels to partners; open\n"
           "streams end within a second. 'key' also bars renewed certificates of the same key and\n"
           "is what a stolen key needs; 'certificate' bars this one alone. It stays so, also over\n"
           "a restart, until two people reinstate it. Refused for a key of the agency's own "
           "people\n"
           "whose bar nobody could undo: two administrators, or a signatory and another who may\n"
           "revoke, must remain; for a second such key of yours, besides you. Another person may\n"
           "do it then. At most 100 that stand are of one person.",
           "it is revoked already, or nobody could lift it",
           "comity certificate revoke key eastvale-gateway.crt --reason 'laptop stolen'"},
          Asks::kGateway, [options, &session] { return Revoke(*options, session); })
      .Add({"scope", "SCOPE", "certificate or key", true}, options->scope)
      .Add({"certificate", "FILE|SHA256",
            "PEM file with the certificate, or 64 characters 0-9 a-f: SHA-256 of the certificate's "
            "DER, for 'key' of its SubjectPublicKeyInfo",
            true},
           options->certificate)
      .Add({"--subject", "SPIFFE_ID", "whose it is, if no file says so: shown with it, not checked",
            false},
           options->subject)
      .Add({"--reason", "TEXT", "why, up to 1000 octets", true}, options->reason);
  options = std::make_shared<CertificateOptions>();
  line.Add(
          {"certificate list", "what this gateway bars",
           "Prints the revocations that stand, newest first.", "", "comity certificate list --all"},
          Asks::kGateway, [options, &session] { return List(*options, session); })
      .Add({"--all", "", "also those that were lifted", false}, options->all);
  options = std::make_shared<CertificateOptions>();
  line.Add({"certificate reinstate", "propose to take a revoked certificate or key again",
            "Takes effect when a signatory other than the proposer has approved it (comity\n"
            "approvals approve). A key that was in other hands stays there: it is for what was\n"
            "revoked by mistake, or was never lost.",
            "it was lifted already",
            "comity certificate reinstate rev-... --reason 'the laptop was found sealed'"},
           Asks::kGateway, [options, &session] { return Reinstate(*options, session); })
      .Add({"revocation", "REVOCATION", "revocation id", true}, options->revocation)
      .Add({"--reason", "TEXT", "why, up to 1000 octets", true}, options->reason);
}

}  // namespace comity::cli
