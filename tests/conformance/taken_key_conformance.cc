// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <string>
#include <vector>

#include "services/store/agreement_life_store.h"
#include "services/store/approval_store.h"
#include "services/store/deployment_store.h"
#include "services/store/holding_store.h"
#include "services/store/outbox_store.h"
#include "services/store/retention_store.h"
#include "services/store/sealed_list_store.h"
#include "services/store/setting_store.h"
#include "services/store/stop_store.h"
#include "tests/conformance/store_conformance.h"

namespace comity::store {
namespace {

using policy::AgencyId;
using policy::AgreementId;
using policy::PersonId;
using testing::FailsWith;
using testing::IsOk;

struct Addition {
  std::string name;
  std::function<Status(Transaction&)> add;
};

template <typename Value>
Status WithoutValue(const Result<Value>& result) {
  if (!result) return Fail(result.error());
  return {};
}

AgencyId East() {
  return MakeId<AgencyId>("eastvale-council");
}
AgreementId One() {
  return MakeId<AgreementId>("one");
}

Status AddDeployment(Transaction& t) {
  DeploymentRecord deployment;
  deployment.id = MakeId<policy::DeploymentId>("d-1");
  return t.deployments().Add(deployment);
}

Status AddList(Transaction& t) {
  WatchlistRecord list;
  list.reference = MakeId<policy::WatchlistId>("lantern");
  return t.watchlists().AddList(list);
}

// The first makes the list; both add the same entry.
Status AddEntry(Transaction& t) {
  if (!t.watchlists().List(MakeId<policy::WatchlistId>("ember"))) {
    WatchlistRecord list;
    list.reference = MakeId<policy::WatchlistId>("ember");
    list.imports = 1;
    COMITY_RETURN_IF_ERROR(t.watchlists().AddList(list));
  }
  EntryRecord entry;
  entry.reference = "NP-1";
  entry.category = MakeId<policy::ListCategory>("missing");
  return t.watchlists().AddEntries(MakeId<policy::WatchlistId>("ember"), 1, {{entry}});
}

// The id is another one each time, the content the same.
Status AddApproval(Transaction& t) {
  ApprovalRecord approval;
  approval.id = t.approvals().Get("p-1") ? "p-2" : "p-1";
  approval.act = "deployment-start";
  approval.proposed_by = MakeId<PersonId>("amira");
  return t.approvals().Add(approval);
}

Status AddMessage(Transaction& t) {
  OutboxRecord message;
  message.peer = East();
  message.id = std::string(26, 'a');
  return WithoutValue(t.outbox().Add(message));
}

Status AddHold(Transaction& t) {
  HoldRecord hold;
  hold.record_class = "alert";
  hold.reference = "a-1";
  hold.held_by = MakeId<PersonId>("amira");
  hold.approved_by = MakeId<PersonId>("bela");
  return WithoutValue(t.retention().AddHold(hold));
}

Status AddDeletion(Transaction& t) {
  DeletionRecord deletion;
  deletion.agreement = One();
  deletion.version = 1;
  deletion.holder = East();
  return t.holdings().AddDeletion(deletion);
}

Status AddSealedList(Transaction& t) {
  SealedListRecord list;
  list.header = MakeDigest(1);
  list.list = MakeId<policy::WatchlistId>("lantern");
  list.requester = East();
  list.agreement = One();
  list.agreement_version = 1;
  list.purpose = MakeId<policy::PurposeCode>("court-order-arrest");
  list.epoch = 1;
  list.sequence = 1;
  return t.sealed_lists().Add(list);
}

Status AddStop(Transaction& t) {
  StopRecord stop;
  stop.id = "stop-1";
  stop.scope = StopScope::kPartner;
  return t.stops().Add(stop);
}

std::vector<Addition> Additions() {
  // Another document of the same version each time.
  const auto add_document = [](Transaction& t) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto known, t.agreements().Documents());
    return t.agreements().AddDocument(
        {One(), 1, MakeDigest(1), "version " + std::to_string(known.size()), At(1)});
  };
  return {
      {"agreement", add_document},
      {"statement",
       [](Transaction& t) {
         return t.agreements().AddStatement({MakeDigest(1), One(), "{}", {}});
       }},
      {"mark",
       [](Transaction& t) {
         return t.agreement_life().Mark({{One(), 1, MakeDigest(1)}, "reminded", At(1)});
       }},
      {"deployment", AddDeployment},
      {"list", AddList},
      {"entry", AddEntry},
      {"approval", AddApproval},
      {"message", AddMessage},
      {"received",
       [](Transaction& t) {
         return t.outbox().Receive({East(), std::string(26, 'a'), "notice", MakeDigest(1), "", {}});
       }},
      {"replay", [](Transaction& t) { return t.replays().Remember(East(), "x-1", At(1)); }},
      {"hold", AddHold},
      {"deletion", AddDeletion},
      {"sealed list", AddSealedList},
      {"stop", AddStop},
      {"checkpoint", [](Transaction& t) { return t.checkpoints().Save({1, "one"}); }},
  };
}

}  // namespace

// A database may give the whole unit of work up when one statement fails: a key that is taken is no
// such failure.
TEST_P(UnitOfWorkConformance, KeepsTheRestOfAUnitInWhichAKeyWasTaken) {
  for (const Addition& addition : Additions()) {
    EXPECT_THAT(Write([&](Transaction& t) -> Status {
                  EXPECT_THAT(addition.add(t), IsOk()) << addition.name;
                  EXPECT_THAT(addition.add(t), FailsWith(ErrorCode::kConflict)) << addition.name;
                  return t.settings().Put(addition.name, "went on");
                }),
                IsOk())
        << addition.name;
    const auto found = Get([&](const Transaction& t) { return t.settings().Find(addition.name); });
    EXPECT_EQ(found->value_or(""), "went on") << addition.name;
  }
}

TEST_P(UnitOfWorkConformance, RefusesAKeyThatAnotherUnitTook) {
  for (const Addition& addition : Additions()) {
    EXPECT_THAT(Write(addition.add), IsOk()) << addition.name;
    EXPECT_THAT(Write(addition.add), FailsWith(ErrorCode::kConflict)) << addition.name;
  }
}

}  // namespace comity::store
