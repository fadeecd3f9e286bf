// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "services/audit/journal.h"
#include "services/identity/notices.h"
#include "services/runtime/clock.h"
#include "services/runtime/logging.h"

namespace comity::oversight {

// Something in the database that the gateway did not write.
struct Tamper {
  std::string table;   // of the database
  std::string fault;   // why it is not to be trusted
  std::string effect;  // what is refused meanwhile
};

struct TamperPorts {  // all references must outlive the call
  audit::Journal& journal;
  identity::Notices& notices;
  policy::AgencyId own;
  const runtime::Clock& clock;
  runtime::Logger& logger;
};

// Says it in the program's log, in the audit log and to those whom it concerns.
// Errors: those of the journal; the program's log has it all the same
Status TellOfTamper(const TamperPorts& ports, const Tamper& tamper);

}  // namespace comity::oversight
