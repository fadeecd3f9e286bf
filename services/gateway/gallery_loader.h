// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>

#include "crypto/base/result.h"
#include "services/matching/galleries.h"
#include "services/runtime/clock.h"
#include "services/watchlists/register.h"

namespace comity::gateway {

// Brings stored watchlists into memory as galleries, and keeps them alike: the two folders do not
// know each other.
//
// Threads: thread-safe.
class GalleryLoader {
 public:
  // References must outlive the object.
  GalleryLoader(const watchlists::Register& watchlists, matching::Galleries& galleries,
                const runtime::Clock& clock)
      : watchlists_(watchlists), galleries_(galleries), clock_(clock) {}

  // Errors: kCorrupt  a list does not decrypt; it is not searched, and the gateway should not start
  Status LoadAll();
  Status Load(const policy::WatchlistId& list);
  // On return no answer holds the entry.
  Status Withdraw(const policy::WatchlistId& list, std::string_view reference);

 private:
  const watchlists::Register& watchlists_;
  matching::Galleries& galleries_;
  std::mutex loading_;  // a withdrawal waits until a list that is being read is in place
  const runtime::Clock& clock_;
};

}  // namespace comity::gateway
