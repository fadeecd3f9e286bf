// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"

namespace comity::oversight {

inline constexpr std::string_view kReceiptPayloadType = "application/vnd.comity.receipt.v1+json";
inline constexpr std::size_t kMaxReceipt = std::size_t{16} << 10;

// What a partner did with a message, in numbers: {"alerts": 3}. Names are ids, at most 16.
using Outcome = std::map<std::string, std::uint64_t>;

// The receiver of a partner message says that it took it, and what it did. The sender keeps it as
// evidence. docs/formats/partner_messages.md.
struct Receipt {
  policy::AgencyId sender;    // of the message
  policy::AgencyId receiver;  // who signs
  std::string id;             // of the message
  std::string kind;
  Digest content;  // SHA-256
  Outcome outcome;
  policy::Instant at{};
  bool operator==(const Receipt&) const = default;
};

std::string EncodeOutcome(const Outcome& outcome);  // canonical JSON
std::string EncodeReceipt(const Receipt& receipt);  // canonical JSON: the signed payload
// Errors: kInvalidArgument
Result<Receipt> ParseReceipt(std::string_view payload);

// DSSE JSON by the receiver's agency key.
std::string SignReceipt(const sign::SigningKey& key, const Receipt& receipt);
// In:     envelope  untrusted; `keys` those that may speak for the receiver, 1 or more
// Errors: kInvalidArgument  not a receipt; kCorrupt  not signed by any of the keys
Result<Receipt> OpenReceipt(std::string_view envelope, std::span<const sign::PublicKey> keys);
// The digest that both agencies' logs hold; the message's random id keeps it from being guessed.
Digest ReceiptDigest(std::string_view envelope);

}  // namespace comity::oversight
