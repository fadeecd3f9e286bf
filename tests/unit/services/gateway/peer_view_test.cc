// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/peer_view.h"

#include <gtest/gtest.h>

#include "tests/support/result_matchers.h"

namespace comity::gateway {
namespace {

using testing::FailsWith;
using testing::IsOk;

PeerView Sample() {
  return {{"direct", "sealed"}, "active", {"0011223344556677"}};
}

TEST(PeerViewTest, CrossesTheWireUnchanged) {
  const auto read = FromProto(ToProto(Sample()));
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->capabilities, Sample().capabilities);
  EXPECT_EQ(read->state, "active");
  EXPECT_EQ(read->keys, Sample().keys);
}

TEST(PeerViewTest, RefusesWhatIsOutsideItsBounds) {
  const auto refuses = [](auto change) {
    PeerView view = Sample();
    change(view);
    EXPECT_THAT(FromProto(ToProto(view)), FailsWith(ErrorCode::kInvalidArgument));
  };
  refuses([](PeerView& view) { view.state = ""; });
  refuses([](PeerView& view) { view.state = "removed"; });
  refuses([](PeerView& view) { view.capabilities = std::vector<std::string>(17, "direct"); });
  refuses([](PeerView& view) { view.capabilities = {"Direct"}; });
  refuses([](PeerView& view) { view.capabilities = {std::string(33, 'a')}; });
  refuses([](PeerView& view) { view.keys = std::vector<std::string>(9, "0011223344556677"); });
  refuses([](PeerView& view) { view.keys = {"001122334455667"}; });
  refuses([](PeerView& view) { view.keys = {"001122334455667G"}; });
}

TEST(PeerViewTest, SoftwareIsCutAndCleaned) {
  EXPECT_EQ(CleanSoftware("comityd/0.2"), "comityd/0.2");
  EXPECT_EQ(CleanSoftware("a\nb\x1b[31m\xff"), "a?b?[31m?");
  EXPECT_EQ(CleanSoftware(std::string(100, 'x')).size(), 64U);
}

}  // namespace
}  // namespace comity::gateway
