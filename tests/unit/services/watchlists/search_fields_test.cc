// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "services/watchlists/entry_fields.h"

namespace comity::watchlists {
namespace {

TEST(SearchFields, AreReadOfTheMembersWhereTheyBelongAlone) {
  const auto read = [](const char* text) -> std::string {
    const auto fields = ReadSearchFields(text);
    if (!fields) return fields.error().code == ErrorCode::kCorrupt ? "corrupt" : "another error";
    return fields->response_code +
           (fields->subject == policy::SubjectCategory::kSuspect ? "" : ", another subject");
  };
  EXPECT_EQ(read(R"({"subject_category":"suspect","response":{"priority":"red","text":"stop"}})"),
            "red: stop");
  EXPECT_EQ(read(R"({"response":{"text":"stop","priority":"red","officer_safety_code":"dogs"},)"
                 R"("subject_category":"suspect","text":"x","n":[1,-2,3.5,null,true]})"),
            "red: stop [safety: dogs]");
  // What is deeper, beside, or within another member is something else.
  EXPECT_EQ(read(R"({"subject_category":"suspect","response":{"priority":"red","text":"stop",)"
                 R"("more":{"text":"x","priority":"x"},"list":["x",{"text":"y"}]},)"
                 R"("image":{"text":"z","priority":"z","subject_category":"victim"}})"),
            "red: stop");
  EXPECT_EQ(read(R"({"subject_category":"suspect","priority":"red","text":"stop"})"), "corrupt");
  EXPECT_EQ(read(R"({"subject_category":"suspect","image":{"priority":"red","text":"stop"}})"),
            "corrupt");
  EXPECT_EQ(read(R"({"subject_category":"suspect","response":[{"priority":"red","text":"s"}]})"),
            "corrupt");
  EXPECT_EQ(read(R"([{"subject_category":"suspect","response":{"priority":"red","text":"s"}}])"),
            "corrupt");
  EXPECT_EQ(read(R"({"subject_category":["suspect"],"response":{"priority":"red","text":"s"}})"),
            "corrupt");
  EXPECT_EQ(read(R"({"subject_category":"suspect","response":{"priority":7,"text":"stop"}})"),
            "corrupt");
  EXPECT_EQ(read(R"({"subject_category":"suspect","response":{"priority":"red"}})"), "corrupt");
  EXPECT_EQ(read(R"({"subject_category":"nobody","response":{"priority":"red","text":"s"}})"),
            "corrupt");
  // Of two of one name the last counts, also where it is no text.
  EXPECT_EQ(read(R"({"subject_category":"suspect","response":{"priority":"red","text":"stop"},)"
                 R"("response":{"priority":"green","text":"look"}})"),
            "green: look");
  EXPECT_EQ(read(R"({"subject_category":"suspect","response":{"priority":"red","text":"stop"},)"
                 R"("response":"none"})"),
            "corrupt");
  for (const char* const broken : {"", "{", "null", "[]", "7",
                                   R"({"subject_category":"suspect","response":{"priority":"red",)"
                                   R"("text":"stop"}}x)"}) {
    EXPECT_EQ(read(broken), "corrupt") << broken;
  }
}

}  // namespace
}  // namespace comity::watchlists
