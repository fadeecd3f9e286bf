// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "services/watchlists/sealed_copies.h"

namespace comity::watchlists {

// Marks one copy as worked on, for as long as it lives; knows the copy as it was then.
//
// Threads: thread-compatible; many may try to take one copy.
class SealedCopies::Hold {
 public:
  // Errors: kNotFound  no such copy; kConflict  another thread works on it
  static Result<Hold> Take(runtime::Guarded<Copies>& copies, const Digest& digest) {
    return copies.With([&](Copies& all) -> Result<Hold> {
      const auto found = all.find(digest);
      if (found == all.end()) {
        return Fail(ErrorCode::kNotFound, "no such sealed list was offered, or it was erased");
      }
      if (found->second.busy) {
        return Fail(ErrorCode::kConflict, "the sealed list is being fetched or erased already");
      }
      found->second.busy = true;
      return Hold(copies, digest, found->second);
    });
  }
  Hold(Hold&& other) noexcept
      : copies_(std::exchange(other.copies_, nullptr)),
        digest_(other.digest_),
        copy_(std::move(other.copy_)) {}
  Hold& operator=(Hold&&) = delete;
  ~Hold() {
    Change([](Copy& copy) { copy.busy = false; });
  }

  const Copy& copy() const { return copy_; }
  template <typename Function>
  void Change(Function&& function) {
    if (copies_ == nullptr) return;
    copies_->With([&](Copies& all) {
      const auto found = all.find(digest_);
      if (found != all.end()) std::forward<Function>(function)(found->second);
    });
  }
  // Ends the copy itself.
  void Drop() {
    copies_->With([&](Copies& all) { all.erase(digest_); });
    copies_ = nullptr;
  }

 private:
  Hold(runtime::Guarded<Copies>& copies, const Digest& digest, Copy copy)
      : copies_(&copies), digest_(digest), copy_(std::move(copy)) {}

  runtime::Guarded<Copies>* copies_;
  Digest digest_;
  Copy copy_;
};

}  // namespace comity::watchlists
