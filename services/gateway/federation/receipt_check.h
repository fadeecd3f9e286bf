// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>

#include "comity/v1/federation.pb.h"
#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/ids.h"
#include "services/identity/notices.h"
#include "services/oversight/receipt.h"
#include "services/store/outbox_store.h"

namespace comity::gateway {

// What a partner answered to a message of ours: exactly one is set.
struct PartnerAnswer {
  std::optional<oversight::Receipt> receipt;
  std::string refused;  // a code of message_refusal, or another well-formed id
};

// Whether the answer is about this message, and its receipt good evidence of it.
// In:     answer  untrusted; `keys` those that speak for the partner
// Errors: kInvalidArgument  not of its form, or neither or both are set
//         kCorrupt          about another message or content, or not signed by the partner
Result<PartnerAnswer> CheckPartnerReceipt(const v1::PartnerReceipt& answer,
                                          const store::OutboxRecord& message,
                                          const policy::AgencyId& self,
                                          std::span<const sign::PublicKey> keys);

// Tells people that a partner refuses a message.
identity::Notice RefusalNotice(const store::OutboxRecord& message, const std::string& code);

}  // namespace comity::gateway
