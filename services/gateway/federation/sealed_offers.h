// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "comity/v1/sealed.pb.h"
#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "services/gateway/federation/sealed_desk.h"
#include "services/matching/holder_ports.h"
#include "services/runtime/logging.h"

namespace comity::gateway {

// What a partner is told of, and may fetch of, the sealed lists made for it.
//
// Threads: thread-safe.
class SealedOffers {
 public:
  struct Ports {  // all references must outlive the object
    const policy::AgencyId& self;
    const matching::HolderPorts& search;
    SealedDesk& desk;
    runtime::Logger& logger;
  };
  explicit SealedOffers(Ports ports) : ports_(ports) {}

  // The lists in force for these terms, if some permission of mode sealed covers them now. More
  // than one session searches are not covered, none of them. In:     asked  verified, untrusted
  // Errors: kInvalidArgument  a field
  Result<v1::ListSealedReply> List(const v1::ListSealedRequest& asked,
                                   const policy::AgencyId& requester) const;
  // Waits, as long as the caller asks for and at most kLongestWait, while List would say nothing
  // but what the caller holds and that a list is being sealed. Holds a thread meanwhile.
  // In: asked     verified, untrusted
  //     is_there  whether somebody still listens; asked again and again
  static constexpr std::chrono::milliseconds kLongestWait{5'000};
  void AwaitNews(const v1::ListSealedRequest& asked, const policy::AgencyId& requester,
                 const std::function<bool()>& is_there) const;

  // Gives the octets asked for to `send`, in pieces, until one is not taken or the permission to
  // have them ends.
  // Errors: kInvalidArgument   a field
  //         kNotFound          no such list, state or block for this requester (any more)
  //         kPermissionDenied  nothing covers it at the moment
  using Send = std::function<bool(const v1::SealedChunk&)>;
  Status Fetch(const v1::FetchSealedRequest& asked, const policy::AgencyId& requester,
               const Send& send) const;

 private:
  // A decision over the widest search that a permission of mode sealed for these terms covers.
  policy::Decision Decide(const policy::SearchRequest& asked) const;
  bool MayFetch(const watchlists::SealedEpoch& epoch) const;

  const Ports ports_;
};

}  // namespace comity::gateway
