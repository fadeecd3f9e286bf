// SPDX-License-Identifier: Apache-2.0
// Keys and digests as files, cards and agreements hold them: what is accepted has one spelling.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "crypto/base/encoding.h"
#include "crypto/sign/ed25519.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity;
  const std::string_view text = AsText({data, size});
  if (const auto key = sign::ParsePublicKey(text)) {
    COMITY_CHECK(sign::EncodePublicKey(*key) == text);
    COMITY_CHECK(sign::PublicKeyFromOctets(key->view()) == *key);
  }
  if (const auto key = sign::SigningKey::ParseKeyFile(text)) {
    const SecretBytes file = key->EncodeKeyFile();
    const std::string_view again = AsText(file.Expose());
    COMITY_CHECK(again == text || again == std::string(text) + "\n");
  }
  if (const auto octets = ParseHex(text)) COMITY_CHECK(EncodeHex(*octets) == text);
  if (const auto digest = ParseHexDigest(text)) COMITY_CHECK(EncodeHex(digest->view()) == text);
  return 0;
}
