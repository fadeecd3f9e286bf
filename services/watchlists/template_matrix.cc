// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/template_matrix.h"

#include <algorithm>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/base/secret.h"

namespace comity::watchlists {
namespace {

void WipeElements(std::vector<float>& elements) {
  Wipe({reinterpret_cast<std::uint8_t*>(elements.data()), elements.size() * sizeof(float)});
}

}  // namespace

TemplateMatrix::TemplateMatrix(std::size_t rows, std::uint32_t dimension)
    : dimension_(dimension), elements_(rows * dimension) {}

TemplateMatrix::TemplateMatrix(TemplateMatrix&& other) noexcept
    : dimension_(std::exchange(other.dimension_, 0)),
      elements_(std::exchange(other.elements_, {})) {}

TemplateMatrix& TemplateMatrix::operator=(TemplateMatrix&& other) noexcept {
  if (this == &other) return *this;
  WipeElements(elements_);
  dimension_ = std::exchange(other.dimension_, 0);
  elements_ = std::exchange(other.elements_, {});
  return *this;
}

TemplateMatrix::~TemplateMatrix() {
  WipeElements(elements_);
}

std::span<const float> TemplateMatrix::Row(std::size_t row) const {
  COMITY_CHECK(row < rows());
  return std::span(elements_).subspan(row * dimension_, dimension_);
}

TemplateMatrix TemplateMatrix::First(std::size_t rows) const {
  COMITY_CHECK(rows <= this->rows());
  TemplateMatrix first(rows, dimension_);
  std::copy_n(elements_.begin(), first.elements_.size(), first.elements_.begin());
  return first;
}

std::span<float> TemplateMatrix::MutableRow(std::size_t row) {
  COMITY_CHECK(row < rows());
  return std::span(elements_).subspan(row * dimension_, dimension_);
}

}  // namespace comity::watchlists
