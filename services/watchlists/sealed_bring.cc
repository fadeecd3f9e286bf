// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "services/watchlists/sealed_bringing.h"

// How a sealed list follows its watchlist: what has to be done, and sealing.
namespace comity::watchlists {

using policy::Instant;

namespace {

std::int64_t WholeSeconds(Instant time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace

Status SealedPublications::Bringing::Check() {
  COMITY_ASSIGN_OR_RETURN(const auto statuses, setup_.lists.StatusOf(scope_.list, now_));
  engine_ = statuses.front().definition->engine;
  if (engine_.dimension != terms_.scales.dimension) {
    return Fail(ErrorCode::kInvalidArgument,
                "watchlist " + scope_.list.text() + " has templates of dimension " +
                    std::to_string(engine_.dimension) + ", the scales another");
  }
  if (terms_.max_age <= std::chrono::seconds(0)) {
    return Fail(ErrorCode::kInvalidArgument, "a sealed list needs a time to live");
  }
  COMITY_RETURN_IF_ERROR(sealed::Profile::Create(terms_.scales));
  return {};
}

bool SealedPublications::Bringing::Takes(const ActiveEntry& entry) const {
  return entry.valid_from <= now_ && now_ < entry.until && (!terms_.takes || terms_.takes(entry));
}

Result<Survey> SealedPublications::Bringing::Look() const {
  Survey survey;
  const auto visit = [&](const ActiveEntry& entry) -> Status {
    if (Takes(entry)) {
      survey.wanted.insert(entry.reference);
    } else if (now_ < entry.valid_from && (!terms_.takes || terms_.takes(entry))) {
      survey.next = std::min(survey.next, entry.valid_from);
    }
    return {};
  };
  COMITY_RETURN_IF_ERROR(setup_.lists.VisitActive(scope_.list, visit));
  if (survey.wanted.size() <= sealed::kMaxSlotNumber) return survey;
  return Fail(ErrorCode::kExhausted, "watchlist " + scope_.list.text() +
                                         " has more entries than a sealed list can; split it");
}

Result<std::set<std::uint32_t>> SealedPublications::Bringing::StaleBlocks(
    const Digest& header) const {
  std::set<std::uint32_t> stale;
  COMITY_RETURN_IF_ERROR(setup_.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto blocks, transaction.sealed_lists().Released(header));
    for (const store::SealedBlockRelease& block : blocks) {
      if (block.released >= sealed::kReleaseBudget) stale.insert(block.number);
    }
    return {};
  }));
  return stale;
}

std::string_view SealedPublications::Bringing::WhyAnew(const SealedEpochPtr& current) const {
  if (current == nullptr) return "first";
  const sealed::ListHeader& header = current->view->header();
  const bool same = header.scales == terms_.scales && header.engine_name == engine_.name &&
                    header.engine_version == engine_.version;
  const Instant valid_until = current->valid_until();
  if (!same || valid_until > now_ + terms_.max_age) return "terms";
  return valid_until - now_ < terms_.max_age / 2 ? "age" : "";
}

Result<sealed::ListHeader> SealedPublications::Bringing::NewHeader() const {
  sealed::ListHeader header;
  header.holder = setup_.own.text();
  header.requester = scope_.requester.text();
  header.agreement = scope_.agreement.id.text();
  header.agreement_version = scope_.agreement.version;
  header.agreement_sha256 = scope_.agreement.sha256;
  header.purpose = scope_.purpose.text();
  header.list = scope_.list.text();
  header.engine_name = engine_.name;
  header.engine_version = engine_.version;
  header.scales = terms_.scales;
  COMITY_ASSIGN_OR_RETURN(const sealed::Profile profile, sealed::Profile::Create(terms_.scales));
  header.delta = profile.delta();
  setup_.random.Fill(header.public_seed);
  header.sealed_at = WholeSeconds(now_);
  header.valid_until = WholeSeconds(now_ + terms_.max_age);
  // Numbers rise over a restoration too, after which nobody knows which ones were given.
  header.epoch = static_cast<std::uint64_t>(std::max<std::int64_t>(header.sealed_at, 1));
  COMITY_RETURN_IF_ERROR(setup_.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto records, transaction.sealed_lists().All());
    for (const store::SealedListRecord& record : records) {
      const bool same = record.requester == scope_.requester && record.list == scope_.list &&
                        record.agreement == scope_.agreement.id && record.purpose == scope_.purpose;
      if (same) header.epoch = std::max(header.epoch, record.epoch + 1);
    }
    return {};
  }));
  COMITY_RETURN_IF_ERROR(sealed::CheckListHeader(header));
  return header;
}

Result<std::vector<NewBlock>> SealedPublications::Bringing::SealAll(
    const sealed::ListHeader& header, const SealingPlan& plan) {
  std::vector<NewBlock> made;
  if (plan.seal.empty()) return made;
  COMITY_ASSIGN_OR_RETURN(
      BlockSealer sealer,
      BlockSealer::Create({.lists = setup_.lists,
                           .files = state_.files,
                           .random = setup_.random,
                           .takes = [this](const ActiveEntry& entry) { return Takes(entry); }},
                          header));
  std::uint64_t of = 0;
  for (const SealingPlan::Block& block : plan.seal) of += block.references.size();
  for (const SealingPlan::Block& block : plan.seal) {
    auto one = sealer.SealBlock(block.number, block.references);
    if (!one) {
      Forget(sealed::HeaderDigest(header), made);
      return Fail(std::move(one).error());
    }
    if (*one) made.push_back(**std::move(one));
    done_ += block.references.size();
    if (terms_.progress) terms_.progress(done_, of);
  }
  return made;
}

void SealedPublications::Bringing::Forget(const Digest& header,
                                          const std::vector<NewBlock>& made) const {
  for (const NewBlock& block : made) {
    state_.files.Remove(header, block.listed.number, block.listed.hash);
  }
}

Status SealedPublications::Bringing::Change(const SealedEpochPtr& current, const SealingPlan& plan,
                                            std::string_view reason) {
  COMITY_ASSIGN_OR_RETURN(const std::vector<NewBlock> made, SealAll(current->view->header(), plan));
  return Enforce(current, plan, made, reason);
}

Status SealedPublications::Bringing::Enforce(const SealedEpochPtr& current, const SealingPlan& plan,
                                             const std::vector<NewBlock>& made,
                                             std::string_view reason) {
  const std::lock_guard changing(state_.changing);
  const Status committed = CommitChange(current, plan, made, reason);
  if (!committed) Forget(current->header(), made);
  changed_ = changed_ || committed.has_value();
  return committed;
}

Status SealedPublications::Bringing::SealStale(const SealedEpochPtr& current) {
  COMITY_ASSIGN_OR_RETURN(const auto stale, StaleBlocks(current->header()));
  const SealingPlan plan = PlanStale(*current, stale, setup_.random);
  if (plan.empty()) return {};
  COMITY_ASSIGN_OR_RETURN(const std::vector<NewBlock> made, SealAll(current->view->header(), plan));
  if (made.size() == plan.seal.size()) return Enforce(current, plan, made, "release-budget");
  // A block has lost all its entries: that takes a look at the whole list.
  Forget(current->header(), made);
  return {};
}

Status SealedPublications::Bringing::Begin(const std::set<std::string>& wanted,
                                           std::string_view reason) {
  EpochParts parts;
  COMITY_ASSIGN_OR_RETURN(parts.header, NewHeader());
  parts.state.header = sealed::HeaderDigest(parts.header);
  const SealingPlan plan = PlanEpoch(wanted, setup_.random);
  COMITY_ASSIGN_OR_RETURN(const std::vector<NewBlock> made, SealAll(parts.header, plan));
  if (made.empty()) return {};  // every entry was withdrawn meanwhile
  const std::lock_guard changing(state_.changing);
  const Status committed = CommitEpoch(parts, made, reason);
  if (!committed) state_.files.RemoveList(parts.state.header);
  changed_ = changed_ || committed.has_value();
  return committed;
}

Brought SealedPublications::Bringing::Outcome(const Survey& survey) const {
  Brought brought;
  brought.changed = changed_;
  brought.next = survey.next;
  if (const SealedEpochPtr epoch = state_.Newest(scope_)) {
    brought.entries = epoch->view->slots().size();
    // A moment after: by then less than half is left.
    brought.next = std::min(
        brought.next, epoch->valid_until() - terms_.max_age / 2 + std::chrono::microseconds(1));
  }
  return brought;
}

Result<Brought> SealedPublications::Bringing::Run() {
  COMITY_RETURN_IF_ERROR(Check());
  SealedEpochPtr current = state_.Newest(scope_);
  std::string_view anew = WhyAnew(current);
  if (anew.empty()) {
    COMITY_RETURN_IF_ERROR(SealStale(current));
    current = state_.Newest(scope_);
    if (current == nullptr) return Fail(ErrorCode::kConflict, "the sealed list was shredded");
  }
  COMITY_ASSIGN_OR_RETURN(const Survey survey, Look());
  if (survey.wanted.empty()) {
    const std::lock_guard changing(state_.changing);
    std::vector<EndingList> ending;
    for (const SealedEpochPtr& epoch :
         state_.Matching([&](const SealedEpoch& each) { return each.scope == scope_; })) {
      ending.push_back({epoch->scope, epoch->header()});
    }
    changed_ = changed_ || !ending.empty();
    COMITY_RETURN_IF_ERROR(state_.End(ending, {"empty", kGatewayEnds}));
    return Outcome(survey);
  }
  SealingPlan plan;
  if (anew.empty()) {
    COMITY_ASSIGN_OR_RETURN(const auto stale, StaleBlocks(current->header()));
    plan = PlanChange(*current, survey.wanted, stale, setup_.random);
    if (plan.outgrown) anew = "outgrown";
  }
  if (!anew.empty()) {
    COMITY_RETURN_IF_ERROR(Begin(survey.wanted, anew));
  } else if (!plan.empty()) {
    COMITY_RETURN_IF_ERROR(Change(current, plan, "entries"));
  }
  return Outcome(survey);
}

Result<bool> SealedPublications::Bringing::SealAgain() {
  COMITY_RETURN_IF_ERROR(Check());
  const SealedEpochPtr current = state_.Newest(scope_);
  if (!WhyAnew(current).empty()) return false;
  COMITY_RETURN_IF_ERROR(SealStale(current));
  const SealedEpochPtr sealed = state_.Newest(scope_);
  if (sealed == nullptr) return false;  // shredded meanwhile
  COMITY_ASSIGN_OR_RETURN(const auto stale, StaleBlocks(sealed->header()));
  return stale.empty();
}

Result<bool> SealedPublications::SealAgain(const SealedScope& scope, const SealingTerms& terms,
                                           Instant now) {
  const std::lock_guard one_at_a_time(state_->bringing);
  return Bringing(*state_, scope, terms, now).SealAgain();
}

Result<Brought> SealedPublications::Bring(const SealedScope& scope, const SealingTerms& terms,
                                          Instant now) {
  const std::lock_guard one_at_a_time(state_->bringing);
  return Bringing(*state_, scope, terms, now).Run();
}

}  // namespace comity::watchlists
