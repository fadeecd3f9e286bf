// SPDX-License-Identifier: Apache-2.0
// Header and state of a sealed list as their holder offers them, under a good signature: what is
// accepted is of these two agencies, in force, and of one piece. Envelopes without one are nothing.
#include <gtest/gtest.h>  // what samples.h expects with

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "crypto/sign/dsse.h"
#include "services/watchlists/sealed_offer.h"
#include "services/watchlists/sealed_payload.h"
#include "tests/fuzz/altered_message.h"
#include "tests/unit/crypto/sealed/sample_list.h"

namespace comity::watchlists {
namespace {

struct Offered {
  sign::SigningKey key = sign::SigningKey::FromSeed(SecretBytes::CopyOf(Bytes(32, 3))).value();
  std::vector<sign::PublicKey> keys = {key.public_key()};
  policy::AgencyId holder;
  policy::AgencyId requester;
  policy::Instant now{};
  Bytes header;
  Bytes state;

  Offered() {
    sealed::testing::SampleList list({.dimension = 128}, 1);
    list.Seal(0, sealed::testing::Faces(128, 1).Templates(5));
    header = sealed::EncodeListHeader(list.header());
    state = sealed::EncodeListState(list.state());
    holder = policy::AgencyId::Parse(list.header().holder).value();
    requester = policy::AgencyId::Parse(list.header().requester).value();
    now = policy::Instant(std::chrono::seconds(list.header().sealed_at + 60));
  }
  std::string Signed(std::string_view type, ByteView payload) const {
    sign::DsseEnvelope envelope;
    envelope.payload_type = type;
    envelope.payload = ToBytes(payload);
    sign::AddSignature(key, envelope);
    return sign::EncodeDsseJson(envelope);
  }
};

void Try(const std::string& header, const std::string& state, bool is_signed) {
  static const Offered offered;
  const auto offer = OpenSealedOffer({offered.holder, offered.requester,
                                      is_signed ? std::span<const sign::PublicKey>(offered.keys)
                                                : std::span<const sign::PublicKey>(),
                                      offered.now},
                                     header, state);
  if (!offer) return;
  COMITY_CHECK(is_signed);
  COMITY_CHECK(offer->header.holder == offered.holder.text());
  COMITY_CHECK(offer->header.requester == offered.requester.text());
  COMITY_CHECK(!IsSealedListOver(offer->header, offered.now));
  COMITY_CHECK(offer->state.header == offer->header_digest);
  COMITY_CHECK(sealed::HeaderDigest(offer->header) == offer->header_digest);
  const auto read = ReadSealedHeader(header);
  COMITY_CHECK(read && sealed::HeaderDigest(*read) == offer->header_digest);
}

}  // namespace
}  // namespace comity::watchlists

// The first octet: header or state altered (altered_message.h) and signed; or the rest is a
// header's envelope.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity;
  using namespace comity::watchlists;
  if (size == 0) return 0;
  static const Offered offered;
  const ByteView rest(data + 1, size - 1);
  const std::string header = offered.Signed(kSealedHeaderPayloadType, offered.header);
  const std::string state = offered.Signed(kSealedStatePayloadType, offered.state);
  switch (data[0] % 3) {
    case 0:
      Try(offered.Signed(kSealedHeaderPayloadType,
                         comity::testing::AlteredMessage(offered.header, rest)),
          state, true);
      break;
    case 1:
      Try(header,
          offered.Signed(kSealedStatePayloadType,
                         comity::testing::AlteredMessage(offered.state, rest)),
          true);
      break;
    default:
      static_cast<void>(ReadSealedHeader(AsText(rest)));
      Try(std::string(AsText(rest)), state, false);
  }
  return 0;
}
