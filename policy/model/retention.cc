// SPDX-License-Identifier: Apache-2.0
#include "policy/model/retention.h"

#include <algorithm>
#include <array>
#include <string>

namespace comity::policy {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;
using enum RetentionClass;

constexpr seconds kThreeYears = days(1095);
constexpr seconds kOneYear = days(365);

constexpr std::array kRules{
    RetentionRule{kFace,
                  "face",
                  seconds(0),
                  {},
                  "its answer",
                  "never stored: wiped when it was compared, only counted",
                  "Home Office 2026; Prüm II Art 50(3)"},
    RetentionRule{kAlert,
                  "alert",
                  days(31),
                  {},
                  "the alert was raised",
                  "key and content destroyed, the holder's reference removed",
                  "SWP and MPS policy: 24 hours to 31 days"},
    RetentionRule{kMatchEvidence,
                  "match-evidence",
                  {},
                  {},
                  "the alert was raised",
                  "part of the alert, and goes with it",
                  "case rules (MoPI, CPIA)"},
    RetentionRule{kEntry,
                  "entry",
                  {},
                  {},
                  "the entry was approved",
                  "key, template and fields destroyed at the entry's own end",
                  "the originator; DPA s.39"},
    RetentionRule{kWatchlist,
                  "watchlist",
                  hours(24),
                  {},
                  "the list was closed",
                  "the list's key and all its entries destroyed; the manifest stays",
                  "Home Office 2026: at most 24 hours after the deployment"},
    RetentionRule{kAuditPayload, "audit-payload", kThreeYears, kOneYear, "the entry was written",
                  "key and payload destroyed; the entry stays and its proofs hold",
                  "Prüm II Art 33(3), 40(3): 3 years; CJIS AU-11: at least 1 year"},
    RetentionRule{kJustification,
                  "justification",
                  kThreeYears,
                  {},
                  "the act was decided",
                  "content, words and reasons of an act of two people removed; its hash stays",
                  "Prüm II Art 33(3), 40(3)"},
    RetentionRule{kMessage,
                  "message",
                  hours(24),
                  {},
                  "the partner acknowledged it",
                  "the content of a delivered message removed",
                  "DPA s.39: no longer than needed"},
    RetentionRule{kReceipt,
                  "receipt",
                  kThreeYears,
                  {},
                  "it was received",
                  "what a partner signed for removed",
                  "Prüm II Art 33(3), 40(3)"},
    RetentionRule{kHolding,
                  "holding",
                  kThreeYears,
                  {},
                  "the partner had to have erased it",
                  "which partner was told of which own entry, and by which answers, removed",
                  "Prüm II Art 33(3), 40(3)"},
    RetentionRule{kDeployment,
                  "deployment",
                  kThreeYears,
                  {},
                  "it was closed",
                  "its definition, holders and counts removed; the log's entries stay",
                  "Prüm II Art 33(3), 40(3)"},
    RetentionRule{kNotice,
                  "notice",
                  kThreeYears,
                  {},
                  "it was posted",
                  "subject and words removed",
                  "Prüm II Art 33(3), 40(3)"},
    RetentionRule{kReplayId,
                  "replay-id",
                  {},
                  {},
                  "the exchange",
                  "removed once a repeat would be refused as too old",
                  "DPA s.39"},
    RetentionRule{kCounter,
                  "counter",
                  hours(48),
                  {},
                  "the day it counts",
                  "counts of an officer's and a case's searches removed",
                  "DPA s.39"},
    RetentionRule{kExport,
                  "export",
                  {},
                  {},
                  "it was handed out",
                  "holds commitments only: nothing in it can be erased or needs to be",
                  "DPA s.39"},
    RetentionRule{kBackup,
                  "backup",
                  days(30),
                  {},
                  "it was made",
                  "its key destroyed: nobody can read it any more",
                  "DPA s.39"},
};

constexpr bool RowsAreInOrder() {
  for (std::size_t i = 0; i < kRules.size(); ++i) {
    if (kRules[i].record_class != static_cast<RetentionClass>(i)) return false;
    if (kRules[i].most && *kRules[i].most < kRules[i].least) return false;
  }
  return kRules.size() == static_cast<std::size_t>(kBackup) + 1;
}
static_assert(RowsAreInOrder());

}  // namespace

std::span<const RetentionRule> RetentionRules() {
  return kRules;
}

const RetentionRule& RuleOf(RetentionClass record_class) {
  return kRules.at(static_cast<std::size_t>(record_class));
}

std::string_view Name(RetentionClass record_class) {
  return RuleOf(record_class).name;
}

std::string_view Name(RetentionBound bound) {
  switch (bound) {
    case RetentionBound::kLaw:
      return "law";
    case RetentionBound::kOriginator:
      return "originator";
    case RetentionBound::kAgreement:
      return "agreement";
  }
  return "law";
}

Result<RetentionClass> ParseRetentionClass(std::string_view name) {
  for (const RetentionRule& rule : kRules) {
    if (rule.name == name) return rule.record_class;
  }
  return Fail(ErrorCode::kInvalidArgument, "there is no retention class of this name");
}

std::optional<RetentionEnd> EffectiveEnd(RetentionClass record_class, Instant start,
                                         std::optional<Instant> originator,
                                         std::optional<std::chrono::seconds> agreement) {
  const RetentionRule& rule = RuleOf(record_class);
  std::optional<RetentionEnd> end;
  const auto offer = [&](Instant due, RetentionBound bound) {
    due = std::max(due, start + rule.least);
    if (!end || due < end->due) end = RetentionEnd{due, bound};
  };
  if (rule.most) offer(start + *rule.most, RetentionBound::kLaw);
  if (originator) offer(*originator, RetentionBound::kOriginator);
  if (agreement) offer(start + *agreement, RetentionBound::kAgreement);
  return end;
}

}  // namespace comity::policy
