// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/retention.h"
#include "services/identity/approvals.h"
#include "services/identity/notices.h"
#include "services/runtime/clock.h"
#include "services/store/retention_store.h"
#include "services/store/store.h"

namespace comity::oversight {

// Keeping a record beyond its period (RD-4). While it is held it is out of ordinary use: what is
// past its period is neither listed nor matched.
struct HoldOrder {
  static constexpr std::uint32_t kDefaultReviewDays = 90;
  static constexpr std::uint32_t kMaxReviewDays = 365;
  static constexpr std::size_t kMaxReason = 1000;
  static constexpr std::size_t kMaxReference = 160;
  policy::RetentionClass record_class{};
  std::string reference;  // see store::ErasedRecord; "*": every record of the class
  std::string reason;
  std::uint32_t review_days = kDefaultReviewDays;
};

// How a hold stands: held; its review is due and people were told; nobody answered for two weeks,
// and it counts as restricted until it is held anew or released (RD-5).
enum class HoldState { kHeld, kReviewDue, kRestricted };
std::string_view Name(HoldState state);  // held, review-due, restricted
HoldState StateOf(const store::HoldRecord& hold, policy::Instant now);

// Canonical JSON of the acts retention-hold and retention-release (docs/formats/erasure_log.md).
// Errors: kInvalidArgument  a bound, or a class of which nothing can be held
Result<std::string> EncodeHold(const HoldOrder& order);
std::string EncodeRelease(std::uint64_t number, std::string_view reason);

// What both handlers stand on; references must outlive them.
struct HoldSetup {
  const store::Store& store;
  policy::AgencyId own;
  const runtime::Clock& clock;
};

// Threads: thread-safe.
class PlaceHold final : public identity::ActHandler {
 public:
  explicit PlaceHold(HoldSetup setup) : setup_(std::move(setup)) {}
  Result<std::string> Describe(std::string_view content) const override;
  Result<AfterCommit> Carry(store::Transaction& transaction, audit::Recorder& recorder,
                            const identity::PendingAct& act, const policy::PersonId& by) override;

 private:
  HoldSetup setup_;
};

// Threads: thread-safe.
class ReleaseHold final : public identity::ActHandler {
 public:
  explicit ReleaseHold(HoldSetup setup) : setup_(std::move(setup)) {}
  Result<std::string> Describe(std::string_view content) const override;
  Result<AfterCommit> Carry(store::Transaction& transaction, audit::Recorder& recorder,
                            const identity::PendingAct& act, const policy::PersonId& by) override;

 private:
  HoldSetup setup_;
};

// Tells of holds whose review is due or overdue, once each. Returns how many it told of.
Result<std::uint64_t> TellOfHolds(const store::Store& store, audit::Journal& journal,
                                  identity::Notices& notices, policy::Instant now);

}  // namespace comity::oversight
