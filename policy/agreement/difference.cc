// SPDX-License-Identifier: Apache-2.0
#include "policy/agreement/difference.h"

#include <algorithm>
#include <map>

#include "crypto/base/encoding.h"
#include "policy/agreement/clauses.h"

namespace comity::policy {
namespace {

// Ids in the order in which they first occur, each with its sentences.
struct Sentences {
  std::vector<std::string> ids;
  std::map<std::string, std::vector<std::string>> by_id;
};

Sentences Sorted(const Agreement& agreement) {
  Sentences sentences;
  const auto add = [&](const std::string& id, std::string sentence) {
    const auto [place, is_new] = sentences.by_id.try_emplace(id);
    if (is_new) sentences.ids.push_back(id);
    place->second.push_back(std::move(sentence));
  };
  add("title", agreement.title);
  for (Clause& clause : ListClauses(agreement)) add(clause.id, std::move(clause.sentence));
  return sentences;
}

std::string Name(const Agreement& agreement) {
  return agreement.id.text() + " version " + std::to_string(agreement.version) + ", SHA-256 " +
         EncodeHex(agreement.sha256.view());
}

// What `left` says under an id and `right` does not, each in turn.
std::vector<std::string> Without(std::vector<std::string> left,
                                 const std::vector<std::string>& right) {
  std::erase_if(left, [&](const std::string& sentence) {
    return std::find(right.begin(), right.end(), sentence) != right.end();
  });
  return left;
}

void Compare(const std::string& id, const std::vector<std::string>& before,
             const std::vector<std::string>& after, std::vector<ClauseChange>& changes) {
  const auto gone = Without(before, after);
  const auto come = Without(after, before);
  for (std::size_t i = 0; i < std::max(gone.size(), come.size()); ++i) {
    changes.push_back({id, i < gone.size() ? gone[i] : "", i < come.size() ? come[i] : ""});
  }
}

}  // namespace

std::vector<ClauseChange> CompareClauses(const Agreement& before, const Agreement& after) {
  const Sentences old_text = Sorted(before);
  const Sentences new_text = Sorted(after);
  static const std::vector<std::string> kNone;
  const auto of = [](const Sentences& text, const std::string& id) -> const auto& {
    const auto found = text.by_id.find(id);
    return found == text.by_id.end() ? kNone : found->second;
  };
  std::vector<ClauseChange> changes;
  for (const std::string& id : new_text.ids)
    Compare(id, of(old_text, id), of(new_text, id), changes);
  for (const std::string& id : old_text.ids) {
    if (!new_text.by_id.contains(id)) Compare(id, of(old_text, id), kNone, changes);
  }
  return changes;
}

std::string RenderDifference(const Agreement& before, const Agreement& after) {
  std::string text = "from " + Name(before) + "\nto   " + Name(after) + "\n";
  const auto changes = CompareClauses(before, after);
  if (changes.empty()) return text + "\nNo clause differs.\n";
  for (const ClauseChange& change : changes) {
    text += "\n[" + change.id + "]\n";
    if (!change.before.empty()) text += "- " + change.before + "\n";
    if (!change.after.empty()) text += "+ " + change.after + "\n";
  }
  return text;
}

}  // namespace comity::policy
