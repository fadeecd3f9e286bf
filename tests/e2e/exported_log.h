// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/tlog/entry.h"
#include "services/cli/log_comparison.h"
#include "tests/integration/live_agency.h"

namespace comity::testing {

// An agency's whole log as an auditor gets it: exported through the running gateway and verified
// offline before anything of it is believed.
//
// Threads: immutable.
class WholeLog {
 public:
  // Errors: those of the export and of tlog::VerifyLog
  static Result<WholeLog> Of(const LiveAgency& agency) { return Of(*agency.audit()); }
  static Result<WholeLog> Of(v1::Audit::Stub& auditor);

  const std::vector<tlog::LogEntry>& entries() const { return entries_; }
  std::size_t Count(std::string_view type) const;
  // The digest called `message` of the one entry of this type and exchange; nothing if there is
  // none.
  std::optional<Digest> MessageOf(std::string_view type, std::string_view exchange,
                                  const std::string& message) const;
  // A count summed over all entries of this type.
  std::uint64_t Sum(std::string_view type, const std::string& count) const;
  const cli::LogSide& side() const { return side_; }

 private:
  cli::LogSide side_;
  std::vector<tlog::LogEntry> entries_;
};

// Fails the test with each difference between what two agencies logged of each other, as
// `comity audit compare` finds them.
void ExpectAgreeing(const WholeLog& one, const WholeLog& other);

}  // namespace comity::testing
