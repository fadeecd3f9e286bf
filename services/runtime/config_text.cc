// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/config_text.h"

#include <algorithm>
#include <charconv>

namespace comity::runtime {
namespace {

constexpr std::size_t kMaxIdSize = 64;
constexpr std::size_t kMaxHostSize = 253;  // DNS, RFC 1035
constexpr std::size_t kMaxTrustDomainSize = 255;

bool IsLower(char c) {
  return c >= 'a' && c <= 'z';
}
bool IsUpper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

template <typename Allowed>
bool ConsistsOf(std::string_view text, std::size_t max_size, Allowed allowed) {
  return !text.empty() && text.size() <= max_size && std::all_of(text.begin(), text.end(), allowed);
}

bool IsHostName(std::string_view host) {
  return ConsistsOf(host, kMaxHostSize, [](char c) {
    return IsLower(c) || IsUpper(c) || IsDigit(c) || c == '.' || c == '-';
  });
}

bool IsBracketedIpv6(std::string_view host) {
  if (host.size() < 4 || host.front() != '[' || host.back() != ']') return false;
  const std::string_view inside = host.substr(1, host.size() - 2);
  return inside.find(':') != std::string_view::npos && ConsistsOf(inside, 45, [](char c) {
           return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' ||
                  c == '.';
         });
}

}  // namespace

bool IsAgencyId(std::string_view text) {
  return ConsistsOf(text, kMaxIdSize,
                    [](char c) { return IsLower(c) || IsDigit(c) || c == '-'; }) &&
         IsLower(text.front()) && text.back() != '-';
}

bool IsTrustDomain(std::string_view text) {
  return ConsistsOf(text, kMaxTrustDomainSize, [](char c) {
    return IsLower(c) || IsDigit(c) || c == '.' || c == '-' || c == '_';
  });
}

std::optional<Endpoint> ParseEndpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  Endpoint endpoint;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (port.empty() || error != std::errc() || end != port.data() + port.size()) {
    return std::nullopt;
  }
  if (IsBracketedIpv6(host)) {
    host = host.substr(1, host.size() - 2);
  } else if (!IsHostName(host)) {
    return std::nullopt;
  }
  endpoint.host = std::string(host);
  return endpoint;
}

std::string Endpoint::text() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace comity::runtime
