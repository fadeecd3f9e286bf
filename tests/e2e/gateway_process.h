// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/live_agency.h"
#include "tests/support/process.h"

namespace comity::testing {

// Path of the `comityd` under test.
std::string ComitydPath();

// As one of the agency's Staff() to the agency port at `gateway` (host:port). The test's process
// ends if the person has no certificate.
std::shared_ptr<grpc::Channel> OpenAs(const LiveAgency& agency, const std::string& person,
                                      const std::string& gateway);
// Whether an act that ended so may have had its effect.
bool IsUnknown(const grpc::Status& status);

// One agency's real `comityd`, run on the folder of an agency whose own gateway is stopped.
//
// Threads: thread-compatible.
class GatewayProcess {
 public:
  // In: log     the file of its output, within the agency's folder
  //     config  that of its configuration, in the same place
  explicit GatewayProcess(const LiveAgency& agency, std::string log = "comityd.log",
                          std::string config = "comityd.toml");

  // From the next start on: words before the program ("env", "NAME=value") and after it.
  void RunUnder(std::vector<std::string> before, std::vector<std::string> after = {}) {
    before_ = std::move(before);
    after_ = std::move(after);
  }

  // Starts it and waits until it says on which ports it listens. False: it ended, or said nothing
  // for ten seconds; log() says why.
  [[nodiscard]] bool Start() { return Begin() && AwaitListening(); }
  // Its two halves: starts it; and waits as Start() does.
  [[nodiscard]] bool Begin();
  [[nodiscard]] bool AwaitListening();
  // Waits until the running process listens once more, as after a confirmed restoration.
  [[nodiscard]] bool AwaitAgain();
  void Kill() { process_->Kill(); }
  std::optional<int> Stop(std::chrono::milliseconds patience) { return process_->Stop(patience); }
  bool IsRunning() { return process_ && process_->IsRunning(); }
  pid_t pid() const { return process_->pid(); }  // once it was started

  std::filesystem::path config() const { return folder_ / config_name_; }
  // Everything it has said since the first start.
  std::string log() const;
  // How an engine reaches it; after Start().
  EngineSettings engine() const { return engine_; }

 private:
  std::optional<int> FindAgencyPort() const;

  std::filesystem::path folder_;
  std::string log_name_;
  std::string config_name_;
  std::vector<std::string> before_, after_;
  EngineSettings engine_;
  std::optional<Process> process_;
  std::size_t log_start_ = 0;  // where the running process's output begins
};

}  // namespace comity::testing
