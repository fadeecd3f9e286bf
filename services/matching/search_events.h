// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/decide/decide.h"
#include "policy/model/decision.h"
#include "policy/model/instant.h"
#include "services/audit/journal.h"
#include "services/matching/galleries.h"
#include "services/matching/sealed_lists.h"

// The canonical octets of what searches put into the log; the same at both agencies, so that a
// field opened by each can be compared. Forms: docs/formats/audit_entry.md.
namespace comity::matching {

// The request as it was decided. Absent fields are left out; the threshold is decimal text. A
// request with text that is not UTF-8 is `{}`.
std::string EncodeRequest(const policy::SearchRequest& request);
// {"case":{"limit":..,"used":..},"clause":..,"limit":..,"officer":{"limit":..,"used":..},
// "used":..}; what could not be read is left out.
std::string EncodeCounters(const policy::CapacityKey& key, const policy::Usage& usage);
// [{"list":..,"rows":..}, ...]
std::string EncodeLists(const Galleries::Snapshots& galleries);

// An entry at or above the threshold, as the holder's log keeps it.
struct LoggedHit {
  std::string list;
  std::string reference;
  std::string category;
  std::optional<double> score;  // absent: nobody knows it
};
std::string EncodeHits(std::span<const LoggedHit> hits);

// [{"header":..,"sequence":..,"state":..}, ...], digests in hex
std::string EncodeSealedLists(std::span<const SealedListRef> lists);
// ["..", ...] in hex
std::string EncodeDigests(std::span<const Digest> digests);
// What the entries of a sealed hit have in the clear, at both sides, for each list of the session:
// blinded-0, header-0, blinded-1 ... An opening counts for the very list that was searched.
//
// In: blinded  BLAKE2b-256 of c''
//     headers  HeaderDigest of the lists, in the same order
std::map<std::string, Digest> BlindedMessages(std::span<const Digest> blinded,
                                              std::span<const Digest> headers);

// The shortest decimal text that reads back as the same double: canonical JSON has no fractions.
std::string EncodeDecimal(double value);
// Errors: kCorrupt  other text than EncodeDecimal makes of a finite number
Result<double> ParseDecimal(std::string_view text);

// An event that says what was decided: parties, agreement, code and clauses.
struct DecidedEvent {
  std::string_view type;
  policy::Instant time{};
  std::string exchange;
  std::vector<policy::AgencyId> parties;  // own agency first
};
audit::Event MakeEvent(DecidedEvent head, const policy::Decision& decision);

}  // namespace comity::matching
