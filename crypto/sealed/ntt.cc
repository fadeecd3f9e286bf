// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/ntt.h"

#include "crypto/sealed/secret_array.h"

namespace comity::sealed {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t kPrime = 68'719'484'929;
constexpr unsigned kLogDegree = 10;
static_assert(kRingDegree == std::size_t{1} << kLogDegree);
static_assert(kPrime % (2 * kRingDegree) == 1);

constexpr std::uint64_t MultiplyMod(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint64_t>(Wide{a} * b % kPrime);
}

constexpr std::uint64_t PowerMod(std::uint64_t base, std::uint64_t exponent) {
  std::uint64_t power = 1;
  for (; exponent != 0; exponent >>= 1) {
    if ((exponent & 1) != 0) power = MultiplyMod(power, base);
    base = MultiplyMod(base, base);
  }
  return power;
}

// A root of X^n + 1.
constexpr std::uint64_t NegacyclicRoot() {
  for (std::uint64_t base = 2;; ++base) {
    const std::uint64_t root = PowerMod(base, (kPrime - 1) / (2 * kRingDegree));
    if (PowerMod(root, kRingDegree) == kPrime - 1) return root;
  }
}

// A public factor with the quotient that makes multiplying by it cheap (Shoup).
struct Factor {
  std::uint64_t value = 0;
  std::uint64_t quotient = 0;  // floor(value 2^64 / p)
};

constexpr Factor MakeFactor(std::uint64_t value) {
  return {value, static_cast<std::uint64_t>((Wide{value} << 64) / kPrime)};
}

using Factors = std::array<Factor, kRingDegree>;

// Powers of `root` in bit-reversed order of the exponent.
constexpr Factors BitReversedPowers(std::uint64_t root) {
  Factors factors{};
  std::uint64_t power = 1;
  for (std::size_t i = 0; i < kRingDegree; ++i) {
    std::size_t reversed = 0;
    for (unsigned bit = 0; bit < kLogDegree; ++bit) reversed = reversed << 1 | (i >> bit & 1);
    factors[reversed] = MakeFactor(power);
    power = MultiplyMod(power, root);
  }
  return factors;
}

// p^-1 mod 2^64, by Newton's iteration; each step doubles the right bits.
constexpr std::uint64_t InverseModWord() {
  std::uint64_t inverse = kPrime;  // right to 3 bits
  for (int step = 0; step < 5; ++step) inverse *= 2 - kPrime * inverse;
  return inverse;
}

constexpr std::uint64_t kRoot = NegacyclicRoot();
constexpr std::uint64_t kInverse = InverseModWord();
static_assert(kInverse * kPrime == 1);
constexpr Factors kForward = BitReversedPowers(kRoot);
constexpr Factors kBackward = BitReversedPowers(PowerMod(kRoot, kPrime - 2));
// 1/n, and the 2^64 that Montgomery's reduction in MultiplyTransformed has divided by.
constexpr Factor kScale = MakeFactor(MultiplyMod(
    PowerMod(kRingDegree, kPrime - 2), static_cast<std::uint64_t>((Wide{1} << 64) % kPrime)));

inline std::uint64_t HighWord(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint64_t>(Wide{a} * b >> 64);
}

// x * factor mod p, in [0, 2p), for every 64-bit x.
inline std::uint64_t Multiply(const Factor& factor, std::uint64_t x) {
  return factor.value * x - HighWord(factor.quotient, x) * kPrime;
}

// Values grow by 2p a layer from below p to below 21p: 28 spare bits make reductions needless.
void ForwardLayers(std::uint64_t* x) {
  std::size_t half = kRingDegree;
  for (std::size_t groups = 1; groups < kRingDegree; groups *= 2) {
    half /= 2;
    for (std::size_t group = 0; group < groups; ++group) {
      const Factor factor = kForward[groups + group];
      std::uint64_t* left = x + 2 * group * half;
      std::uint64_t* right = left + half;
      for (std::size_t j = 0; j < half; ++j) {
        const std::uint64_t turned = Multiply(factor, right[j]);
        right[j] = left[j] + 2 * kPrime - turned;
        left[j] = left[j] + turned;
      }
    }
  }
}

// The bound doubles a layer, from 2p to 2^11 p < 2^48.
void BackwardLayers(std::uint64_t* x) {
  std::uint64_t bound = 2 * kPrime;
  std::size_t half = 1;
  for (std::size_t groups = kRingDegree / 2; groups >= 1; groups /= 2) {
    for (std::size_t group = 0; group < groups; ++group) {
      const Factor factor = kBackward[groups + group];
      std::uint64_t* left = x + 2 * group * half;
      std::uint64_t* right = left + half;
      for (std::size_t j = 0; j < half; ++j) {
        const std::uint64_t difference = left[j] + bound - right[j];
        left[j] = left[j] + right[j];
        right[j] = Multiply(factor, difference);
      }
    }
    bound *= 2;
    half *= 2;
  }
}

// All ones if the top bit is set: a comparison without a branch.
inline std::uint64_t SignMask(std::uint64_t x) {
  return 0 - (x >> 63);
}

// a b / 2^64 mod p, in [0, 2p), for a, b < 2^48.
inline std::uint64_t MontgomeryProduct(std::uint64_t a, std::uint64_t b) {
  const Wide product = Wide{a} * b;
  const std::uint64_t low = static_cast<std::uint64_t>(product);
  const std::uint64_t high = static_cast<std::uint64_t>(product >> 64);
  return high + kPrime - HighWord(low * kInverse, kPrime);
}

}  // namespace

void Transform(ElementView element, TransformedSpan out) {
  for (std::size_t i = 0; i < kRingDegree; ++i) out[i] = element[i];
  ForwardLayers(out.data());
}

void TransformTernary(SmallView ternary, TransformedSpan out) {
  for (std::size_t i = 0; i < kRingDegree; ++i) {
    const std::uint64_t value = static_cast<std::uint64_t>(std::int64_t{ternary[i]});
    out[i] = value + (kPrime & SignMask(value));
  }
  ForwardLayers(out.data());
}

void MultiplyTransformed(TransformedView element, TransformedView ternary, ElementSpan out) {
  SecretArray<std::uint64_t> product(kRingDegree);
  std::uint64_t* x = product.ExposeMutable().data();
  const std::uint64_t* left = element.data();
  const std::uint64_t* right = ternary.data();
  for (std::size_t i = 0; i < kRingDegree; ++i) x[i] = MontgomeryProduct(left[i], right[i]);
  BackwardLayers(x);
  std::uint32_t* to = out.data();
  for (std::size_t i = 0; i < kRingDegree; ++i) {
    std::uint64_t value = Multiply(kScale, x[i]) - kPrime;
    value += kPrime & SignMask(value);               // in [0, p)
    value -= kPrime & SignMask(kPrime / 2 - value);  // in [-p/2, p/2]
    to[i] = static_cast<std::uint32_t>(value) & kModulusMask;
  }
}

}  // namespace comity::sealed
