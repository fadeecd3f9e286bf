// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <utility>

#include "crypto/base/result.h"
#include "services/agreements/admission.h"
#include "services/agreements/catalogue.h"
#include "services/store/store.h"

namespace comity::agreements {

// Everything that is stored of agreements.
struct Loaded {
  Catalogue catalogue;
  PeerStatuses peers;
  std::set<std::pair<policy::AgreementRef, std::string>> marks;  // services/agreements/life.h
};

// Reads everything stored and verifies it again. A document whose keys are not (or no longer) the
// trusted ones is held as barred, and so is a statement that an agency's key vouched for when that
// key did not speak for it.
//
// Errors: kCorrupt  a document or statement does not verify by any key that its agency ever had, or
//                   belongs to nothing; names the agreement; else the store's
Result<Loaded> LoadAgreements(const store::Transaction& transaction, const TrustedKeys& keys,
                              policy::Instant now);

}  // namespace comity::agreements
