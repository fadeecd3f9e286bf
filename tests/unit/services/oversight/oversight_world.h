// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "services/identity/notices.h"
#include "services/oversight/outbox.h"
#include "services/store/outbox_store.h"
#include "tests/support/agency_store.h"
#include "tests/support/result_matchers.h"

namespace comity::oversight {

inline policy::AgencyId Agency(std::string_view text) {
  return policy::AgencyId::Parse(text).value();
}
inline const policy::AgencyId kEast = Agency("eastvale-council");
inline const policy::AgencyId kSouth = Agency("southmere-police");

// One agency's store, log, notices and outbox, as oversight works on them.
class OversightTest : public ::testing::Test {
 protected:
  using Work = audit::Journal::Work;

  Status Commit(const Work& work) { return agency_.journal().Commit(work); }
  // Fails the test if it cannot.
  void MustCommit(const Work& work) { ASSERT_THAT(Commit(work), testing::IsOk()); }

  // What waits for `peer`, oldest first.
  std::vector<store::OutboxRecord> WaitingFor(const policy::AgencyId& peer) {
    std::vector<store::OutboxRecord> waiting;
    EXPECT_THAT(agency_.store().Read([&](const store::Transaction& transaction) -> Status {
      COMITY_ASSIGN_OR_RETURN(waiting, transaction.outbox().Waiting(peer, 1000));
      return {};
    }),
                testing::IsOk());
    return waiting;
  }
  void Acknowledge(const store::OutboxRecord& message) {
    MustCommit([&](store::Transaction& transaction, audit::Recorder&) {
      return transaction.outbox().Acknowledge(message.number, "receipt", agency_.clock.Now());
    });
  }
  std::vector<identity::StoredNotice> NoticesFor(identity::Role role) {
    return notices_.List(identity::RoleSet{role}, 0, false, 100).value();
  }

  testing::AgencyStore agency_;
  Outbox outbox_{Outbox::Setup{agency_.own, agency_.clock, agency_.random}};
  identity::Notices notices_{{agency_.store(), agency_.journal(), agency_.own, agency_.clock}};
};

}  // namespace comity::oversight
