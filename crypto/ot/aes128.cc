// SPDX-License-Identifier: Apache-2.0
#include "crypto/ot/aes128.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "crypto/base/check.h"

namespace comity::ot {
namespace {

// What EVP takes in one call is an int; far below that, so that the octets stay in the first cache.
constexpr std::size_t kMaxBlocksACall = 1024;

struct FreeCipherContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }  // wipes
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipherContext>;

// Fetched once each: a fetch a context costs more than a small batch.
const EVP_CIPHER* FetchedAes128Ecb() {
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-128-ECB", nullptr);
  COMITY_CHECK(cipher != nullptr);
  return cipher;
}
const EVP_CIPHER* FetchedAes128Ctr() {
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-128-CTR", nullptr);
  COMITY_CHECK(cipher != nullptr);
  return cipher;
}

CipherContext MakeContext(const EVP_CIPHER* cipher, const Block& key) {
  CipherContext context(EVP_CIPHER_CTX_new());
  COMITY_CHECK(context != nullptr);
  const ByteView octets = AsOctets({&key, 1});
  COMITY_CHECK(EVP_EncryptInit_ex2(context.get(), cipher, octets.data(), nullptr, nullptr) == 1);
  COMITY_CHECK(EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1);
  return context;
}

void Update(EVP_CIPHER_CTX* context, const Block* in, std::span<Block> out) {
  const auto size = static_cast<int>(out.size_bytes());
  int written = 0;
  COMITY_CHECK(EVP_EncryptUpdate(context, AsWritableOctets(out).data(), &written,
                                 reinterpret_cast<const std::uint8_t*>(in), size) == 1);
  COMITY_CHECK(written == size);
}

}  // namespace

struct Aes128::State {
  CipherContext context;
};

Aes128::Aes128(const Block& key) : state_(std::make_unique<State>()) {
  state_->context = MakeContext(FetchedAes128Ecb(), key);
}

Aes128::Aes128(Aes128&&) noexcept = default;
Aes128& Aes128::operator=(Aes128&&) noexcept = default;
Aes128::~Aes128() = default;

void Aes128::Encrypt(std::span<Block> blocks) {
  while (!blocks.empty()) {
    const auto part = blocks.first(std::min(blocks.size(), kMaxBlocksACall));
    Update(state_->context.get(), part.data(), part);
    blocks = blocks.subspan(part.size());
  }
}

struct Aes128Stream::State {
  CipherContext context;
};

Aes128Stream::Aes128Stream(const Block& key) : state_(std::make_unique<State>()) {
  state_->context = MakeContext(FetchedAes128Ctr(), key);
}

Aes128Stream::Aes128Stream(Aes128Stream&&) noexcept = default;
Aes128Stream& Aes128Stream::operator=(Aes128Stream&&) noexcept = default;
Aes128Stream::~Aes128Stream() = default;

void Aes128Stream::Fill(std::uint64_t first, std::span<Block> out) {
  static constexpr std::array<Block, kMaxBlocksACall> kZeros{};
  std::array<std::uint8_t, Block::kSize> counter{};
  for (std::size_t i = 0; i < 8; ++i) {
    counter[15 - i] = static_cast<std::uint8_t>(first >> (8 * i));
  }
  EVP_CIPHER_CTX* const context = state_->context.get();
  COMITY_CHECK(EVP_EncryptInit_ex2(context, nullptr, nullptr, counter.data(), nullptr) == 1);
  while (!out.empty()) {
    const auto part = out.first(std::min(out.size(), kMaxBlocksACall));
    Update(context, kZeros.data(), part);
    out = out.subspan(part.size());
  }
}

}  // namespace comity::ot
