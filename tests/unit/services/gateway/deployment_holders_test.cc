// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/deployment_holders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/result_matchers.h"

namespace comity::gateway {
namespace {

using policy::AgencyId;
using policy::AgreementId;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

template <typename Id>
Id Named(const std::string& text) {
  return Id::Parse(text).value();
}

const AgencyId& Self() {
  static const auto self = Named<AgencyId>("eastvale-council");
  return self;
}

// An agreement of two parties with a permission from the first to the second.
policy::AgreementInput Agreement(const std::string& id, const std::string& requester,
                                 const std::string& holder) {
  policy::Agreement agreement;
  agreement.id = Named<AgreementId>(id);
  agreement.version = 1;
  for (const std::string& party : {requester, holder}) {
    agreement.parties.emplace_back().agency = Named<AgencyId>(party);
  }
  policy::SearchPermission& permission = agreement.permissions.emplace_back();
  permission.id = "p1";
  permission.requester = Named<AgencyId>(requester);
  permission.holder = Named<AgencyId>(holder);
  return {std::move(agreement), {}, {}};
}

policy::AgreementSet Set() {
  auto set = policy::AgreementSet::Build({
      Agreement("a1", "eastvale-council", "northshire-police"),
      Agreement("a2", "eastvale-council", "northshire-police"),
      Agreement("a3", "eastvale-council", "riverside-health"),
      Agreement("a4", "northshire-police", "eastvale-council"),
      Agreement("a5", "northshire-police", "riverside-health"),
  });
  return *std::move(set);
}

std::vector<AgreementId> Ids(std::initializer_list<std::string> texts) {
  std::vector<AgreementId> ids;
  for (const std::string& text : texts) ids.push_back(Named<AgreementId>(text));
  return ids;
}

TEST(HoldersOf, JoinsTheAgreementsWithOneHolderInTheirOrder) {
  EXPECT_THAT(HoldersOf(Ids({"a2", "a3", "a1"}), Set(), Self(), {}),
              ElementsAre(AskedHolder{Named<AgencyId>("northshire-police"), Ids({"a2", "a1"})},
                          AskedHolder{Named<AgencyId>("riverside-health"), Ids({"a3"})}));
}

TEST(HoldersOf, PassesOverWhatIsUnknownOrBetweenOthers) {
  EXPECT_THAT(HoldersOf(Ids({"a5", "a9"}), Set(), Self(), {}), IsEmpty());
}

TEST(AllHolders, AreThoseWhomSomeAgreementLetsThisAgencySearch) {
  EXPECT_THAT(AllHolders(Set(), Self(), {}),
              ElementsAre(AskedHolder{Named<AgencyId>("northshire-police"), Ids({"a1", "a2"})},
                          AskedHolder{Named<AgencyId>("riverside-health"), Ids({"a3"})}));
}

}  // namespace
}  // namespace comity::gateway
