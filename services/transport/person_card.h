// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace comity::transport {

// What a person gives to an administrator to be registered, as a small TOML document. Nothing in it
// is secret: the private keys never leave the person's machine.
struct PersonCard {
  std::string id;           // the <id> of spiffe://<trust domain>/person/<id>
  std::string post;         // as people read it, 1..128; never the person's name
  std::string signing_key;  // ed25519:<base64>
  std::string certificate;  // PEM: exactly one certificate
};

std::string EncodePersonCard(const PersonCard& card);
// In:     text  untrusted, at most 64 KiB; all four keys and no other
// Errors: kInvalidArgument  naming the key (and the line, if it is no TOML); the certificate is not
//                           of this person
Result<PersonCard> ParsePersonCard(std::string_view text);

}  // namespace comity::transport
