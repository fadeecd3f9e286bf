// SPDX-License-Identifier: Apache-2.0
#include "tests/demo/agency.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "crypto/sign/ed25519.h"
#include "services/runtime/file.h"
#include "tests/support/staff.h"

namespace comity::demo {
namespace {

std::string Loopback(int port) {
  return "127.0.0.1:" + std::to_string(port);
}

Result<std::string> PublicKeyOf(const std::string& key_file) {
  COMITY_ASSIGN_OR_RETURN(const auto content, runtime::ReadSecretFile(key_file, 4096));
  COMITY_ASSIGN_OR_RETURN(const auto key, sign::SigningKey::ParseKeyFile(AsText(content.Expose())));
  return sign::EncodePublicKey(key.public_key());
}

}  // namespace

Agency::Agency(const Programs& programs, std::filesystem::path folder, std::string name)
    : programs_(programs),
      folder_(std::move(folder)),
      name_(std::move(name)),
      federation_port_(testing::FreePort()),
      agency_port_(testing::FreePort()),
      web_port_(testing::FreePort()),
      offline_(programs.comity, {}) {}

Cli Agency::cli(const std::string& person) const {
  return {programs_.comity, folder_ / "pki/people" / (person + ".toml")};
}

Result<nlohmann::json> Agency::ByTwo(const std::string& proposer, const std::string& approver,
                                     std::vector<std::string> command) const {
  COMITY_ASSIGN_OR_RETURN(const auto act, cli(proposer).Ask(std::move(command)));
  return ApproveAct(approver, act);
}

Result<nlohmann::json> Agency::ApproveAct(const std::string& approver, const nlohmann::json& act,
                                          const std::vector<std::string>& options) const {
  if (!act.is_object() || !act.contains("approval")) {
    return Fail(ErrorCode::kInternal, "nothing waits for a second person: " + act.dump());
  }
  std::vector<std::string> command = {"approvals", "approve", act["approval"].get<std::string>(),
                                      "--sha256", act["sha256"].get<std::string>()};
  command.insert(command.end(), options.begin(), options.end());
  return cli(approver).Ask(std::move(command));
}

Result<std::uint64_t> Agency::CountApproved() const {
  COMITY_ASSIGN_OR_RETURN(const auto acts,
                          cli("auditor").Ask({"approvals", "list", "--all", "--limit", "1000"}));
  return static_cast<std::uint64_t>(std::ranges::count_if(
      acts, [](const nlohmann::json& act) { return act.value("state", "") == "approved"; }));
}

std::string Agency::KeyFile(const std::string& person) const {
  return (folder_ / "pki/people" / (person + ".key")).string();
}

Result<Agency> Agency::Create(const Programs& programs, const std::filesystem::path& root,
                              const std::string& name) {
  Agency agency(programs, root / name, name);
  const std::string pki = (agency.folder_ / "pki").string();
  std::error_code error;
  std::filesystem::create_directories(agency.folder_, error);
  COMITY_RETURN_IF_ERROR(
      agency.offline_.Run({"pki", "init", "--agency", name, "--name", "Agency " + name,
                           "--trust-domain", name + ".example", "--dir", pki}));
  COMITY_RETURN_IF_ERROR(agency.offline_.Run({"pki", "issue", "--dir", pki, "--gateway"}));
  COMITY_RETURN_IF_ERROR(
      agency.offline_.Run({"pki", "issue", "--dir", pki, "--engine", "cameras"}));
  for (const testing::StaffMember& member : testing::Staff()) {
    COMITY_RETURN_IF_ERROR(
        agency.offline_.Run({"pki", "issue", "--dir", pki, "--person", member.id, "--post",
                             member.post, "--listen", Loopback(agency.agency_port_)}));
  }
  agency.keys_.agency = name;
  COMITY_ASSIGN_OR_RETURN(agency.keys_.agency_key, PublicKeyOf(pki + "/keys/agency-signing.key"));
  COMITY_ASSIGN_OR_RETURN(agency.keys_.dpo_key, PublicKeyOf(agency.KeyFile("dpo")));
  COMITY_ASSIGN_OR_RETURN(agency.keys_.signatory_key, PublicKeyOf(agency.KeyFile("siro")));
  COMITY_ASSIGN_OR_RETURN(agency.keys_.second_signatory_key, PublicKeyOf(agency.KeyFile("chief")));
  return agency;
}

Status Agency::Start() {
  const std::string config = (folder_ / "comityd.toml").string();
  std::vector<std::string> command = {"pki",           "config",
                                      "--dir",         (folder_ / "pki").string(),
                                      "--out",         config,
                                      "--federation",  Loopback(federation_port_),
                                      "--agency-port", Loopback(agency_port_),
                                      "--web",         Loopback(web_port_),
                                      "--data",        (folder_ / "data").string()};
  for (const char* administrator : {"admin-1", "admin-2"}) {
    command.insert(
        command.end(),
        {"--administrator",
         (folder_ / "pki/people" / (std::string(administrator) + ".card.toml")).string()});
  }
  COMITY_RETURN_IF_ERROR(offline_.Run(std::move(command)));
  // Sooner than an installation would: the demo is short.
  std::ofstream more(config, std::ios::app);
  more << "\n[sealed]\nanswer_after = 50\n";
  if (!database_.empty()) more << "\n[store]\nurl = \"" << database_ << "\"\n";
  more.close();
  COMITY_RETURN_IF_ERROR(Run());
  return AddStaff();
}

Status Agency::Run() {
  COMITY_ASSIGN_OR_RETURN(testing::Process process,
                          testing::Process::Start({programs_.comityd.string(), "--config",
                                                   (folder_ / "comityd.toml").string()},
                                                  folder_ / "comityd.log"));
  process_.emplace(std::move(process));
  return WaitUntilUp();
}

Status Agency::StartAgain() {
  return Run();
}

void Agency::Kill() {
  process_->Kill();
  process_.reset();
}

Status Agency::Enrol(const Agency& partner) const {
  const std::string card = (folder_ / (partner.name_ + ".card.toml")).string();
  COMITY_ASSIGN_OR_RETURN(
      const auto invited,
      partner.cli("admin-1").Ask(
          {"peer", "invite", "--address", Loopback(partner.federation_port_), "--out", card}));
  COMITY_ASSIGN_OR_RETURN(const auto act, cli("admin-1").Ask({"peer", "accept", card}));
  COMITY_RETURN_IF_ERROR(
      ApproveAct("keys-1", act, {"--fingerprint", invited.value("fingerprint", "")}));
  return {};
}

Status Agency::AddStaff() const {
  for (const testing::StaffMember& member : testing::Staff()) {
    if (member.roles.Has(identity::Role::kAdministrator)) continue;
    std::vector<std::string> command = {
        "person", "add", (folder_ / "pki/people" / (member.id + ".card.toml")).string()};
    for (const std::string& role : member.roles.Names()) {
      command.insert(command.end(), {"--role", role});
    }
    COMITY_RETURN_IF_ERROR(ByTwo("admin-1", "admin-2", std::move(command)));
  }
  return {};
}

Status Agency::WaitUntilUp() const {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  Status up;
  do {
    up = cli("admin-1").Run({"approvals", "list"});
    if (up) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  } while (std::chrono::steady_clock::now() < end);
  return Fail(up.error().code, name_ + " did not come up; its log is " +
                                   (folder_ / "comityd.log").string() + "\n" + up.error().detail);
}

Result<std::chrono::milliseconds> Agency::Stop() {
  const auto start = std::chrono::steady_clock::now();
  const auto code = process_->Stop(std::chrono::seconds(10));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - start);
  if (code == 0) return took;
  return Fail(
      ErrorCode::kInternal,
      name_ + (code ? " stopped with exit code " + std::to_string(*code) : " had to be killed"));
}

Status Agency::Approve(const std::string& agreement) const {
  COMITY_RETURN_IF_ERROR(cli("dpo").Run({"agreement", "advise", agreement, "--position", "for",
                                         "--text", "The impact assessment covers this sharing."}));
  for (const char* signatory : {"siro", "chief"}) {
    COMITY_RETURN_IF_ERROR(cli(signatory).Run({"agreement", "sign", agreement}));
  }
  return {};
}

testing::EngineSettings Agency::engine() const {
  return {Loopback(agency_port_), gateway_id(), folder_ / "pki/engines/cameras.pem",
          folder_ / "pki/ca/ca.pem", name_};
}

testing::UncheckedRequester::Settings Agency::unchecked_towards(const Agency& holder) const {
  return {name_,
          folder_ / "pki/gateway.pem",
          folder_ / "pki/keys/agency-signing.key",
          holder.name_,
          Loopback(holder.federation_port_),
          holder.gateway_id(),
          holder.folder_ / "pki/ca/ca.pem",
          holder.keys_.agency_key};
}

}  // namespace comity::demo
