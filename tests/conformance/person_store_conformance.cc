// SPDX-License-Identifier: Apache-2.0
#include "services/store/person_store.h"

#include "tests/conformance/store_conformance.h"

namespace comity::store {
namespace {

using policy::PersonId;
using testing::IsOk;

PersonRecord MakePerson(std::string_view id) {
  PersonRecord person;
  person.id = MakeId<PersonId>(id);
  person.post = "Data Protection Officer";
  person.roles = {"operator", "dpo"};
  person.tls_key = MakeDigest(3);
  person.signing_key = "ed25519:AAAA";
  person.vouched = R"({"payload":"e30="})";
  person.added_at = At(1);
  person.changed_at = At(2);
  return person;
}
auto Put(const PersonRecord& person) {
  return [=](Transaction& t) { return t.people().Put(person); };
}
auto All(const Transaction& t) {
  return t.people().All();
}

TEST_P(PersonStoreConformance, GivesBackEveryField) {
  ASSERT_THAT(Write(Put(MakePerson("j-smith"))), IsOk());
  Reopen();
  const auto all = Get(All).value();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].id.text(), "j-smith");
  EXPECT_EQ(all[0].post, "Data Protection Officer");
  EXPECT_EQ(all[0].roles, (std::vector<std::string>{"operator", "dpo"}));
  EXPECT_EQ(all[0].tls_key, MakeDigest(3));
  EXPECT_EQ(all[0].signing_key, "ed25519:AAAA");
  EXPECT_EQ(all[0].vouched, R"({"payload":"e30="})");
  EXPECT_EQ(all[0].state, PersonState::kActive);
  EXPECT_EQ(all[0].added_at, At(1));
  EXPECT_EQ(all[0].changed_at, At(2));
}

TEST_P(PersonStoreConformance, ReplacesTheRecordOfAnIdWhole) {
  ASSERT_THAT(Write(Put(MakePerson("j-smith"))), IsOk());
  PersonRecord changed = MakePerson("j-smith");
  changed.post = "Clerk";
  changed.roles = {"auditor"};
  changed.tls_key = MakeDigest(4);
  changed.signing_key = "ed25519:BBBB";
  changed.vouched = "{}";
  changed.state = PersonState::kRevoked;
  changed.added_at = At(3);
  changed.changed_at = At(4);
  ASSERT_THAT(Write(Put(changed)), IsOk());
  const auto all = Get(All).value();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].post, "Clerk");
  EXPECT_EQ(all[0].roles, (std::vector<std::string>{"auditor"}));
  EXPECT_EQ(all[0].tls_key, MakeDigest(4));
  EXPECT_EQ(all[0].signing_key, "ed25519:BBBB");
  EXPECT_EQ(all[0].vouched, "{}");
  EXPECT_EQ(all[0].state, PersonState::kRevoked);
  EXPECT_EQ(all[0].added_at, At(3));
  EXPECT_EQ(all[0].changed_at, At(4));
}

TEST_P(PersonStoreConformance, GivesThemById) {
  ASSERT_THAT(Write(Put(MakePerson("zoe"))), IsOk());
  ASSERT_THAT(Write(Put(MakePerson("abe"))), IsOk());
  const auto all = Get(All).value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].id.text(), "abe");
  EXPECT_EQ(all[1].id.text(), "zoe");
}

}  // namespace
}  // namespace comity::store
