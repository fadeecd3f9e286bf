// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/agreement/issue.h"

namespace comity::policy {

struct YamlMember;

// A value of a document in the strict subset. Plain data; the YAML library stays behind ReadYaml.
struct YamlNode {
  enum class Kind { kScalar, kMap, kSequence };
  Kind kind = Kind::kScalar;
  Position at;
  bool faulty = false;  // already reported; readers stay silent about it
  std::string text;     // scalar
  bool quoted = false;  // scalar
  std::vector<YamlMember> members;
  std::vector<YamlNode> items;
};
struct YamlMember {
  std::string key;
  Position at;
  YamlNode value;
};

inline constexpr int kMaxDocumentDepth = 16;

// Reads one document and reports whatever is outside the subset: anchors, aliases, tags, complex,
// empty and repeated keys, block scalars, values over several lines, escapes other than \" and \\,
// uneven indentation, depth above kMaxDocumentDepth. The value of each scalar is compared with the
// bytes it stands in, so that no two readers can see different values.
//
// In: yaml  has passed CheckDocumentText
std::optional<YamlNode> ReadYaml(std::string_view yaml, IssueLog& issues);

}  // namespace comity::policy
