// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/offers_reader.h"

#include <gtest/gtest.h>

#include <limits>

#include "services/gateway/federation/offer_list.h"
#include "tests/support/result_matchers.h"

namespace comity::gateway {
namespace {

using testing::FailsWith;
using testing::IsOk;

v1::ListOffersReply WithEntries(std::uint64_t entries) {
  v1::ListOffersReply reply;
  reply.add_offers()->add_categories()->set_entries(entries);
  return reply;
}

TEST(CheckOffers, BelievesNoCountThatNoAgencyCanHold) {
  EXPECT_THAT(CheckOffers(WithEntries(kMaxOfferedEntries)), IsOk());
  for (const std::uint64_t entries : {kMaxOfferedEntries + 1, std::uint64_t{1} << 53,
                                      std::numeric_limits<std::uint64_t>::max()}) {
    EXPECT_THAT(CheckOffers(WithEntries(entries)), FailsWith(ErrorCode::kInvalidArgument))
        << entries;
  }
}

}  // namespace
}  // namespace comity::gateway
