// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "crypto/base/secret.h"
#include "crypto/sign/dsse.h"
#include "services/identity/approval_decision.h"

// Decisions of people about pending acts: what is accepted has one spelling, and is within its
// bounds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity;
  const std::string_view text = AsText({data, size});
  const auto decision = identity::ParseDecision(text);
  if (!decision) return 0;
  COMITY_CHECK(identity::IsApprovalId(decision->approval));
  COMITY_CHECK(decision->reason.size() <= identity::kMaxDecisionReason);
  // The same decision signed by another key has the same payload, octet for octet.
  static const auto key = sign::SigningKey::FromSeed(SecretBytes::CopyOf(Bytes(32, 1)));
  const auto again = identity::SignDecision(*key, *decision);
  COMITY_CHECK(again.has_value());
  const auto before = sign::ParseDsseJson(text, identity::kMaxDecision);
  const auto after = sign::ParseDsseJson(*again, identity::kMaxDecision);
  COMITY_CHECK(before->payload == after->payload);
  return 0;
}
