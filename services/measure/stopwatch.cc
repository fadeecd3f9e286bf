// SPDX-License-Identifier: Apache-2.0
#include "services/measure/stopwatch.h"

#include <algorithm>
#include <ctime>
#include <numeric>

namespace comity::measure {

double ThreadSeconds() {
  constexpr double kNanosecond = 1e-9;
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * kNanosecond;
}

double Samples::Sum() const {
  return std::accumulate(seconds_.begin(), seconds_.end(), 0.0);
}

double Samples::Median() const {
  if (seconds_.empty()) return 0;
  std::vector<double> sorted = seconds_;
  std::sort(sorted.begin(), sorted.end());
  return sorted[sorted.size() / 2];
}

bool IsEnough(const Samples& samples, double least_seconds) {
  constexpr std::size_t kLeastRuns = 3;
  return samples.count() >= kLeastRuns && samples.Sum() >= least_seconds;
}

double MedianSeconds(double least_seconds, const std::function<void()>& work) {
  work();  // what is read for the first time is not in a cache yet
  Samples samples;
  while (!IsEnough(samples, least_seconds)) samples.Time(work);
  return samples.Median();
}

}  // namespace comity::measure
