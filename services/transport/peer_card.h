// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace comity::transport {

// What a partner needs to enrol an agency, as a small TOML document. Both sides compare the
// fingerprints over another way (in person, by telephone) before they use it.
struct PeerCard {
  std::string agency;
  std::string spiffe_id;           // spiffe://<trust domain>/gateway
  std::string signing_key;         // ed25519:<base64>: messages and statements of the agency
  std::string log_key;             // ed25519:<base64>: checkpoints of its audit log
  std::string anchor_fingerprint;  // SHA-256 of the CA certificate, lower-case hex
  std::string anchor_pem;          // exactly one self-signed CA certificate
};

std::string EncodePeerCard(const PeerCard& card);
// In:     text  untrusted, at most 64 KiB; all six keys and no other
// Errors: kInvalidArgument  naming the key (and the line, if it is no TOML); the fingerprint is not
//                           that of the anchor
Result<PeerCard> ParsePeerCard(std::string_view text);

// The card of the agency whose folder `comity pki init` made.
// Errors: kNotFound  no such folder; kCorrupt  a file in it is damaged
Result<PeerCard> ExportPeerCard(const std::filesystem::path& pki_folder);

// Writes what the configuration's [[peer]] names: FOLDER/<agency>/anchor.pem and signing.pub.
// Errors: kConflict  the folder holds this agency already; kUnavailable  it cannot be written
Status InstallPeerCard(const PeerCard& card, const std::filesystem::path& folder);

}  // namespace comity::transport
