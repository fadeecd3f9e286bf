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

  // Writes the configuration with these peers, starts the gateway and waits until it answers.
  Status Start(const std::vector<const Agency*>& peers);
  // Asks it to stop; how long that took, or an error if it had to be killed.
  Result<std::chrono::milliseconds> Stop();
  void LeaveRunning() { process_->Abandon(); }

  // As the operator.
  const Cli& cli() const { return cli_; }
  // Advice of the DPO, signatures of both signatories.
  Status Approve(const std::string& agreement) const;
  std::string KeyFile(const std::string& person) const;

  testing::EngineSettings engine() const;
  testing::UncheckedRequester::Settings unchecked_towards(const Agency& holder) const;

 private:
  Agency(const Programs& programs, std::filesystem::path folder, std::string name);
  Status WaitUntilUp() const;

  Programs programs_;
  std::filesystem::path folder_;
  std::string name_;
  int federation_port_ = 0;
  int agency_port_ = 0;
  int web_port_ = 0;
  Cli offline_;
  Cli cli_;
  testing::PartyKeys keys_;
  std::optional<testing::Process> process_;
};

}  // namespace comity::demo
