// SPDX-License-Identifier: Apache-2.0
#include "policy/agreement/field_reader.h"

#include <numeric>

#include "crypto/base/quote.h"
#include "policy/agreement/field_values.h"

namespace comity::policy {
namespace {

std::string_view Describe(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::kScalar:
      return "must be a single value";
    case YamlNode::Kind::kMap:
      return "must be a map of fields";
    case YamlNode::Kind::kSequence:
      return "must be a list";
  }
  return "must be another kind of value";
}

// Levenshtein distance; both texts are short.
std::size_t EditDistance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < left.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < right.size(); ++j) {
      const std::size_t replaced = diagonal + (left[i] == right[j] ? 0U : 1U);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

// The known key that was probably meant; empty if none is near.
std::string_view Nearest(std::string_view key, const std::vector<std::string_view>& known) {
  constexpr std::size_t kLongestKey = 64;  // longer ones are no slip of the pen
  std::string_view nearest;
  std::size_t best = 2 + key.size() / 4;  // one slip, and one more every four characters
  if (key.size() > kLongestKey) return nearest;
  for (const std::string_view candidate : known) {
    constexpr std::size_t kTelling = 4;  // characters of a beginning that say which key is meant
    const bool begins = key.size() >= kTelling && candidate.starts_with(key);
    const std::size_t distance = begins ? 1 : EditDistance(key, candidate);
    if (distance >= best) continue;
    best = distance;
    nearest = candidate;
  }
  return nearest;
}

}  // namespace

FieldReader::FieldReader(const YamlNode& map, std::string path, Reading& reading)
    : map_(map), path_(std::move(path)), reading_(reading) {}

void FieldReader::Flag(std::string_view key, bool& out) {
  const YamlNode* node = Find(key, YamlNode::Kind::kScalar);
  if (node == nullptr) return;
  if (node->quoted) return Report(node->at, PathOf(key), "true and false stand without quotes");
  Assign(*node, PathOf(key), out, ParseFlag);
}

void FieldReader::Exactly(std::string_view key, std::string_view expected) {
  std::string ignored;
  Scalar(key, ignored, [expected](std::string_view text) { return ParseExactly(text, expected); });
}

void FieldReader::Finish() {
  if (map_.faulty) return;
  for (const YamlMember& member : map_.members) {
    if (std::find(known_.begin(), known_.end(), member.key) != known_.end()) continue;
    std::string message = "unknown key " + Quote(member.key);
    const std::string_view nearest = Nearest(member.key, known_);
    if (!nearest.empty()) message += "; is `" + std::string(nearest) + "` meant?";
    Report(member.at, path_, std::move(message));
  }
}

const YamlNode* FieldReader::Find(std::string_view key, YamlNode::Kind kind) {
  known_.push_back(key);
  const auto member = std::find_if(map_.members.begin(), map_.members.end(),
                                   [&](const YamlMember& each) { return each.key == key; });
  if (member == map_.members.end()) {
    if (!map_.faulty) Report(map_.at, PathOf(key), "this field is missing");
    return nullptr;
  }
  const std::string path = PathOf(key);
  reading_.positions.emplace(path, member->value.at);
  return IsKind(member->value, kind, path) ? &member->value : nullptr;
}

bool FieldReader::IsKind(const YamlNode& node, YamlNode::Kind kind, const std::string& path) {
  if (node.faulty && node.kind == YamlNode::Kind::kScalar) return false;
  if (node.kind == kind) return true;
  Report(node.at, path, std::string(Describe(kind)));
  return false;
}

bool FieldReader::IsLength(const YamlNode& list, ListBound bound, const std::string& path) {
  if (list.items.size() >= bound.min && list.items.size() <= bound.max) return true;
  Report(list.at, path,
         "must have " + std::to_string(bound.min) + " to " + std::to_string(bound.max) +
             " elements, has " + std::to_string(list.items.size()));
  return false;
}

std::string FieldReader::PathOf(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void FieldReader::Report(Position at, const std::string& path, std::string message) {
  reading_.issues.Add(at, path, std::move(message));
}

}  // namespace comity::policy
