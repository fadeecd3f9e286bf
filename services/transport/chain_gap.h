// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace comity::transport {

// Where a chain of certificates stops short of an authority.
struct ChainGap {
  std::string subject;             // of the last certificate of the chain
  std::string issuer;              // whose certificate is missing
  std::vector<std::string> roots;  // the subjects that the trust file has
};

// What is missing between `pem_chain` and `pem_roots`, by the names alone: no signature is checked.
// Nothing when a root has the issuer's name, or when either text holds no certificates. For words
// about a chain that TrustStore refused.
//
// In: pem_chain  leaf first; other PEM blocks are skipped
std::optional<ChainGap> FindChainGap(std::string_view pem_chain, std::string_view pem_roots);

}  // namespace comity::transport
