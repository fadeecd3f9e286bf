// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"

namespace comity::store {

// This agency's copy of one sealed list of another agency, as it last stood here.
struct SealedCopyRecord {
  Digest header;  // of the list's header: its name for ever
  policy::AgencyId holder;
  std::string header_envelope;  // DSSE JSON, <= 8 KiB
  std::uint64_t sequence = 0;   // of the state, from 1 to 2^63 - 1
  Digest state;
  std::string state_envelope;     // DSSE JSON, <= 6 MiB
  policy::Instant received_at{};  // this state
  bool operator==(const SealedCopyRecord&) const = default;
};

// Copies of sealed lists; their blocks are files. Threads: see store.h.
class SealedCopyStore {
 public:
  virtual ~SealedCopyStore() = default;
  // Inserts or replaces the copy of this header.
  // Errors: kInvalidArgument  the sequence is out of range
  //         kConflict         a state of a higher sequence is stored
  virtual Status Put(const SealedCopyRecord& copy) = 0;
  // Errors: kNotFound
  virtual Status Remove(const Digest& header) = 0;
  virtual Result<std::vector<SealedCopyRecord>> All() const = 0;  // by header
};

}  // namespace comity::store
