// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "policy/model/term_set.h"
#include "policy/model/terms.h"
#include "services/identity/role.h"

namespace comity::gateway {

// As which receivers of released items a person with these roles counts. A role that no agreement
// can release anything to counts as none.
inline policy::TermSet<policy::ReceiverRole> ReceiversOf(identity::RoleSet roles) {
  policy::TermSet<policy::ReceiverRole> receivers;
  for (const std::string& name : roles.Names()) {
    // Engines are no people and never get here.
    if (const auto receiver = policy::ParseReceiverRole(name)) receivers.Add(*receiver);
  }
  return receivers;
}

}  // namespace comity::gateway
