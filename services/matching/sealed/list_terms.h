// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "crypto/base/result.h"
#include "crypto/sealed/list_view.h"
#include "crypto/sealed/sketch.h"
#include "services/matching/sealed/session_terms.h"

// What both ends of a session check and make alike; View is ListView or EpochView.
namespace comity::matching {

// The score of the agreed threshold.
//
// Errors: kInvalidArgument  terms of another header, or a threshold outside the list's range
template <typename View>
Result<std::uint32_t> CheckTerms(const View& list, const SealedSessionTerms& terms) {
  if (terms.header != list.header_digest()) {
    return Fail(ErrorCode::kInvalidArgument, "terms of another sealed list");
  }
  return list.profile().Threshold(terms.tau);
}

// Errors: those of sealed::SketchTable::Create
template <typename View>
Result<std::shared_ptr<const sealed::SketchTable>> MakeSketchTable(const View& list,
                                                                   std::uint32_t first_block,
                                                                   std::uint32_t cap) {
  const sealed::PlacedSlots placed{&list.slots(), first_block};
  COMITY_ASSIGN_OR_RETURN(auto table, sealed::SketchTable::Create(placed, cap));
  return std::make_shared<const sealed::SketchTable>(std::move(table));
}

// Errors: kInvalidArgument  another header, or a state that is not later and not the same
template <typename View>
Status CheckSuccessor(const View& before, const View& after) {
  const bool same = after.state_digest() == before.state_digest();
  if (after.header_digest() != before.header_digest() ||
      (!same && after.state().sequence <= before.state().sequence)) {
    return Fail(ErrorCode::kInvalidArgument, "no later state of the session's list");
  }
  return {};
}

}  // namespace comity::matching
