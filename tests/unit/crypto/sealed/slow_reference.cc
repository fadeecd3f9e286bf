// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/crypto/sealed/slow_reference.h"

#include "crypto/hash/blake2b.h"
#include "crypto/hash/chacha_stream.h"

namespace comity::sealed::reference {
namespace {

constexpr std::size_t kDegree = 1024;
constexpr std::int64_t kModulo = 1 << 24;

Bytes Stream(ByteView key, std::uint32_t label, std::uint64_t index, std::size_t size) {
  Bytes bytes(size);
  hash::ExpandStream(key, label, index, bytes);
  return bytes;
}

Polynomial Sum(const Polynomial& left, const Polynomial& right) {
  Polynomial sum(kDegree);
  for (std::size_t i = 0; i < kDegree; ++i) sum[i] = Mod(left[i] + right[i]);
  return sum;
}

Bytes LittleEndian(std::uint32_t value) {
  return {static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value >> 8),
          static_cast<std::uint8_t>(value >> 16), static_cast<std::uint8_t>(value >> 24)};
}

}  // namespace

std::int64_t Mod(std::int64_t value) {
  return ((value % kModulo) + kModulo) % kModulo;
}

Polynomial Product(const Polynomial& left, const Polynomial& right) {
  Polynomial product(kDegree);
  for (std::size_t i = 0; i < kDegree; ++i) {
    if (right[i] == 0) continue;
    for (std::size_t j = 0; j < kDegree - i; ++j) product[i + j] += left[j] * right[i];
    for (std::size_t j = kDegree - i; j < kDegree; ++j) {
      product[i + j - kDegree] -= left[j] * right[i];
    }
  }
  for (std::int64_t& value : product) value = Mod(value);
  return product;
}

Polynomial PublicElement(ByteView seed, std::uint64_t index) {
  const Bytes stream = Stream(seed, 1, index, 3 * kDegree);
  Polynomial element(kDegree);
  for (std::size_t i = 0; i < kDegree; ++i) {
    element[i] = stream[3 * i] + 256 * stream[3 * i + 1] + 65536 * stream[3 * i + 2];
  }
  return element;
}

Polynomial Ternary(ByteView key, std::uint32_t label) {
  Polynomial element;
  for (std::uint64_t index = 0; element.size() < kDegree; ++index) {
    for (int octet : Stream(key, label, index, 512)) {
      if (octet >= 243) continue;
      for (int digit = 0; digit < 5; ++digit, octet /= 3) element.push_back(octet % 3 - 1);
    }
  }
  element.resize(kDegree);
  return element;
}

Polynomial Error(ByteView key, std::uint32_t label, std::uint64_t index) {
  const Bytes stream = Stream(key, label, index, 2 * kDegree);
  Polynomial element(kDegree);
  for (std::size_t i = 0; i < kDegree; ++i) {
    const int v = stream[2 * i] + 256 * stream[2 * i + 1];
    element[i] = v % 32 - v / 32 % 32;
  }
  return element;
}

Bytes ExpansionKey(const BlockIdentity& identity, ByteView root, std::uint32_t count,
                   const Digest& contents) {
  const SecretBytes key = hash::KeyedBlake2b256(
      root, {AsBytes("comity/sealed-v1/block"), identity.header.view(),
             LittleEndian(identity.number), LittleEndian(count), contents.view()});
  return ToBytes(key.Expose());
}

Block Seal(const Scales& scales, std::int64_t delta, ByteView seed, ByteView key,
           std::span<const std::int8_t> entries) {
  const Polynomial secret = Ternary(key, 2);
  Block block{.p = Sum(Product(PublicElement(seed, 0), secret), Error(key, 3, 0)), .columns = {}};
  for (std::size_t j = 0; j < scales.dimension; ++j) {
    Polynomial column = Sum(Product(PublicElement(seed, j + 1), secret), Error(key, 3, j + 1));
    for (std::size_t i = 0; i < entries.size() / scales.dimension; ++i) {
      column[i] = Mod(column[i] + delta * entries[i * scales.dimension + j]);
    }
    block.columns.push_back(std::move(column));
  }
  return block;
}

Polynomial BlindedProbe(ByteView public_seed, std::span<const std::int8_t> q, ByteView z) {
  Polynomial c = Sum(Product(PublicElement(public_seed, 0), Ternary(z, 4)), Error(z, 5, 0));
  for (std::size_t j = 0; j < q.size(); ++j) {
    const Polynomial a = PublicElement(public_seed, j + 1);
    for (std::size_t i = 0; i < kDegree; ++i) c[i] = Mod(c[i] + q[j] * a[i]);
  }
  return c;
}

bool IsHit(std::uint32_t t, std::uint32_t b, std::uint32_t threshold) {
  const std::int64_t r = Mod(std::int64_t{threshold} + 65536 - b) / 131072;
  const std::int64_t distance = (t / 131072 - r + 128) % 128;
  return distance < 64;
}

}  // namespace comity::sealed::reference
