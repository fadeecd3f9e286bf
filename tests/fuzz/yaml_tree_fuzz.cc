// SPDX-License-Identifier: Apache-2.0
// Documents in the strict subset of YAML: what is accepted is the tree that yaml-cpp builds of it
// in its own way, and what JSON that says the same gives.
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "policy/agreement/document_text.h"
#include "policy/agreement/yaml_tree.h"

namespace comity::policy {
namespace {

using Kind = YamlNode::Kind;

bool IsSame(const YamlNode& ours, const YAML::Node& theirs) {
  switch (ours.kind) {
    case Kind::kScalar:
      return theirs.IsScalar() && theirs.Scalar() == ours.text &&
             (theirs.Tag() == "!") == ours.quoted;
    case Kind::kSequence:
      return theirs.IsSequence() && theirs.size() == ours.items.size() &&
             std::equal(ours.items.begin(), ours.items.end(), theirs.begin(), IsSame);
    case Kind::kMap:
      return theirs.IsMap() && theirs.size() == ours.members.size() &&
             std::equal(ours.members.begin(), ours.members.end(), theirs.begin(),
                        [](const YamlMember& member, const auto& pair) {
                          return pair.first.Scalar() == member.key &&
                                 IsSame(member.value, pair.second);
                        });
  }
  return false;
}

bool IsSame(const YamlNode& a, const YamlNode& b) {
  return a.kind == b.kind && a.text == b.text &&
         std::ranges::equal(a.items, b.items,
                            [](const auto& x, const auto& y) { return IsSame(x, y); }) &&
         std::ranges::equal(a.members, b.members, [](const auto& x, const auto& y) {
           return x.key == y.key && IsSame(x.value, y.value);
         });
}

void AppendQuoted(std::string_view text, std::string& json) {
  json += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    json += c;
  }
  json += '"';
}

void AppendJson(const YamlNode& node, std::string& json) {
  if (node.kind == Kind::kScalar) return AppendQuoted(node.text, json);
  const bool is_map = node.kind == Kind::kMap;
  const char* separator = is_map ? "{" : "[";
  if (node.items.empty() && node.members.empty()) json += separator;
  for (const YamlMember& member : node.members) {
    json += separator;
    AppendQuoted(member.key, json);
    json += ": ";
    AppendJson(member.value, json);
    separator = ", ";
  }
  for (const YamlNode& item : node.items) {
    json += separator;
    AppendJson(item, json);
    separator = ", ";
  }
  json += is_map ? "}" : "]";
}

// yaml-cpp, as YAML says, takes no key of more than 1024 characters that is not announced.
bool HasLongKey(const YamlNode& node) {
  constexpr std::size_t kLongest = 1000;
  return std::ranges::any_of(node.members,
                             [](const YamlMember& member) {
                               return member.key.size() > kLongest || HasLongKey(member.value);
                             }) ||
         std::ranges::any_of(node.items, HasLongKey);
}

void Try(std::string_view yaml) {
  IssueLog issues;
  CheckDocumentText(yaml, issues);
  if (!issues.empty()) return;
  const auto tree = ReadYaml(yaml, issues);
  if (!tree || !issues.empty()) return;
  COMITY_CHECK(IsSame(*tree, YAML::Load(std::string(yaml))));
  if (HasLongKey(*tree)) return;
  std::string json;
  AppendJson(*tree, json);
  json += '\n';
  CheckDocumentText(json, issues);
  if (!issues.empty()) return;  // it has grown too large
  const auto again = ReadYaml(json, issues);
  COMITY_CHECK(again && issues.empty());
  COMITY_CHECK(IsSame(*tree, *again));
}

}  // namespace
}  // namespace comity::policy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  comity::policy::Try(comity::AsText({data, size}));
  return 0;
}
