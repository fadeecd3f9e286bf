// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "services/store/approval_store.h"

namespace comity::identity {

// What the gateway says of an act when it is proposed: nobody who can only write into the database
// can make one, or make another of one (its content, the words that people read, who proposed it,
// until when it may be decided). Source: docs/formats/approval.md, "At rest"

// In:     kek  the key-encryption key. Secret: kek
Bytes VouchForAct(const SecretBytes& kek, const store::ApprovalRecord& act);
// Errors: kCorrupt  the act is not as it was proposed; names it. Of decided acts those pass whose
//         content was erased with their time, and those of an old schema.
Status CheckVouched(const SecretBytes& kek, const store::ApprovalRecord& act);

}  // namespace comity::identity
