// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/probe.h"

#include <utility>

#include "crypto/base/little_endian.h"
#include "crypto/hash/blake2b.h"
#include "crypto/hash/chacha_stream.h"
#include "crypto/sealed/expand.h"
#include "crypto/sealed/profile.h"

namespace comity::sealed {

SecretBytes DrawProbeSeed(const Digest& session, std::uint64_t number,
                          std::span<const std::int8_t> q, RandomSource& random) {
  SecretBytes fresh(kSeedBytes);
  random.Fill(fresh.ExposeMutable());
  const ByteView q_bytes(reinterpret_cast<const std::uint8_t*>(q.data()), q.size());
  return hash::KeyedBlake2b256(fresh.Expose(), {session.view(), LittleEndian<8>(number), q_bytes});
}

Result<Probe> Probe::Blind(const PublicMatrix& matrix, std::span<const std::int8_t> q,
                           SecretBytes seed, Kernel kernel) {
  if (q.size() != matrix.dimension() || seed.size() != kSeedBytes) {
    return Fail(ErrorCode::kInvalidArgument, "a probe or a probe seed of the wrong length");
  }
  COMITY_RETURN_IF_ERROR(CheckTemplate(q));
  SecretArray<std::int8_t> small(kRingDegree);
  const SmallSpan values = small.ExposeMutable().first<kRingDegree>();
  Probe probe;
  probe.blind_ = SecretArray<std::uint64_t>(kRingDegree);
  ExpandTernary(seed.Expose(), kBlindLabel, values);
  TransformTernary(values, probe.blind_.ExposeMutable().first<kRingDegree>());

  SecretArray<Element> combined(1);
  Element& message = combined.ExposeMutable()[0];
  Score(matrix.elements(), q, kernel, combined.ExposeMutable());
  SecretArray<std::uint32_t> blinding(kRingDegree);
  const ElementSpan product = blinding.ExposeMutable().first<kRingDegree>();
  MultiplyTransformed(matrix.first(), probe.blind_.Expose().first<kRingDegree>(), product);
  AddElement(product, message);
  ExpandError(seed.Expose(), kBlindErrorLabel, 0, values);
  AddSmall(values, message);
  EncodeElement(message, probe.message_);
  probe.seed_ = std::move(seed);
  return probe;
}

void Probe::AddBlinding(TransformedView p, ElementSpan scores) const {
  SecretArray<std::uint32_t> blinding(kRingDegree);
  const ElementSpan product = blinding.ExposeMutable().first<kRingDegree>();
  MultiplyTransformed(p, blind_.Expose().first<kRingDegree>(), product);
  AddElement(product, scores);
}

SecretArray<std::uint8_t> Probe::Masks(const SlotSet& slots) const {
  SecretArray<std::uint8_t> masks(slots.size());
  if (slots.size() == 0) return masks;
  SecretBytes stream((slots.numbers().back() + 7) / 8);
  hash::ExpandStream(seed_.Expose(), kMaskLabel, 0, stream.ExposeMutable());
  const std::uint8_t* bits = stream.Expose().data();
  std::uint8_t* to = masks.ExposeMutable().data();
  for (const std::uint32_t number : slots.numbers()) {
    *to++ = bits[(number - 1) / 8] >> ((number - 1) % 8) & 1;
  }
  return masks;
}

Status VerifyOpening(const PublicMatrix& matrix, std::span<const std::int8_t> q, ByteView z,
                     ByteView message) {
  if (message.size() != kElementBytes) {
    return Fail(ErrorCode::kInvalidArgument, "a blinded probe of the wrong length");
  }
  COMITY_ASSIGN_OR_RETURN(const Probe probe,
                          Probe::Blind(matrix, q, SecretBytes::CopyOf(z), FastestKernel()));
  if (!ConstantTimeEqual(probe.message(), message)) {
    return Fail(ErrorCode::kCorrupt, "the opening is not that of the blinded probe");
  }
  return {};
}

}  // namespace comity::sealed
