// SPDX-License-Identifier: Apache-2.0
#include "policy/agreement/render.h"

#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/base/encoding.h"
#include "policy/model/instant.h"

namespace comity::policy {
namespace {

// Writes headings and clauses with running numbers.
class ClauseWriter {
 public:
  void Heading(std::string_view title) {
    ++section_;
    clause_ = 0;
    text_ += "\n" + std::to_string(section_) + ". " + std::string(title) + "\n";
  }
  void Clause(std::string_view id, const std::string& sentence) {
    text_ += std::to_string(section_) + "." + std::to_string(++clause_) + " [" + std::string(id) +
             "] " + sentence + "\n";
  }
  void Line(const std::string& line) { text_ += line + "\n"; }
  std::string Take() && { return std::move(text_); }

 private:
  std::string text_;
  int section_ = 0;
  int clause_ = 0;
};

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  return text;
}

template <typename Term>
std::string Names(const std::vector<Term>& terms) {
  std::vector<std::string> words;
  for (const Term& term : terms) words.emplace_back(Name(term));
  return Joined(words);
}
template <typename Kind>
std::string Names(const std::vector<Id<Kind>>& ids) {
  std::vector<std::string> words;
  for (const auto& id : ids) words.push_back(id.text());
  return Joined(words);
}

// The shortest of at most 9 decimals, as the document may write it.
std::string Decimal(double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.9f", value);
  std::string text(digits);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

void WriteParty(const Party& party, ClauseWriter& out) {
  const std::string id = "parties." + party.agency.text();
  out.Clause(id, party.name + " (" + party.agency.text() + ") takes part as " +
                     std::string(Name(party.legal_role)) + " under " + Names(party.regimes) +
                     ". Its gateway acts under the key " + party.agency_key + ".");
  out.Clause(id + ".dpo", "Its data protection officer is the post \"" + party.dpo.post +
                              "\", reached at " + party.dpo.contact + ", with the key " +
                              party.dpo.key + ".");
  for (const Signatory& signatory : party.signatories) {
    out.Clause(id + ".signatories", "The post \"" + signatory.post +
                                        "\" signs for it with the key " + signatory.key + ".");
  }
}

void WritePermission(const SearchPermission& permission, ClauseWriter& out) {
  const std::string& id = permission.id;
  out.Clause(id, permission.requester.text() + " may search the lists of " +
                     permission.holder.text() + " within all of the following bounds.");
  out.Clause(id + ".purposes", "Only for: " + Names(permission.purposes) + ".");
  out.Clause(id + ".list_categories",
             "Only lists of the categories: " + Names(permission.list_categories) + ".");
  out.Clause(id + ".roles", "Only when asked by: " + Names(permission.roles) + ".");
  out.Clause(id + ".uses", "Only in use: " + Names(permission.uses) + ".");
  out.Clause(id + ".mode",
             permission.mode == SearchMode::kSealed
                 ? "Searches are sealed: neither side sees the other's templates."
                 : "Searches are direct: the template of the face sought goes to the holder, is "
                   "compared in memory, wiped and forgotten.");
  out.Clause(id + ".engine", "Templates are made by " + permission.engine.name + ", version " +
                                 permission.engine.version + ", with " +
                                 std::to_string(permission.engine.dimension) +
                                 " elements, and compared by cosine.");
  out.Clause(id + ".threshold_floor", "No search below a similarity threshold of " +
                                          Decimal(permission.threshold_floor) + ".");
  out.Clause(id + ".hit_cap", "One search returns no more than " +
                                  std::to_string(permission.hit_cap) +
                                  (permission.hit_cap == 1 ? " entry." : " entries."));
  out.Clause(id + ".capacity",
             "At most " + std::to_string(permission.probes_per_day) + " searches a day (UTC).");
  out.Clause(id + ".releases", "A hit releases: " + Names(permission.releases) + ". Nothing else.");
}

void WriteProhibition(const Prohibition& prohibition, ClauseWriter& out) {
  std::string sentence = "Forbidden, whatever else is permitted: searches";
  if (!prohibition.requesters.empty()) sentence += " by " + Names(prohibition.requesters);
  if (!prohibition.purposes.empty()) sentence += " for " + Names(prohibition.purposes);
  if (!prohibition.list_categories.empty()) {
    sentence += " of lists with " + Names(prohibition.list_categories);
  }
  out.Clause(prohibition.id, sentence + ". Reason: " + prohibition.reason);
}

void WriteDuration(const Agreement& agreement, ClauseWriter& out) {
  out.Heading("Retention and duration");
  out.Clause("retention.alert", "An alert is kept for " +
                                    EncodeDuration(agreement.retention.alert) +
                                    " at the requester, then erased.");
  out.Clause("retention.audit", "What the audit log refers to is kept for " +
                                    EncodeDuration(agreement.retention.audit) + ".");
  out.Clause("effective_from", "The agreement permits nothing before " +
                                   EncodeInstant(agreement.effective_from) + ".");
  out.Clause("effective_until",
             "It permits nothing from " + EncodeInstant(agreement.effective_until) + " on.");
  out.Clause("review_by", "Without a review, hence a higher version, it permits nothing from " +
                              EncodeInstant(agreement.review_by) + " on.");
}

void WriteAttachment(const Attachment& attachment, ClauseWriter& out) {
  out.Clause("attachments." + attachment.id,
             std::string(Name(attachment.kind)) + ": " + attachment.reference + ", valid from " +
                 EncodeInstant(attachment.valid_from) + " until " +
                 EncodeInstant(attachment.valid_until) + ", SHA-256 " +
                 EncodeHex(attachment.sha256.view()) + ". Outside this time nothing is permitted.");
}

}  // namespace

std::string RenderClauses(const Agreement& agreement) {
  ClauseWriter out;
  out.Line(agreement.title);
  out.Line("Agreement " + agreement.id.text() + ", version " + std::to_string(agreement.version));
  out.Line("SHA-256 of the document: " + EncodeHex(agreement.sha256.view()));
  out.Line("What no clause permits is forbidden.");
  out.Heading("Parties");
  for (const Party& party : agreement.parties) WriteParty(party, out);
  out.Heading("Purposes");
  for (const Purpose& purpose : agreement.purposes) {
    out.Clause("purposes." + purpose.code.text(),
               purpose.label + ", under " + std::string(Name(purpose.regime)) + ". Legal power: " +
                   purpose.legal_power + ". Condition: " + purpose.condition + ".");
  }
  out.Heading("Attachments");
  for (const Attachment& attachment : agreement.attachments) WriteAttachment(attachment, out);
  out.Heading("Permissions");
  for (const SearchPermission& permission : agreement.permissions) WritePermission(permission, out);
  out.Heading("Prohibitions");
  for (const Prohibition& prohibition : agreement.prohibitions) WriteProhibition(prohibition, out);
  WriteDuration(agreement, out);
  return std::move(out).Take();
}

}  // namespace comity::policy
