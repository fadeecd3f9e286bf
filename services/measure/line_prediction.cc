// SPDX-License-Identifier: Apache-2.0
#include "services/measure/line_prediction.h"

#include <algorithm>
#include <array>

namespace comity::measure {

LinePrediction Predict(const LineTerms& line, const BatchFigures& batch, const PadFigures& pads,
                       std::size_t entries) {
  const double rate = line.octets_per_second;
  const auto to_holder = static_cast<double>(batch.octets.to_holder);
  const auto to_requester = static_cast<double>(batch.octets.to_requester);
  const double pad_count = static_cast<double>(batch.probes) * static_cast<double>(entries);
  LinePrediction prediction;
  prediction.batch =
      2 * line.round_trip + (to_holder + to_requester) / rate + batch.requester + batch.holder;
  struct Share {
    Bottleneck what;
    double seconds;  // that a batch keeps it busy
  };
  const std::array shares = {
      Share{Bottleneck::kRequester, batch.requester + pad_count * pads.requester},
      Share{Bottleneck::kHolder, batch.holder + pad_count * pads.holder},
      Share{Bottleneck::kLineToHolder, to_holder / rate},
      Share{Bottleneck::kLineToRequester, (to_requester + pad_count * pads.octets) / rate}};
  const Share longest = *std::max_element(
      shares.begin(), shares.end(),
      [](const Share& left, const Share& right) { return left.seconds < right.seconds; });
  prediction.bottleneck = longest.what;
  prediction.probes_per_second = static_cast<double>(batch.probes) / longest.seconds;
  return prediction;
}

}  // namespace comity::measure
