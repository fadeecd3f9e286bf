// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace comity::watchlists {

// Face templates, one a row; the memory is wiped when the matrix dies.
//
// Secret:  the elements are biometric data
// Threads: thread-compatible.
class TemplateMatrix {
 public:
  TemplateMatrix() = default;
  TemplateMatrix(std::size_t rows, std::uint32_t dimension);
  TemplateMatrix(TemplateMatrix&& other) noexcept;
  TemplateMatrix& operator=(TemplateMatrix&& other) noexcept;
  TemplateMatrix(const TemplateMatrix&) = delete;
  TemplateMatrix& operator=(const TemplateMatrix&) = delete;
  ~TemplateMatrix();

  std::size_t rows() const { return dimension_ == 0 ? 0 : elements_.size() / dimension_; }
  std::uint32_t dimension() const { return dimension_; }
  std::span<const float> Row(std::size_t row) const;
  std::span<float> MutableRow(std::size_t row);
  // The first `rows` rows alone; the others are wiped with this object.
  TemplateMatrix First(std::size_t rows) const;

 private:
  std::uint32_t dimension_ = 0;
  std::vector<float> elements_;
};

}  // namespace comity::watchlists
