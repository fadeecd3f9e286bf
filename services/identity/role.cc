// SPDX-License-Identifier: Apache-2.0
#include "services/identity/role.h"

#include <array>

namespace comity::identity {
namespace {

constexpr std::array<std::string_view, kRoleCount> kNames = {
    "operator",  "adjudicator", "supervisor",    "release-officer",   "dpo",
    "signatory", "auditor",     "administrator", "key-administrator",
};

using enum Role;

struct Apart {
  Role role;
  RoleSet from;
};
constexpr std::array kApart{
    Apart{kAuditor,
          {kOperator, kAdjudicator, kSupervisor, kReleaseOfficer, kDpo, kSignatory, kAdministrator,
           kKeyAdministrator}},
    Apart{kDpo,
          {kOperator, kAdjudicator, kSupervisor, kReleaseOfficer, kSignatory, kAdministrator,
           kKeyAdministrator}},
    Apart{kAdministrator,
          {kOperator, kAdjudicator, kSupervisor, kReleaseOfficer, kKeyAdministrator}},
    Apart{kKeyAdministrator, {kOperator, kAdjudicator, kSupervisor, kReleaseOfficer}},
};

}  // namespace

std::string_view Name(Role role) {
  return kNames.at(static_cast<std::size_t>(role));
}

Result<Role> ParseRole(std::string_view text) {
  std::string allowed;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == text) return static_cast<Role>(i);
    allowed += (allowed.empty() ? "" : ", ") + std::string(kNames[i]);
  }
  return Fail(ErrorCode::kInvalidArgument, "unknown role; a role is one of " + allowed);
}

std::vector<std::string> RoleSet::Names() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (Has(static_cast<Role>(i))) names.emplace_back(kNames[i]);
  }
  return names;
}

Status CheckTogether(RoleSet roles) {
  for (const Apart& apart : kApart) {
    if (!roles.Has(apart.role) || !roles.Meets(apart.from)) continue;
    for (std::size_t i = 0; i < kRoleCount; ++i) {
      const auto other = static_cast<Role>(i);
      if (!roles.Has(other) || !apart.from.Has(other)) continue;
      return Fail(ErrorCode::kInvalidArgument, "nobody is both " + std::string(Name(apart.role)) +
                                                   " and " + std::string(Name(other)));
    }
  }
  return {};
}

Result<RoleSet> RoleSet::Parse(const std::vector<std::string>& names) {
  RoleSet roles;
  for (const std::string& name : names) {
    COMITY_ASSIGN_OR_RETURN(const Role role, ParseRole(name));
    if (roles.Has(role)) {
      return Fail(ErrorCode::kInvalidArgument, "role " + name + " is named twice");
    }
    roles.Add(role);
  }
  if (roles.empty()) return Fail(ErrorCode::kInvalidArgument, "at least one role is needed");
  return roles;
}

}  // namespace comity::identity
