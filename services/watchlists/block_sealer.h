// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/sealed/profile.h"
#include "crypto/sealed/public_matrix.h"
#include "crypto/sealed/quantise.h"
#include "crypto/sealed/seal.h"
#include "crypto/sealed/sealed_list.h"
#include "services/watchlists/register.h"
#include "services/watchlists/sealed_epoch.h"
#include "services/watchlists/sealed_files.h"

namespace comity::watchlists {

// What the holder keeps of a block that it sealed.
struct NewBlock {
  sealed::ListedBlock listed;
  sealed::BlockRoot root;
  std::shared_ptr<const sealed::BlockSecret> secret;
  std::shared_ptr<const BlockHandles> handles;
};

// Seals entries of one watchlist into blocks of one epoch and puts them on disk. Holds the
// templates of one block at a time, and wipes them; and the transformed public elements of the
// epoch.
//
// Threads: thread-compatible.
class BlockSealer {
 public:
  using Takes = std::function<bool(const ActiveEntry&)>;
  struct Setup {
    const Register& lists;
    const SealedFiles& files;
    RandomSource& random;
    Takes takes;  // which of the entries are sealed
  };
  // Errors: those of CheckListHeader and of Quantiser::Create
  static Result<BlockSealer> Create(Setup setup, const sealed::ListHeader& header);

  // In:     references  in the order of the slots, 1..1024; those that match no more are left out
  // Out:    absent: none of them matches any more
  // Errors: kInvalidArgument  a template cannot be sealed: names the entry
  //         those of Register::VisitActive and SealedFiles::Write
  Result<std::optional<NewBlock>> SealBlock(std::uint32_t number,
                                            std::span<const std::string> references);

 private:
  BlockSealer(Setup setup, policy::WatchlistId list, Digest header, sealed::Profile profile,
              sealed::Quantiser quantiser, sealed::SealingMatrix matrix);
  Status Take(const ActiveEntry& entry, std::span<std::int8_t> slot) const;
  // Fills `templates_`; returns whose they are.
  Result<BlockHandles> Load(std::span<const std::string> references);

  Setup setup_;
  policy::WatchlistId list_;
  Digest header_;
  sealed::Profile profile_;
  sealed::Quantiser quantiser_;
  sealed::SealingMatrix matrix_;
  sealed::SecretArray<std::int8_t> templates_;  // of one block
};

// The canonical template of an entry. Errors: kInvalidArgument  names list and reference
Result<sealed::SecretArray<std::int8_t>> CanonicalTemplate(const sealed::Quantiser& quantiser,
                                                           const policy::WatchlistId& list,
                                                           const ActiveEntry& entry);

}  // namespace comity::watchlists
