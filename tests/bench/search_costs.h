// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace comity::bench {

// What all threads of the process have computed so far, user and system.
inline double ProcessMicros() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

// Latencies of one kind of act, in microseconds.
class Sample {
 public:
  // Runs `act` and notes how long it took.
  void Time(const std::function<void()>& act) {
    const auto start = std::chrono::steady_clock::now();
    act();
    Add(std::chrono::steady_clock::now() - start);
  }
  void Add(std::chrono::steady_clock::duration taken) {
    micros_.push_back(std::chrono::duration<double, std::micro>(taken).count());
  }
  // Does `act` `times` times and notes each, and what all threads of the process computed
  // meanwhile.
  void TimeMany(int times, const std::function<void()>& act) {
    const double before = ProcessMicros();
    for (int i = 0; i < times; ++i) Time(act);
    processor_micros_ += ProcessMicros() - before;
  }
  // Processor time an act, user and system; 0 but for acts of TimeMany alone.
  double processor() const { return processor_micros_ / static_cast<double>(micros_.size()); }
  std::size_t size() const { return micros_.size(); }
  double At(double share) const {
    std::vector<double> sorted = micros_;
    std::sort(sorted.begin(), sorted.end());
    return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
  }
  double p50() const { return At(0.5); }
  double p99() const { return At(0.99); }

 private:
  std::vector<double> micros_;
  double processor_micros_ = 0;
};

// One thing of which a search is made, ready to be done again and again: set up by Make...(), done
// by a call, undone when the last copy goes.
using Part = std::function<void()>;

// One message of the size of a signed probe to an echo and back, over the gateways' own kind of
// connection (mutual TLS, loopback, streaming).
Part MakeEchoHop();
// One search of one probe among these unit templates, on one thread.
Part MakeScan(std::span<const std::vector<float>> templates, double threshold);
// One durable unit of work with one log entry of a hit.
Part MakeDurableCommit();
// One log entry through the whole log: built, sealed, committed; checkpoints are signed behind it.
Part MakeLoggedCommit();
// The same with the rows of the alarms' counts in its unit of work, as either gateway commits a
// hit.
Part MakeCountedCommit();
// 4 KiB written over in a file and synced: the least that the disk takes for a durable write.
Part MakeRawSync();
// A signed probe of `dimension`: signing it, and checking it as the receiver does.
Part MakeSigning(std::size_t dimension);
Part MakeVerifying(std::size_t dimension);

}  // namespace comity::bench
