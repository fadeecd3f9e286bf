// SPDX-License-Identifier: Apache-2.0
// What an engine may send: the octets of one message of Recognition.Watch.
#include <cmath>
#include <cstdlib>

#include "comity/v1/recognition.pb.h"
#include "services/gateway/wire/convert_time.h"
#include "services/matching/template_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity;
  constexpr std::uint32_t kDimension = 32;
  v1::WatchRequest request;
  if (!request.ParseFromArray(data, static_cast<int>(size)) || !request.has_probe()) return 0;
  const v1::WatchProbe& probe = request.probe();
  const auto time = gateway::FromProto(probe.captured_at());
  if (time && gateway::FromProto(gateway::ToProto(*time)).value() != *time) std::abort();
  const auto values = matching::ParseTemplate(AsBytes(probe.embedding()), kDimension);
  if (!values) return 0;
  // What is let through is a unit vector.
  double sum = 0;
  for (const float value : values->Expose()) sum += double{value} * double{value};
  if (values->Expose().size() != kDimension || !(std::abs(sum - 1) < 1e-5)) std::abort();
  return 0;
}
