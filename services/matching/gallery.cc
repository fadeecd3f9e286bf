// SPDX-License-Identifier: Apache-2.0
#include "services/matching/gallery.h"

#include <algorithm>
#include <utility>

#include "services/matching/template_check.h"

namespace comity::matching {
namespace {

std::uint64_t CountUpTo(const std::vector<policy::Instant>& sorted, policy::Instant now) {
  return static_cast<std::uint64_t>(
      std::distance(sorted.begin(), std::upper_bound(sorted.begin(), sorted.end(), now)));
}

}  // namespace

Gallery::Gallery(policy::EngineProfile profile, std::vector<GalleryRow> rows,
                 SecretFloats templates)
    : profile_(std::move(profile)), rows_(std::move(rows)), templates_(std::move(templates)) {
  for (const GalleryRow& row : rows_) {
    Validity& validity = by_kind_[{row.category, row.subject}];
    validity.begins.push_back(row.valid_from);
    validity.ends.push_back(row.expires_at);
  }
  for (auto& [kind, validity] : by_kind_) {
    std::sort(validity.begins.begin(), validity.begins.end());
    std::sort(validity.ends.begin(), validity.ends.end());
  }
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
  SecretFloats templates(
      static_cast<std::size_t>(std::count_if(rows_.begin(), rows_.end(), stays)) * dimension);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (!stays(rows_[i])) continue;
    const auto from = Expose().subspan(i * dimension, dimension);
    std::copy(from.begin(), from.end(),
              templates.ExposeMutable().subspan(rows.size() * dimension).begin());
    rows.push_back(rows_[i]);
  }
  return std::shared_ptr<const Gallery>(
      new Gallery(profile_, std::move(rows), std::move(templates)));
}

GalleryBuilder::GalleryBuilder(policy::EngineProfile profile, std::size_t rows)
    : profile_(std::move(profile)), capacity_(rows), templates_(rows * profile_.dimension) {
  rows_.reserve(rows);
}

Result<GalleryBuilder> GalleryBuilder::Create(policy::EngineProfile profile, std::size_t rows) {
  if (profile.dimension < policy::EngineProfile::kMinDimension ||
      profile.dimension > policy::EngineProfile::kMaxDimension) {
    return Fail(ErrorCode::kInvalidArgument, "the dimension of a template is 32 to 2048");
  }
  return GalleryBuilder(std::move(profile), rows);
}

Status GalleryBuilder::Add(GalleryRow row, std::span<const float> values) {
  if (rows_.size() == capacity_) {
    return Fail(ErrorCode::kExhausted, "the list has more entries than were announced");
  }
  if (values.size() != profile_.dimension) {
    return Fail(ErrorCode::kInvalidArgument, "the template has another dimension than the list");
  }
  if (row.valid_from > row.expires_at) {
    return Fail(ErrorCode::kInvalidArgument, "the entry's validity ends before it begins");
  }
  if (references_.contains(row.reference)) {
    return Fail(ErrorCode::kConflict, "two entries of the list have the same reference");
  }
  const std::span<float> to =
      templates_.ExposeMutable().subspan(rows_.size() * profile_.dimension, profile_.dimension);
  std::copy(values.begin(), values.end(), to.begin());
  COMITY_RETURN_IF_ERROR(NormalizeTemplate(to));
  references_.insert(row.reference);
  rows_.push_back(std::move(row));
  return {};
}

std::shared_ptr<const Gallery> GalleryBuilder::Build() && {
  if (rows_.size() < capacity_) {
    SecretFloats fitting(rows_.size() * profile_.dimension);
    const std::span<const float> from = templates_.Expose().first(fitting.size());
    std::copy(from.begin(), from.end(), fitting.ExposeMutable().begin());
    templates_ = std::move(fitting);
  }
  references_.clear();
  return std::shared_ptr<const Gallery>(
      new Gallery(std::move(profile_), std::move(rows_), std::move(templates_)));
}

}  // namespace comity::matching
