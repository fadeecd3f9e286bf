// SPDX-License-Identifier: Apache-2.0
// What people's and engines' programs send to the agency port, as far as it is more than a name:
// definitions of deployments, questions about agreements. (Single searches: identify_request_fuzz,
// streams: watch_request_fuzz.)
#include <cstddef>
#include <cstdint>
#include <string>

#include "comity/v1/agreements.pb.h"
#include "comity/v1/deployments.pb.h"
#include "crypto/base/check.h"
#include "services/gateway/agency/agreement_views.h"
#include "services/gateway/agency/convert_deployment.h"

namespace comity::gateway {
namespace {

// What the gateway stores and shows a second person is what the first one asked for.
void TryDeployment(const std::string& octets) {
  static const policy::Instant now = policy::ParseInstant("2026-11-25T08:00:00Z").value();
  v1::DeploymentDefinition proto;
  if (!proto.ParseFromString(octets)) return;
  const auto definition = FromProto(proto);
  if (!definition) {
    COMITY_CHECK(definition.error().code == ErrorCode::kInvalidArgument);
    return;
  }
  if (!matching::CheckDeployment(*definition, now)) return;
  COMITY_CHECK(FromProto(ToProto(*definition)).value() == *definition);
  const auto stored = matching::ParseDeployment(matching::EncodeDeployment(*definition));
  COMITY_CHECK(stored && *stored == *definition);
}

template <typename Request, typename Read>
void TryQuestion(const std::string& octets, Read read) {
  Request request;
  if (!request.ParseFromString(octets)) return;
  const auto question = read(request);
  COMITY_CHECK(question || question.error().code == ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace comity::gateway

// The first octet chooses the message.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity::gateway;
  if (size == 0) return 0;
  const std::string octets(data + 1, data + size);
  static const comity::policy::AgreementSet none;
  switch (data[0] % 3) {
    case 0:
      TryDeployment(octets);
      break;
    case 1:
      TryQuestion<comity::v1::ListAgreementsRequest>(octets, FilterOf);
      break;
    default:
      TryQuestion<comity::v1::ExplainRequest>(
          octets, [](const auto& request) { return QuestionOf(request, none, {}); });
  }
  return 0;
}
