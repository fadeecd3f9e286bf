// SPDX-License-Identifier: Apache-2.0
#include "services/transport/peer_identity.h"

#include <algorithm>
#include <cstddef>

namespace comity::transport {
namespace {

constexpr std::string_view kScheme = "spiffe://";
constexpr std::size_t kMaxTrustDomain = 253;  // longest DNS name in text
constexpr std::size_t kMaxLabel = 63;         // longest DNS label
constexpr std::size_t kMaxName = 64;          // as every id

bool IsLower(char c) {
  return c >= 'a' && c <= 'z';
}
bool IsLowerOrDigit(char c) {
  return IsLower(c) || (c >= '0' && c <= '9');
}
bool IsIdCharacter(char c) {
  return IsLowerOrDigit(c) || c == '-';
}

bool IsLabel(std::string_view text) {
  return !text.empty() && text.size() <= kMaxLabel && IsLowerOrDigit(text.front()) &&
         IsLowerOrDigit(text.back()) && std::all_of(text.begin(), text.end(), IsIdCharacter);
}

bool Consume(std::string_view prefix, std::string_view& text) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

std::string_view Name(PeerKind kind) {
  switch (kind) {
    case PeerKind::kGateway:
      return "gateway";
    case PeerKind::kEngine:
      return "engine";
    case PeerKind::kPerson:
      return "person";
  }
  return "gateway";
}

bool IsTrustDomain(std::string_view text) {
  if (text.empty() || text.size() > kMaxTrustDomain) return false;
  while (true) {
    const std::size_t dot = text.find('.');
    if (!IsLabel(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool IsPeerName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName && IsLower(text.front()) && text.back() != '-' &&
         std::all_of(text.begin(), text.end(), IsIdCharacter);
}

std::string EncodeSpiffeId(const PeerIdentity& identity) {
  std::string text(kScheme);
  text += identity.trust_domain;
  text += '/';
  text += Name(identity.kind);
  if (identity.kind != PeerKind::kGateway) text += '/' + identity.name;
  return text;
}

Result<PeerIdentity> ParseSpiffeId(std::string_view text) {
  const auto fault = [] {
    return Fail(ErrorCode::kInvalidArgument,
                "an identity is spiffe://<trust domain>/gateway, /engine/<name> or /person/<id>, "
                "all in lower case");
  };
  if (!Consume(kScheme, text)) return fault();
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || !IsTrustDomain(text.substr(0, slash))) return fault();
  PeerIdentity identity{PeerKind::kGateway, std::string(text.substr(0, slash)), {}};
  text.remove_prefix(slash);
  if (text == "/gateway") return identity;
  if (Consume("/engine/", text)) {
    identity.kind = PeerKind::kEngine;
  } else if (Consume("/person/", text)) {
    identity.kind = PeerKind::kPerson;
  } else {
    return fault();
  }
  if (!IsPeerName(text)) return fault();
  identity.name = text;
  return identity;
}

}  // namespace comity::transport
