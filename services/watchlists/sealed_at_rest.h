// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "crypto/sealed/seal.h"
#include "crypto/sealed/sealed_list.h"
#include "services/store/sealed_list_store.h"
#include "services/watchlists/sealed_epoch.h"

namespace comity::watchlists {

// How a sealed list rests: header, state, handles and block roots under a key of the epoch, that
// key under the key-encryption key, each bound to the header's digest and to what it is. Without
// the key nothing opens that the partner's copy was made with.

// A record with state sequence 1 and a key of its own, which is returned in `key`.
store::SealedListRecord SealListRecord(const SecretBytes& kek, const sealed::ListHeader& header,
                                       const sealed::ListState& state, RandomSource& random,
                                       SecretBytes& key);
Bytes SealListState(const SecretBytes& key, const sealed::ListState& state, RandomSource& random);
// In: resealed  as SealedBlockRecord says
store::SealedBlockRecord SealBlockRecord(const SecretBytes& key, const Digest& header,
                                         const sealed::ListedBlock& listed,
                                         const sealed::BlockRoot& root, const BlockHandles& handles,
                                         std::uint64_t resealed, RandomSource& random);

// Errors: kCorrupt  it does not open under this key-encryption key, or the list has ended
Result<SecretBytes> OpenListKey(const SecretBytes& kek, const store::SealedListRecord& record);
// Errors: as above
Result<sealed::BlockRoot> OpenBlockRoot(const SecretBytes& key, const Digest& header,
                                        const store::SealedBlockRecord& block);
// The whole epoch as it was stored.
// Errors: kCorrupt  something does not open, or is not what the header and the state say
Result<EpochParts> OpenListRecord(const SecretBytes& kek, const store::SealedListRecord& record,
                                  const std::vector<store::SealedBlockRecord>& blocks);

}  // namespace comity::watchlists
