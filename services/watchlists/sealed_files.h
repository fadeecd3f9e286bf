// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sealed/sealed_list.h"

namespace comity::watchlists {

// The sealed blocks of this agency's lists on disk: FOLDER/HEADER/NUMBER-HASH, with the header's
// digest and the first 16 digits of the block's hash in hex. They are not secret; what is worth
// keeping secret is in the store.
//
// Threads: thread-safe, as long as nobody removes what another one reads; a reader then finds
// nothing.
class SealedFiles {
 public:
  // Makes the folder with mode 0700. Errors: kUnavailable
  static Result<SealedFiles> Open(std::filesystem::path folder);

  // Durable on return. Errors: kUnavailable
  Status Write(const Digest& header, const sealed::ListedBlock& block, ByteView encoded) const;
  // Octets from `offset`, at most `limit`; none at the end.
  // Errors: kNotFound  there is no such file (any more); kInvalidArgument  an offset beyond the
  // end;
  //         kUnavailable
  Result<Bytes> Read(const Digest& header, std::uint32_t number, const Digest& hash,
                     std::uint64_t offset, std::size_t limit) const;
  // Whether there is a file of exactly so many octets.
  bool Has(const Digest& header, const sealed::ListedBlock& block, std::size_t octets) const;

  void Remove(const Digest& header, std::uint32_t number, const Digest& hash) const;
  void RemoveList(const Digest& header) const;
  // Removes whatever is not of these lists and blocks.
  void KeepOnly(const std::map<Digest, std::vector<sealed::ListedBlock>>& kept) const;

 private:
  explicit SealedFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path ListFolder(const Digest& header) const;
  std::filesystem::path File(const Digest& header, std::uint32_t number, const Digest& hash) const;
  std::filesystem::path folder_;
};

}  // namespace comity::watchlists
