// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/engine_profile.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "policy/model/term_set.h"
#include "policy/model/terms.h"
#include "services/matching/plain/proposals.h"
#include "services/matching/secret_floats.h"

namespace comity::matching {

// What is known of one row besides its template.
struct GalleryRow {
  std::string reference;  // unique in the gallery
  policy::ListCategory category;
  policy::SubjectCategory subject{};  // decides, is never released
  std::string response_code;
  policy::Instant valid_from{};
  policy::Instant expires_at{};
};

// Which rows a search may hit.
struct RowFilter {
  std::span<const policy::ListCategory> categories;
  policy::TermSet<policy::SubjectCategory> subjects;  // none: no row

  bool Takes(const GalleryRow& row) const;
};

// One list in memory, ready to be searched: unit templates of one engine profile, row by row, and
// what belongs to each row. Template memory is wiped when the last owner lets go.
//
// Threads: immutable.
class Gallery {
 public:
  const policy::EngineProfile& profile() const { return profile_; }
  std::size_t size() const { return rows_.size(); }
  const GalleryRow& row(std::size_t index) const { return rows_[index]; }
  // The row of this reference, in a time that hardly depends on the size.
  std::optional<std::size_t> Find(std::string_view reference) const;
  // size() x dimension float32, row-major. Secret: biometric.
  std::span<const float> Expose() const {
    return templates_.Expose().first(rows_.size() * profile_.dimension);
  }
  // The same rows, for a first look. Secret: biometric.
  const Proposals& proposals() const { return proposals_; }

  // Rows that the filter takes and that are valid at `now`.
  std::uint64_t ActiveRows(const RowFilter& filter, policy::Instant now) const;
  // Whether two rows have one reference.
  bool RepeatsAReference() const;
  // The same gallery without the rows of these references; those it does not have are passed over.
  std::shared_ptr<const Gallery> Without(std::span<const std::string> references) const;

 private:
  friend class GalleryBuilder;
  // Begins and ends of validity, each sorted: rows valid at a time are counted without visiting
  // them.
  struct Validity {
    std::vector<policy::Instant> begins;
    std::vector<policy::Instant> ends;
  };
  Gallery(policy::EngineProfile profile, std::vector<GalleryRow> rows, SecretFloats templates,
          Proposals proposals);
  void SortByReference();

  policy::EngineProfile profile_;
  std::vector<GalleryRow> rows_;
  SecretFloats templates_;  // of all rows, and may have room behind them
  Proposals proposals_;
  using Kind = std::pair<policy::ListCategory, policy::SubjectCategory>;
  std::map<Kind, Validity> by_kind_;
  std::vector<std::uint32_t> by_reference_;  // rows in the order of their references
};

// Builds a gallery, row by row or by threads that each set rows at places of their own; not both.
//
// Threads: thread-compatible, but for Set.
class GalleryBuilder {
 public:
  // In:     rows  how many will be added at most; their memory is taken at once, because growing
  //               would leave unwiped copies behind
  // Errors: kInvalidArgument  dimension outside EngineProfile's bounds
  static Result<GalleryBuilder> Create(policy::EngineProfile profile, std::size_t rows);

  // In:     values  dimension x float32; scaled to unit length. Secret: the caller wipes its copy
  // Errors: kInvalidArgument  wrong dimension, not finite, norm off by more than 1e-3, or validity
  // that
  //                           ends before it begins
  //         kConflict         the reference is there already
  //         kExhausted        more rows than announced
  Status Add(GalleryRow row, std::span<const float> values);
  std::shared_ptr<const Gallery> Build() &&;

  // Sets the row of this place, from 0 on, below the number announced. Any number of threads may
  // each set another one at the same time.
  // Errors: as Add, but that references are compared by BuildFirst
  Status Set(std::size_t place, GalleryRow row, std::span<const float> values);
  // In:     rows  all places below it were set, and none from there on
  // Errors: kConflict  two rows have the same reference
  Result<std::shared_ptr<const Gallery>> BuildFirst(std::size_t rows) &&;

 private:
  GalleryBuilder(policy::EngineProfile profile, std::size_t rows);
  std::shared_ptr<const Gallery> Take(std::size_t rows);

  policy::EngineProfile profile_;
  std::size_t added_ = 0;
  std::vector<GalleryRow> rows_;                // as many as were announced
  std::unordered_set<std::string> references_;  // of those that were added
  SecretFloats templates_;
  Proposals proposals_;
};

}  // namespace comity::matching
