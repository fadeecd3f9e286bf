// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/sketch_decode.h"

#include <algorithm>
#include <optional>

#include "crypto/sealed/gf20.h"

namespace comity::sealed {
namespace {

using gf20::Multiply;
// A polynomial over GF(2^20): coefficient of x^i at [i], no leading zeros, empty for 0.
using Polynomial = std::vector<std::uint32_t>;

void Trim(Polynomial& f) {
  while (!f.empty() && f.back() == 0) f.pop_back();
}

// target += factor x^shift f
void AddScaled(Polynomial& target, const Polynomial& f, std::uint32_t factor, std::size_t shift) {
  if (target.size() < f.size() + shift) target.resize(f.size() + shift);
  for (std::size_t i = 0; i < f.size(); ++i) target[i + shift] ^= Multiply(factor, f[i]);
  Trim(target);
}

void MakeMonic(Polynomial& f) {
  const std::uint32_t inverse = gf20::Inverse(f.back());
  for (std::uint32_t& coefficient : f) coefficient = Multiply(coefficient, inverse);
}

struct Division {
  Polynomial quotient;
  Polynomial rest;
};

// In: divisor  monic
Division Divide(Polynomial dividend, const Polynomial& divisor) {
  Division result;
  if (dividend.size() >= divisor.size())
    result.quotient.resize(dividend.size() - divisor.size() + 1);
  while (dividend.size() >= divisor.size()) {
    const std::size_t shift = dividend.size() - divisor.size();
    result.quotient[shift] = dividend.back();
    AddScaled(dividend, divisor, dividend.back(), shift);
  }
  result.rest = std::move(dividend);
  return result;
}

// The monic greatest common divisor. In: a  not 0
Polynomial Gcd(Polynomial a, Polynomial b) {
  MakeMonic(a);
  while (!b.empty()) {
    MakeMonic(b);
    Polynomial rest = Divide(std::move(a), b).rest;
    a = std::move(b);
    b = std::move(rest);
  }
  return a;
}

// f^2 mod modulus: in characteristic 2 the coefficients are squared and spread.
Polynomial SquareMod(const Polynomial& f, const Polynomial& modulus) {
  Polynomial square(f.empty() ? 0 : 2 * f.size() - 1);
  for (std::size_t i = 0; i < f.size(); ++i) square[2 * i] = Multiply(f[i], f[i]);
  return Divide(std::move(square), modulus).rest;
}

// The trace of (factor x), mod f: zero at about half of the field.
Polynomial TraceMod(std::uint32_t factor, const Polynomial& f) {
  Polynomial power = Divide(Polynomial{0, factor}, f).rest;
  Polynomial trace = power;
  for (unsigned i = 1; i < gf20::kBits; ++i) {
    power = SquareMod(power, f);
    AddScaled(trace, power, 1, 0);
  }
  return trace;
}

// Whether f is a product of different x - r: then f divides x^(2^20) - x.
bool SplitsIntoDistinctRoots(const Polynomial& f) {
  const Polynomial x = Divide(Polynomial{0, 1}, f).rest;
  Polynomial power = x;
  for (unsigned i = 0; i < gf20::kBits; ++i) power = SquareMod(power, f);
  return power == x;
}

// Appends the roots of the monic f, which splits, by Berlekamp's trace algorithm: traces of the
// multiples of x by the elements of a basis tell any two roots apart.
void AppendRoots(const Polynomial& f, unsigned basis, std::vector<std::uint32_t>& roots) {
  if (f.size() == 1) return;
  if (f.size() == 2) {
    roots.push_back(f[0]);
    return;
  }
  for (; basis < gf20::kBits; ++basis) {
    const Polynomial part = Gcd(f, TraceMod(1U << basis, f));
    if (part.size() > 1 && part.size() < f.size()) {
      AppendRoots(part, basis + 1, roots);
      AppendRoots(Divide(f, part).quotient, basis + 1, roots);
      return;
    }
  }
}

// S_1 .. S_2c at [0] .. [2c-1]; S_2j = S_j^2.
std::vector<std::uint32_t> AllSums(const Sketch& sketch) {
  std::vector<std::uint32_t> sums(2 * sketch.sum_count());
  for (std::size_t j = 1; j <= sums.size(); ++j) {
    sums[j - 1] = j % 2 == 1 ? sketch.sums[j / 2] : Multiply(sums[j / 2 - 1], sums[j / 2 - 1]);
  }
  return sums;
}

struct Recurrence {
  Polynomial connection;  // 1 + ...
  std::size_t length = 0;
};

// The shortest linear recurrence of the sums, by Berlekamp and Massey (IEEE Trans. IT-15, 1969).
Recurrence ShortestRecurrence(const std::vector<std::uint32_t>& sums) {
  Polynomial current = {1};
  Polynomial previous = {1};
  std::size_t length = 0;
  std::size_t shift = 1;
  std::uint32_t previous_discrepancy = 1;
  for (std::size_t n = 0; n < sums.size(); ++n) {
    std::uint32_t discrepancy = 0;
    for (std::size_t i = 0; i < current.size() && i <= n; ++i) {
      discrepancy ^= Multiply(current[i], sums[n - i]);
    }
    if (discrepancy == 0) {
      ++shift;
      continue;
    }
    const Polynomial before = current;
    AddScaled(current, previous, Multiply(discrepancy, gf20::Inverse(previous_discrepancy)), shift);
    if (2 * length <= n) {
      length = n + 1 - length;
      previous = before;
      previous_discrepancy = discrepancy;
      shift = 1;
    } else {
      ++shift;
    }
  }
  return {std::move(current), length};
}

Sketch SketchOf(const std::vector<std::uint32_t>& slots, unsigned cap) {
  Sketch sketch{.cap = cap};
  for (const std::uint32_t slot : slots) {
    std::uint32_t power = slot;
    for (std::size_t j = 0; j < sketch.sum_count(); ++j) {
      sketch.sums[j] ^= power;
      power = Multiply(power, Multiply(slot, slot));
    }
  }
  return sketch;
}

// The slots whose sketch this is, if they are at most cap of the lists.
std::optional<std::vector<std::uint32_t>> FindSlots(const Sketch& hits,
                                                    std::span<const PlacedSlots> lists) {
  Recurrence recurrence = ShortestRecurrence(AllSums(hits));
  if (recurrence.length > hits.cap || recurrence.connection.size() != recurrence.length + 1) {
    return std::nullopt;
  }
  // The connection polynomial has the inverse slots as roots, its reversal the slots; it is monic.
  Polynomial locator(recurrence.connection.rbegin(), recurrence.connection.rend());
  if (!SplitsIntoDistinctRoots(locator)) return std::nullopt;
  std::vector<std::uint32_t> roots;
  AppendRoots(locator, 0, roots);
  std::ranges::sort(roots);
  const auto in_use = [&](std::uint32_t number) {
    return std::ranges::any_of(lists, [&](const auto& list) { return list.Contains(number); });
  };
  const bool usable = roots.size() == recurrence.length &&
                      std::ranges::adjacent_find(roots) == roots.end() &&
                      std::ranges::all_of(roots, in_use);
  if (!usable || SketchOf(roots, hits.cap) != hits) return std::nullopt;
  return roots;
}

}  // namespace

DecodedHits DecodeSketch(const Sketch& hits, std::span<const PlacedSlots> lists) {
  if (hits == Sketch{.cap = hits.cap}) return {HitOutcome::kNoHit, {}};
  auto found = FindSlots(hits, lists);
  if (!found) return {HitOutcome::kOverCap, {}};
  return {HitOutcome::kHits, std::move(*found)};
}

}  // namespace comity::sealed
