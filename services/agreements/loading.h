// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/result.h"
#include "services/agreements/admission.h"
#include "services/agreements/catalogue.h"
#include "services/store/store.h"

namespace comity::agreements {

// Reads everything stored and verifies it again. A document whose keys are not (or no longer) the
// trusted ones is held as barred.
//
// Errors: kCorrupt  a document or statement does not verify or belongs to nothing; names the
//                   agreement; else the store's
Result<Catalogue> LoadCatalogue(const store::AgreementStore& agreements, const TrustedKeys& keys);

}  // namespace comity::agreements
