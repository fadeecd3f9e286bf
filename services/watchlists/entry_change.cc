// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/entry_change.h"

namespace comity::watchlists {

std::string_view Name(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kWithdrawn:
      return "withdrawn";
    case ChangeKind::kCorrected:
      return "corrected";
    case ChangeKind::kRestricted:
      return "restricted";
    case ChangeKind::kUnrestricted:
      return "unrestricted";
    case ChangeKind::kExpired:
      return "expired";
    case ChangeKind::kListClosed:
      return "list-closed";
  }
  return "unknown";
}

}  // namespace comity::watchlists
