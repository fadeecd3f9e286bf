// SPDX-License-Identifier: Apache-2.0
// What is read back from the store after a restore or from an act that waits for its second person:
// deployments, proposals, alerts, contents of acts. What is accepted is written as it was read.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "crypto/base/random.h"
#include "services/casework/alert.h"
#include "services/identity/approval_content.h"
#include "services/matching/deployment_proposal.h"

namespace comity {
namespace {

class Sevens final : public RandomSource {
 public:
  void Fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& octet : out) octet = 7;
  }
};

void TryContent(std::string_view text) {
  Sevens random;
  const auto salted = identity::AddSalt(text, std::size_t{1} << 20, random);
  if (salted) COMITY_CHECK(identity::WithoutSalt(salted->content) == text);
  const auto without = identity::WithoutSalt(text);
  if (without) COMITY_CHECK(identity::AddSalt(*without, std::size_t{1} << 20, random).has_value());
}

}  // namespace
}  // namespace comity

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity;
  const std::string_view text = AsText({data, size});
  if (const auto deployment = matching::ParseDeployment(text)) {
    COMITY_CHECK(matching::ParseDeployment(matching::EncodeDeployment(*deployment)) == *deployment);
  }
  if (const auto proposal = matching::ParseProposal(text)) {
    COMITY_CHECK(matching::ParseProposal(matching::EncodeProposal(*proposal)) == *proposal);
    COMITY_CHECK(!matching::DescribeProposal(*proposal).empty());
  }
  if (const auto alert = casework::ParseAlert(text)) {
    COMITY_CHECK(casework::ParseAlert(casework::EncodeAlert(*alert)) == *alert);
  }
  TryContent(text);
  return 0;
}
