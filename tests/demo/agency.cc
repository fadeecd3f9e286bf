// SPDX-License-Identifier: Apache-2.0
#include "tests/demo/agency.h"

#include <thread>
#include <utility>

#include "crypto/sign/ed25519.h"
#include "services/runtime/file.h"
#include "services/transport/peer_card.h"

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
      offline_(programs.comity, {}),
      cli_(programs.comity, profile()) {}

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
  for (const char* person : {"operator", "dpo", "siro", "chief"}) {
    COMITY_RETURN_IF_ERROR(agency.offline_.Run({"pki", "issue", "--dir", pki, "--person", person,
                                                "--listen", Loopback(agency.agency_port_)}));
  }
  COMITY_RETURN_IF_ERROR(agency.offline_.Run(
      {"pki", "card", "--dir", pki, "--out", (agency.folder_ / "card.toml").string()}));
  COMITY_ASSIGN_OR_RETURN(const transport::PeerCard card,
                          transport::ExportPeerCard(agency.folder_ / "pki"));
  agency.keys_.agency = name;
  agency.keys_.agency_key = card.signing_key;
  COMITY_ASSIGN_OR_RETURN(agency.keys_.dpo_key, PublicKeyOf(agency.KeyFile("dpo")));
  COMITY_ASSIGN_OR_RETURN(agency.keys_.signatory_key, PublicKeyOf(agency.KeyFile("siro")));
  COMITY_ASSIGN_OR_RETURN(agency.keys_.second_signatory_key, PublicKeyOf(agency.KeyFile("chief")));
  return agency;
}

Status Agency::Start(const std::vector<const Agency*>& peers) {
  const std::string config = (folder_ / "comityd.toml").string();
  std::vector<std::string> command = {"pki",           "config",
                                      "--dir",         (folder_ / "pki").string(),
                                      "--out",         config,
                                      "--federation",  Loopback(federation_port_),
                                      "--agency-port", Loopback(agency_port_),
                                      "--web",         Loopback(web_port_),
                                      "--data",        (folder_ / "data").string()};
  for (const Agency* peer : peers) {
    command.insert(command.end(), {"--peer", (peer->folder_ / "card.toml").string() + "@" +
                                                 Loopback(peer->federation_port_)});
  }
  COMITY_RETURN_IF_ERROR(offline_.Run(std::move(command)));
  COMITY_ASSIGN_OR_RETURN(testing::Process process,
                          testing::Process::Start({programs_.comityd.string(), "--config", config},
                                                  folder_ / "comityd.log"));
  process_.emplace(std::move(process));
  return WaitUntilUp();
}

Status Agency::WaitUntilUp() const {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  Status up;
  do {
    up = cli_.Run({"status", "--no-contact"});
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
  COMITY_RETURN_IF_ERROR(
      cli_.Run({"agreement", "advise", agreement, "--key", KeyFile("dpo"), "--position", "for",
                "--text", "The impact assessment covers this sharing."}));
  for (const char* signatory : {"siro", "chief"}) {
    COMITY_RETURN_IF_ERROR(cli_.Run({"agreement", "sign", agreement, "--key", KeyFile(signatory)}));
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
          folder_ / "peers" / holder.name_ / "signing.pub"};
}

}  // namespace comity::demo
