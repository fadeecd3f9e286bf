// SPDX-License-Identifier: Apache-2.0
#include "services/store/notice_store.h"

#include "services/store/setting_store.h"
#include "tests/conformance/store_conformance.h"

namespace comity::store {
namespace {

using policy::PersonId;
using testing::FailsWith;
using testing::IsOk;
using Roles = std::vector<std::string>;

NoticeRecord MakeNotice(const Roles& roles) {
  NoticeRecord notice;
  notice.kind = "alarm";
  notice.subject = "list lantern";
  notice.words = "More hits than expected.";
  notice.at = At(5);
  for (const std::string& role : roles) notice.audience.push_back({role, std::nullopt, {}});
  return notice;
}
auto Add(const Roles& roles) {
  return [=](Transaction& t) -> Status {
    COMITY_RETURN_IF_ERROR(t.notices().Add(MakeNotice(roles)));
    return {};
  };
}
auto Acknowledge(std::uint64_t number, const Roles& roles, std::string_view by) {
  const auto person = MakeId<PersonId>(by);
  return [=](Transaction& t) { return t.notices().Acknowledge(number, roles, person, At(9)); };
}
auto Listed(const Roles& roles, bool open = true, std::uint64_t after = 0,
            std::uint32_t limit = 10) {
  return [=](const Transaction& t) { return t.notices().List(roles, after, open, limit); };
}
std::vector<std::uint64_t> Numbers(const std::vector<NoticeRecord>& notices) {
  std::vector<std::uint64_t> numbers;
  for (const NoticeRecord& notice : notices) numbers.push_back(notice.number);
  return numbers;
}
using Numbered = std::vector<std::uint64_t>;

TEST_P(NoticeStoreConformance, GivesBackEveryField) {
  ASSERT_THAT(Write(Add({"supervisor", "dpo"})), IsOk());
  ASSERT_THAT(Write(Acknowledge(1, {"dpo"}, "amira")), IsOk());
  Reopen();
  const auto all = Get(Listed({"dpo"}, false)).value();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].number, 1U);
  EXPECT_EQ(all[0].kind, "alarm");
  EXPECT_EQ(all[0].subject, "list lantern");
  EXPECT_EQ(all[0].words, "More hits than expected.");
  EXPECT_EQ(all[0].at, At(5));
  ASSERT_EQ(all[0].audience.size(), 2U);
  EXPECT_EQ(all[0].audience[0].role, "dpo");
  EXPECT_EQ(all[0].audience[0].acknowledged_by->text(), "amira");
  EXPECT_EQ(all[0].audience[0].acknowledged_at, At(9));
  EXPECT_EQ(all[0].audience[1].role, "supervisor");
  EXPECT_FALSE(all[0].audience[1].acknowledged_by);
}

TEST_P(NoticeStoreConformance, NumbersThemFromOneAcrossARestart) {
  ASSERT_THAT(Write(Add({"dpo"})), IsOk());
  Reopen();
  ASSERT_THAT(Write(Add({"dpo"})), IsOk());
  EXPECT_EQ(Numbers(Get(Listed({"dpo"})).value()), (Numbered{1, 2}));
}

TEST_P(NoticeStoreConformance, GivesEachRoleItsOwn) {
  ASSERT_THAT(Write(Add({"dpo"})), IsOk());
  ASSERT_THAT(Write(Add({"operator"})), IsOk());
  ASSERT_THAT(Write(Add({"operator", "dpo"})), IsOk());
  EXPECT_EQ(Numbers(Get(Listed({"dpo"})).value()), (Numbered{1, 3}));
  EXPECT_EQ(Numbers(Get(Listed({"operator"})).value()), (Numbered{2, 3}));
  EXPECT_EQ(Numbers(Get(Listed({"dpo", "operator"})).value()), (Numbered{1, 2, 3}));
  EXPECT_EQ(Numbers(Get(Listed({"auditor"})).value()), Numbered{});
  EXPECT_EQ(Numbers(Get(Listed({})).value()), Numbered{});
}

TEST_P(NoticeStoreConformance, TakesARoleForNoOtherThatItsNameIsAPartOf) {
  ASSERT_THAT(Write(Add({"key-administrator"})), IsOk());
  EXPECT_EQ(Numbers(Get(Listed({"administrator"})).value()), Numbered{});
}

TEST_P(NoticeStoreConformance, IsOpenUntilEachRoleHasAcknowledged) {
  ASSERT_THAT(Write(Add({"dpo", "operator"})), IsOk());
  ASSERT_THAT(Write(Acknowledge(1, {"operator", "auditor"}, "amira")), IsOk());
  EXPECT_EQ(Numbers(Get(Listed({"operator"})).value()), Numbered{});
  EXPECT_EQ(Numbers(Get(Listed({"dpo"})).value()), Numbered{1});
  EXPECT_EQ(Numbers(Get(Listed({"operator"}, false)).value()), Numbered{1});
}

TEST_P(NoticeStoreConformance, IsAcknowledgedOnceForARole) {
  ASSERT_THAT(Write(Add({"dpo", "operator"})), IsOk());
  EXPECT_THAT(Write(Acknowledge(2, {"dpo"}, "amira")), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(Write(Acknowledge(1, {"auditor"}, "amira")), FailsWith(ErrorCode::kNotFound));
  ASSERT_THAT(Write(Acknowledge(1, {"dpo"}, "amira")), IsOk());
  EXPECT_THAT(Write(Acknowledge(1, {"dpo"}, "bela")), FailsWith(ErrorCode::kConflict));
  ASSERT_THAT(Write(Acknowledge(1, {"dpo", "operator"}, "bela")), IsOk());
  const auto notice = Get(Listed({"dpo"}, false)).value().at(0);
  EXPECT_EQ(notice.audience[0].acknowledged_by->text(), "amira");
  EXPECT_EQ(notice.audience[1].acknowledged_by->text(), "bela");
}

TEST_P(NoticeStoreConformance, ListsThoseAboveANumberOldestFirst) {
  for (int i = 0; i < 5; ++i) ASSERT_THAT(Write(Add({"dpo"})), IsOk());
  EXPECT_EQ(Numbers(Get(Listed({"dpo"}, true, 2)).value()), (Numbered{3, 4, 5}));
  EXPECT_EQ(Numbers(Get(Listed({"dpo"}, false, 1, 2)).value()), (Numbered{2, 3}));
}

auto Put(std::string name, std::string value) {
  return [=](Transaction& t) { return t.settings().Put(name, value); };
}
auto Find(std::string name) {
  return [=](const Transaction& t) { return t.settings().Find(name); };
}

TEST_P(SettingStoreConformance, RemembersTheLastValueOfEachName) {
  EXPECT_EQ(Get(Find("a")).value(), std::nullopt);
  ASSERT_THAT(Write(Put("a", "1")), IsOk());
  ASSERT_THAT(Write(Put("b", "")), IsOk());
  ASSERT_THAT(Write(Put("a", "2")), IsOk());
  Reopen();
  EXPECT_EQ(Get(Find("a")).value(), "2");
  EXPECT_EQ(Get(Find("b")).value(), "");
}

}  // namespace
}  // namespace comity::store
