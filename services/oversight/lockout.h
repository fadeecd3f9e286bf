// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "crypto/base/result.h"
#include "services/identity/person.h"
#include "services/oversight/revocation_table.h"

namespace comity::oversight {

// Whether one person may revoke one more certificate or key: nobody can lock the others out, or use
// the table up, alone. docs/adr/0032-bar-certificates-by-the-gateways-own-decision.md

// Two people lead back from a revocation: a signatory and another who may propose it reinstate it,
// or two administrators give its owner another key. The first key of somebody who may be needed for
// that is revoked if two such people remain, who revokes it among them; a further one by the same
// person only if they remain without that person.
// In:     people  everybody of the register, as they stand
//         table   what is revoked by now
//         next    what is to be; a single certificate shuts nobody out, its key can be certified
//                 anew
// Errors: kConflict  nobody could lead back; says what to do instead
Status CheckLockout(const std::vector<identity::Person>& people, const RevocationTable& table,
                    const CertificateRevocation& next);

// Errors: kExhausted  RevocationTable::kMostOfOne that stand were set by the same person
Status CheckShare(const RevocationTable& table, const CertificateRevocation& next);

}  // namespace comity::oversight
