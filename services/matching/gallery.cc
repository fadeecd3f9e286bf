// SPDX-License-Identifier: Apache-2.0
#include "services/matching/gallery.h"

#include <algorithm>
#include <future>
#include <numeric>
#include <utility>

#include "crypto/base/check.h"
#include "services/matching/template_check.h"

namespace comity::matching {
namespace {

constexpr std::size_t kSortedByOne = 50'000;  // rows below which a second thread is of no use

std::uint64_t CountUpTo(const std::vector<policy::Instant>& sorted, policy::Instant now) {
  return static_cast<std::uint64_t>(
      std::distance(sorted.begin(), std::upper_bound(sorted.begin(), sorted.end(), now)));
}

}  // namespace

Gallery::Gallery(policy::EngineProfile profile, std::vector<GalleryRow> rows,
                 SecretFloats templates, Proposals proposals)
    : profile_(std::move(profile)),
      rows_(std::move(rows)),
      templates_(std::move(templates)),
      proposals_(std::move(proposals)) {
  for (const GalleryRow& row : rows_) {
    Validity& validity = by_kind_[{row.category, row.subject}];
    validity.begins.push_back(row.valid_from);
    validity.ends.push_back(row.expires_at);
  }
  for (auto& [kind, validity] : by_kind_) {
    std::sort(validity.begins.begin(), validity.begins.end());
    std::sort(validity.ends.begin(), validity.ends.end());
  }
  by_reference_.resize(rows_.size());
  std::iota(by_reference_.begin(), by_reference_.end(), 0U);
  SortByReference();
}

void Gallery::SortByReference() {
  const auto of_row = [this](std::uint32_t row) -> std::string_view {
    return rows_[row].reference;
  };
  if (by_reference_.size() < kSortedByOne) {
    std::ranges::sort(by_reference_, {}, of_row);
    return;
  }
  // Two halves beside each other: where no thread can be had, one after the other.
  const auto middle = by_reference_.begin() + static_cast<std::ptrdiff_t>(rows_.size() / 2);
  auto first = std::async(std::launch::async | std::launch::deferred,
                          [&] { std::ranges::sort(by_reference_.begin(), middle, {}, of_row); });
  std::ranges::sort(middle, by_reference_.end(), {}, of_row);
  first.get();
  std::vector<std::uint32_t> merged(by_reference_.size());
  std::ranges::merge(by_reference_.begin(), middle, middle, by_reference_.end(), merged.begin(), {},
                     of_row, of_row);
  by_reference_ = std::move(merged);
}

std::optional<std::size_t> Gallery::Find(std::string_view reference) const {
  const auto of_row = [this](std::uint32_t row) -> std::string_view {
    return rows_[row].reference;
  };
  const auto found = std::ranges::lower_bound(by_reference_, reference, {}, of_row);
  if (found == by_reference_.end() || of_row(*found) != reference) return std::nullopt;
  return *found;
}

bool RowFilter::Takes(const GalleryRow& row) const {
  return subjects.Has(row.subject) &&
         std::find(categories.begin(), categories.end(), row.category) != categories.end();
}

std::uint64_t Gallery::ActiveRows(const RowFilter& filter, policy::Instant now) const {
  std::uint64_t active = 0;
  for (const auto& [kind, validity] : by_kind_) {
    const auto& categories = filter.categories;
    if (!filter.subjects.Has(kind.second) ||
        std::find(categories.begin(), categories.end(), kind.first) == categories.end()) {
      continue;
    }
    // Validity never ends before it begins, hence every row that has ended has begun.
    active += CountUpTo(validity.begins, now) - CountUpTo(validity.ends, now);
  }
  return active;
}

std::shared_ptr<const Gallery> Gallery::Without(std::span<const std::string> references) const {
  const std::unordered_set<std::string_view> gone(references.begin(), references.end());
  const auto stays = [&](const GalleryRow& row) { return !gone.contains(row.reference); };
  const std::size_t dimension = profile_.dimension;
  std::vector<GalleryRow> rows;
  rows.reserve(rows_.size());
  const auto staying = static_cast<std::size_t>(std::count_if(rows_.begin(), rows_.end(), stays));
  SecretFloats templates(staying * dimension);
  Proposals proposals(dimension, staying);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (!stays(rows_[i])) continue;
    const auto from = Expose().subspan(i * dimension, dimension);
    std::copy(from.begin(), from.end(),
              templates.ExposeMutable().subspan(rows.size() * dimension).begin());
    if (proposals.supported()) proposals.CopyRow(rows.size(), proposals_, i);
    rows.push_back(rows_[i]);
  }
  return std::shared_ptr<const Gallery>(
      new Gallery(profile_, std::move(rows), std::move(templates), std::move(proposals)));
}

bool Gallery::RepeatsAReference() const {
  const auto same = [this](std::uint32_t left, std::uint32_t right) {
    return rows_[left].reference == rows_[right].reference;
  };
  return std::ranges::adjacent_find(by_reference_, same) != by_reference_.end();
}

GalleryBuilder::GalleryBuilder(policy::EngineProfile profile, std::size_t rows)
    : profile_(std::move(profile)),
      rows_(rows),
      templates_(rows * profile_.dimension),
      proposals_(profile_.dimension, rows) {}

Result<GalleryBuilder> GalleryBuilder::Create(policy::EngineProfile profile, std::size_t rows) {
  if (profile.dimension < policy::EngineProfile::kMinDimension ||
      profile.dimension > policy::EngineProfile::kMaxDimension) {
    return Fail(ErrorCode::kInvalidArgument, "the dimension of a template is 32 to 2048");
  }
  return GalleryBuilder(std::move(profile), rows);
}

Status GalleryBuilder::Set(std::size_t place, GalleryRow row, std::span<const float> values) {
  if (place >= rows_.size()) {
    return Fail(ErrorCode::kExhausted, "the list has more entries than were announced");
  }
  if (values.size() != profile_.dimension) {
    return Fail(ErrorCode::kInvalidArgument, "the template has another dimension than the list");
  }
  if (row.valid_from > row.expires_at) {
    return Fail(ErrorCode::kInvalidArgument, "the entry's validity ends before it begins");
  }
  const std::span<float> to =
      templates_.ExposeMutable().subspan(place * profile_.dimension, profile_.dimension);
  std::copy(values.begin(), values.end(), to.begin());
  COMITY_RETURN_IF_ERROR(NormalizeTemplate(to));
  if (proposals_.supported()) COMITY_RETURN_IF_ERROR(proposals_.SetRow(place, to));
  rows_[place] = std::move(row);
  return {};
}

Status GalleryBuilder::Add(GalleryRow row, std::span<const float> values) {
  if (references_.contains(row.reference)) {
    return Fail(ErrorCode::kConflict, "two entries of the list have the same reference");
  }
  std::string reference = row.reference;
  COMITY_RETURN_IF_ERROR(Set(added_, std::move(row), values));
  references_.insert(std::move(reference));
  ++added_;
  return {};
}

std::shared_ptr<const Gallery> GalleryBuilder::Build() && {
  references_.clear();
  return Take(added_);
}

Result<std::shared_ptr<const Gallery>> GalleryBuilder::BuildFirst(std::size_t rows) && {
  COMITY_CHECK(added_ == 0 && rows <= rows_.size());
  auto gallery = Take(rows);
  if (gallery->RepeatsAReference()) {
    return Fail(ErrorCode::kConflict, "two entries of the list have the same reference");
  }
  return gallery;
}

std::shared_ptr<const Gallery> GalleryBuilder::Take(std::size_t rows) {
  // To copy what came takes as much memory again: only where much is left free by it.
  if (rows < rows_.size() / 2) {
    SecretFloats fitting(rows * profile_.dimension);
    const std::span<const float> from = templates_.Expose().first(fitting.size());
    std::copy(from.begin(), from.end(), fitting.ExposeMutable().begin());
    templates_ = std::move(fitting);
    proposals_ = proposals_.First(rows);
  } else {
    proposals_.Shorten(rows);
  }
  rows_.resize(rows);
  return std::shared_ptr<const Gallery>(new Gallery(std::move(profile_), std::move(rows_),
                                                    std::move(templates_), std::move(proposals_)));
}

}  // namespace comity::matching
