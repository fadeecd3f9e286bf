// SPDX-License-Identifier: Apache-2.0
#include "services/matching/offence.h"

#include "services/matching/search_bounds.h"

namespace comity::matching {

policy::OffenceClass ClassOf(const Offence& offence) {
  if (offence.max_penalty_years < 1) return policy::OffenceClass::kBelow1Year;
  return offence.max_penalty_years < 4 ? policy::OffenceClass::k1To4Years
                                       : policy::OffenceClass::k4YearsOrMore;
}

Status CheckOffence(const Offence& offence) {
  COMITY_RETURN_IF_ERROR(CheckText("offence.code", offence.code, Offence::kMaxCode));
  if (offence.max_penalty_years <= Offence::kMaxYears) return {};
  return Wrong("offence.max_penalty_years", "must be 0 to 99; 99 is for life");
}

std::string NameForLog(const Offence& offence) {
  return offence.code + "/" + std::to_string(offence.max_penalty_years);
}

}  // namespace comity::matching
