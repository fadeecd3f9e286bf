// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/gateway_process.h"

#include <charconv>
#include <fstream>
#include <iterator>
#include <string_view>
#include <thread>
#include <utility>

#include "crypto/base/check.h"
#include "services/transport/credentials.h"
#include "services/transport/limits.h"

namespace comity::testing {

std::string ComitydPath() {
  return COMITYD_PATH;
}

bool IsUnknown(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE ||
         status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED ||
         status.error_code() == grpc::StatusCode::CANCELLED ||
         status.error_code() == grpc::StatusCode::UNKNOWN;
}

std::shared_ptr<grpc::Channel> OpenAs(const LiveAgency& agency, const std::string& person,
                                      const std::string& gateway) {
  static const runtime::SystemClock kClock;
  const auto port = static_cast<std::uint16_t>(std::stoi(gateway.substr(gateway.find(':') + 1)));
  const auto channel = transport::OpenChannel(
      {{"127.0.0.1", port},
       agency.person_identity(person),
       {agency.name(), agency.spiffe_id(), agency.pki() / "ca" / "ca.pem", {}}},
      {transport::limits::kMaxAgencyMessage, kClock});
  COMITY_CHECK(channel.has_value());
  return *channel;
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
