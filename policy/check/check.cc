// SPDX-License-Identifier: Apache-2.0
#include "policy/check/check.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>

#include "policy/agreement/document.h"
#include "policy/agreement/statement.h"
#include "policy/check/bare_purpose.h"
#include "policy/check/legal_rules.h"

namespace comity::policy {
namespace {

// Adds each fault that its methods find; one method per section of the document.
class Checker {
 public:
  explicit Checker(const Agreement& agreement) : agreement_(agreement) {}

  std::vector<Issue> Run() && {
    CheckParties();
    CheckKeys();
    CheckPurposes();
    CheckAttachments();
    CheckPermissions();
    CheckProhibitions();
    CheckDuration();
    for (Issue& issue : CheckLaw(agreement_)) issues_.push_back(std::move(issue));
    return std::move(issues_);
  }

 private:
  void Report(std::string path, std::string message) {
    issues_.push_back({0, 0, std::move(path), std::move(message)});
  }
  static std::string At(std::string_view list, std::size_t index, std::string_view field = "") {
    std::string path = std::string(list) + "[" + std::to_string(index) + "]";
    return field.empty() ? path : path + "." + std::string(field);
  }

  void CheckParties() {
    if (agreement_.parties.size() != 2) {
      Report("parties", "an agreement has exactly two parties; here are " +
                            std::to_string(agreement_.parties.size()));
    }
    std::set<AgencyId> agencies;
    for (std::size_t i = 0; i < agreement_.parties.size(); ++i) {
      const Party& party = agreement_.parties[i];
      if (!agencies.insert(party.agency).second) {
        Report(At("parties", i, "agency"), "this agency is a party already");
      }
      if (party.signatories.size() < 2) {
        Report(At("parties", i, "signatories"),
               "a party has at least two signatories: lifting a suspension takes two people");
      }
      CheckPosts(party, At("parties", i));
    }
  }

  // A post names one person in a statement, so it must name one only.
  void CheckPosts(const Party& party, const std::string& path) {
    std::set<std::string> posts = {party.dpo.post};
    if (party.dpo.post == kGatewayPost) ReportGatewayPost(path + ".dpo.post");
    for (std::size_t i = 0; i < party.signatories.size(); ++i) {
      const std::string post_path = path + "." + At("signatories", i, "post");
      const std::string& post = party.signatories[i].post;
      if (post == kGatewayPost) ReportGatewayPost(post_path);
      if (!posts.insert(post).second) Report(post_path, "this party has another post of that name");
    }
  }
  void ReportGatewayPost(const std::string& path) {
    Report(path, "the post `gateway` is reserved for the agency's own key");
  }

  void CheckKeys() {
    std::set<KeyText> keys;
    for (std::size_t i = 0; i < agreement_.parties.size(); ++i) {
      const Party& party = agreement_.parties[i];
      CheckKey(party.agency_key, At("parties", i, "agency_key"), keys);
      CheckKey(party.dpo.key, At("parties", i, "dpo.key"), keys);
      for (std::size_t j = 0; j < party.signatories.size(); ++j) {
        const std::string path = At("parties", i, At("signatories", j, "key"));
        if (party.signatories[j].key == party.dpo.key) {
          Report(path, "the DPO advises and does not sign (DPA 2018 s.70(3)(b)): another key");
        } else {
          CheckKey(party.signatories[j].key, path, keys);
        }
      }
    }
  }
  void CheckKey(const KeyText& key, std::string path, std::set<KeyText>& keys) {
    if (!keys.insert(key).second) {
      Report(std::move(path), "this key belongs to somebody else in this document already");
    }
  }

  void CheckPurposes() {
    std::set<PurposeCode> codes;
    for (std::size_t i = 0; i < agreement_.purposes.size(); ++i) {
      const Purpose& purpose = agreement_.purposes[i];
      if (!codes.insert(purpose.code).second) {
        Report(At("purposes", i, "code"), "another purpose has this code");
      }
      constexpr std::string_view kBare =
          "a purpose is specified and explicit (DPA 2018 s.36(1)); this one could mean anything";
      if (IsBarePurpose(purpose.code.text())) {
        Report(At("purposes", i, "code"), std::string(kBare));
      }
      if (IsBarePurpose(purpose.label)) Report(At("purposes", i, "label"), std::string(kBare));
      const bool known = std::any_of(
          agreement_.parties.begin(), agreement_.parties.end(), [&](const Party& party) {
            return std::find(party.regimes.begin(), party.regimes.end(), purpose.regime) !=
                   party.regimes.end();
          });
      if (!known) {
        Report(At("purposes", i, "regime"), "no party acts under " +
                                                std::string(Name(purpose.regime)) +
                                                "; see `regimes` of the parties");
      }
    }
  }

  void CheckAttachments() {
    std::set<std::string> ids;
    for (std::size_t i = 0; i < agreement_.attachments.size(); ++i) {
      const Attachment& attachment = agreement_.attachments[i];
      if (!ids.insert(attachment.id).second) {
        Report(At("attachments", i, "id"), "another attachment has this id");
      }
      if (attachment.valid_from >= attachment.valid_until) {
        Report(At("attachments", i, "valid_until"), "must be after valid_from");
      }
    }
    for (const AttachmentKind kind : MissingAttachments(agreement_)) {
      Report("attachments", "the regime of the purposes demands an attachment of kind `" +
                                std::string(Name(kind)) + "`");
    }
  }

  void CheckPermissions() {
    for (std::size_t i = 0; i < agreement_.permissions.size(); ++i) {
      const SearchPermission& permission = agreement_.permissions[i];
      CheckClauseId(permission.id, At("permissions", i, "id"));
      CheckParty(permission.requester, At("permissions", i, "requester"));
      CheckParty(permission.holder, At("permissions", i, "holder"));
      if (permission.requester == permission.holder) {
        Report(At("permissions", i, "holder"), "requester and holder are different agencies");
      }
      CheckPurposeCodes(permission.purposes, At("permissions", i, "purposes"));
      CheckReleases(permission.releases, At("permissions", i, "releases"));
      if (permission.mode == SearchMode::kSealed) CheckSealed(permission, i);
    }
  }

  // What sealed search cannot do, and what it must not tell.
  void CheckSealed(const SearchPermission& permission, std::size_t index) {
    constexpr std::array kDimensions = {128U, 256U, 512U, 1024U};
    if (std::ranges::find(kDimensions, permission.engine.dimension) == kDimensions.end()) {
      Report(At("permissions", index, "engine.dimension"),
             "a list can be sealed for 128, 256, 512 or 1024 dimensions only");
    }
    for (std::size_t i = 0; i < permission.releases.size(); ++i) {
      if (permission.releases[i].item != ReleaseItem::kSimilarity) continue;
      Report(At("permissions", index, At("releases", i, "item")),
             "a sealed search discloses no similarity to anybody");
    }
  }

  void CheckReleases(const std::vector<Release>& releases, const std::string& list) {
    std::set<ReleaseItem> items;
    for (std::size_t i = 0; i < releases.size(); ++i) {
      if (items.insert(releases[i].item).second) continue;
      Report(At(list, i, "item"), "this item is released already; one line for its roles");
    }
  }

  void CheckProhibitions() {
    for (std::size_t i = 0; i < agreement_.prohibitions.size(); ++i) {
      const Prohibition& prohibition = agreement_.prohibitions[i];
      CheckClauseId(prohibition.id, At("prohibitions", i, "id"));
      for (std::size_t j = 0; j < prohibition.requesters.size(); ++j) {
        CheckParty(prohibition.requesters[j], At("prohibitions", i, At("requesters", j)));
      }
      CheckPurposeCodes(prohibition.purposes, At("prohibitions", i, "purposes"));
      if (prohibition.requesters.empty() && prohibition.purposes.empty() &&
          prohibition.list_categories.empty()) {
        Report(At("prohibitions", i),
               "forbids everything: name requesters, purposes or categories");
      }
    }
  }

  void CheckClauseId(const std::string& id, std::string path) {
    // First parts of the other clause ids that a decision can name.
    static const std::set<std::string, std::less<>> kReserved = {
        "advice",       "attachments", "parties",    "peer-status", "permissions",
        "prohibitions", "purposes",    "rejection",  "retention",   "request",
        "sha256",       "signatures",  "suspension", "termination", "version"};
    if (kReserved.contains(id)) Report(path, "this clause id is reserved");
    if (!clause_ids_.insert(id).second) Report(std::move(path), "another clause has this id");
  }
  void CheckParty(const AgencyId& agency, std::string path) {
    if (agreement_.FindParty(agency) == nullptr) {
      Report(std::move(path), agency.text() + " is not a party of this agreement");
    }
  }
  void CheckPurposeCodes(const std::vector<PurposeCode>& codes, const std::string& list) {
    for (std::size_t i = 0; i < codes.size(); ++i) {
      if (agreement_.FindPurpose(codes[i]) == nullptr) {
        Report(At(list, i), "no purpose of this agreement has the code " + codes[i].text());
      }
    }
  }

  void CheckDuration() {
    if (agreement_.effective_from >= agreement_.effective_until) {
      Report("effective_until", "must be after effective_from");
    }
    if (agreement_.review_by <= agreement_.effective_from) {
      Report("review_by", "must be after effective_from");
    } else if (agreement_.review_by - agreement_.review_reminder < agreement_.effective_from) {
      Report("review_reminder", "the reminder would come before effective_from");
    }
  }

  const Agreement& agreement_;
  std::vector<Issue> issues_;
  std::set<std::string> clause_ids_;
};

// Where `path` stands, or else the nearest thing around it.
Position Locate(const std::map<std::string, Position, std::less<>>& positions,
                std::string_view path) {
  while (!path.empty()) {
    const auto found = positions.find(path);
    if (found != positions.end()) return found->second;
    const std::size_t cut = path.find_last_of(".[");
    path = cut == path.npos ? std::string_view() : path.substr(0, cut);
  }
  return {1, 1};
}

}  // namespace

std::vector<Issue> Check(const Agreement& agreement) {
  return Checker(agreement).Run();
}

LoadedAgreement LoadAgreement(std::string_view yaml) {
  ParsedDocument parsed = ParseDocument(yaml);
  LoadedAgreement loaded;
  loaded.issues = std::move(parsed.issues);
  if (!parsed.agreement) return loaded;
  IssueLog log;
  for (Issue& issue : Check(*parsed.agreement)) {
    log.Add(Locate(parsed.positions, issue.path), issue.path, std::move(issue.message));
  }
  if (log.empty()) loaded.agreement = std::move(parsed.agreement);
  loaded.issues = std::move(log).Take();
  return loaded;
}

}  // namespace comity::policy
