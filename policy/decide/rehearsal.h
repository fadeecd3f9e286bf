// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "policy/agreement/example_requests.h"
#include "policy/decide/agreement_set.h"
#include "policy/decide/decide.h"

namespace comity::policy {

// A set that decides as if all advice and signatures of this one document had been given. For
// people who want to know what a draft would do; no gateway decides by such a set.
Result<AgreementSet> AsIfSigned(const Agreement& draft);

struct RehearsedCase {
  ExampleRequest example;
  Decision decision;
  bool as_expected = false;  // code and most specific clause
};

// Decides each example under the draft, each at its own instant.
//
// Errors:  kInvalidArgument  the examples are for another agreement
// Threads: pure function; safe from any thread.
Result<std::vector<RehearsedCase>> Rehearse(const Agreement& draft,
                                            const ExampleRequests& examples);

}  // namespace comity::policy
