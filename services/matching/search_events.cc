// SPDX-License-Identifier: Apache-2.0
#include "services/matching/search_events.h"

#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "crypto/base/canonical_json.h"
#include "crypto/base/check.h"
#include "crypto/base/encoding.h"

namespace comity::matching {
namespace {

using nlohmann::json;

json ToJson(const policy::AgreementRef& ref) {
  return {
      {"id", ref.id.text()}, {"version", ref.version}, {"sha256", EncodeHex(ref.sha256.view())}};
}

json ToJson(const policy::EngineProfile& engine) {
  return {{"name", engine.name}, {"version", engine.version}, {"dimension", engine.dimension}};
}

}  // namespace

std::string EncodeRequest(const policy::SearchRequest& request) {
  json value = {{"requester", request.requester.text()}, {"holder", request.holder.text()}};
  if (request.agreement) value["agreement"] = ToJson(*request.agreement);
  if (request.purpose) value["purpose"] = request.purpose->text();
  if (request.role) value["role"] = policy::Name(*request.role);
  if (request.use) value["use"] = policy::Name(*request.use);
  if (request.mode) value["mode"] = policy::Name(*request.mode);
  if (request.engine) value["engine"] = ToJson(*request.engine);
  if (request.threshold) value["threshold"] = EncodeDecimal(*request.threshold);
  if (request.offence_class) value["offence_class"] = policy::Name(*request.offence_class);
  json categories = json::array();
  for (const auto& category : request.list_categories) categories.push_back(category.text());
  value["list_categories"] = std::move(categories);
  // An engine's name may be a peer's text in no encoding at all; such a request is refused.
  return TryEncodeCanonicalJson(value).value_or("{}");
}

std::string EncodeCounters(const policy::CapacityKey& key, const policy::Usage& usage) {
  const auto counter = [](std::uint64_t limit, const std::optional<std::uint64_t>& used) {
    json one = {{"limit", limit}};
    if (used) one["used"] = *used;
    return one;
  };
  json value = counter(key.limits.probes_per_day, usage.probes_today);
  value["clause"] = key.clause;
  value["officer"] = counter(key.limits.per_officer_per_day, usage.officer_today);
  value["case"] = counter(key.limits.per_case_per_day, usage.case_today);
  return EncodeCanonicalJson(value);
}

std::string EncodeLists(const Galleries::Snapshots& galleries) {
  json value = json::array();
  for (const GallerySnapshot& snapshot : galleries) {
    value.push_back({{"list", snapshot.list.text()}, {"rows", snapshot.gallery->size()}});
  }
  return EncodeCanonicalJson(value);
}

std::string EncodeHits(std::span<const LoggedHit> hits) {
  json value = json::array();
  for (const LoggedHit& hit : hits) {
    json one = {{"list", hit.list}, {"reference", hit.reference}, {"category", hit.category}};
    if (hit.score) one["score"] = EncodeDecimal(*hit.score);
    value.push_back(std::move(one));
  }
  return EncodeCanonicalJson(value);
}

std::string EncodeSealedLists(std::span<const SealedListRef> lists) {
  json value = json::array();
  for (const SealedListRef& list : lists) {
    value.push_back({{"header", EncodeHex(list.header.view())},
                     {"sequence", list.sequence},
                     {"state", EncodeHex(list.state.view())}});
  }
  return EncodeCanonicalJson(value);
}

std::string EncodeDigests(std::span<const Digest> digests) {
  json value = json::array();
  for (const Digest& digest : digests) value.push_back(EncodeHex(digest.view()));
  return EncodeCanonicalJson(value);
}

std::map<std::string, Digest> BlindedMessages(std::span<const Digest> blinded,
                                              std::span<const Digest> headers) {
  std::map<std::string, Digest> messages;
  for (std::size_t i = 0; i < blinded.size(); ++i) {
    messages.emplace("blinded-" + std::to_string(i), blinded[i]);
  }
  for (std::size_t i = 0; i < headers.size(); ++i) {
    messages.emplace("header-" + std::to_string(i), headers[i]);
  }
  return messages;
}

std::string EncodeDecimal(double value) {
  std::array<char, 32> text{};  // the longest double has 24 characters
  const auto [end, fault] = std::to_chars(text.data(), text.data() + text.size(), value);
  COMITY_CHECK(fault == std::errc());
  return {text.data(), end};
}

Result<double> ParseDecimal(std::string_view text) {
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size() || !std::isfinite(value) ||
      EncodeDecimal(value) != text) {
    return Fail(ErrorCode::kCorrupt, "a number is not in its one decimal spelling");
  }
  return value;
}

audit::Event MakeEvent(DecidedEvent head, const policy::Decision& decision) {
  audit::Event event;
  event.type = head.type;
  event.time = head.time;
  event.exchange = std::move(head.exchange);
  event.parties = std::move(head.parties);
  event.agreement = decision.agreement;
  event.decision_code = policy::Name(decision.code);
  event.clauses = decision.clauses;
  return event;
}

}  // namespace comity::matching
