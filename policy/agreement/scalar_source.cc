// SPDX-License-Identifier: Apache-2.0
#include "policy/agreement/scalar_source.h"

#include <algorithm>

namespace comity::policy {
namespace {

constexpr std::string_view kOneLine = "a value stands on one line";

ScalarSource Fault(std::string_view why) {
  return {0, false, std::string(why)};
}

// `quote` doubles itself ('') or escapes with a backslash ("), by its kind.
ScalarSource ReadQuoted(std::string_view rest, std::string_view value) {
  const char quote = rest.front();
  std::string read;
  for (std::size_t i = 1; i < rest.size(); ++i) {
    const char c = rest[i];
    if (c == '\n') return Fault(kOneLine);
    const char next = i + 1 < rest.size() ? rest[i + 1] : '\0';
    if (quote == '"' && c == '\\') {
      if (next != '"' && next != '\\') return Fault("the only escapes are \\\" and \\\\");
      read += next;
      ++i;
    } else if (quote == '\'' && c == '\'' && next == '\'') {
      read += c;
      ++i;
    } else if (c == quote) {
      if (read != value) return Fault("the value cannot be read without doubt");
      return {i + 1, true, {}};
    } else {
      read += c;
    }
  }
  return Fault(kOneLine);
}

bool IsPlainInFlow(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '+' || c == '/' || c == ' ';
}

ScalarSource ReadPlain(std::string_view rest, std::string_view value, bool in_flow) {
  if (!rest.starts_with(value)) return Fault(kOneLine);
  if (in_flow && !std::all_of(value.begin(), value.end(), IsPlainInFlow)) {
    return Fault("inside [ ] and { } a value with such characters needs quotes");
  }
  return {value.size(), false, {}};
}

std::string_view Meaning(char c) {
  switch (c) {
    case '&':
      return "anchors are not allowed";
    case '*':
      return "aliases are not allowed";
    case '!':
      return "tags are not allowed";
    case '|':
    case '>':
      return "block scalars are not allowed; a value stands on one line";
    case '?':
      return "explicit keys are not allowed";
    case '#':
      return "a comment needs a space before it";
    default:
      return "this character does not belong here";
  }
}

}  // namespace

ScalarSource ReadScalarSource(std::string_view rest, std::string_view value, bool in_flow) {
  if (rest.empty()) return Fault("the value cannot be read without doubt");
  const char first = rest.front();
  if (first == '"' || first == '\'') return ReadQuoted(rest, value);
  if (std::string_view("&*!|>%@`").find(first) != std::string_view::npos) {
    return Fault(Meaning(first));
  }
  return ReadPlain(rest, value, in_flow);
}

void CheckStructure(std::string_view yaml, const std::vector<SourceSpan>& spans, IssueLog& issues) {
  Position at{1, 1};
  auto span = spans.begin();
  bool in_comment = false;
  for (std::size_t i = 0; i < yaml.size(); ++i, ++at.column) {
    if (span != spans.end() && i == span->begin) {
      at.column += static_cast<int>(span->size) - 1;
      i += span->size - 1;
      ++span;
      continue;
    }
    const char c = yaml[i];
    if (c == '\n') {
      at = {at.line + 1, 0};
      in_comment = false;
    } else if (!in_comment && c == '#' && (i == 0 || yaml[i - 1] == ' ' || yaml[i - 1] == '\n')) {
      in_comment = true;
    } else if (!in_comment && std::string_view(" -:,[]{}").find(c) == std::string_view::npos) {
      issues.Add(at, "", std::string(Meaning(c)));
      return;  // one misread character makes nonsense of what follows
    }
  }
}

}  // namespace comity::policy
