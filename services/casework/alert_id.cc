// SPDX-License-Identifier: Apache-2.0
#include "services/casework/alert_id.h"

#include "crypto/base/random_id.h"

namespace comity::casework {

std::string MakeAlertId(RandomSource& random) {
  return "a-" + RandomId(random);
}

}  // namespace comity::casework
