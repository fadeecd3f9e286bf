// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sealed/ntt.h"
#include "crypto/sealed/profile.h"
#include "crypto/sealed/public_matrix.h"
#include "crypto/sealed/seal.h"
#include "crypto/sealed/sealed_block.h"
#include "crypto/sealed/sealed_list.h"
#include "crypto/sealed/slot_set.h"

namespace comity::sealed {

// What both sides derive from a list's header and one of its states.
//
// Threads: immutable.
class ListTerms {
 public:
  // Errors: as CheckListHeader and CheckListState, and kInvalidArgument for a state of another
  //         header
  static Result<ListTerms> Create(ListHeader header, ListState state);

  const ListHeader& header() const { return header_; }
  const Digest& header_digest() const { return state_.header; }
  const Profile& profile() const { return profile_; }
  const ListState& state() const { return state_; }
  const Digest& state_digest() const { return state_digest_; }
  const SlotSet& slots() const { return slots_; }

 private:
  ListTerms(ListHeader header, ListState state, Profile profile, SlotSet slots);
  ListHeader header_;
  ListState state_;
  Profile profile_;
  SlotSet slots_;
  Digest state_digest_;
};

// A sealed list in the requester's memory, as it stands at one state. Blocks are shared between
// states.
//
// Threads: immutable.
class ListView {
 public:
  struct Block {  // with p transformed
    SealedBlock block;
    Transformed p;
  };
  using Blocks = std::vector<std::shared_ptr<const Block>>;  // index = position in state.blocks

  static std::shared_ptr<const Block> MakeBlock(SealedBlock block);
  // In:     header, state  verified by the caller
  //         blocks         whose hashes were found to be the state's
  //         former         of the same header, for what need not be expanded again; may be null
  // Errors: kInvalidArgument  blocks do not belong to the state; and those of ListTerms
  static Result<std::shared_ptr<const ListView>> Create(const ListHeader& header, ListState state,
                                                        Blocks blocks, const ListView* former);

  const ListHeader& header() const { return terms_.header(); }
  const Digest& header_digest() const { return terms_.header_digest(); }
  const Profile& profile() const { return terms_.profile(); }
  const ListState& state() const { return terms_.state(); }
  const Digest& state_digest() const { return terms_.state_digest(); }
  const SlotSet& slots() const { return terms_.slots(); }
  // Entries that are searched; may be 0 when all were withdrawn.
  std::size_t slot_count() const { return slots().size(); }
  const Blocks& blocks() const { return blocks_; }
  const PublicMatrix& matrix() const { return *matrix_; }

 private:
  ListView(ListTerms terms, Blocks blocks, std::shared_ptr<const PublicMatrix> matrix);
  ListTerms terms_;
  Blocks blocks_;
  std::shared_ptr<const PublicMatrix> matrix_;
};

// The holder's secrets of a sealed list at one state. Destroying the list key must end these too.
//
// Threads: immutable.
class EpochView {
 public:
  using Secrets = std::vector<std::shared_ptr<const BlockSecret>>;  // as state.blocks
  // Errors: kInvalidArgument  not as many secrets as blocks; and those of ListTerms
  static Result<std::shared_ptr<const EpochView>> Create(const ListHeader& header, ListState state,
                                                         Secrets secrets);

  const ListHeader& header() const { return terms_.header(); }
  const Digest& header_digest() const { return terms_.header_digest(); }
  const Profile& profile() const { return terms_.profile(); }
  const ListState& state() const { return terms_.state(); }
  const Digest& state_digest() const { return terms_.state_digest(); }
  const SlotSet& slots() const { return terms_.slots(); }
  const Secrets& secrets() const { return secrets_; }

 private:
  EpochView(ListTerms terms, Secrets secrets);
  ListTerms terms_;
  Secrets secrets_;
};

}  // namespace comity::sealed
