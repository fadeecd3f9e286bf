// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/ot/base_ot.h"
#include "crypto/ot/block.h"
#include "crypto/ot/softspoken_batch.h"

// The OT extension once more, straight from the formulas in the headers: one bit and one AES block
// at a time, no shortcut, no care for time or secrecy. The library must equal it bit for bit.
namespace comity::testing::reference {

using Bits = std::vector<std::uint8_t>;  // 0 or 1 each
using OctetBlock = std::array<std::uint8_t, 16>;

OctetBlock Aes(const OctetBlock& key, const OctetBlock& block);
// GF(2^128) by the school method.
OctetBlock Multiply(const OctetBlock& left, const OctetBlock& right);
// sum of x_i chi_i over the whole blocks of `column`, the last one with coefficient 1.
OctetBlock Hash(const Bits& column, const std::vector<OctetBlock>& chi);

using LeafKeys = std::array<std::array<OctetBlock, 16>, 32>;  // [tree][leaf]
// The leaf keys of the holder, its roots being what `roots` says.
LeafKeys LeavesOf(const Digest& sid, const std::array<OctetBlock, 32>& roots);

// The numbers a_r of the leaves that a requester with these base choices misses.
std::array<std::size_t, 32> MissingLeaves(ByteView base_choices);

// The holder's side of one batch.
struct HolderSide {
  std::vector<Bits> u;  // u^r of 32 trees
  std::vector<Bits> v;  // 128 columns
};
HolderSide ExpandHolder(const LeafKeys& leaves, const ot::BatchPlace& place);
// The requester's 128 columns, before corrections.
std::vector<Bits> ExpandRequester(const LeafKeys& leaves,
                                  const std::array<std::size_t, 32>& missing,
                                  const ot::BatchPlace& place);

// How a holder may lie: what it adds to the correction of a tree, and the four bits of Delta that
// it bets on to get the check of that tree right.
struct Lie {
  std::size_t tree;  // 1..31
  Bits error;
  std::size_t bet;  // 0..15
};
// The message of a holder that follows the protocol but for `lies`.
Bytes Message(const ot::BatchContext& context, const ot::BatchPlace& place, const HolderSide& side,
              const std::vector<Lie>& lies);

// H(i, x) of pads.h, first 64 bits.
std::uint64_t PadHash(const OctetBlock& key, std::uint64_t number, const OctetBlock& row);
// Row t of columns.
OctetBlock Row(const std::vector<Bits>& columns, std::size_t t);

}  // namespace comity::testing::reference
