// SPDX-License-Identifier: Apache-2.0
// What a stranger's handshake and a partner's card bring in: certificates, identities, TOML.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/check.h"
#include "services/transport/address.h"
#include "services/transport/certificate.h"
#include "services/transport/peer_card.h"
#include "services/transport/peer_identity.h"
#include "services/transport/person_card.h"
#include "services/transport/pki_folder.h"

namespace {

using namespace comity;  // NOLINT: a test's own file

void TryIdentity(std::string_view text) {
  const auto identity = transport::ParseSpiffeId(text);
  // One identity has one spelling.
  COMITY_CHECK(!identity || transport::EncodeSpiffeId(*identity) == text);
  const auto address = transport::ParseAddress(text);
  COMITY_CHECK(!address || address->text() == text);
}

void TryChain(std::string_view text) {
  const auto chain = transport::ParseCertificateChain(text);
  if (!chain) return;
  const auto identity = transport::IdentityOf(*chain->leaf);
  if (identity) TryIdentity(transport::EncodeSpiffeId(*identity));
  transport::Fingerprint(*chain->leaf);
  transport::SerialOf(*chain->leaf);
  transport::ExpiryOf(*chain->leaf);
  COMITY_CHECK(transport::ParseCertificateChain(transport::EncodePem(*chain->leaf)).has_value());
}

void TryDer(std::string_view text) {
  const auto* cursor = reinterpret_cast<const unsigned char*>(text.data());
  const transport::X509Ptr certificate(d2i_X509(nullptr, &cursor, static_cast<long>(text.size())));
  if (certificate) TryChain(transport::EncodePem(*certificate));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  TryIdentity(text);
  TryChain(text);
  TryDer(text);
  const auto people = transport::ParsePersonCard(text);
  if (people) {
    const auto again = transport::ParsePersonCard(transport::EncodePersonCard(*people));
    COMITY_CHECK(again && again->id == people->id && again->certificate == people->certificate);
  }
  const auto certificates = transport::ParseCertificates(text);
  COMITY_CHECK(!certificates || sk_X509_num(certificates->get()) > 0);
  const auto lists = transport::ParseRevocationLists(text);
  if (const auto index = transport::ParseIndex(text)) {
    const auto again = transport::ParseIndex(transport::EncodeIndex(*index));
    COMITY_CHECK(again && again->size() == index->size());
  }
  const auto card = transport::ParsePeerCard(text);
  COMITY_CHECK(!card || transport::ParsePeerCard(transport::EncodePeerCard(*card)).has_value());
  return 0;
}
