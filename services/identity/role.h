// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"

namespace comity::identity {

// The roles that people of an agency can hold; engines are no people (RequesterRole::kEngine).
// Source: domain study, part (c)
enum class Role : std::uint8_t {
  kOperator,          // works alerts and lists
  kAdjudicator,       // compares faces and decides
  kSupervisor,        // authorising officer
  kReleaseOfficer,    // releases core data at the holder
  kDpo,               // advises and monitors; never operates nor approves data flows (DPA s.71)
  kSignatory,         // accountable: SIRO, information asset owner, Caldicott guardian
  kAuditor,           // reads only, and is itself logged
  kAdministrator,     // accounts, partners, configuration; never content
  kKeyAdministrator,  // keys and log integrity
};
inline constexpr std::uint8_t kRoleCount = 9;

std::string_view Name(Role role);  // "release-officer"
// Errors: kInvalidArgument, with the allowed names in the detail
Result<Role> ParseRole(std::string_view text);

// Threads: a value.
class RoleSet {
 public:
  constexpr RoleSet() = default;
  constexpr RoleSet(std::initializer_list<Role> roles) {
    for (const Role role : roles) Add(role);
  }
  constexpr void Add(Role role) { bits_ = static_cast<std::uint16_t>(bits_ | Bit(role)); }
  constexpr bool Has(Role role) const { return (bits_ & Bit(role)) != 0; }
  constexpr bool Meets(RoleSet other) const { return (bits_ & other.bits_) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool operator==(const RoleSet&) const = default;

  std::vector<std::string> Names() const;  // in the order of Role
  // Errors: kInvalidArgument  an unknown name, one twice, or none at all
  static Result<RoleSet> Parse(const std::vector<std::string>& names);

 private:
  static constexpr std::uint16_t Bit(Role role) {
    return static_cast<std::uint16_t>(1U << static_cast<unsigned>(role));
  }
  std::uint16_t bits_ = 0;
};

// Roles that no one person holds together: who oversees does not operate, who administers sees no
// content, who keeps keys and log is a group of its own (domain study: DPA s.71, SE-9, HV-10).
// Errors: kInvalidArgument  names the two roles
Status CheckTogether(RoleSet roles);

// Roles that give power over others or over the node: who holds one comes and goes by two people.
inline constexpr RoleSet kPrivilegedRoles{Role::kDpo, Role::kSignatory, Role::kAuditor,
                                          Role::kAdministrator, Role::kKeyAdministrator};

}  // namespace comity::identity
