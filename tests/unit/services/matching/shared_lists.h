// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <vector>

#include "tests/unit/services/matching/sealed_world.h"

namespace comity::matching::testing {

// The lists in memory, for several threads.
class SharedLists final : public SealedLists {
 public:
  explicit SharedLists(ListsInMemory& lists) : lists_(lists) {}
  template <typename Change>
  void With(Change&& change) {
    const std::lock_guard lock(mutex_);
    change(lists_);
  }

  std::vector<SealedListInForce> InForce(const policy::AgencyId& requester,
                                         const policy::AgreementRef& agreement,
                                         const policy::PurposeCode& purpose,
                                         policy::Instant now) const override {
    const std::lock_guard lock(mutex_);
    return lists_.InForce(requester, agreement, purpose, now);
  }
  Result<SealedListInForce> Find(const Digest& header, const policy::AgencyId& requester,
                                 policy::Instant now) const override {
    const std::lock_guard lock(mutex_);
    return lists_.Find(header, requester, now);
  }
  bool IsStale(const Digest& header) const override {
    const std::lock_guard lock(mutex_);
    return lists_.IsStale(header);
  }
  Result<sealed::Release> Look(const Digest& header, std::uint64_t sequence) const override {
    const std::lock_guard lock(mutex_);
    return lists_.Look(header, sequence);
  }
  Result<sealed::Release> Charge(store::Transaction& transaction,
                                 const SealedCharge& charge) override {
    const std::lock_guard lock(mutex_);
    return lists_.Charge(transaction, charge);
  }
  void Renew(const Digest& header) override {
    const std::lock_guard lock(mutex_);
    lists_.Renew(header);
  }

 private:
  mutable std::mutex mutex_;
  ListsInMemory& lists_;
};

}  // namespace comity::matching::testing
