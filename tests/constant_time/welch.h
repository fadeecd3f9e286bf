// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace comity::constant_time {

// Whether the time of an operation tells two classes of secrets apart: one fixed secret, and random
// ones. Measured in turns of random order, since a machine is never the same for long; the slowest
// are cut off alike for both (interrupts); then Welch's t-test of the means. After Reparaz, Balasch
// and Verbauwhede, "Dude, is my code constant time?", DATE 2017.
struct Timed {
  // Puts a secret of the class where `run` finds it: into the same memory for both classes, or a
  // cache would tell them apart.
  std::function<void(bool fixed)> prepare;
  std::function<void()> run;
};

struct Verdict {
  double t = 0;                  // largest of all cuts, in size
  double nanoseconds = 0;        // mean of the random class
  double found_nanoseconds = 0;  // a difference that is found with a probability of 0.9
  std::size_t measurements = 0;  // of both classes
  bool leaks() const;
};
// |t| of an operation without a leak stays below with a probability of about 1 - 10^-5 a cut.
inline constexpr double kLimit = 4.5;

Verdict Measure(const Timed& timed, std::size_t measurements);
// One line for people.
void Print(std::string_view name, const Verdict& verdict);

}  // namespace comity::constant_time
