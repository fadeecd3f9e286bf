// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/manifest.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "crypto/base/canonical_json.h"
#include "crypto/base/encoding.h"
#include "crypto/hash/sha256.h"
#include "crypto/merkle/compact_tree.h"
#include "crypto/merkle/tree_hash.h"
#include "crypto/sign/dsse.h"
#include "services/audit/events.h"
#include "services/watchlists/list_events.h"
#include "services/watchlists/register_state.h"

namespace comity::watchlists {
namespace {

using policy::EncodeInstant;
using policy::Instant;
using policy::WatchlistId;

constexpr std::uint32_t kPage = 5000;

// Calls `visit` for every row of a closed list's manifest, in order.
template <typename Visit>
Status VisitRows(const store::Transaction& transaction, const store::WatchlistRecord& list,
                 const policy::AgencyId& originator, Visit visit) {
  std::uint64_t after = 0;
  for (bool more = true; more;) {
    COMITY_ASSIGN_OR_RETURN(const auto page,
                            transaction.watchlists().EntryPage(list.reference, after, kPage));
    for (const store::EntryRecord& entry : page) {
      const auto listing = ListingOf(list, entry, *list.closed_at);
      if (listing) visit(EncodeManifestRow(*listing, entry, originator));
    }
    more = page.size() == kPage;
    if (more) after = page.back().position;
  }
  return {};
}

Result<Instant> ParseDay(std::string_view day) {
  const auto midnight = policy::ParseInstant(std::string(day) + "T00:00:00Z");
  if (midnight && policy::UtcDay(*midnight) == day) return *midnight;
  return Fail(ErrorCode::kInvalidArgument, "a day is written like 2026-11-25");
}

}  // namespace

std::optional<Listing> ListingOf(const store::WatchlistRecord& list,
                                 const store::EntryRecord& entry, Instant now) {
  if (!list.approved_at || entry.clearance == store::EntryClearance::kPending) return {};
  Listing listing{list.reference, list.state, entry.category, {}, {}};
  listing.from = std::max(*list.approved_at, entry.valid_from);
  if (entry.cleared_at) listing.from = std::max(listing.from, *entry.cleared_at);
  Instant until = entry.expires_at;
  if (entry.ended_at) until = std::min(until, *entry.ended_at);
  if (list.closed_at) until = std::min(until, *list.closed_at);
  if (until <= listing.from || listing.from > now) return {};
  if (until <= now) listing.until = until;
  return listing;
}

std::string EncodeManifestRow(const Listing& listing, const store::EntryRecord& entry,
                              const policy::AgencyId& originator) {
  return EncodeCanonicalJson({{"reference", entry.reference},
                              {"category", listing.category.text()},
                              {"originator", originator.text()},
                              {"rationale", EncodeHex(entry.rationale.view())},
                              {"from", EncodeInstant(listing.from)},
                              {"until", EncodeInstant(listing.until.value())}});
}

Result<ClosedManifest> MakeManifest(const store::Transaction& transaction,
                                    const RegisterSetup& setup,
                                    const store::WatchlistRecord& list) {
  merkle::CompactTree tree;
  ClosedManifest manifest;
  COMITY_RETURN_IF_ERROR(VisitRows(transaction, list, setup.own, [&](const std::string& row) {
    tree.Append(merkle::LeafHash(AsBytes(row)));
    ++manifest.rows;
  }));
  manifest.root = manifest.rows == 0 ? merkle::EmptyRoot() : tree.Root();
  COMITY_ASSIGN_OR_RETURN(const auto definition, ReadDefinition(list));
  std::vector<std::string> agreements;
  for (const auto& agreement : definition->agreements) agreements.push_back(agreement.text());
  nlohmann::json head = {{"schema", "comity/watchlist-manifest/1"},
                         {"list", list.reference.text()},
                         {"agency", setup.own.text()},
                         {"definition", EncodeHex(definition->sha256.view())},
                         {"purpose", definition->purpose.text()},
                         {"agreements", agreements},
                         {"closed_at", EncodeInstant(*list.closed_at)},
                         {"entries", manifest.rows},
                         {"root", EncodeHex(manifest.root.view())}};
  if (list.approved_at) head["approved_at"] = EncodeInstant(*list.approved_at);
  if (list.approved_by) head["approved_by"] = list.approved_by->text();
  sign::DsseEnvelope envelope;
  envelope.payload_type = std::string(kManifestPayloadType);
  envelope.payload = ToBytes(EncodeCanonicalJson(head));
  sign::AddSignature(setup.agency_key, envelope);
  manifest.head = sign::EncodeDsseJson(envelope);
  return manifest;
}

Result<std::string> Manifests::Head(const WatchlistId& list, std::string_view by) {
  std::string head;
  COMITY_RETURN_IF_ERROR(store_.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto record, transaction.watchlists().List(list));
    head = record.manifest;
    return {};
  }));
  if (head.empty()) {
    return Fail(ErrorCode::kConflict,
                "watchlist " + list.text() + " is not closed: its manifest is not complete yet");
  }
  COMITY_RETURN_IF_ERROR(journal_.Record(
      ListEvent(audit::kManifestRead, own_, list, clock_.Now(), {{"operator", std::string(by)}})));
  return head;
}

Result<Manifests::Rows> Manifests::RowsAfter(const WatchlistId& list, std::uint64_t after,
                                             std::uint32_t limit) const {
  Rows rows;
  COMITY_RETURN_IF_ERROR(store_.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto record, transaction.watchlists().List(list));
    if (!record.closed_at) return Fail(ErrorCode::kConflict, "the list is not closed");
    COMITY_ASSIGN_OR_RETURN(const auto page,
                            transaction.watchlists().EntryPage(list, after, limit));
    for (const store::EntryRecord& entry : page) {
      const auto listing = ListingOf(record, entry, *record.closed_at);
      if (listing) rows.lines += EncodeManifestRow(*listing, entry, own_) + "\n";
    }
    rows.more = page.size() == limit;
    if (!page.empty()) rows.last = page.back().position;
    return {};
  }));
  return rows;
}

Result<std::vector<Listing>> Manifests::WasOn(std::string_view reference, std::string_view day,
                                              std::string_view by) {
  COMITY_ASSIGN_OR_RETURN(const Instant begin, ParseDay(day));
  const Instant end = begin + std::chrono::days(1);
  if (reference.empty() || reference.size() > 64) {
    return Fail(ErrorCode::kInvalidArgument, "a reference has 1 to 64 octets");
  }
  const Instant now = clock_.Now();
  std::vector<Listing> listings;
  COMITY_RETURN_IF_ERROR(store_.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto lists, transaction.watchlists().ListsOf(reference));
    for (const WatchlistId& list : lists) {
      COMITY_ASSIGN_OR_RETURN(const auto record, transaction.watchlists().List(list));
      COMITY_ASSIGN_OR_RETURN(const auto entry, transaction.watchlists().Entry(list, reference));
      auto listing = ListingOf(record, entry, now);
      if (!listing || listing->from >= end || listing->until.value_or(now) < begin) continue;
      if (listing->until && *listing->until == begin) continue;  // half-open
      listings.push_back(*std::move(listing));
    }
    return {};
  }));
  std::sort(listings.begin(), listings.end(),
            [](const Listing& a, const Listing& b) { return a.list < b.list; });
  audit::Event event;
  event.type = audit::kManifestRead;
  event.time = now;
  event.parties = {own_};
  event.committed = {{"reference", std::string(reference)},
                     {"day", std::string(day)},
                     {"operator", std::string(by)}};
  event.counts = {{"found", static_cast<std::int64_t>(listings.size())}};
  COMITY_RETURN_IF_ERROR(journal_.Record(event));
  return listings;
}

}  // namespace comity::watchlists
