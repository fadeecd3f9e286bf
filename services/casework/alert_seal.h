// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "services/casework/alert.h"
#include "services/store/records.h"

namespace comity::casework {

// Encrypts `alert` under a fresh key of its own, wrapped under `kek`; both are bound to the alert's
// id.
//
// Secret: kek, the alert's content
store::AlertRecord SealAlert(const Alert& alert, const SecretBytes& kek, RandomSource& random);

// The record without key and content, withdrawn because of `why`.
store::AlertRecord Erased(const store::AlertRecord& record, const EntryNote& why);

// Errors: kCorrupt  key or content does not decrypt, or the record's clear columns say something
//                   else than the content; names the alert
Result<Alert> OpenAlert(const store::AlertRecord& record, const SecretBytes& kek);

}  // namespace comity::casework
