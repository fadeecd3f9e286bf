// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace comity::runtime {

// Handles to one time series; valid while the Metrics object that made them lives. Cheap to copy.
//
// Threads: thread-safe.
class CounterMetric {
 public:
  explicit CounterMetric(prometheus::Counter& series) : series_(&series) {}
  void Add(double amount = 1.0);  // amount >= 0

 private:
  prometheus::Counter* series_;  // owned by Metrics
};

class GaugeMetric {
 public:
  explicit GaugeMetric(prometheus::Gauge& series) : series_(&series) {}
  void Set(double value);
  void Add(double amount);  // may be negative

 private:
  prometheus::Gauge* series_;  // owned by Metrics
};

class HistogramMetric {
 public:
  explicit HistogramMetric(prometheus::Histogram& series) : series_(&series) {}
  void Observe(double value);

 private:
  prometheus::Histogram* series_;  // owned by Metrics
};

// Upper bounds in seconds from 50 us to 10 s: from one durable commit to a slow peer.
std::vector<double> LatencyBuckets();

// The numbers of this process in the Prometheus text format. Labels hold agency ids, codes and the
// like, never anything of one person, and their values come from closed or configured sets, since
// each combination lives as long as the process.
//
// Threads: thread-safe.
class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;
  struct Description {
    std::string name;  // comity_<thing>_<unit>, e.g. comity_probes_total
    std::string help;
  };

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The series of this name and these labels, made at first use. One name has one kind; a name that
  // is not [a-zA-Z_:][a-zA-Z0-9_:]*, or is used for two kinds, is a fault of this program.
  CounterMetric Counter(const Description& description, const Labels& labels = {});
  GaugeMetric Gauge(const Description& description, const Labels& labels = {});
  HistogramMetric Histogram(const Description& description, const std::vector<double>& bounds,
                            const Labels& labels = {});

  // Everything in text format version 0.0.4, for GET /metrics.
  std::string Render() const;

 private:
  struct Registry;
  std::unique_ptr<Registry> registry_;
};

}  // namespace comity::runtime
