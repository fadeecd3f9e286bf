// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "crypto/tlog/log_verifier.h"
#include "services/cli/payload_file.h"

namespace comity::cli {

enum class PayloadFinding {
  kVerified,  // the log commits to exactly these fields
  kErased,    // the log has the entry; its payload was erased
  kDiffers,   // the log has another entry there, or commits to something else
  kNotInLog,  // the log has no entry of that index
};
std::string Name(PayloadFinding finding);  // verified, erased, differs, not-in-log

struct EntryFinding {
  std::uint64_t index = 0;
  PayloadFinding finding = PayloadFinding::kNotInLog;
  std::string words;  // why; of an erased one since when
};

// Compares opened payloads with the log while that is verified: each octet is read once, so that
// what was compared is what was verified.
//
//   PayloadCheck check(openings);
//   tlog::VerifyLog(check.Watch(log));   // must succeed, or the findings mean nothing
//   check.Findings();
//
// Threads: the watched log may be read from several threads; the rest is thread-compatible.
// Source:  docs/formats/payload_opening.md
class PayloadCheck {
 public:
  // In: openings  untrusted; secret; must outlive the object
  explicit PayloadCheck(const PayloadOpenings& openings);
  ~PayloadCheck();
  PayloadCheck(const PayloadCheck&) = delete;
  PayloadCheck& operator=(const PayloadCheck&) = delete;

  // The same log; reading its entries shows them to the check, which must outlive it.
  tlog::LogExport Watch(tlog::LogExport log);
  std::vector<EntryFinding> Findings() const;  // one for each entry, in order

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace comity::cli
