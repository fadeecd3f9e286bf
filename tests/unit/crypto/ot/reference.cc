// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/crypto/ot/reference.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "crypto/base/check.h"
#include "crypto/base/little_endian.h"
#include "crypto/hash/blake2b.h"
#include "crypto/hash/chacha_stream.h"

namespace comity::testing::reference {
namespace {

Bits XorOf(Bits left, const Bits& right) {
  for (std::size_t i = 0; i < left.size(); ++i) left[i] ^= right[i];
  return left;
}

std::uint8_t BitAt(ByteView octets, std::size_t i) {
  return octets[i / 8] >> (i % 8) & 1;
}

Bytes Pack(const Bits& bits) {
  Bytes octets(bits.size() / 8);
  for (std::size_t i = 0; i < bits.size(); ++i) {
    octets[i / 8] = static_cast<std::uint8_t>(octets[i / 8] | bits[i] << (i % 8));
  }
  return octets;
}

void Append(Bytes& to, ByteView octets) {
  to.insert(to.end(), octets.begin(), octets.end());
}

// PRG_x of the OTs of a batch.
Bits LeafString(const OctetBlock& key, const ot::BatchPlace& place) {
  Bits bits;
  for (std::uint64_t i = 0; i < place.blocks; ++i) {
    OctetBlock counter{};
    const std::uint64_t number = place.first_ot / 128 + i;
    for (std::size_t k = 0; k < 8; ++k)
      counter[15 - k] = static_cast<std::uint8_t>(number >> 8 * k);
    const OctetBlock block = Aes(key, counter);
    for (std::size_t b = 0; b < 128; ++b) bits.push_back(BitAt(block, b));
  }
  return bits;
}

}  // namespace

OctetBlock Aes(const OctetBlock& key, const OctetBlock& block) {
  const std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> context(EVP_CIPHER_CTX_new(),
                                                                           EVP_CIPHER_CTX_free);
  OctetBlock out;
  int size = 0;
  COMITY_CHECK(EVP_EncryptInit(context.get(), EVP_aes_128_ecb(), key.data(), nullptr) == 1);
  COMITY_CHECK(EVP_EncryptUpdate(context.get(), out.data(), &size, block.data(), 16) == 1);
  return out;
}

OctetBlock Multiply(const OctetBlock& left, const OctetBlock& right) {
  Bits product(256);
  for (std::size_t i = 0; i < 128; ++i) {
    if (BitAt(left, i) == 0) continue;
    for (std::size_t j = 0; j < 128; ++j) product[i + j] ^= BitAt(right, j);
  }
  for (std::size_t i = 255; i >= 128; --i) {  // X^128 = X^7 + X^2 + X + 1
    for (const std::size_t down : {128UL, 127UL, 126UL, 121UL}) product[i - down] ^= product[i];
  }
  product.resize(128);
  OctetBlock out;
  std::ranges::copy(Pack(product), out.begin());
  return out;
}

OctetBlock Hash(const Bits& column, const std::vector<OctetBlock>& chi) {
  const Bytes octets = Pack(column);
  OctetBlock sum;
  std::copy_n(octets.end() - 16, 16, sum.begin());
  for (std::size_t i = 0; i < chi.size(); ++i) {
    OctetBlock block;
    std::copy_n(octets.begin() + static_cast<long>(16 * i), 16, block.begin());
    const OctetBlock term = Multiply(block, chi[i]);
    for (std::size_t k = 0; k < 16; ++k) sum[k] ^= term[k];
  }
  return sum;
}

LeafKeys LeavesOf(const Digest& sid, const std::array<OctetBlock, 32>& roots) {
  LeafKeys leaves;
  for (std::size_t tree = 0; tree < 32; ++tree) {
    for (std::size_t leaf = 0; leaf < 16; ++leaf) {
      OctetBlock node = roots[tree];
      for (std::size_t level = 0; level < 4; ++level) {
        const std::size_t index = leaf >> (4 - level);
        std::array<std::uint8_t, 32> children;
        hash::Blake2b(32, node)
            .Update(AsBytes("comity/sealed-v1/ot-tree"))
            .Update(sid.view())
            .Update(LittleEndian<4>(tree))
            .Update(LittleEndian<4>(level))
            .Update(LittleEndian<4>(index))
            .Finish(children);
        const bool right = (leaf >> (3 - level) & 1) != 0;
        std::copy_n(children.begin() + (right ? 16 : 0), 16, node.begin());
      }
      std::array<std::uint8_t, 64> wide;
      hash::Blake2b(64, node)
          .Update(AsBytes("comity/sealed-v1/ot-leaf"))
          .Update(sid.view())
          .Update(LittleEndian<4>(tree))
          .Update(LittleEndian<4>(leaf))
          .Finish(wide);
      std::copy_n(wide.begin() + 32, 16, leaves[tree][leaf].begin());
    }
  }
  return leaves;
}

std::array<std::size_t, 32> MissingLeaves(ByteView base_choices) {
  std::array<std::size_t, 32> missing{};
  for (std::size_t i = 0; i < 128; ++i) {
    missing[i / 4] = 2 * missing[i / 4] + (1 - base_choices[i]);
  }
  return missing;
}

HolderSide ExpandHolder(const LeafKeys& leaves, const ot::BatchPlace& place) {
  HolderSide side;
  for (std::size_t r = 0; r < 32; ++r) {
    Bits u(place.ots());
    std::vector<Bits> v(4, Bits(place.ots()));
    for (std::size_t x = 0; x < 16; ++x) {
      const Bits string = LeafString(leaves[r][x], place);
      u = XorOf(u, string);
      for (std::size_t b = 0; b < 4; ++b) {
        if ((x >> b & 1) != 0) v[b] = XorOf(v[b], string);
      }
    }
    side.u.push_back(u);
    side.v.insert(side.v.end(), v.begin(), v.end());
  }
  return side;
}

std::vector<Bits> ExpandRequester(const LeafKeys& leaves,
                                  const std::array<std::size_t, 32>& missing,
                                  const ot::BatchPlace& place) {
  std::vector<Bits> columns;
  for (std::size_t r = 0; r < 32; ++r) {
    for (std::size_t b = 0; b < 4; ++b) {
      Bits w(place.ots());
      for (std::size_t x = 0; x < 16; ++x) {
        if (x != missing[r] && ((x ^ missing[r]) >> b & 1) != 0) {
          w = XorOf(w, LeafString(leaves[r][x], place));
        }
      }
      columns.push_back(w);
    }
  }
  return columns;
}

Bytes Message(const ot::BatchContext& context, const ot::BatchPlace& place, const HolderSide& side,
              const std::vector<Lie>& lies) {
  Bytes message;
  Append(message, LittleEndian<8>(place.batch));
  Append(message, LittleEndian<8>(place.first_ot));
  Append(message, LittleEndian<8>(place.ots()));
  for (std::size_t r = 1; r < 32; ++r) {
    Bits correction = XorOf(side.u[r], side.u[0]);
    for (const Lie& lie : lies) {
      if (lie.tree == r) correction = XorOf(correction, lie.error);
    }
    Append(message, Pack(correction));
  }
  const Digest challenge = hash::Blake2b256(
      {AsBytes("comity/sealed-v1/ot-check"), context.sid.view(), context.setup.view(), message});
  std::vector<OctetBlock> chi(place.blocks - 1);
  Bytes stream(16 * chi.size());
  hash::ExpandStream(challenge.view(), 16, 0, stream);
  for (std::size_t i = 0; i < stream.size(); ++i) chi[i / 16][i % 16] = stream[i];

  Append(message, Hash(side.u[0], chi));
  Bytes hashes;
  for (std::size_t j = 0; j < 128; ++j) {
    OctetBlock hash = Hash(side.v[j], chi);
    for (const Lie& lie : lies) {
      if (lie.tree != j / 4 || (lie.bet >> (j % 4) & 1) == 0) continue;
      const OctetBlock error = Hash(lie.error, chi);
      for (std::size_t k = 0; k < 16; ++k) hash[k] ^= error[k];
    }
    Append(hashes, hash);
  }
  Append(message,
         hash::Blake2b256({AsBytes("comity/sealed-v1/ot-check-columns"), challenge.view(), hashes})
             .view());
  return message;
}

std::uint64_t PadHash(const OctetBlock& key, std::uint64_t number, const OctetBlock& row) {
  const OctetBlock inner = Aes(key, row);
  OctetBlock tweaked = inner;
  for (std::size_t k = 0; k < 8; ++k) tweaked[k] ^= LittleEndian<8>(number)[k];
  const OctetBlock outer = Aes(key, tweaked);
  std::uint64_t value = 0;
  for (std::size_t k = 0; k < 8; ++k) {
    value |= std::uint64_t{static_cast<std::uint8_t>(outer[k] ^ inner[k])} << 8 * k;
  }
  return value;
}

OctetBlock Row(const std::vector<Bits>& columns, std::size_t t) {
  Bits row;
  for (const Bits& column : columns) row.push_back(column[t]);
  OctetBlock out;
  std::ranges::copy(Pack(row), out.begin());
  return out;
}

}  // namespace comity::testing::reference
