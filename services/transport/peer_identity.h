// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace comity::transport {

// What kind of caller a certificate speaks for.
enum class PeerKind { kGateway, kEngine, kPerson };
// "gateway", "engine", "person"
std::string_view Name(PeerKind kind);

// Who a certificate says it is: the URI SAN spiffe://<trust domain>/gateway, /engine/<name> or
// /person/<id>. The trust domain is a lower-case DNS name; names have the form of every id (1..64
// characters a-z 0-9 '-', first a letter, last not '-'). A claim until a TrustStore has verified
// it.
struct PeerIdentity {
  PeerKind kind = PeerKind::kGateway;
  std::string trust_domain;
  std::string name;  // empty for a gateway
  auto operator<=>(const PeerIdentity&) const = default;
};

// True for a lower-case DNS name of at most 253 characters, labels of 1..63 characters.
bool IsTrustDomain(std::string_view text);
// True for the form of an engine's name and a person's id.
bool IsPeerName(std::string_view text);

std::string EncodeSpiffeId(const PeerIdentity& identity);
// In:     text  untrusted; one identity has one spelling: no port, query, fragment, percent
//               encoding, upper case or trailing slash
// Errors: kInvalidArgument
// Source: SPIFFE-ID standard sections 2.1 to 2.3, narrowed
Result<PeerIdentity> ParseSpiffeId(std::string_view text);

}  // namespace comity::transport
