// SPDX-License-Identifier: Apache-2.0
#include "services/cli/replay_tally.h"

#include "services/cli/search_text.h"
#include "services/cli/wire_text.h"

namespace comity::cli {

void ReplayTally::Add(const v1::WatchAnswer& answer, std::chrono::microseconds late) {
  const v1::SearchMode mode = answer.has_answered() ? answer.answered().mode() : answer.mode();
  HolderTally& holder = holders_[{answer.holder(), ModeName(mode)}];
  ++answers_;
  switch (answer.outcome_case()) {
    case v1::WatchAnswer::kAnswered:
      ++searched_;
      holder.answered.Add(late);
      for (const v1::AlertRef& alert : answer.answered().alerts()) {
        ++(alert.merged() ? holder.merged : holder.alerts);
      }
      return;
    case v1::WatchAnswer::kRefused:
      ++holder.refused[DecisionCodeText(answer.refused().code())];
      return;
    case v1::WatchAnswer::kUnanswered:
      ++holder.unanswered[ReasonText(answer.unanswered().reason())];
      return;
    case v1::WatchAnswer::OUTCOME_NOT_SET:
      ++holder.unanswered["unknown"];  // of a gateway that is newer
      return;
  }
}

void ReplayTally::Merge(const ReplayTally& other) {
  answers_ += other.answers_;
  searched_ += other.searched_;
  for (const auto& [key, theirs] : other.holders_) {
    HolderTally& own = holders_[key];
    own.answered.Merge(theirs.answered);
    own.alerts += theirs.alerts;
    own.merged += theirs.merged;
    for (const auto& [code, count] : theirs.refused) own.refused[code] += count;
    for (const auto& [reason, count] : theirs.unanswered) own.unanswered[reason] += count;
  }
}

}  // namespace comity::cli
