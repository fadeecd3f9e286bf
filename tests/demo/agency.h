// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "tests/demo/cli.h"
#include "tests/support/agreement_text.h"
#include "tests/support/engine_client.h"
#include "tests/support/process.h"
#include "tests/support/unchecked_requester.h"

namespace comity::demo {

// Where the built programs are.
struct Programs {
  std::filesystem::path comityd;
  std::filesystem::path comity;
};

// One agency of the story: its folder, its people, its gateway as a process of its own. Everything
// is done by the `comity` program.
//
// Threads: thread-compatible.
class Agency {
 public:
  // Makes keys, certificates and people.
  static Result<Agency> Create(const Programs& programs, const std::filesystem::path& root,
                               const std::string& name);

  const std::string& name() const { return name_; }
  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path profile() const { return folder_ / "pki/people/operator.toml"; }
  std::string gateway_id() const { return "spiffe://" + name_ + ".example/gateway"; }
  const testing::PartyKeys& keys() const { return keys_; }
  int agency_port() const { return agency_port_; }
  int web_port() const { return web_port_; }
  pid_t pid() const { return process_ ? process_->pid() : -1; }

  // From now on the gateway keeps its records in the PostgreSQL database of `url`.
  void UseDatabase(std::string url) { database_ = std::move(url); }
  // Writes the configuration, starts the gateway, waits until it answers, and has two
  // administrators add the people.
  Status Start();
  // After Kill(): the same gateway on the same data.
  Status StartAgain();
  // As a power cut would.
  void Kill();
  // Two people here enrol `partner` by its card, with the fingerprint that its people read out.
  Status Enrol(const Agency& partner) const;
  // Asks it to stop; how long that took, or an error if it had to be killed.
  Result<std::chrono::milliseconds> Stop();
  void LeaveRunning() { process_->Abandon(); }

  // As one of testing::Staff().
  Cli cli(const std::string& person = "operator") const;
  // Does `command`, which proposes an act, as `proposer`, and has `approver` approve it.
  // Returns what the approver's command answered.
  Result<nlohmann::json> ByTwo(const std::string& proposer, const std::string& approver,
                               std::vector<std::string> command) const;
  // In: act  as a proposing command answered: `approval` and `sha256`
  Result<nlohmann::json> ApproveAct(const std::string& approver, const nlohmann::json& act,
                                    const std::vector<std::string>& options = {}) const;
  // Acts that two people of this agency have done.
  Result<std::uint64_t> CountApproved() const;
  // Advice of the DPO, signatures of both signatories.
  Status Approve(const std::string& agreement) const;
  std::string KeyFile(const std::string& person) const;

  testing::EngineSettings engine() const;
  testing::UncheckedRequester::Settings unchecked_towards(const Agency& holder) const;

 private:
  Agency(const Programs& programs, std::filesystem::path folder, std::string name);
  Status Run();
  Status WaitUntilUp() const;
  // Everybody but the two administrators of the configuration.
  Status AddStaff() const;

  Programs programs_;
  std::filesystem::path folder_;
  std::string name_;
  std::string database_;  // empty: SQLite
  int federation_port_ = 0;
  int agency_port_ = 0;
  int web_port_ = 0;
  Cli offline_;
  testing::PartyKeys keys_;
  std::optional<testing::Process> process_;
};

}  // namespace comity::demo
