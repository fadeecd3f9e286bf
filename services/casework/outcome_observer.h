// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/result.h"
#include "services/audit/journal.h"
#include "services/casework/alert.h"
#include "services/store/store.h"

namespace comity::casework {

// Is told of the first outcome of each alert.
//
// Threads: implementations are thread-safe.
class OutcomeObserver {
 public:
  virtual ~OutcomeObserver() = default;
  // Within the unit of work that records the outcome; what it writes commits with it.
  virtual Status OnOutcome(store::Transaction& transaction, audit::Recorder& recorder,
                           const Alert& alert) = 0;
  // Once that unit of work is durable.
  virtual void AfterOutcome(const Alert& alert) = 0;
};

}  // namespace comity::casework
