// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/offer_list.h"

#include <span>
#include <utility>

#include "policy/decide/decide.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/matching/judge.h"

namespace comity::gateway {
namespace {

// A search that keeps every bound of the permission.
policy::SearchRequest WithinBounds(const policy::AgreementVersion& version,
                                   const policy::SearchPermission& permission,
                                   const policy::PurposeCode& purpose) {
  policy::SearchRequest request;
  request.requester = permission.requester;
  request.holder = permission.holder;
  request.agreement = version.ref;
  request.purpose = purpose;
  if (!permission.roles.empty()) request.role = permission.roles.front();
  if (!permission.uses.empty()) request.use = permission.uses.front();
  request.mode = permission.mode;
  request.engine = permission.engine;
  request.threshold = permission.threshold_floor;
  request.offence_class = policy::OffenceClass::k4YearsOrMore;
  request.has_case_reference = true;
  return request;
}

class Lister {
 public:
  Lister(const policy::AgencyId& requester, const matching::HolderPorts& ports)
      : requester_(requester), ports_(ports), now_(ports.clock.Now()), set_(ports.agreements()) {}

  v1::ListOffersReply List(const policy::AgencyId& self) {
    for (const policy::AgreementId& id : set_->FindBetween(requester_, self)) {
      const policy::AgreementVersion* version = set_->FindCurrent(id, now_);
      if (version == nullptr) continue;
      for (const policy::SearchPermission& permission : version->agreement.permissions) {
        if (permission.requester != requester_ || permission.holder != self) continue;
        for (const auto& purpose : permission.purposes) Add(*version, permission, purpose);
      }
    }
    return std::move(reply_);
  }

 private:
  // Whether this permission, and no earlier one, governs a search of this category.
  bool Governs(const policy::SearchPermission& permission, policy::SearchRequest request,
               const policy::ListCategory& category) const {
    request.list_categories = {category};
    policy::Verdict verdict = policy::Consider(*set_, request, now_);
    if (ports_.halted) verdict = matching::Halt(std::move(verdict), ports_.halted(request, {}));
    return verdict.capacity && verdict.capacity->clause == permission.id;
  }

  void Add(const policy::AgreementVersion& version, const policy::SearchPermission& permission,
           const policy::PurposeCode& purpose) {
    const policy::SearchRequest request = WithinBounds(version, permission, purpose);
    const auto galleries = ports_.galleries.Snapshot(
        {permission.engine, version.ref.id, purpose, permission.lists}, now_);
    v1::Offer offer;
    for (const policy::ListCategory& category : permission.list_categories) {
      if (!Governs(permission, request, category)) continue;
      v1::OfferedCategory& offered = *offer.add_categories();
      offered.set_category(category.text());
      offered.set_entries(matching::ActiveRows(
          galleries,
          {std::span(&category, 1), version.agreement.FindPurpose(purpose)->subject_categories},
          now_));
    }
    if (offer.categories_size() == 0) return;
    if (static_cast<std::size_t>(reply_.offers_size()) >= kMaxOffers) return reply_.set_more(true);
    FillTerms(version, permission, offer);
    offer.set_purpose(purpose.text());
    *reply_.add_offers() = std::move(offer);
  }

  void FillTerms(const policy::AgreementVersion& version,
                 const policy::SearchPermission& permission, v1::Offer& offer) const {
    *offer.mutable_agreement() = ToProto(version.ref);
    offer.set_clause(permission.id);
    *offer.mutable_engine() = ToProto(permission.engine);
    offer.set_threshold_floor(permission.threshold_floor);
    offer.set_mode(ToProto(permission.mode));
    for (const policy::RequesterRole role : permission.roles) offer.add_roles(ToProto(role));
    for (const policy::UseMode use : permission.uses) offer.add_uses(ToProto(use));
    offer.set_hit_cap(permission.hit_cap);
    const std::uint64_t limit = permission.capacity.probes_per_day;
    const auto used = ports_.capacity.Used(matching::RequesterKey(
        {version.ref.id, permission.id, permission.capacity}, requester_, now_));
    offer.set_probes_per_day(limit);
    // Unreadable: a probe would be denied.
    offer.set_probes_left(used && *used < limit ? limit - *used : 0);
  }

  const policy::AgencyId& requester_;
  const matching::HolderPorts& ports_;
  const policy::Instant now_;
  const std::shared_ptr<const policy::AgreementSet> set_;
  v1::ListOffersReply reply_;
};

}  // namespace

v1::ListOffersReply OffersTo(const policy::AgencyId& requester, const policy::AgencyId& self,
                             const matching::HolderPorts& ports) {
  return Lister(requester, ports).List(self);
}

}  // namespace comity::gateway
