// SPDX-License-Identifier: Apache-2.0
#include "policy/agreement/clauses.h"

#include <cstdio>
#include <utility>

#include "crypto/base/encoding.h"
#include "policy/model/instant.h"

namespace comity::policy {
namespace {

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
template <typename Term>
std::string Names(const TermSet<Term>& terms) {
  return Names(terms.Terms());
}
template <typename Kind>
std::string Names(const std::vector<Id<Kind>>& ids) {
  std::vector<std::string> words;
  for (const auto& id : ids) words.push_back(id.text());
  return Joined(words);
}

std::string Count(std::uint64_t number, const std::string& one, const std::string& many) {
  return std::to_string(number) + " " + (number == 1 ? one : many);
}

// A duration as people say it: `1 day`, `12 hours`, `1 hour 30 minutes`.
std::string Length(std::chrono::seconds duration) {
  const auto whole_days = std::chrono::floor<std::chrono::days>(duration);
  const std::chrono::hh_mm_ss time(duration - whole_days);
  std::vector<std::string> parts;
  const auto add = [&](std::int64_t number, const std::string& one) {
    if (number != 0) parts.push_back(Count(static_cast<std::uint64_t>(number), one, one + "s"));
  };
  add(whole_days.count(), "day");
  add(time.hours().count(), "hour");
  add(time.minutes().count(), "minute");
  add(time.seconds().count(), "second");
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : " ") + part;
  return text;
}

class ClauseList {
 public:
  void Section(std::string_view section) { section_ = section; }
  void Add(std::string id, std::string sentence) {
    clauses_.push_back({section_, std::move(id), std::move(sentence)});
  }
  std::vector<Clause> Take() && { return std::move(clauses_); }

 private:
  std::string_view section_;
  std::vector<Clause> clauses_;
};

void AddParty(const Party& party, ClauseList& out) {
  const std::string id = "parties." + party.agency.text();
  out.Add(id, party.name + " (" + party.agency.text() + ") takes part as " +
                  std::string(Name(party.legal_role)) + " under " + Names(party.regimes) +
                  ", reached at " + party.contact_point + ". Its gateway acts under the key " +
                  party.agency_key + ".");
  out.Add(id + ".dpo", "Its data protection officer is the post \"" + party.dpo.post +
                           "\", reached at " + party.dpo.contact + ", with the key " +
                           party.dpo.key + ".");
  for (const Signatory& signatory : party.signatories) {
    out.Add(id + ".signatories",
            "The post \"" + signatory.post + "\" signs for it with the key " + signatory.key +
                (signatory.caldicott ? " and guards the confidentiality of patients or clients."
                                     : "."));
  }
}

void AddPurpose(const Purpose& purpose, ClauseList& out) {
  const std::string id = "purposes." + purpose.code.text();
  out.Add(id, purpose.label + " (" + std::string(Name(purpose.parent)) + "), under " +
                  std::string(Name(purpose.regime)) + ". Legal power: " + purpose.legal_power +
                  ". Condition: " + purpose.condition + ".");
  out.Add(id + ".offence", purpose.offence_floor ? "Only for an offence of the class " +
                                                       std::string(Name(*purpose.offence_floor)) +
                                                       " or a graver one (longest sentence in law)."
                                                 : "No offence need be stated.");
  out.Add(id + ".subject_categories",
          "Only entries about people of the categories: " + Names(purpose.subject_categories) +
              ". Others never match.");
  out.Add(id + ".case", purpose.requires_case_reference
                            ? "Each search stands in a case, whose reference is recorded."
                            : "A search need not stand in a case.");
}

void AddBounds(const SearchPermission& permission, ClauseList& out) {
  const std::string& id = permission.id;
  const Capacity& capacity = permission.capacity;
  out.Add(id + ".capacity", "At most " + Count(capacity.probes_per_day, "search", "searches") +
                                " a day (UTC) by " + permission.requester.text() + " in all.");
  out.Add(id + ".capacity.per_officer",
          "At most " + std::to_string(capacity.per_officer_per_day) + " a day for one officer.");
  out.Add(id + ".capacity.per_case",
          "At most " + std::to_string(capacity.per_case_per_day) + " a day for one case.");
  const Alarms& alarms = permission.alarms;
  out.Add(id + ".alarms.hit_rate",
          "Suspended when more than " + DecimalText(alarms.hit_rate_percent) +
              " % of the searches in " + Length(alarms.hit_rate_window) + " hit.");
  out.Add(id + ".alarms.repeated_hits",
          "Suspended when one entry hits " + std::to_string(alarms.repeated_hits_of_entry) +
              " times in " + Length(alarms.repeated_hits_window) + ".");
  out.Add(id + ".lists",
          "Only lists of at most " + Count(permission.lists.max_entries, "entry", "entries") +
              ", built or re-validated at most " + Length(permission.lists.max_age) + " before.");
}

void AddPermission(const SearchPermission& permission, ClauseList& out) {
  const std::string& id = permission.id;
  out.Add(id, permission.requester.text() + " may search the lists of " + permission.holder.text() +
                  " within all of the following bounds.");
  if (permission.authorised_by) {
    out.Add(id + ".authorised_by", "The law that authorises the use by this requester: " +
                                       *permission.authorised_by + ".");
  }
  out.Add(id + ".purposes", "Only for: " + Names(permission.purposes) + ".");
  out.Add(id + ".list_categories",
          "Only lists of the categories: " + Names(permission.list_categories) + ".");
  out.Add(id + ".roles", "Only when asked by: " + Names(permission.roles) + ".");
  out.Add(id + ".uses", "Only in use: " + Names(permission.uses) + ".");
  out.Add(id + ".mode", permission.mode == SearchMode::kSealed
                            ? "Searches are sealed: neither side sees the other's templates. The "
                              "holder cannot measure the threshold. A search that matches more "
                              "entries than it may return, or more than 8, releases nothing and "
                              "stops all searches under this agreement until two people lift that."
                            : "Searches are direct: the template of the face sought goes to the "
                              "holder, is compared in memory, wiped and forgotten.");
  out.Add(id + ".engine", "Templates are made by " + permission.engine.name + ", version " +
                              permission.engine.version + ", with " +
                              std::to_string(permission.engine.dimension) +
                              " elements, and compared by cosine.");
  out.Add(id + ".threshold_floor", "No search below a similarity threshold of " +
                                       DecimalText(permission.threshold_floor) + ".");
  out.Add(id + ".hit_cap",
          "One search returns no more than " + Count(permission.hit_cap, "entry", "entries") + ".");
  AddBounds(permission, out);
  for (const Release& release : permission.releases) {
    const std::string item(Name(release.item));
    out.Add(id + ".releases." + item,
            "A hit releases the " + item + ", seen by: " + Names(release.roles) + ".");
  }
  out.Add(id + ".releases", "A hit releases nothing else.");
}

void AddProhibition(const Prohibition& prohibition, ClauseList& out) {
  std::string sentence = "Forbidden, whatever else is permitted: searches";
  if (!prohibition.requesters.empty()) sentence += " by " + Names(prohibition.requesters);
  if (!prohibition.purposes.empty()) sentence += " for " + Names(prohibition.purposes);
  if (!prohibition.list_categories.empty()) {
    sentence += " of lists with " + Names(prohibition.list_categories);
  }
  out.Add(prohibition.id, sentence + ". Reason: " + prohibition.reason);
}

void AddAttachment(const Attachment& attachment, ClauseList& out) {
  out.Add("attachments." + attachment.id,
          std::string(Name(attachment.kind)) + ": " + attachment.reference + ", valid from " +
              EncodeInstant(attachment.valid_from) + " until " +
              EncodeInstant(attachment.valid_until) + ", SHA-256 " +
              EncodeHex(attachment.sha256.view()) + ". Outside this time nothing is permitted.");
}

void AddHandling(const Agreement& agreement, ClauseList& out) {
  out.Section("Retention and handling");
  const Retention& retention = agreement.retention;
  const auto kept = [&](const char* part, const std::string& what, std::chrono::seconds time) {
    out.Add(std::string("retention.") + part,
            what + " kept for " + Length(time) + ", then erased.");
  };
  kept("alert", "An alert is", retention.alert);
  kept("match_evidence", "What shows that a person confirmed a match is", retention.match_evidence);
  kept("audit", "What the audit log refers to is", retention.audit);
  kept("justification", "Why a search was made is", retention.justification);
  kept("list_after_end", "After its deployment or this agreement has ended, a received list is",
       retention.list_after_end);
  kept("receipts", "Receipts of withdrawals and deletions are", retention.receipts);
  out.Add("onward_sharing", agreement.onward_sharing == OnwardSharing::kNone
                                ? "What was received goes no further."
                                : "What was received goes further only with the originator's "
                                  "authorisation, asked for each time.");
  out.Add("handling_code", "Handling code " + std::string(Name(agreement.handling_code)) +
                               (agreement.handling_conditions
                                    ? ", on these conditions: " + *agreement.handling_conditions
                                    : ": lawful sharing permitted") +
                               ".");
}

void AddDuration(const Agreement& agreement, ClauseList& out) {
  out.Section("Duration, review and end");
  out.Add("effective_from",
          "The agreement permits nothing before " + EncodeInstant(agreement.effective_from) + ".");
  out.Add("effective_until",
          "It permits nothing from " + EncodeInstant(agreement.effective_until) + " on.");
  out.Add("review_by", "Without a review, hence a higher version, it permits nothing from " +
                           EncodeInstant(agreement.review_by) + " on.");
  out.Add("review_reminder",
          "Data protection officers and signatories are reminded of the review " +
              Length(agreement.review_reminder) + " before.");
  out.Add("termination.notice",
          "Two signatories of one party end it with a notice of " +
              Length(agreement.termination.notice) +
              "; two of each party end it at once. Either party suspends it at any time.");
  out.Add("termination.data_return",
          "When it ends, each party deletes what it received and says so in signed receipts.");
}

}  // namespace

std::string DecimalText(double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.9f", value);
  std::string text(digits);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::vector<Clause> ListClauses(const Agreement& agreement) {
  ClauseList out;
  out.Section("Parties");
  for (const Party& party : agreement.parties) AddParty(party, out);
  out.Add("data_subject_contact",
          "People whose data are concerned turn to: " + agreement.data_subject_contact + ".");
  if (agreement.joint_arrangement) {
    out.Add("joint_arrangement", "As joint controllers the parties have arranged: " +
                                     *agreement.joint_arrangement + ".");
  }
  out.Section("Purposes");
  for (const Purpose& purpose : agreement.purposes) AddPurpose(purpose, out);
  out.Section("Attachments");
  for (const Attachment& attachment : agreement.attachments) AddAttachment(attachment, out);
  out.Section("Permissions");
  for (const SearchPermission& permission : agreement.permissions) AddPermission(permission, out);
  out.Section("Prohibitions");
  for (const Prohibition& prohibition : agreement.prohibitions) AddProhibition(prohibition, out);
  AddHandling(agreement, out);
  AddDuration(agreement, out);
  return std::move(out).Take();
}

}  // namespace comity::policy
