// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/sealed/secret_array.h"

namespace comity::measure {

// How far a step is. In: done, all  in units of the step
using Progress = std::function<void(std::uint64_t done, std::uint64_t all)>;

// Unit vectors drawn from a fixed seed, the same in every run of a program: entries without any
// likeness, and probes of which those with an even number are like one entry each (cosine 0.8) and
// the others like none. They are no secret.
class SyntheticFaces {
 public:
  static constexpr double kThreshold = 0.6;  // tells the ones from the others
  static constexpr double kLikeness = 0.8;

  // Errors: kInvalidArgument  not a dimension of canonical templates
  static Result<SyntheticFaces> Make(std::size_t entries, std::size_t dimension, std::size_t probes,
                                     const Progress& progress);

  std::size_t dimension() const { return dimension_; }
  std::size_t entry_count() const { return entries_.size() / dimension_; }
  std::size_t probe_count() const { return probe_templates_.size(); }
  std::span<const float> entries() const { return entries_; }  // row-major
  std::span<const float> probes() const { return probes_; }
  // The canonical templates of entries first .. first + count - 1.
  std::span<const std::int8_t> templates(std::size_t first, std::size_t count) const;
  std::span<const sealed::SecretArray<std::int8_t>> probe_templates() const {
    return probe_templates_;
  }
  // The entries that a probe must find: one or none.
  std::vector<std::size_t> Matches(std::size_t probe) const;

 private:
  explicit SyntheticFaces(std::size_t dimension) : dimension_(dimension) {}
  std::size_t EntryOf(std::size_t probe) const;

  std::size_t dimension_;
  std::vector<float> entries_;
  std::vector<float> probes_;
  std::vector<std::int8_t> templates_;
  std::vector<sealed::SecretArray<std::int8_t>> probe_templates_;
};

}  // namespace comity::measure
