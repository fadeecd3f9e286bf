// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

namespace comity::policy {

// Terms of one closed vocabulary (an enum of at most 32 terms), as a set. A value that is no term
// of its vocabulary is in no set.
//
// Threads: a value.
template <typename Term>
class TermSet {
 public:
  constexpr TermSet() = default;
  constexpr TermSet(std::initializer_list<Term> terms) {
    for (const Term term : terms) Add(term);
  }
  constexpr void Add(Term term) { bits_ |= Bit(term); }
  constexpr void Remove(Term term) { bits_ &= ~Bit(term); }
  constexpr bool Has(Term term) const { return (bits_ & Bit(term)) != 0; }
  constexpr bool Meets(TermSet other) const { return (bits_ & other.bits_) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool operator==(const TermSet&) const = default;

  std::vector<Term> Terms() const {  // in the order of the vocabulary
    std::vector<Term> terms;
    for (int i = 0; i < kMaxTerms; ++i) {
      if (Has(static_cast<Term>(i))) terms.push_back(static_cast<Term>(i));
    }
    return terms;
  }

 private:
  static constexpr int kMaxTerms = 32;
  static constexpr std::uint32_t Bit(Term term) {
    const auto index = static_cast<int>(term);
    return index >= 0 && index < kMaxTerms ? std::uint32_t{1} << index : 0;
  }
  std::uint32_t bits_ = 0;
};

}  // namespace comity::policy
