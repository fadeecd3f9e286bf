// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/gateway_process.h"

#include <charconv>
#include <fstream>
#include <iterator>
#include <string_view>
#include <thread>
#include <utility>

namespace comity::testing {

std::string ComitydPath() {
  return COMITYD_PATH;
}

GatewayProcess::GatewayProcess(const LiveAgency& agency, std::string log, std::string config)
    : folder_(agency.pki().parent_path()),
      log_name_(std::move(log)),
      config_name_(std::move(config)) {
  engine_ = {"", agency.spiffe_id(), agency.pki() / "engines" / "cameras.pem",
             agency.pki() / "ca" / "ca.pem", agency.name()};
}

std::string GatewayProcess::log() const {
  std::ifstream file(folder_ / log_name_);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// "comityd: ... listens on federation N, agency N, web N" is printed once all ports are open.
std::optional<int> GatewayProcess::FindAgencyPort() const {
  const std::string text = log().substr(log_start_);
  const std::size_t line = text.find(" listens on federation ");
  if (line == std::string::npos || text.find('\n', line) == std::string::npos) return std::nullopt;
  constexpr std::string_view kKey = ", agency ";
  const char* begin = text.data() + text.find(kKey, line) + kKey.size();
  int port = 0;
  std::from_chars(begin, text.data() + text.size(), port);
  return port;
}

bool GatewayProcess::Begin() {
  log_start_ = log().size();
  std::vector<std::string> words = before_;
  words.insert(words.end(), {ComitydPath(), "--config", config().string()});
  words.insert(words.end(), after_.begin(), after_.end());
  auto process = Process::Start(words, folder_ / log_name_);
  if (!process) return false;
  process_.emplace(*std::move(process));
  return true;
}

bool GatewayProcess::AwaitAgain() {
  return AwaitListening();
}

bool GatewayProcess::AwaitListening() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < end && process_->IsRunning()) {
    if (const auto port = FindAgencyPort()) {
      engine_.gateway = "127.0.0.1:" + std::to_string(*port);
      log_start_ = log().find('\n', log().find(" listens on federation ", log_start_));
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

}  // namespace comity::testing
