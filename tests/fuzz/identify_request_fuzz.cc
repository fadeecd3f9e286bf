// SPDX-License-Identifier: Apache-2.0
// What a person's program may send: the octets of one Recognition.Identify request.
#include <cstdlib>

#include "services/gateway/agency/identify_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity;
  static const auto own = policy::AgencyId::Parse("eastvale-council").value();
  static const identity::Caller caller{policy::PersonId::Parse("ada").value(), {}};
  v1::IdentifyRequest request;
  if (!request.ParseFromArray(data, static_cast<int>(size))) return 0;
  const auto asked = gateway::ParseIdentify(request, own, caller);
  if (!asked) {
    if (asked.error().code != ErrorCode::kInvalidArgument) std::abort();
    return 0;
  }
  // Nothing is let through without a case, an aim, somebody to look for and a whole template.
  const auto order = matching::OrderOf(asked->order, "s-fuzz");
  const bool whole =
      !order->case_ref.empty() && order->case_ref.size() <= 64 &&
      order->justification.contains("aim") && order->justification.contains("subject_status") &&
      !order->request.list_categories.empty() && order->request.list_categories.size() <= 16 &&
      asked->agreements.size() <= 32 && asked->holders.size() <= 32 &&
      asked->embedding.size() == order->request.engine->dimension * sizeof(float) &&
      asked->deadline <= gateway::kLongestIdentifyDeadline;
  if (!whole) std::abort();
  return 0;
}
