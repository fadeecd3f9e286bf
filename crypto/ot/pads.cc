// SPDX-License-Identifier: Apache-2.0
#include "crypto/ot/pads.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "crypto/base/check.h"
#include "crypto/base/secret.h"
#include "crypto/hash/blake2b.h"

namespace comity::ot {
namespace {

// Pads made at a time: the hashes of a part stay in the first cache.
constexpr std::size_t kPadsAPart = 64;
constexpr std::size_t kOtsAPart = kPadsAPart * kOtsAPad;

// Bit v of kPositionMasks[j] is bit j of v.
constexpr std::array<std::uint64_t, kOtsAPad> kPositionMasks = {
    0xaaaaaaaaaaaaaaaaULL, 0xccccccccccccccccULL, 0xf0f0f0f0f0f0f0f0ULL,
    0xff00ff00ff00ff00ULL, 0xffff0000ffff0000ULL, 0xffffffff00000000ULL};

// The pads from the two hashes of every OT.
void FoldPads(const std::uint64_t* zeros, const std::uint64_t* ones, std::size_t count,
              std::uint8_t* out) {
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t pad = 0;
    for (std::size_t j = 0; j < kOtsAPad; ++j) {
      const std::uint64_t zero = zeros[i * kOtsAPad + j];
      pad ^= zero ^ ((zero ^ ones[i * kOtsAPad + j]) & kPositionMasks[j]);
    }
    std::memcpy(out + i * sizeof(pad), &pad, sizeof(pad));
  }
}

// The six choice bits of pad `pad` of a batch, the first OT's lowest. In: choices  as octets
std::uint64_t SigmaOf(ByteView choices, std::size_t pad) {
  const std::size_t first = pad * kOtsAPad;
  const std::size_t octet = first / 8;
  const unsigned next = octet + 1 < choices.size() ? choices[octet + 1] : 0;
  return (unsigned{choices[octet]} | next << 8) >> (first % 8) & (kPadPositions - 1);
}

// sigma | bit << 6, from the hashes of the rows.
void FoldChoices(const std::uint64_t* hashes, ByteView choices, std::size_t first_pad,
                 std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint64_t keys = 0;
    for (std::size_t j = 0; j < kOtsAPad; ++j) keys ^= hashes[i * kOtsAPad + j];
    const std::uint64_t sigma = SigmaOf(choices, first_pad + i);
    out[i] = static_cast<std::uint8_t>(sigma | (keys >> sigma & 1) << kOtsAPad);
  }
}

// Words of secret hashes, wiped at the end.
struct HashWords {
  ~HashWords() { Wipe({reinterpret_cast<std::uint8_t*>(words.data()), sizeof(words)}); }
  std::span<std::uint64_t> first(std::size_t count) { return std::span(words).first(count); }
  std::array<std::uint64_t, kOtsAPart> words;
};

}  // namespace

Block PadHashKey(const Digest& sid, const Digest& base_transcript) {
  const Digest digest =
      hash::Blake2b256({AsBytes("comity/sealed-v1/ot-hash"), sid.view(), base_transcript.view()});
  return LoadBlock(digest.view());
}

void RequesterPadPool::Add(const RequesterRows& strip) {
  COMITY_CHECK(strip.delta.size() == 1);
  const std::size_t count = strip.rows.size() / kOtsAPad;
  SecretBytes pads(count * sizeof(std::uint64_t));
  HashWords zeros, ones;
  for (std::size_t at = 0; at < count; at += kPadsAPart) {
    const std::size_t part = std::min(kPadsAPart, count - at);
    const std::size_t ots = part * kOtsAPad;
    const std::uint64_t first_ot = strip.first_ot + at * kOtsAPad;
    const auto rows = strip.rows.Expose().subspan(at * kOtsAPad, ots);
    hash_.Hash(first_ot, rows, Block{}, zeros.first(ots));
    hash_.Hash(first_ot, rows, strip.delta.Expose()[0], ones.first(ots));
    FoldPads(zeros.words.data(), ones.words.data(), part,
             pads.ExposeMutable().subspan(at * sizeof(std::uint64_t)).data());
  }
  pads_.Append(strip.first_ot, std::move(pads));
}

Result<RequesterPads> RequesterPadPool::Take(std::size_t count) {
  COMITY_ASSIGN_OR_RETURN(PadQueue::Taken taken, pads_.Take(count));
  return RequesterPads(taken.numbers, std::move(taken.values));
}

void RequesterPads::Cover(std::span<std::uint8_t> tables) && {
  const SecretBytes pads = std::move(pads_);
  COMITY_CHECK(!pads.empty() && pads.size() == tables.size());
  const std::uint8_t* const from = pads.Expose().data();
  std::uint8_t* const to = tables.data();
  for (std::size_t i = 0; i < pads.size(); ++i) to[i] ^= from[i];
}

void HolderPadPool::Add(const HolderRows& strip) {
  COMITY_CHECK(strip.choices.size() * kBitsABlock >= strip.rows.size());
  const std::size_t count = strip.rows.size() / kOtsAPad;
  SecretBytes choices(count);
  HashWords hashes;
  for (std::size_t at = 0; at < count; at += kPadsAPart) {
    const std::size_t part = std::min(kPadsAPart, count - at);
    const std::size_t ots = part * kOtsAPad;
    hash_.Hash(strip.first_ot + at * kOtsAPad, strip.rows.Expose().subspan(at * kOtsAPad, ots),
               Block{}, hashes.first(ots));
    FoldChoices(hashes.words.data(), AsOctets(strip.choices.Expose()), at,
                choices.ExposeMutable().subspan(at, part));
  }
  choices_.Append(strip.first_ot, std::move(choices));
}

Result<HolderPads> HolderPadPool::Take(std::size_t count) {
  COMITY_ASSIGN_OR_RETURN(PadQueue::Taken taken, choices_.Take(count));
  return HolderPads(taken.numbers, std::move(taken.values));
}

HolderOpenings HolderPads::Offsets(std::span<const std::uint8_t> positions,
                                   std::span<std::uint8_t> offsets) && {
  COMITY_CHECK(!choices_.empty() && positions.size() == choices_.size() &&
               offsets.size() == choices_.size());
  const std::uint8_t* const choices = choices_.Expose().data();
  const std::uint8_t* const from = positions.data();
  std::uint8_t* const to = offsets.data();
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    // The bit above sigma is a multiple of 64 and drops out.
    to[i] = static_cast<std::uint8_t>((from[i] - choices[i]) & (kPadPositions - 1));
  }
  return HolderOpenings(numbers_, std::move(choices_));
}

SecretBytes HolderOpenings::Open(ByteView covered) && {
  const SecretBytes choices = std::move(choices_);
  COMITY_CHECK(!choices.empty() && covered.size() == choices.size() * kPadBytes);
  SecretBytes bits(choices.size());
  const std::uint8_t* const chosen = choices.Expose().data();
  std::uint8_t* const out = bits.ExposeMutable().data();
  for (std::size_t i = 0; i < choices.size(); ++i) {
    std::uint64_t table;  // little-endian as this machine is (block.h)
    std::memcpy(&table, covered.data() + i * kPadBytes, kPadBytes);
    const unsigned choice = chosen[i];
    out[i] =
        static_cast<std::uint8_t>((table >> (choice % kPadPositions) ^ choice >> kOtsAPad) & 1);
  }
  return bits;
}

}  // namespace comity::ot
