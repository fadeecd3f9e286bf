// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/process_samples.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <sstream>
#include <system_error>

namespace comity::bench {
namespace {

constexpr double kMebi = 1024 * 1024;

// Mean memory and most descriptors and threads of the samples of one span.
struct Span {
  double rss_mib = 0;
  std::uint64_t fds = 0;
  std::uint64_t threads = 0;
  double cpu_begin_s = 0;
  double cpu_end_s = 0;
};

Span Summarize(const std::vector<ProcessSample>& samples, double from_s, double to_s) {
  Span span;
  double count = 0;
  for (const ProcessSample& sample : samples) {
    if (sample.at_s < from_s || sample.at_s > to_s) continue;
    if (count == 0) span.cpu_begin_s = sample.cpu_s;
    span.cpu_end_s = sample.cpu_s;
    span.rss_mib += sample.rss_mib;
    span.fds = std::max(span.fds, sample.fds);
    span.threads = std::max(span.threads, sample.threads);
    ++count;
  }
  if (count > 0) span.rss_mib /= count;
  return span;
}

}  // namespace

std::optional<ProcessSample> SampleProcess(pid_t pid) {
  const std::filesystem::path proc = "/proc/" + std::to_string(pid);
  std::ifstream file(proc / "stat");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::size_t name_end = text.rfind(')');  // the name may hold blanks
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream words(text.substr(name_end + 1));
  const std::vector<std::string> fields{std::istream_iterator<std::string>(words), {}};
  // proc(5): state is field 3; utime 14, stime 15, num_threads 20, rss in pages 24.
  constexpr std::size_t kState = 3;
  if (fields.size() < 24 - kState + 1 || fields[0] == "Z") return std::nullopt;
  const auto field = [&](std::size_t n) { return std::stod(fields[n - kState]); };
  ProcessSample sample;
  sample.cpu_s = (field(14) + field(15)) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  sample.threads = static_cast<std::uint64_t>(field(20));
  sample.rss_mib = field(24) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / kMebi;
  std::error_code error;
  std::filesystem::directory_iterator fds(proc / "fd", error);
  if (error) return std::nullopt;
  sample.fds = static_cast<std::uint64_t>(std::distance(begin(fds), end(fds)));
  return sample;
}

std::string DescribeDrift(const ProcessTrend& trend, const FlatBars& bars) {
  std::string words;
  const double grown = trend.rss_growth_mib();
  if (grown > bars.rss_mib && grown > trend.rss_first_mib * bars.rss_percent / 100) {
    words += fmt::format(" memory {:.1f} -> {:.1f} MiB;", trend.rss_first_mib, trend.rss_last_mib);
  }
  const auto count = [&](const char* what, std::uint64_t first, std::uint64_t last, double bar) {
    if (static_cast<double>(last) > static_cast<double>(first) + bar) {
      words += fmt::format(" {} {} -> {};", what, first, last);
    }
  };
  count("file descriptors", trend.fds_first, trend.fds_last, bars.descriptors);
  count("threads", trend.threads_first, trend.threads_last, bars.threads);
  return words.empty() ? words : trend.name + ":" + words;
}

ProcessSamples::ProcessSamples(std::vector<Watched> processes, const std::filesystem::path& csv)
    : processes_(std::move(processes)), samples_(processes_.size()), csv_(csv) {
  csv_ << "seconds,process,rss_mib,fds,threads,cpu_s\n";
}

bool ProcessSamples::Take(double at_s) {
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    auto sample = SampleProcess(processes_[i].pid);
    if (!sample) {
      ended_ = processes_[i].name;
      return false;
    }
    sample->at_s = at_s;
    samples_[i].push_back(*sample);
    csv_ << fmt::format("{:.1f},{},{:.2f},{},{},{:.2f}\n", at_s, processes_[i].name,
                        sample->rss_mib, sample->fds, sample->threads, sample->cpu_s);
  }
  csv_.flush();
  return true;
}

double ProcessSamples::last_s() const {
  return samples_.empty() || samples_.front().empty() ? 0 : samples_.front().back().at_s;
}

std::vector<ProcessTrend> ProcessSamples::Trends(double from_s, double span_s) const {
  std::vector<ProcessTrend> trends;
  const double end_s = last_s();
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    const Span first = Summarize(samples_[i], from_s, from_s + span_s);
    const Span last = Summarize(samples_[i], end_s - span_s, end_s);
    trends.push_back({processes_[i].name, first.rss_mib, last.rss_mib, first.fds, last.fds,
                      first.threads, last.threads, last.cpu_end_s - first.cpu_begin_s});
  }
  return trends;
}

std::uintmax_t FolderOctets(const std::filesystem::path& folder) {
  std::uintmax_t octets = 0;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code gone;  // a file may go while it is looked at
    const auto size = at->is_regular_file(gone) ? at->file_size(gone) : 0;
    if (!gone) octets += size;
  }
  return octets;
}

}  // namespace comity::bench
