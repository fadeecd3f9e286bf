// SPDX-License-Identifier: Apache-2.0
// What a partner's people and gateway hand in: cards, announcements of keys, contents of acts.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/check.h"
#include "services/gateway/agency/peer_content.h"
#include "services/gateway/federation/key_change.h"
#include "services/gateway/federation/peer_terms.h"
#include "services/transport/fingerprint.h"
#include "services/transport/peer_card.h"

namespace {

using namespace comity;  // NOLINT: a test's own file

void TryCard(std::string_view text) {
  const auto card = transport::ParsePeerCard(text);
  if (!card) return;
  const auto again = transport::ParsePeerCard(transport::EncodePeerCard(*card));
  COMITY_CHECK(again.has_value());
  COMITY_CHECK(*again == *card);
  COMITY_CHECK(transport::CardFingerprint(*again) == transport::CardFingerprint(*card));
  const auto terms = gateway::TermsOf(*card);
  COMITY_CHECK(!terms || terms->agency.text() == card->agency);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  TryCard(text);
  const auto fingerprint = transport::ParseFingerprint(text);
  COMITY_CHECK(!fingerprint || *transport::ParseFingerprint(
                                   transport::EncodeFingerprint(*fingerprint)) == *fingerprint);
  if (const auto change = gateway::ParseKeyChange(text); change) {
    COMITY_CHECK(gateway::EncodeKeyChange(*change) == text);
    TryCard(change->card);
  }
  if (const auto act = gateway::ParsePeerCardAct(text); act) TryCard(act->card);
  if (const auto act = gateway::ParsePeerStateAct(text); act) {
    COMITY_CHECK(gateway::EncodePeerStateAct(*act) == text);
  }
  return 0;
}
