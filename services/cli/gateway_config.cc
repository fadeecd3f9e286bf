// SPDX-License-Identifier: Apache-2.0
#include "services/cli/gateway_config.h"

#include <system_error>
#include <utility>

#include "services/cli/exit_code.h"
#include "services/cli/local_file.h"
#include "services/runtime/config.h"
#include "services/transport/person_card.h"
#include "services/transport/pki_folder.h"

namespace comity::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxCard = 64 * 1024;
constexpr std::size_t kMaxName = 1024;

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

Status InstallFile(const fs::path& file, const std::string& content) {
  const auto known = ReadLocalText(file, kMaxCard);
  if (known && *known == content) return {};
  return WriteNewFile(file, content);
}

Status InstallAdministrator(const transport::PersonCard& card, const fs::path& folder) {
  COMITY_RETURN_IF_ERROR(InstallFile(folder / (card.id + ".crt"), card.certificate));
  return InstallFile(folder / (card.id + ".pub"), card.signing_key + "\n");
}

Result<std::vector<transport::PersonCard>> ReadAdministrators(
    const std::vector<std::string>& files) {
  if (files.size() != 2) {
    return Fail(ErrorCode::kInvalidArgument,
                "--administrator takes a person's card and is given exactly twice: the first two "
                "administrators ('comity pki issue --person' writes ID.card.toml)");
  }
  std::vector<transport::PersonCard> cards;
  for (const std::string& file : files) {
    COMITY_ASSIGN_OR_RETURN(const std::string content, ReadLocalText(file, kMaxCard));
    auto card = transport::ParsePersonCard(content);
    if (!card) return Fail(ErrorCode::kInvalidArgument, file + ": " + card.error().detail);
    cards.push_back(*std::move(card));
  }
  return cards;
}

std::string AdministratorText(const transport::PersonCard& card, const fs::path& out) {
  const fs::path folder = FolderOf(out) / "administrators";
  return "\n[[administrator]]\nid = " + Quoted(card.id) + "\npost = " + Quoted(card.post) +
         "\ncertificate = " + FromConfig(out, folder / (card.id + ".crt")) +
         "\nsigning_key_file = " + FromConfig(out, folder / (card.id + ".pub")) + "\n";
}

std::string ConfigText(const GatewayConfigRequest& request, const transport::AgencyName& own) {
  const fs::path& pki = request.pki_folder;
  const auto file = [&](const char* name) { return FromConfig(request.out, pki / name); };
  return "# Configuration of a gateway: comityd --config FILE. Every key: "
         "docs/operations/configuration.md.\n"
         "# Relative paths are relative to this file. 'comity doctor --config FILE' checks all of "
         "it.\n\n"
         "[agency]\nid = " +
         Quoted(own.agency) + "\nname = " + Quoted(request.name) +
         "  # as people read it\ntrust_domain = " + Quoted(own.trust_domain) +
         "\n\n[data]\n# Database and log; made with mode 0700 if absent. On a local "
         "disk.\ndirectory = " +
         Quoted(request.data.string()) +
         "\n# What was erased and must not come back with a backup. Put it on another disk than "
         "the "
         "data:\n# without it no backup can be made or put back.\nerasure_ledger = " +
         Quoted(request.ledger.string()) +
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
         file("keys/key-encryption.key") +
         "\n\n# Partners are enrolled in the running gateway: comity peer invite, comity peer "
         "accept.\n"
         "[peers]\n# crl_folder = \"crls\"  # AGENCY.pem, renewed by each partner every 7 days\n";
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
  COMITY_ASSIGN_OR_RETURN(const transport::AgencyName own,
                          Locally(transport::ReadAgencyName({request.pki_folder})));
  GatewayConfigRequest filled = request;
  if (filled.name.empty()) {
    const auto name = ReadLocalText(AgencyNameFile(request.pki_folder), kMaxName);
    filled.name = name ? name->substr(0, name->find('\n')) : own.agency;
  }
  COMITY_ASSIGN_OR_RETURN(const auto administrators, ReadAdministrators(request.administrators));
  std::string text = ConfigText(filled, own);
  text += "\n# The first two people; they add all others: comity person add.\n";
  for (const transport::PersonCard& card : administrators) {
    text += AdministratorText(card, request.out);
  }
  COMITY_RETURN_IF_ERROR(CheckText(text, request.out));
  std::error_code fault;  // shows when the file is written
  fs::create_directories(FolderOf(request.out), fault);
  fs::create_directories(FolderOf(request.out) / "administrators", fault);
  for (const transport::PersonCard& card : administrators) {
    COMITY_RETURN_IF_ERROR(InstallAdministrator(card, FolderOf(request.out) / "administrators"));
  }
  return WriteNewFile(request.out, text);
}

}  // namespace comity::cli
