// SPDX-License-Identifier: Apache-2.0
#include "services/cli/watchlist_audit.h"

#include <gtest/gtest.h>

namespace comity::cli {
namespace {

TEST(WatchlistAudit, IsGoodWhenEveryBlockIsVerifiedOrWithdrawnWithCause) {
  v1::AuditWatchlistResponse response;
  EXPECT_TRUE(IsAccountedFor(response));
  response.add_lists()->add_verified(0);
  v1::SealedListAudit& second = *response.add_lists();
  second.add_withdrawn(0);
  EXPECT_TRUE(IsAccountedFor(response));
  second.add_unaccounted(1);
  EXPECT_FALSE(IsAccountedFor(response));
  second.clear_unaccounted();
  second.add_differing(1);
  EXPECT_FALSE(IsAccountedFor(response));
}

}  // namespace
}  // namespace comity::cli
