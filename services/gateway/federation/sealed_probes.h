// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "comity/v1/sealed.pb.h"
#include "crypto/base/result.h"
#include "services/matching/sealed_holder_session.h"

namespace comity::gateway {

// What a requester asks for in a batch.
struct SealedQuestion {
  std::vector<matching::SealedProbe> probes;
  std::vector<matching::SealedListRef> lists;
};

// In:     refs  untrusted
// Errors: kInvalidArgument  not 1 to 16, or a length
Result<std::vector<matching::SealedListRef>> SealedRefsOf(
    const google::protobuf::RepeatedPtrField<v1::SealedListRef>& refs);
// In:     probes   verified, untrusted
//         lists    of the session
//         message  digest of the signed message
// Errors: kInvalidArgument  a number or length is not what sealed.proto says
Result<SealedQuestion> SealedProbesOf(const v1::SealedProbes& probes, std::size_t lists,
                                      const Digest& message);

}  // namespace comity::gateway
