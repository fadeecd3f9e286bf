// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/policy/decide/decision_case.h"

namespace comity::policy::testing {

// Requests near to what base.yaml permits: most fields are right, any can be wrong, absent or no
// value of their kind.
class RandomRequest {
 public:
  explicit RandomRequest(unsigned seed) : random_(seed) {}
  bool Rarely() { return random_() % 8 == 0; }
  template <typename T>
  T OneOf(std::vector<T> values) {
    return values[random_() % values.size()];
  }
  SearchRequest Make(const Agreement& agreement) {
    SearchRequest r = BaseRequest(agreement);
    if (Rarely()) std::swap(r.requester, r.holder);
    if (Rarely()) r.requester = OneOf<AgencyId>({{}, AgencyId::Parse("westmarch").value()});
    if (Rarely()) r.agreement.reset();
    if (r.agreement && Rarely()) r.agreement->version = static_cast<std::uint32_t>(random_());
    if (r.agreement && Rarely()) r.agreement->sha256.bytes[random_() % 32] ^= 4;
    r.purpose = OneOf<std::optional<PurposeCode>>(
        {r.purpose, r.purpose, PurposeCode::Parse("missing-person").value(), std::nullopt});
    r.role = OneOf<std::optional<RequesterRole>>(
        {RequesterRole::kEngine, RequesterRole::kEngine, RequesterRole::kOperator,
         RequesterRole::kOperator, static_cast<RequesterRole>(7)});
    r.use = OneOf<std::optional<UseMode>>({UseMode::kLive, UseMode::kLive, UseMode::kRetrospective,
                                           UseMode::kRetrospective, static_cast<UseMode>(-1)});
    if (Rarely()) r.mode = static_cast<SearchMode>(random_() % 4);
    r.list_categories.clear();
    for (std::size_t i = random_() % 4; i > 0; --i) {
      r.list_categories.push_back(
          ListCategory::Parse(
              OneOf<std::string>({"wanted-by-courts", "wanted-by-courts", "wanted-by-courts",
                                  "missing-at-risk", "victim", "nobody"}))
              .value());
    }
    if (Rarely()) r.engine->dimension = static_cast<std::uint32_t>(random_());
    if (Rarely()) r.engine->version = OneOf<std::string>({"", "1", std::string(65, 'x'), "\x01"});
    r.threshold = OneOf<double>({0.64, 0.8, 1.0, 0.64, 0.8, 1.0, 0.9, 0.95, 0.639, 0.799, -2.0, 1.5,
                                 std::numeric_limits<double>::quiet_NaN(),
                                 std::numeric_limits<double>::infinity()});
    if (Rarely()) r.has_case_reference = false;
    r.offence_class = OneOf<std::optional<OffenceClass>>(
        {OffenceClass::k1To4Years, OffenceClass::k1To4Years, OffenceClass::k4YearsOrMore,
         OffenceClass::k4YearsOrMore, OffenceClass::kBelow1Year, std::nullopt,
         static_cast<OffenceClass>(9)});
    return r;
  }

 private:
  std::mt19937 random_;
};

}  // namespace comity::policy::testing
