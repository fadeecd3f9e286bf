// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "crypto/base/result.h"

namespace comity::cli {

// What `comity pki config` makes a gateway's configuration of.
struct GatewayConfigRequest {
  std::filesystem::path pki_folder;
  std::filesystem::path out;
  std::string name;  // of the agency, for people; empty: what `comity pki init` was told
  std::string federation;
  std::string agency_port;
  std::string web;
  std::filesystem::path data;               // relative to the configuration file
  std::filesystem::path ledger;             // the erasure ledger's copies, likewise
  std::vector<std::string> administrators;  // person cards: exactly two
};

// Where `comity pki init` keeps the agency's name for people.
std::filesystem::path AgencyNameFile(const std::filesystem::path& pki_folder);

// Installs the cards beside the configuration (administrators/<id>.crt and .pub) and writes the
// configuration, which is parsed again before it is written: what is written is accepted by
// comityd.
//
// Errors: kInvalidArgument  a value or a card is faulty; kNotFound  no pki folder
//         kConflict         `out` exists, or another card of an administrator is installed
Status WriteGatewayConfig(const GatewayConfigRequest& request);

}  // namespace comity::cli
