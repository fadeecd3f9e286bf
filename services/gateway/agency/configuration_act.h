// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "services/audit/journal.h"
#include "services/identity/approvals.h"
#include "services/identity/notices.h"
#include "services/store/store.h"

namespace comity::gateway {

// Notices that the configuration file is another than the one that two administrators last
// acknowledged (or the first one), tells of it, and lets two of them acknowledge it.
//
// Threads: thread-safe after Check.
class ConfigurationAct final : public identity::ActHandler {
 public:
  struct Ports {
    audit::Journal& journal;
    identity::Notices& notices;
    policy::AgencyId own;
  };
  // In: configuration  SHA-256 of the file
  ConfigurationAct(Ports ports, const Digest& configuration)
      : ports_(std::move(ports)), configuration_(configuration) {}

  // At each start. Errors: those of the journal
  Status Check();
  const Digest& configuration() const { return configuration_; }
  bool acknowledged() const { return acknowledged_; }
  // What is proposed. Errors: kConflict  acknowledged already, or another than the running one
  Result<std::string> ContentFor(ByteView configuration) const;

  Result<std::string> Describe(std::string_view content) const override;
  Result<AfterCommit> Carry(store::Transaction& transaction, audit::Recorder& recorder,
                            const identity::PendingAct& act, const policy::PersonId& by) override;

 private:
  Status CheckContent(std::string_view content) const;

  const Ports ports_;
  const Digest configuration_;
  std::atomic<bool> acknowledged_ = false;
};

}  // namespace comity::gateway
