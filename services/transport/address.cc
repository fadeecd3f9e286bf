// SPDX-License-Identifier: Apache-2.0
#include "services/transport/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "services/transport/peer_identity.h"

namespace comity::transport {
namespace {

std::optional<std::uint16_t> ParsePort(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint16_t port = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

bool IsIpv4(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool IsIpv6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

// Four numbers that are no IPv4 address are no DNS name either: 10.0.0.256 is a slip of the pen.
bool IsDnsOrIpv4(const std::string& host) {
  const bool only_digits = std::all_of(host.begin(), host.end(),
                                       [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  return only_digits ? IsIpv4(host) : IsTrustDomain(host);
}

}  // namespace

bool IsLoopback(const Address& address) {
  return address.host == "localhost" || address.host == "::1" ||
         (address.host.starts_with("127.") && IsIpv4(address.host));
}

Result<Address> ParseAddress(std::string_view text) {
  const auto fault = [] {
    return Fail(ErrorCode::kInvalidArgument,
                "an address is host:port, e.g. gateway.example:7443, 192.0.2.7:7443 or "
                "[2001:db8::7]:7443");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return fault();
  const auto port = ParsePort(text.substr(colon + 1));
  std::string host(text.substr(0, colon));
  if (!port || host.find('\0') != std::string::npos) return fault();
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (!IsIpv6(host)) return fault();
  } else if (!IsDnsOrIpv4(host)) {
    return fault();
  }
  return Address{std::move(host), *port};
}

}  // namespace comity::transport
