// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "policy/agreement/issue.h"

namespace comity::policy {

// How a scalar stands in the bytes of a document.
struct ScalarSource {
  std::size_t size = 0;  // octets, quotes included
  bool quoted = false;
  std::string fault;  // not empty: outside the subset; says why
};

// Reads the scalar at the start of `rest` again, from the bytes alone, and compares it with
// `value`, what the YAML reader made of it. In flow collections plain scalars have a narrower
// alphabet, because readers differ about `:` there.
ScalarSource ReadScalarSource(std::string_view rest, std::string_view value, bool in_flow);

struct SourceSpan {
  std::size_t begin = 0;
  std::size_t size = 0;
};

// Reports what stands between the scalars of a document (`spans`, in order) and is neither
// indentation, nor one of `-:,[]{}`, nor a comment after a space.
void CheckStructure(std::string_view yaml, const std::vector<SourceSpan>& spans, IssueLog& issues);

}  // namespace comity::policy
