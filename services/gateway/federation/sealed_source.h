// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string_view>

#include "crypto/base/bytes.h"
#include "policy/model/decision.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/gateway/federation/sealed_exchange.h"
#include "services/matching/sealed/session_terms.h"

namespace comity::gateway {

// Where sealed links get what they need beside the holder itself. All functions are thread-safe.
struct SealedSource {
  // This agency's copies of the holder's lists that may be searched now, always in one order.
  std::function<SealedLists(const policy::AgencyId& holder, const policy::AgreementRef& agreement,
                            const policy::PurposeCode& purpose, const policy::EngineProfile& engine,
                            policy::Instant now)>
      find;
  // Brings the copies of a holder's lists up to date at once.
  std::function<void(const policy::AgencyId& holder)> hurry;
  // A count that changes when the copies of a holder's lists may have.
  std::function<std::uint64_t(const policy::AgencyId& holder)> news;
  // Waits until `news` is not `seen` any more, at most until `until`.
  std::function<void(const policy::AgencyId& holder, std::uint64_t seen,
                     std::chrono::steady_clock::time_point until, const std::stop_token& stop)>
      await;
  // Whether a certificate is, or was, this gateway's own. In: SHA-256 of its DER
  std::function<bool(const Digest& certificate)> has_shown;
  // The holder has failed a check of the oblivious transfer: an attack, or a fault of its machine.
  std::function<void(const policy::AgencyId& holder, std::string_view detail)> on_failed_check;
  matching::SealedKernels kernels{};
};

}  // namespace comity::gateway
