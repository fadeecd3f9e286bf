// SPDX-License-Identifier: Apache-2.0
#include "tests/constant_time/welch.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>

namespace comity::constant_time {
namespace {

using Clock = std::chrono::steady_clock;

struct Moments {
  double count = 0;
  double mean = 0;
  double squares = 0;  // of the deviations

  void Add(double value) {
    count += 1;
    const double off = value - mean;
    mean += off / count;
    squares += off * (value - mean);
  }
  double ErrorSquared() const { return squares / (count - 1) / count; }
};

struct Sample {
  bool fixed;
  double nanoseconds;
};

std::vector<Sample> Collect(const Timed& timed, std::size_t measurements) {
  std::mt19937_64 generator(1);
  const auto take = [&] {
    const bool fixed = (generator() >> 63) != 0;
    timed.prepare(fixed);
    const auto start = Clock::now();
    timed.run();
    const std::chrono::duration<double, std::nano> took = Clock::now() - start;
    return Sample{fixed, took.count()};
  };
  for (std::size_t i = 0; i < measurements / 20; ++i) take();  // warm
  std::vector<Sample> samples;
  samples.reserve(measurements);
  for (std::size_t i = 0; i < measurements; ++i) samples.push_back(take());
  return samples;
}

// The time that `share` of all samples stay below.
double Quantile(const std::vector<Sample>& samples, double share) {
  std::vector<double> times;
  for (const Sample& sample : samples) times.push_back(sample.nanoseconds);
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(times.size() - 1));
  std::ranges::nth_element(times, times.begin() + at);
  return times[static_cast<std::size_t>(at)];
}

}  // namespace

bool Verdict::leaks() const {
  return std::abs(t) >= kLimit;
}

Verdict Measure(const Timed& timed, std::size_t measurements) {
  // A leak may show in the bulk or only in rarer, slower runs.
  constexpr std::array<double, 4> kCuts = {0.5, 0.75, 0.9, 0.98};
  const auto samples = Collect(timed, measurements);
  Verdict verdict{.measurements = measurements};
  for (const double cut : kCuts) {
    const double limit = Quantile(samples, cut);
    std::array<Moments, 2> classes;
    for (const Sample& sample : samples) {
      if (sample.nanoseconds <= limit) classes[sample.fixed ? 1 : 0].Add(sample.nanoseconds);
    }
    if (classes[0].count < 2 || classes[1].count < 2) continue;
    const double error = std::sqrt(classes[0].ErrorSquared() + classes[1].ErrorSquared());
    if (error == 0) continue;
    const double t = (classes[1].mean - classes[0].mean) / error;
    if (std::abs(t) > std::abs(verdict.t)) verdict.t = t;
    if (cut == 0.9) {
      constexpr double kQuantile90 = 1.28;
      verdict.nanoseconds = classes[0].mean;
      verdict.found_nanoseconds = (kLimit + kQuantile90) * error;
    }
  }
  return verdict;
}

void Print(std::string_view name, const Verdict& verdict) {
  std::printf("%-28.*s %8zu runs of %10.0f ns: t = %6.2f; finds %7.1f ns (%.3f %%)\n",
              static_cast<int>(name.size()), name.data(), verdict.measurements, verdict.nanoseconds,
              verdict.t, verdict.found_nanoseconds,
              100 * verdict.found_nanoseconds / verdict.nanoseconds);
}

}  // namespace comity::constant_time
