// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "policy/model/instant.h"
#include "services/gateway/federation/partner_message.h"
#include "services/identity/notices.h"
#include "services/identity/peers.h"
#include "services/runtime/clock.h"

namespace comity::gateway {

// The message of kind `key-change`: an agency announces its next keys to its partners.
struct KeyChange {
  std::string card;  // TOML, signed by the present key and the next one
  std::optional<policy::Instant> compromised_since;  // of the present key
  bool operator==(const KeyChange&) const = default;
};
std::string EncodeKeyChange(const KeyChange& change);  // canonical JSON
// In: content  untrusted. Errors: kInvalidArgument
Result<KeyChange> ParseKeyChange(std::string_view content);

// Takes a partner's announcement down and tells the people who decide about keys. It changes no
// key: two people do, with 'comity peer rekey --announced'.
//
// Threads: thread-safe.
class KeyChangeHandler final : public PartnerMessageHandler {
 public:
  struct Ports {
    identity::Peers& peers;
    identity::Notices& notices;
    const runtime::Clock& clock;
  };
  // References must outlive the object.
  explicit KeyChangeHandler(Ports ports) : ports_(ports) {}

  // Errors: kInvalidArgument  not a card of the sender that one of its present keys signed too
  Result<Taken> Receive(store::Transaction& transaction, audit::Recorder& recorder,
                        const policy::AgencyId& sender, std::string_view content) override;

 private:
  Ports ports_;
};

}  // namespace comity::gateway
