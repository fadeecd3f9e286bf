// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sealed/list_view.h"
#include "crypto/sealed/sealed_list.h"

namespace comity::watchlists {

// The files of one copy: <root>/<header digest in hex>/
//   header                  the header's envelope, so that an unfinished copy is known again
//   <number>-<16 hex>       a block that was whole and had its hash when it got this name
//   <number>-<16 hex>.part  what has arrived of a block
//   <number>-<16 hex>.damaged  a block that was not what it must be when it was loaded
// The sixteen digits begin the block's hash: a block that is sealed again has another name.
//
// Threads: one thread at a time for one list; Load of different blocks by several at once.
class SealedFolder {
 public:
  // In: dimension  of the list's header
  SealedFolder(const std::filesystem::path& root, const Digest& header, std::size_t dimension);
  // The lists that have a folder. Errors: kUnavailable
  static Result<std::vector<Digest>> Found(const std::filesystem::path& root);

  // Makes the folder, unless it is there. Errors: kUnavailable
  Status Prepare(std::string_view header_envelope) const;
  // Errors: those of runtime::ReadFile
  Result<std::string> HeaderEnvelope() const;

  bool HasWhole(const sealed::ListedBlock& block) const;
  // Octets that have arrived of a block that is not whole; never more than it has.
  std::uint64_t Arrived(const sealed::ListedBlock& block) const;
  // In:     offset  Arrived(block);  octets  untrusted
  // Errors: kInvalidArgument  another offset, or more than the block has; nothing is kept of it
  //         kUnavailable      the disk is full, or fails; nothing is kept of it
  Status Append(const sealed::ListedBlock& block, std::uint64_t offset, ByteView octets) const;
  // Verifies what has arrived and gives it its name.
  // Errors: kConflict     octets are missing
  //         kCorrupt      no such block, or of another hash: all of it is thrown away
  //         kUnavailable  the disk fails
  Status Finish(const sealed::ListedBlock& block) const;
  // Reads a whole block and verifies it once more.
  // Errors: kNotFound  it is not there; kCorrupt  it was put aside; kUnavailable
  Result<std::shared_ptr<const sealed::ListView::Block>> Load(
      const sealed::ListedBlock& block) const;

  // Removes every file that is neither the header nor a whole block of these. What cannot be
  // removed stays until the next time.
  void KeepOnly(std::span<const sealed::ListedBlock> blocks) const;
  // Errors: kUnavailable
  Status Remove() const;

 private:
  std::filesystem::path PathOf(const sealed::ListedBlock& block, std::string_view suffix) const;
  std::uint64_t SizeOf(const sealed::ListedBlock& block) const;
  Result<sealed::SealedBlock> Verified(const sealed::ListedBlock& block,
                                       const std::filesystem::path& path) const;

  std::filesystem::path folder_;
  Digest header_;
  std::size_t dimension_;
};

}  // namespace comity::watchlists
