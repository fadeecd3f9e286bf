// SPDX-License-Identifier: Apache-2.0
#include "crypto/ot/base_ot.h"

#include <sodium.h>

#include <algorithm>
#include <span>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/base/little_endian.h"
#include "crypto/hash/blake2b.h"

namespace comity::ot {
namespace {

static_assert(kPointSize == crypto_core_ristretto255_BYTES);
static_assert(kPointSize == crypto_scalarmult_ristretto255_BYTES);

// Chosen by `bit` (0 or 1) without a branch.
void Select(std::uint8_t bit, ByteView if_zero, ByteView if_one, std::span<std::uint8_t> out) {
  const auto mask = static_cast<std::uint8_t>(-bit);
  for (std::size_t i = 0; i < kPointSize; ++i) {
    out[i] = static_cast<std::uint8_t>(if_zero[i] ^ (mask & (if_zero[i] ^ if_one[i])));
  }
}

bool IsUsable(ByteView point) {
  return crypto_core_ristretto255_is_valid_point(point.data()) == 1 &&
         std::any_of(point.begin(), point.end(), [](std::uint8_t octet) { return octet != 0; });
}

SecretBytes RandomScalar(RandomSource& random) {
  SecretBytes wide(crypto_core_ristretto255_NONREDUCEDSCALARBYTES);
  random.Fill(wide.ExposeMutable());
  SecretBytes scalar(crypto_core_ristretto255_SCALARBYTES);
  crypto_core_ristretto255_scalar_reduce(scalar.ExposeMutable().data(), wide.Expose().data());
  return scalar;
}

void PointFromOctets(ByteView octets, std::span<std::uint8_t> point) {
  COMITY_CHECK(octets.size() == crypto_core_ristretto255_HASHBYTES && point.size() == kPointSize);
  COMITY_CHECK(crypto_core_ristretto255_from_hash(point.data(), octets.data()) == 0);
}

// Hg of the header. Secret on the receiver's side, where it tells the choice.
SecretBytes HashToPoint(const Digest& sid, std::size_t instance, std::uint8_t choice,
                        ByteView phi) {
  SecretBytes octets(crypto_core_ristretto255_HASHBYTES);
  hash::Blake2b(octets.size())
      .Update(AsBytes("comity/sealed-v1/base-ot/hg"))
      .Update(sid.view())
      .Update(LittleEndian<4>(instance))
      .Update({&choice, 1})
      .Update(phi)
      .Finish(octets.ExposeMutable());
  SecretBytes point(kPointSize);
  PointFromOctets(octets.Expose(), point.ExposeMutable());
  return point;
}

struct KeyInput {
  const Digest& sid;
  ByteView offer;
  ByteView phis;  // phi_{i,0} | phi_{i,1}
};

// KDF of the header.
void DeriveKey(const KeyInput& input, std::size_t instance, std::uint8_t choice, ByteView product,
               std::span<std::uint8_t> key) {
  hash::Blake2b(kBaseOtKeySize)
      .Update(AsBytes("comity/sealed-v1/base-ot/key"))
      .Update(input.sid.view())
      .Update(LittleEndian<4>(instance))
      .Update({&choice, 1})
      .Update(input.offer)
      .Update(input.phis)
      .Update(product)
      .Finish(key);
}

Digest TranscriptOf(const Digest& sid, ByteView offer, ByteView answer) {
  return hash::Blake2b256(
      {AsBytes("comity/sealed-v1/base-ot/transcript"), sid.view(), offer, answer});
}

// phi_{i,0} | phi_{i,1} of one instance into `phis`, and b*A into `product`.
Status AnswerOne(const Digest& sid, ByteView offer, std::size_t instance, std::uint8_t choice,
                 RandomSource& random, std::span<std::uint8_t> phis,
                 std::span<std::uint8_t> product) {
  SecretBytes uniform(crypto_core_ristretto255_HASHBYTES);
  random.Fill(uniform.ExposeMutable());
  SecretBytes other(kPointSize);
  PointFromOctets(uniform.Expose(), other.ExposeMutable());
  const SecretBytes b = RandomScalar(random);
  SecretBytes chosen(kPointSize);
  std::uint8_t* const point = chosen.ExposeMutable().data();
  // What these outcomes tell has probability 2^-252, and ends the session or the process.
  if (Declassify(crypto_scalarmult_ristretto255_base(point, b.Expose().data()) != 0)) {
    return Fail(ErrorCode::kCorrupt, "base OT: the receiver's product is the identity");
  }
  const SecretBytes mask = HashToPoint(sid, instance, choice, other.Expose());
  COMITY_CHECK(Declassify(crypto_core_ristretto255_sub(point, point, mask.Expose().data()) == 0));
  Select(choice, chosen.Expose(), other.Expose(), phis.first(kPointSize));
  Select(choice, other.Expose(), chosen.Expose(), phis.subspan(kPointSize));
  if (Declassify(crypto_scalarmult_ristretto255(product.data(), b.Expose().data(), offer.data()) !=
                 0)) {
    return Fail(ErrorCode::kCorrupt, "base OT: the receiver's product is the identity");
  }
  return {};
}

}  // namespace

BaseOtSender::BaseOtSender(const Digest& sid, RandomSource& random)
    : sid_(sid), scalar_(RandomScalar(random)) {
  // Fails for the scalar 0 alone, which has probability 2^-252.
  COMITY_CHECK(
      Declassify(crypto_scalarmult_ristretto255_base(offer_.data(), scalar_.Expose().data()) == 0));
}

Result<BaseOtSenderKeys> BaseOtSender::Finish(ByteView answer) && {
  const SecretBytes scalar = std::move(scalar_);
  COMITY_CHECK(!scalar.empty());
  if (answer.size() != kBaseOtAnswerSize) {
    return Fail(ErrorCode::kInvalidArgument, "base OT: the answer has the wrong length");
  }
  for (std::size_t at = 0; at < answer.size(); at += kPointSize) {
    if (!IsUsable(answer.subspan(at, kPointSize))) {
      return Fail(ErrorCode::kInvalidArgument, "base OT: the answer holds an unusable point");
    }
  }
  BaseOtSenderKeys result{SecretBytes(kBaseOtCount * 2 * kBaseOtKeySize),
                          TranscriptOf(sid_, offer_, answer)};
  SecretBytes product(kPointSize);
  for (std::size_t i = 0; i < kBaseOtCount; ++i) {
    const ByteView phis = answer.subspan(2 * i * kPointSize, 2 * kPointSize);
    for (std::uint8_t c = 0; c < 2; ++c) {
      const ByteView own = phis.subspan(c * kPointSize, kPointSize);
      const ByteView other = phis.subspan((1U - c) * kPointSize, kPointSize);
      const SecretBytes mask = HashToPoint(sid_, i, c, other);
      std::array<std::uint8_t, kPointSize> sum;
      COMITY_CHECK(crypto_core_ristretto255_add(sum.data(), own.data(), mask.Expose().data()) == 0);
      // Ends the session, and the requester sees that.
      if (Declassify(crypto_scalarmult_ristretto255(product.ExposeMutable().data(),
                                                    scalar.Expose().data(), sum.data()) != 0)) {
        return Fail(ErrorCode::kCorrupt, "base OT: the sender's product is the identity");
      }
      DeriveKey({sid_, offer_, phis}, i, c, product.Expose(),
                result.keys.ExposeMutable().subspan((2 * i + c) * kBaseOtKeySize, kBaseOtKeySize));
    }
  }
  return result;
}

Result<BaseOtReceiver> BaseOtReceiver::Answer(const Digest& sid, ByteView offer,
                                              RandomSource& random) {
  if (offer.size() != kBaseOtOfferSize) {
    return Fail(ErrorCode::kInvalidArgument, "base OT: the offer has the wrong length");
  }
  if (!IsUsable(offer)) {
    return Fail(ErrorCode::kInvalidArgument, "base OT: the offer is an unusable point");
  }
  BaseOtReceiverKeys result{
      SecretBytes(kBaseOtCount), SecretBytes(kBaseOtCount * kBaseOtKeySize), {}};
  const std::span<std::uint8_t> choices = result.choices.ExposeMutable();
  random.Fill(choices);
  for (std::uint8_t& choice : choices) choice &= 1;
  Bytes answer(kBaseOtAnswerSize);
  SecretBytes product(kPointSize);
  for (std::size_t i = 0; i < kBaseOtCount; ++i) {
    const auto phis = std::span(answer).subspan(2 * i * kPointSize, 2 * kPointSize);
    COMITY_RETURN_IF_ERROR(
        AnswerOne(sid, offer, i, choices[i], random, phis, product.ExposeMutable()));
    DeriveKey({sid, offer, phis}, i, choices[i], product.Expose(),
              result.keys.ExposeMutable().subspan(i * kBaseOtKeySize, kBaseOtKeySize));
  }
  result.transcript = TranscriptOf(sid, offer, answer);
  return BaseOtReceiver(std::move(answer), std::move(result));
}

}  // namespace comity::ot
