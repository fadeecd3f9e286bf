// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "services/oversight/partner_content.h"

// Contents of messages between partners: what is accepted has one spelling and is of one kind.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity::oversight;
  const std::string_view text = comity::AsText({data, size});
  int accepted = 0;
  if (const auto news = ParseEntryNews(text)) {
    COMITY_CHECK(EncodeEntryNews(*news) == text);
    ++accepted;
  }
  if (const auto order = ParseDeletionOrder(text)) {
    COMITY_CHECK(EncodeDeletionOrder(*order) == text);
    ++accepted;
  }
  if (const auto notice = ParsePeerNotice(text)) {
    COMITY_CHECK(EncodePeerNotice(*notice) == text);
    ++accepted;
  }
  if (const auto held = ParseSealedHeld(text)) {
    COMITY_CHECK(EncodeSealedHeld(*held) == text);
    ++accepted;
  }
  if (const auto erased = ParseSealedErased(text)) {
    COMITY_CHECK(EncodeSealedErased(*erased) == text);
    ++accepted;
  }
  COMITY_CHECK(accepted <= 1);
  COMITY_CHECK(accepted == 0 || CheckContent(text).has_value());
  return 0;
}
