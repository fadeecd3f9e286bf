// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <exception>

#include "crypto/base/check.h"

namespace comity::runtime {
namespace {

// Runs `make` and ends the process if the library refuses the name: names are constants of ours.
template <typename Make>
auto& Series(Make make) {
  try {
    return make();
  } catch (const std::exception&) {
    constexpr bool kNameIsWellFormedAndHasOneKind = false;
    COMITY_CHECK(kNameIsWellFormedAndHasOneKind);
  }
  std::abort();
}

}  // namespace

struct Metrics::Registry {
  prometheus::Registry registry{prometheus::Registry::InsertBehavior::Merge};
};

void CounterMetric::Add(double amount) {
  series_->Increment(amount);
}
void GaugeMetric::Set(double value) {
  series_->Set(value);
}
void GaugeMetric::Add(double amount) {
  series_->Increment(amount);
}
void HistogramMetric::Observe(double value) {
  series_->Observe(value);
}

std::vector<double> LatencyBuckets() {
  return {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
          0.025,   0.05,   0.1,     0.25,   0.5,   1.0,    2.5,   10.0};
}

Metrics::Metrics() : registry_(std::make_unique<Registry>()) {}
Metrics::~Metrics() = default;

CounterMetric Metrics::Counter(const Description& description, const Labels& labels) {
  return CounterMetric(Series([&]() -> prometheus::Counter& {
    return prometheus::BuildCounter()
        .Name(description.name)
        .Help(description.help)
        .Register(registry_->registry)
        .Add(labels);
  }));
}

GaugeMetric Metrics::Gauge(const Description& description, const Labels& labels) {
  return GaugeMetric(Series([&]() -> prometheus::Gauge& {
    return prometheus::BuildGauge()
        .Name(description.name)
        .Help(description.help)
        .Register(registry_->registry)
        .Add(labels);
  }));
}

HistogramMetric Metrics::Histogram(const Description& description,
                                   const std::vector<double>& bounds, const Labels& labels) {
  return HistogramMetric(Series([&]() -> prometheus::Histogram& {
    return prometheus::BuildHistogram()
        .Name(description.name)
        .Help(description.help)
        .Register(registry_->registry)
        .Add(labels, bounds);
  }));
}

std::string Metrics::Render() const {
  return prometheus::TextSerializer().Serialize(registry_->registry.Collect());
}

}  // namespace comity::runtime
