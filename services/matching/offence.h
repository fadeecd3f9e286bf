// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "crypto/base/result.h"
#include "policy/model/terms.h"

namespace comity::matching {

// The offence behind a search. It stays in the agency but for its class.
struct Offence {
  static constexpr std::size_t kMaxCode = 64;
  static constexpr std::uint32_t kMaxYears = 99;  // for life
  std::string code;                               // 1..64, of the agency's own catalogue
  std::uint32_t max_penalty_years = 0;            // the longest sentence in law
  bool operator==(const Offence&) const = default;
};
policy::OffenceClass ClassOf(const Offence& offence);
// Errors: kInvalidArgument  a bound; names the field
Status CheckOffence(const Offence& offence);

// As the log keeps it: code and years.
std::string NameForLog(const Offence& offence);

}  // namespace comity::matching
