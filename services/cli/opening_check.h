// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "comity/v1/alerts.pb.h"
#include "crypto/tlog/log_verifier.h"

namespace comity::cli {

enum class OpeningFinding {
  kVerified,  // what the holder got is the probe of this template, blinded by this seed
  kDiffers,   // it got something else, or this is no opening of an honest probe
  kNotInLog,  // this log does not say what the holder got
};
std::string Name(OpeningFinding finding);  // verified, differs, not-in-log

struct FrameFinding {
  std::string exchange;
  OpeningFinding finding = OpeningFinding::kNotInLog;
  std::string words;  // why; empty: verified
};

// Compares an opening with what the holder's log says it got, while the log is verified: each
// octet is read once, so that what was compared is what was verified.
//
//   OpeningCheck check(opening);
//   tlog::VerifyLog(check.Watch(log));   // must succeed, or the findings mean nothing
//   check.Findings();
//
// Threads: the watched log may be read from several threads; the rest is thread-compatible.
// Source:  docs/formats/opening.md
class OpeningCheck {
 public:
  // In: opening  untrusted; secret
  explicit OpeningCheck(const v1::AlertOpening& opening);
  ~OpeningCheck();
  OpeningCheck(const OpeningCheck&) = delete;
  OpeningCheck& operator=(const OpeningCheck&) = delete;

  // The same log; reading its entries shows them to the check, which must outlive it.
  tlog::LogExport Watch(tlog::LogExport log);
  std::vector<FrameFinding> Findings() const;  // one for each frame, in order

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace comity::cli
