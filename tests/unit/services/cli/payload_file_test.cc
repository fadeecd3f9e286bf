// SPDX-License-Identifier: Apache-2.0
#include "services/cli/payload_file.h"

#include <gmock/gmock.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace comity::cli {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;
using Json = nlohmann::ordered_json;

PayloadOpenings Sample() {
  v1::OpenedEntry entry;
  entry.set_index(812);
  entry.set_entry(R"({"type":"search-opened","v":1})");
  entry.set_record_key(std::string(32, 'k'));
  v1::OpenedField& text = *entry.add_fields();
  text.set_name("operator");
  text.set_octets("j-smith \xc3\xa9");
  v1::OpenedField& octets = *entry.add_fields();
  octets.set_name("request");
  octets.set_octets(std::string("\xff\x00\x80", 3));
  v1::OpenedCommitment& officer = *entry.add_commitments();
  officer.set_kind("officer");
  officer.set_day("2026-11-25");
  officer.set_key(std::string(32, 'o'));
  officer.set_value(std::string(32, 'v'));
  v1::OpenedEntry erased;
  erased.set_index(813);
  erased.set_entry("{}");
  erased.set_erased(true);
  erased.mutable_period_ended()->set_seconds(1'700'000'000);
  return {"p-abcdefghijklmnopqrstuvwxyz", {entry, erased}};
}

class PayloadFile : public ::testing::Test {
 protected:
  Result<PayloadOpenings> Read(const std::string& text) const {
    const auto path = folder_.path() / "opened.json";
    std::ofstream(path, std::ios::binary) << text;
    return ReadPayloadOpenings(path);
  }
  Result<PayloadOpenings> ReadAltered(const std::function<void(Json&)>& alter) const {
    Json json = Json::parse(EncodePayloadOpenings(Sample()));
    alter(json);
    return Read(json.dump());
  }

  testing::TemporaryDirectory folder_;
};

TEST_F(PayloadFile, KeepsTextsOctetsAndTimes) {
  const auto read = Read(EncodePayloadOpenings(Sample()));
  ASSERT_THAT(read, IsOk());
  const PayloadOpenings sample = Sample();
  EXPECT_EQ(read->approval, sample.approval);
  ASSERT_EQ(read->entries.size(), sample.entries.size());
  for (std::size_t i = 0; i < sample.entries.size(); ++i) {
    EXPECT_EQ(read->entries[i].SerializeAsString(), sample.entries[i].SerializeAsString());
  }
}

TEST_F(PayloadFile, ShowsTextAsText) {
  EXPECT_THAT(EncodePayloadOpenings(Sample()), HasSubstr("\"text\": \"j-smith \xc3\xa9\""));
}

TEST_F(PayloadFile, RefusesWhatIsMissingOrOfAnotherFormByItsName) {
  const auto refused = [&](const char* member, const std::function<void(Json&)>& alter) {
    const auto read = ReadAltered(alter);
    ASSERT_THAT(read, FailsWith(ErrorCode::kInvalidArgument)) << member;
    EXPECT_THAT(read.error().detail, HasSubstr("'" + std::string(member) + "'"));
  };
  refused("format", [](Json& json) { json["format"] = "comity-payload-opening/2"; });
  refused("approval", [](Json& json) { json.erase("approval"); });
  refused("entries", [](Json& json) { json["entries"] = Json::array(); });
  refused("entries", [](Json& json) { json["entries"] = Json(65, json["entries"][1]); });
  refused("index", [](Json& json) { json["entries"][0]["index"] = -1; });
  refused("entry", [](Json& json) { json["entries"][0]["entry"] = 7; });
  refused("entry", [](Json& json) { json["entries"][0] = "entry"; });
  refused("erased", [](Json& json) { json["entries"][0].erase("erased"); });
  refused("period_ended", [](Json& json) { json["entries"][1]["period_ended"] = "soon"; });
  refused("key", [](Json& json) { json["entries"][0]["key"] = "no base64"; });
  refused("fields", [](Json& json) { json["entries"][0].erase("fields"); });
  refused("name", [](Json& json) { json["entries"][0]["fields"][0].erase("name"); });
  refused("base64", [](Json& json) { json["entries"][0]["fields"][1]["base64"] = "%"; });
  refused("kind", [](Json& json) { json["entries"][0]["commitments"][0].erase("kind"); });
  refused("value", [](Json& json) { json["entries"][0]["commitments"][0]["value"] = 1; });
}

TEST_F(PayloadFile, RefusesWhatIsNoJson) {
  EXPECT_THAT(Read(""), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Read("[[[["), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Read("[]"), FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace comity::cli
