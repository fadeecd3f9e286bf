// SPDX-License-Identifier: Apache-2.0
#include "services/cli/pki_issue.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>

#include "policy/model/instant.h"
#include "services/cli/local_file.h"
#include "services/cli/output.h"
#include "services/cli/profile.h"
#include "services/runtime/file.h"
#include "services/transport/peer_identity.h"
#include "services/transport/person_card.h"
#include "services/transport/pki.h"
#include "services/transport/pki_folder.h"

namespace comity::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kDefaultDays = 90;
constexpr std::uint64_t kMaxDays = 825;
constexpr std::size_t kMaxCard = 64 * 1024;
constexpr char kDefaultListen[] = "127.0.0.1:7444";

struct IssueOptions {
  std::string dir, engine, person, listen, post;
  std::optional<std::uint64_t> days;
  std::vector<std::string> hosts;
  bool gateway = false;
  bool renew = false;
  bool new_key = false;
};

Result<transport::IssueRequest> RequestOf(const IssueOptions& options) {
  if (int{options.gateway} + int{!options.engine.empty()} + int{!options.person.empty()} != 1) {
    return Fail(ErrorCode::kInvalidArgument, "give one of --gateway, --engine and --person");
  }
  if (options.gateway && !options.listen.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "--listen goes with --person and --engine");
  }
  if (options.person.empty() && !options.post.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "--post goes with --person");
  }
  transport::IssueRequest request;
  if (!options.engine.empty()) request.kind = transport::PeerKind::kEngine;
  if (!options.person.empty()) request.kind = transport::PeerKind::kPerson;
  request.name = options.engine + options.person;
  request.days = static_cast<int>(options.days.value_or(kDefaultDays));
  request.hosts = options.hosts;
  request.renew = options.renew;
  request.new_key = options.new_key;
  return request;
}

// A renewal keeps the profile that is there, unless another address is asked for.
Result<fs::path> WriteProfile(const IssueOptions& options,
                              const transport::IssuedCertificate& issued) {
  const fs::path file = fs::path(issued.pem_file).replace_extension(".toml");
  std::error_code fault;
  const bool exists = fs::exists(file, fault);
  if (exists && options.listen.empty()) return file;
  Profile profile;
  COMITY_ASSIGN_OR_RETURN(
      profile.gateway,
      transport::ParseAddress(options.listen.empty() ? kDefaultListen : options.listen));
  COMITY_ASSIGN_OR_RETURN(const transport::AgencyName name,
                          Locally(transport::ReadAgencyName({options.dir})));
  profile.spiffe_id =
      transport::EncodeSpiffeId({transport::PeerKind::kGateway, name.trust_domain, {}});
  profile.identity = issued.pem_file.filename();
  profile.roots = "../ca/ca.pem";
  if (issued.signing_key_file) profile.signing_key = issued.signing_key_file->filename();
  if (exists) fs::remove(file, fault);
  COMITY_RETURN_IF_ERROR(WriteNewFile(file, EncodeProfile(profile)));
  return file;
}

// A renewal keeps the post that is in the card, unless another is given.
Result<fs::path> WriteCard(const IssueOptions& options,
                           const transport::IssuedCertificate& issued) {
  const fs::path file = fs::path(issued.pem_file).replace_extension(".card.toml");
  transport::PersonCard card{options.person, options.post, issued.signing_key, issued.certificate};
  if (card.post.empty()) {
    card.post = options.person;
    if (const auto known = ReadLocalText(file, kMaxCard)) {
      if (const auto old = transport::ParsePersonCard(*known)) card.post = old->post;
    }
  }
  const std::string text = transport::EncodePersonCard(card);
  COMITY_RETURN_IF_ERROR(transport::ParsePersonCard(text));
  COMITY_RETURN_IF_ERROR(Locally(runtime::WriteFile(file, AsBytes(text), 0644)));
  return file;
}

struct CallerFiles {
  fs::path profile;  // of a person or an engine
  fs::path card;     // of a person
};

void Report(const transport::IssuedCertificate& issued, const CallerFiles& files, bool json) {
  if (json) {
    nlohmann::ordered_json result = {{"certificate", issued.pem_file.string()},
                                     {"spiffe_id", issued.spiffe_id},
                                     {"serial", issued.serial},
                                     {"sha256", issued.fingerprint},
                                     {"expires_at", policy::EncodeInstant(issued.expires_at)}};
    if (issued.signing_key_file) {
      result["signing_key_file"] = issued.signing_key_file->string();
      result["signing_key"] = issued.signing_key;
      result["card"] = files.card.string();
    }
    if (!files.profile.empty()) result["profile"] = files.profile.string();
    return PrintJson(result);
  }
  std::string text = "certificate  " + issued.pem_file.string() + "\nidentity     " +
                     issued.spiffe_id + "\nserial       " + issued.serial + "\nSHA-256      " +
                     issued.fingerprint + "\nexpires      " +
                     policy::EncodeInstant(issued.expires_at) + "\n";
  if (issued.signing_key_file) {
    text += "signing key  " + issued.signing_key_file->string() + "\npublic half  " +
            issued.signing_key + "  (for the agreement)\ncard         " + files.card.string() +
            "  (for comity person add)\n";
  }
  if (!files.profile.empty()) text += "profile      " + files.profile.string() + "\n";
  Print(text);
}

Result<ExitCode> Issue(const IssueOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const transport::IssueRequest request, RequestOf(options));
  COMITY_ASSIGN_OR_RETURN(const transport::IssuedCertificate issued,
                          Locally(transport::Issue(options.dir, request, session.clock.Now())));
  CallerFiles files;
  if (request.kind != transport::PeerKind::kGateway) {
    COMITY_ASSIGN_OR_RETURN(files.profile, WriteProfile(options, issued));
  }
  if (request.kind == transport::PeerKind::kPerson) {
    COMITY_ASSIGN_OR_RETURN(files.card, WriteCard(options, issued));
  }
  Report(issued, files, session.json);
  return ExitCode::kOk;
}

}  // namespace

void AddPkiIssue(CommandLine& line, Session& session) {
  const auto options = std::make_shared<IssueOptions>();
  line.Add({"pki issue", "issue a certificate",
            "Issues a certificate of the agency's CA: to its gateway (DIR/gateway.pem), to a\n"
            "recognition engine (DIR/engines/NAME.pem, with the profile NAME.toml for the engine "
            "and\n"
            "for 'comity engine replay') or to a person (DIR/people/ID.pem, with the signing key\n"
            "ID.key, the profile ID.toml for 'comity --profile' and the card ID.card.toml, which\n"
            "holds no secret and goes to 'comity person add').",
            "the certificate exists and --renew is not given",
            "comity pki issue --dir northshire --person j-smith --listen 127.0.0.1:7444"},
           Asks::kNobody, [options, &session] { return Issue(*options, session); })
      .Add({"--dir", "DIR", "the agency's key folder", true}, options->dir)
      .Add({"--gateway", "", "for the agency's gateway", false}, options->gateway)
      .Add({"--engine", "NAME", "for a recognition engine", false}, options->engine)
      .Add({"--person", "ID", "for a person", false}, options->person)
      .Add({"--post", "TEXT", "the person's post, for the card; never a name; default: the id",
            false},
           options->post)
      .Add({"--days", "N", "life in days, 1 to 825; default 90", false},
           CountTarget{options->days, 1, kMaxDays})
      .Add({"--host", "NAME", "DNS name or IP address besides the identity; repeatable", false},
           options->hosts)
      .Add({"--renew", "", "replace the certificate of the same name; keys of people stay", false},
           options->renew)
      .Add({"--new-key", "", "with --renew, for a person: a new TLS key; register the card anew",
            false},
           options->new_key)
      .Add({"--listen", "HOST:PORT",
            "the gateway's agency port, for the profile; default 127.0.0.1:7444", false},
           options->listen);
}

}  // namespace comity::cli
