// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <vector>

namespace comity::measure {

// Processor time of the calling thread, in seconds: what other programs do at the same time counts
// little. Threads: safe from any thread.
double ThreadSeconds();

// Times of one step, in seconds. Threads: thread-compatible.
class Samples {
 public:
  void Add(double seconds) { seconds_.push_back(seconds); }
  // Runs `work` once, adds its time and returns what it returns.
  template <typename Work>
  auto Time(const Work& work) {
    const Addition addition(*this);
    return work();
  }
  std::size_t count() const { return seconds_.size(); }
  double Sum() const;
  double Median() const;  // 0 if there is none

 private:
  class Addition {
   public:
    explicit Addition(Samples& samples) : samples_(samples), start_(ThreadSeconds()) {}
    ~Addition() { samples_.Add(ThreadSeconds() - start_); }
    Addition(const Addition&) = delete;
    Addition& operator=(const Addition&) = delete;

   private:
    Samples& samples_;
    double start_;
  };
  std::vector<double> seconds_;
};

// Whether a step has been run often enough for its median: 3 times and `least_seconds` in all.
bool IsEnough(const Samples& samples, double least_seconds);
// The median of as many runs.
double MedianSeconds(double least_seconds, const std::function<void()>& work);

}  // namespace comity::measure
