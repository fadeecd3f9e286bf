// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/tlog/entry.h"
#include "crypto/tlog/log_verifier.h"
#include "tests/integration/live_agency.h"

namespace comity::testing {

// An agency's whole log as an auditor gets it: exported over the agency port and verified.
struct ExportedLog {
  std::map<std::string, Bytes> files;
  tlog::LogSummary summary;
  std::vector<tlog::LogEntry> entries;  // in order

  tlog::LogExport AsExport() const;  // as the verifier takes it; refers to this object
  std::vector<tlog::LogEntry> OfType(std::string_view type) const;
  std::size_t Count(std::string_view type) const { return OfType(type).size(); }
};
// Fails the test, and returns what there is, when the export is not complete or does not verify.
ExportedLog ExportLog(const LiveAgency& agency);

}  // namespace comity::testing
