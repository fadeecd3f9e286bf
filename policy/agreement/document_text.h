// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "policy/agreement/issue.h"

namespace comity::policy {

// The part of the YAML subset that can be seen in the bytes: size, UTF-8 without BOM, line feeds as
// the only control characters, nothing invisible or reordering, one document without directives.
// Runs before the YAML reader, which lets all of that pass.
void CheckDocumentText(std::string_view yaml, IssueLog& issues);

// True for UTF-8 (RFC 3629) whose characters a person can see: no control, no line or paragraph
// separator, no byte order mark, no zero-width or bidirectional control (which make a text read
// otherwise than it is). A line feed is not allowed either.
bool IsVisibleText(std::string_view text);

}  // namespace comity::policy
