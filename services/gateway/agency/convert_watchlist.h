// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comity/v1/watchlists.pb.h"
#include "services/watchlists/manifest.h"
#include "services/watchlists/register.h"
#include "services/watchlists/sealed_publications.h"

namespace comity::gateway {

v1::WatchlistSummary ToProto(const watchlists::ListStatus& status);
v1::EntrySummary ToProto(const store::EntryRecord& entry);
v1::Listing ToProto(const watchlists::Listing& listing);
v1::SealedListAudit ToProto(const watchlists::SealedPublications::AuditedList& audited);

}  // namespace comity::gateway
