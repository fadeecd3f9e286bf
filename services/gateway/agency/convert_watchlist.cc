// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/convert_watchlist.h"

#include <optional>
#include <string>

#include "services/gateway/wire/convert_policy.h"
#include "services/gateway/wire/convert_time.h"

namespace comity::gateway {
namespace {

void FillCounts(const watchlists::ListCounts& counts, v1::WatchlistSummary& summary) {
  summary.set_entries(counts.entries);
  summary.set_active(counts.active);
  summary.set_withdrawn(counts.withdrawn);
  summary.set_expired(counts.expired);
  summary.set_not_yet_valid(counts.not_yet_valid);
  summary.set_stale(counts.stale);
  summary.set_restricted(counts.restricted);
  summary.set_contested(counts.contested);
  summary.set_awaiting_approval(counts.awaiting_approval);
  summary.set_under_18(counts.under_18);
  for (const auto& [category, count] : counts.active_by_category) {
    (*summary.mutable_active_by_category())[category] = count;
  }
}

void FillDefinition(const watchlists::ListDefinition& definition, v1::WatchlistSummary& summary) {
  *summary.mutable_engine() = ToProto(definition.engine);
  summary.set_threshold(definition.threshold);
  summary.set_purpose(definition.purpose.text());
  for (const auto& agreement : definition.agreements) summary.add_agreements(agreement.text());
  *summary.mutable_starts_at() = ToProto(definition.starts_at);
  *summary.mutable_ends_at() = ToProto(definition.ends_at);
  summary.set_size_cap(definition.size_cap);
  summary.set_expected_faces(definition.expected_faces);
  summary.set_false_alert_budget(definition.false_alert_budget);
}

std::string NameOf(store::EntryState state) {
  switch (state) {
    case store::EntryState::kActive:
      return "active";
    case store::EntryState::kWithdrawn:
      return "withdrawn";
    case store::EntryState::kExpired:
      return "expired";
  }
  return {};
}

std::string NameOf(store::EntryRestriction restriction) {
  switch (restriction) {
    case store::EntryRestriction::kNone:
      return "none";
    case store::EntryRestriction::kRestricted:
      return "restricted";
    case store::EntryRestriction::kContested:
      return "contested";
  }
  return {};
}

std::string NameOf(store::EntryClearance clearance) {
  switch (clearance) {
    case store::EntryClearance::kNotNeeded:
      return "not-needed";
    case store::EntryClearance::kPending:
      return "pending";
    case store::EntryClearance::kGiven:
      return "given";
  }
  return {};
}

}  // namespace

v1::WatchlistSummary ToProto(const watchlists::ListStatus& status) {
  v1::WatchlistSummary summary;
  summary.set_watchlist(status.list.text());
  summary.set_state(std::string(watchlists::Name(status.state)));
  summary.set_searchable(status.searchable);
  FillDefinition(*status.definition, summary);
  FillCounts(status.counts, summary);
  summary.set_predicted_fpir(status.prediction.fpir);
  summary.set_predicted_false_alerts(status.prediction.false_alerts);
  *summary.mutable_drafted_at() = ToProto(status.drafted_at);
  if (status.approved_by) summary.set_approved_by(status.approved_by->text());
  if (status.approved_at) *summary.mutable_approved_at() = ToProto(*status.approved_at);
  if (status.closed_at) *summary.mutable_closed_at() = ToProto(*status.closed_at);
  if (status.delete_by) *summary.mutable_delete_by() = ToProto(*status.delete_by);
  if (status.deleted_at) *summary.mutable_deleted_at() = ToProto(*status.deleted_at);
  return summary;
}

v1::EntrySummary ToProto(const store::EntryRecord& entry) {
  v1::EntrySummary summary;
  summary.set_reference(entry.reference);
  summary.set_category(entry.category.text());
  summary.set_state(NameOf(entry.state));
  summary.set_restriction(NameOf(entry.restriction));
  summary.set_clearance(NameOf(entry.clearance));
  summary.set_under_18(entry.under_18);
  *summary.mutable_valid_from() = ToProto(entry.valid_from);
  *summary.mutable_expires_at() = ToProto(entry.expires_at);
  *summary.mutable_review_by() = ToProto(entry.review_by);
  *summary.mutable_as_of() = ToProto(entry.as_of);
  if (entry.ended_at) *summary.mutable_ended_at() = ToProto(*entry.ended_at);
  return summary;
}

v1::Listing ToProto(const watchlists::Listing& listing) {
  v1::Listing proto;
  proto.set_watchlist(listing.list.text());
  proto.set_state(std::string(watchlists::Name(listing.state)));
  proto.set_category(listing.category.text());
  *proto.mutable_from() = ToProto(listing.from);
  if (listing.until) *proto.mutable_until() = ToProto(*listing.until);
  return proto;
}

v1::SealedListAudit ToProto(const watchlists::SealedPublications::AuditedList& audited) {
  const watchlists::SealedEpoch& epoch = *audited.epoch;
  v1::SealedListAudit proto;
  proto.set_requester(epoch.scope.requester.text());
  proto.set_agreement(epoch.scope.agreement.id.text());
  proto.set_agreement_version(epoch.scope.agreement.version);
  proto.set_purpose(epoch.scope.purpose.text());
  proto.set_epoch(epoch.view->header().epoch);
  proto.set_header(std::string(AsText(epoch.header().view())));
  proto.set_sequence(epoch.view->state().sequence);
  proto.mutable_verified()->Assign(audited.audit.verified.begin(), audited.audit.verified.end());
  proto.mutable_differing()->Assign(audited.audit.differing.begin(), audited.audit.differing.end());
  proto.mutable_withdrawn()->Assign(audited.audit.withdrawn.begin(), audited.audit.withdrawn.end());
  proto.mutable_unaccounted()->Assign(audited.audit.unaccounted.begin(),
                                      audited.audit.unaccounted.end());
  return proto;
}

}  // namespace comity::gateway
