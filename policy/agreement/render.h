// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "policy/model/agreement.h"

namespace comity::policy {

// The agreement as numbered clauses in plain English, each with its clause id in brackets; the
// text that people read before they sign. Deterministic: one document, one text.
std::string RenderClauses(const Agreement& agreement);

}  // namespace comity::policy
