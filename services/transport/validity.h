// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

#include "crypto/base/result.h"
#include "services/runtime/clock.h"

namespace comity::transport {

// When what a file holds is valid; for people who check a set-up. Decides nothing about trust.
struct Validity {
  runtime::Instant from{};
  runtime::Instant until{};
};

// In:     pem  a chain, leaf first; other PEM blocks are skipped
// Errors: kInvalidArgument  no certificates
Result<Validity> ValidityOfLeaf(std::string_view pem);

// From the latest beginning to the earliest end of all certificates, or of all revocation lists, of
// a file. Errors: kInvalidArgument; those of runtime::ReadFile
Result<Validity> ValidityOfAnchors(const std::filesystem::path& file);
Result<Validity> ValidityOfRevocationLists(const std::filesystem::path& file);

}  // namespace comity::transport
