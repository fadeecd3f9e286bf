// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash/blake2b.h"

#include <sodium.h>

#include "crypto/base/check.h"

namespace comity::hash {

struct Blake2b::State {
  ~State() { sodium_memzero(&blake, sizeof(blake)); }
  crypto_generichash_blake2b_state blake;
};

Blake2b::Blake2b(std::size_t size, ByteView key) : size_(size), state_(new State) {
  COMITY_CHECK(size >= crypto_generichash_blake2b_BYTES_MIN &&
               size <= crypto_generichash_blake2b_BYTES_MAX);
  COMITY_CHECK(key.empty() || (key.size() >= crypto_generichash_blake2b_KEYBYTES_MIN &&
                               key.size() <= crypto_generichash_blake2b_KEYBYTES_MAX));
  COMITY_CHECK(crypto_generichash_blake2b_init(&state_->blake, key.empty() ? nullptr : key.data(),
                                               key.size(), size) == 0);
}

Blake2b::~Blake2b() = default;

Blake2b& Blake2b::Update(ByteView bytes) {
  COMITY_CHECK(crypto_generichash_blake2b_update(&state_->blake, bytes.data(), bytes.size()) == 0);
  return *this;
}

void Blake2b::Finish(std::span<std::uint8_t> out) {
  COMITY_CHECK(out.size() == size_);
  COMITY_CHECK(crypto_generichash_blake2b_final(&state_->blake, out.data(), out.size()) == 0);
}

Digest Blake2b256(std::initializer_list<ByteView> parts) {
  Blake2b blake(Digest::kSize);
  for (const ByteView part : parts) blake.Update(part);
  Digest digest;
  blake.Finish(digest.bytes);
  return digest;
}

SecretBytes KeyedBlake2b256(ByteView key, std::initializer_list<ByteView> parts) {
  Blake2b blake(Digest::kSize, key);
  for (const ByteView part : parts) blake.Update(part);
  SecretBytes value(Digest::kSize);
  blake.Finish(value.ExposeMutable());
  return value;
}

}  // namespace comity::hash
