// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/base/result.h"
#include "policy/agreement/issue.h"
#include "policy/agreement/yaml_tree.h"
#include "policy/model/term_set.h"

namespace comity::policy {

// What reading a document collects besides values.
struct Reading {
  IssueLog issues;
  std::map<std::string, Position, std::less<>> positions;
};

struct ListBound {
  std::size_t min = 0;
  std::size_t max = 0;
};

// Reads one map of a closed schema, field by field; every field is mandatory. Faults go to the
// reading, the value is then left as it was. Finish() reports the keys that nobody asked for.
//
// `parse` turns text into a value: std::string_view -> Result<T>; its error's detail is the fault.
// Threads: thread-compatible. `map` and `reading` must outlive it.
class FieldReader {
 public:
  FieldReader(const YamlNode& map, std::string path, Reading& reading);

  template <typename T, typename Parse>
  void Scalar(std::string_view key, T& out, Parse parse) {
    const YamlNode* node = Find(key, YamlNode::Kind::kScalar);
    if (node != nullptr) Assign(*node, PathOf(key), out, parse);
  }
  // A scalar that other readers would take for a text if it stood in quotes.
  template <typename T, typename Parse>
  void Number(std::string_view key, T& out, Parse parse) {
    const YamlNode* node = Find(key, YamlNode::Kind::kScalar);
    if (node == nullptr) return;
    if (node->quoted) return Report(node->at, PathOf(key), "a number stands without quotes");
    Assign(*node, PathOf(key), out, parse);
  }
  // `true` or `false`, without quotes.
  void Flag(std::string_view key, bool& out);
  // A field whose only value says what the document is; nothing is kept of it.
  void Exactly(std::string_view key, std::string_view expected);
  // A list of terms of a closed vocabulary, none of them twice.
  template <typename Term, typename Parse>
  void Terms(std::string_view key, ListBound bound, TermSet<Term>& out, Parse parse) {
    std::vector<Term> terms;
    List(key, bound, terms, parse);
    for (const Term term : terms) out.Add(term);
  }
  // A list of scalars, none of them twice.
  template <typename T, typename Parse>
  void List(std::string_view key, ListBound bound, std::vector<T>& out, Parse parse) {
    ForEach(key, bound, [&](const YamlNode& node, const std::string& path) {
      T value{};
      if (!IsKind(node, YamlNode::Kind::kScalar, path) || !Assign(node, path, value, parse)) return;
      if (std::find(out.begin(), out.end(), value) != out.end()) {
        return Report(node.at, path, "stands in the list twice");
      }
      out.push_back(std::move(value));
    });
  }
  // `read(FieldReader&)` reads the fields of the map under `key`.
  template <typename Read>
  void Map(std::string_view key, Read read) {
    const YamlNode* node = Find(key, YamlNode::Kind::kMap);
    if (node != nullptr) ReadFields(*node, PathOf(key), read);
  }
  // A list of maps: `read(FieldReader&, T&)` for each.
  template <typename T, typename Read>
  void Maps(std::string_view key, ListBound bound, std::vector<T>& out, Read read) {
    ForEach(key, bound, [&](const YamlNode& node, const std::string& path) {
      if (!IsKind(node, YamlNode::Kind::kMap, path)) return;
      T& value = out.emplace_back();
      ReadFields(node, path, [&](FieldReader& fields) { read(fields, value); });
    });
  }
  void Finish();

 private:
  // Null: absent or of another kind, which is reported.
  const YamlNode* Find(std::string_view key, YamlNode::Kind kind);
  bool IsKind(const YamlNode& node, YamlNode::Kind kind, const std::string& path);
  bool IsLength(const YamlNode& list, ListBound bound, const std::string& path);
  std::string PathOf(std::string_view key) const;
  void Report(Position at, const std::string& path, std::string message);

  template <typename T, typename Parse>
  bool Assign(const YamlNode& node, const std::string& path, T& out, Parse parse) {
    auto value = parse(std::string_view(node.text));
    if (!value) {
      Report(node.at, path, std::move(value.error().detail));
      return false;
    }
    out = std::move(value).value();
    return true;
  }
  template <typename Read>
  void ReadFields(const YamlNode& node, const std::string& path, Read read) {
    FieldReader fields(node, path, reading_);
    read(fields);
    fields.Finish();
  }
  template <typename Visit>
  void ForEach(std::string_view key, ListBound bound, Visit visit) {
    const YamlNode* list = Find(key, YamlNode::Kind::kSequence);
    if (list == nullptr || !IsLength(*list, bound, PathOf(key))) return;
    for (std::size_t i = 0; i < list->items.size(); ++i) {
      const std::string path = PathOf(key) + "[" + std::to_string(i) + "]";
      reading_.positions.emplace(path, list->items[i].at);
      visit(list->items[i], path);
    }
  }

  const YamlNode& map_;
  std::string path_;
  Reading& reading_;
  std::vector<std::string_view> known_;
};

}  // namespace comity::policy
