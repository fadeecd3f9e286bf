// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/deployment_forecast.h"

#include <algorithm>
#include <utility>

#include "policy/decide/decide.h"
#include "services/gateway/federation/link_choice.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/matching/exchange_id.h"
#include "services/matching/sealed_mode.h"
#include "services/matching/search_events.h"

namespace comity::gateway {
namespace {

// The permission that decided, if it is among the clauses.
const policy::SearchPermission* PermissionOf(const policy::Decision& decision,
                                             const policy::AgreementSet& agreements) {
  if (!decision.agreement) return nullptr;
  const policy::AgreementVersion* const version =
      agreements.FindVersion(decision.agreement->id, decision.agreement->version);
  if (version == nullptr) return nullptr;
  for (const policy::SearchPermission& permission : version->agreement.permissions) {
    if (std::ranges::count(decision.clauses, permission.id) > 0) return &permission;
  }
  return nullptr;
}

bool IsOf(const v1::Offer& offer, const matching::SearchOrder& order,
          const policy::Decision& decision) {
  const auto engine = FromProto(offer.engine());
  return decision.agreement && offer.agreement().id() == decision.agreement->id.text() &&
         offer.purpose() == order.request.purpose->text() && engine &&
         *engine == *order.request.engine;
}

// The entries of the deployment's categories; of several permissions each category counts once.
void AddOffer(const v1::Offer& offer, const matching::SearchOrder& order,
              matching::HolderForecast& forecast) {
  for (const v1::OfferedCategory& offered : offer.categories()) {
    const bool asked_for = std::ranges::any_of(
        order.request.list_categories,
        [&](const auto& category) { return category.text() == offered.category(); });
    if (!asked_for) continue;
    std::uint64_t& entries = forecast.categories[offered.category()];
    entries = std::max<std::uint64_t>(entries, offered.entries());
  }
}

}  // namespace

HolderOutlook OutlookAt(const AskedHolder& asked, const matching::SearchOrder& order,
                        const matching::RequesterPorts& search, const v1::OffersResponse& offers) {
  HolderOutlook outlook;
  const auto shared = std::make_shared<const matching::SearchOrder>(order);
  outlook.decision =
      matching::RequesterSession(
          InSettledMode({asked.holder, asked.agreements, {}, shared}, search), search)
          .Outlook(search.clock.Now());
  matching::HolderForecast& forecast = outlook.forecast;
  forecast.agency = asked.holder;
  forecast.code = outlook.decision.code;
  const auto agreements = search.agreements();
  if (const auto* permission = PermissionOf(outlook.decision, *agreements)) {
    forecast.threshold_floor = permission->threshold_floor;
  }
  for (const v1::HolderOffers& holder : offers.holders()) {
    if (holder.holder() != asked.holder.text() || !holder.reached()) continue;
    forecast.reached = true;
    for (const v1::Offer& offer : holder.offers()) {
      if (IsOf(offer, order, outlook.decision)) AddOffer(offer, order, forecast);
    }
  }
  for (const auto& [category, entries] : forecast.categories) forecast.entries += entries;
  return outlook;
}

Status CheckFloors(const matching::Deployment& definition, const policy::AgreementSet& agreements,
                   const policy::AgencyId& self, policy::Instant now) {
  const auto order = matching::OrderOf(definition, {}, {}, self);
  for (const AskedHolder& asked : HoldersOf(definition.agreements, agreements, self, now)) {
    std::optional<policy::ReasonCode> code;
    for (const policy::AgreementId& id : asked.agreements) {
      const policy::AgreementVersion* const version = agreements.FindCurrent(id, now);
      if (version == nullptr) continue;
      policy::SearchRequest request = order->request;
      request.holder = asked.holder;
      request.agreement = version->ref;
      request.mode = matching::ChooseMode(*order, asked.holder, asked.agreements, agreements, now);
      const policy::Verdict verdict = policy::Consider(agreements, request, now);
      if (verdict.capacity) {
        code.reset();
        break;
      }
      if (!code) code = verdict.decision.code;
    }
    if (code == policy::ReasonCode::kThresholdBelowFloor) {
      return Fail(ErrorCode::kInvalidArgument,
                  "the threshold " + matching::EncodeDecimal(definition.threshold) +
                      " is below the floor that " + asked.holder.text() + " has agreed to");
    }
  }
  return {};
}

}  // namespace comity::gateway
