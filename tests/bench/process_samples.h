// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace comity::bench {

// What /proc says of a process at one moment.
struct ProcessSample {
  double at_s = 0;  // since the run began
  double rss_mib = 0;
  std::uint64_t fds = 0;
  std::uint64_t threads = 0;
  double cpu_s = 0;  // user and system, since the process started
};

// Nothing: the process has ended.
std::optional<ProcessSample> SampleProcess(pid_t pid);

// One process over the run. First and last are the spans that are compared.
struct ProcessTrend {
  std::string name;
  double rss_first_mib = 0;  // mean
  double rss_last_mib = 0;
  std::uint64_t fds_first = 0;  // most
  std::uint64_t fds_last = 0;
  std::uint64_t threads_first = 0;  // most
  std::uint64_t threads_last = 0;
  double cpu_s = 0;  // from the first sample of the first span to the last of the last
  double rss_growth_mib() const { return rss_last_mib - rss_first_mib; }
};

// How far a process may drift and be flat.
struct FlatBars {
  double rss_percent = 5;
  double rss_mib = 8;  // growth up to here is flat whatever its share: allocators round
  double descriptors = 4;
  double threads = 2;
};

// What drifts, in words; empty: flat.
std::string DescribeDrift(const ProcessTrend& trend, const FlatBars& bars);

// Samples of several processes, written to a CSV as they are taken.
//
// Threads: thread-compatible.
class ProcessSamples {
 public:
  struct Watched {
    std::string name;
    pid_t pid;
  };
  ProcessSamples(std::vector<Watched> processes, const std::filesystem::path& csv);
  // False: a process has ended; ended() names it.
  bool Take(double at_s);
  const std::string& ended() const { return ended_; }
  // In: from_s, span_s  the first span begins at from_s, the last ends with the last sample
  std::vector<ProcessTrend> Trends(double from_s, double span_s) const;
  double last_s() const;

 private:
  std::vector<Watched> processes_;
  std::vector<std::vector<ProcessSample>> samples_;  // of each process
  std::ofstream csv_;
  std::string ended_;
};

// Octets of all files below a folder.
std::uintmax_t FolderOctets(const std::filesystem::path& folder);

}  // namespace comity::bench
