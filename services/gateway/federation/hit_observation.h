// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "policy/decide/agreement_set.h"
#include "services/matching/hit_observer.h"
#include "services/oversight/hit_alarms.h"

namespace comity::gateway {

// Gives what the sessions of one side observe to the alarms, with the bounds of the permission that
// let the search happen.
//
// Threads: thread-safe.
class HitObservation final : public matching::HitObserver {
 public:
  using Agreements = std::function<std::shared_ptr<const policy::AgreementSet>()>;
  // `alarms` must outlive the object.
  HitObservation(oversight::WatchedSearch::Side side, oversight::HitAlarms& alarms,
                 Agreements agreements)
      : side_(side), alarms_(alarms), agreements_(std::move(agreements)) {}

  void OnMiss(const matching::ObservedSearch& search) override;
  // Errors: kInternal  no permission of that name is in the agreement
  Result<bool> OnHits(store::Transaction& transaction, audit::Recorder& recorder,
                      const matching::ObservedSearch& search,
                      std::span<const std::string> entries) override;
  // Errors: as OnHits
  Result<bool> OnOverCap(store::Transaction& transaction, audit::Recorder& recorder,
                         const matching::ObservedSearch& search) override;
  void AfterHits() override { alarms_.AfterHits(); }

 private:
  std::optional<oversight::WatchedSearch> WatchedBy(const matching::ObservedSearch& search) const;

  const oversight::WatchedSearch::Side side_;
  oversight::HitAlarms& alarms_;
  const Agreements agreements_;
};

}  // namespace comity::gateway
