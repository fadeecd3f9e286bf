// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/identify_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/result_matchers.h"

namespace comity::gateway {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;

constexpr std::uint32_t kDimension = 32;

void SetEmbedding(v1::IdentifyRequest& request, const std::vector<float>& values) {
  request.set_embedding(values.data(), values.size() * sizeof(float));
}

v1::IdentifyRequest Good() {
  v1::IdentifyRequest request;
  request.add_agreements("northshire-eastvale-2026");
  request.set_purpose("court-order-arrest");
  request.set_case_ref("NP-2026-0042");
  request.mutable_offence()->set_code("theft-act-1968-s8");
  request.mutable_offence()->set_max_penalty_years(14);
  request.set_aim(v1::SEARCH_AIM_IDENTIFY);
  request.set_subject_status(v1::SUBJECT_STATUS_SUSPECT);
  request.mutable_engine()->set_name("facenet");
  request.mutable_engine()->set_version("20180402");
  request.mutable_engine()->set_dimension(kDimension);
  std::vector<float> values(kDimension);
  values[3] = 1;
  SetEmbedding(request, values);
  request.set_threshold(0.6);
  request.add_list_categories("wanted-by-courts");
  request.add_holders("northshire-police");
  request.set_deadline_ms(2000);
  request.set_mode(v1::SEARCH_MODE_DIRECT);
  request.set_capture_ref("desk-17");
  return request;
}

Result<IdentifyAsked> Parse(const v1::IdentifyRequest& request) {
  identity::Caller caller;
  caller.person = policy::PersonId::Parse("ada").value();
  return ParseIdentify(request, policy::AgencyId::Parse("eastvale-council").value(), caller);
}

TEST(IdentifyRequest, IsReadAsItWasAsked) {
  const v1::IdentifyRequest request = Good();
  const auto asked = Parse(request);
  ASSERT_THAT(asked, IsOk());
  EXPECT_EQ(asked->order.operator_id, "ada");
  EXPECT_EQ(asked->order.case_ref, "NP-2026-0042");
  EXPECT_EQ(asked->order.aim, matching::SearchAim::kIdentify);
  EXPECT_EQ(asked->order.subject_status, matching::SubjectStatus::kSuspect);
  EXPECT_EQ(asked->deadline, std::chrono::seconds(2));
  EXPECT_EQ(asked->capture_ref, "desk-17");
  EXPECT_EQ(asked->holders.at(0).text(), "northshire-police");
  EXPECT_EQ(asked->embedding.size(), kDimension * sizeof(float));
}

TEST(IdentifyRequest, NeedsNeitherAgreementsHoldersOffenceNorCapture) {
  v1::IdentifyRequest request = Good();
  request.clear_agreements();
  request.clear_holders();
  request.clear_offence();
  request.clear_capture_ref();
  request.clear_deadline_ms();
  const auto asked = Parse(request);
  ASSERT_THAT(asked, IsOk());
  EXPECT_TRUE(asked->holders.empty());
  EXPECT_FALSE(asked->order.offence.has_value());
  EXPECT_EQ(asked->deadline, kDefaultIdentifyDeadline);
}

struct Malformed {
  std::string name;
  std::string says;
  std::function<void(v1::IdentifyRequest&)> change;
};
void PrintTo(const Malformed& one, std::ostream* out) {
  *out << one.name;
}

class MalformedIdentify : public ::testing::TestWithParam<Malformed> {};

TEST_P(MalformedIdentify, IsRefusedByTheNameOfItsField) {
  v1::IdentifyRequest request = Good();
  GetParam().change(request);
  const auto asked = Parse(request);
  ASSERT_THAT(asked, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(asked.error().detail, HasSubstr(GetParam().says));
}

std::vector<Malformed> Cases() {
  const auto embed = [](std::function<void(std::vector<float>&)> change) {
    return [change](v1::IdentifyRequest& request) {
      std::vector<float> values(kDimension);
      values[0] = 1;
      change(values);
      SetEmbedding(request, values);
    };
  };
  return {
      {"NoPurpose", "purpose", [](auto& r) { r.clear_purpose(); }},
      {"PurposeOfNoForm", "purpose", [](auto& r) { r.set_purpose("Court Order"); }},
      {"NoCase", "case_ref", [](auto& r) { r.clear_case_ref(); }},
      {"LongCase", "case_ref", [](auto& r) { r.set_case_ref(std::string(65, 'x')); }},
      {"CaseWithLineFeed", "case_ref", [](auto& r) { r.set_case_ref("a\nb"); }},
      {"OffenceWithoutCode", "offence.code", [](auto& r) { r.mutable_offence()->clear_code(); }},
      {"MoreThanLife", "offence.max_penalty_years",
       [](auto& r) { r.mutable_offence()->set_max_penalty_years(100); }},
      {"NoAim", "aim", [](auto& r) { r.clear_aim(); }},
      {"UnknownAim", "aim", [](auto& r) { r.set_aim(static_cast<v1::SearchAim>(9)); }},
      {"NoStatus", "subject_status", [](auto& r) { r.clear_subject_status(); }},
      {"UnknownStatus", "subject_status",
       [](auto& r) { r.set_subject_status(static_cast<v1::SubjectStatus>(99)); }},
      {"NoEngine", "engine", [](auto& r) { r.clear_engine(); }},
      {"SmallDimension", "engine.dimension",
       [](auto& r) { r.mutable_engine()->set_dimension(31); }},
      {"NoThreshold", "threshold", [](auto& r) { r.clear_threshold(); }},
      {"ThresholdNotANumber", "threshold",
       [](auto& r) { r.set_threshold(std::numeric_limits<double>::quiet_NaN()); }},
      {"NoCategory", "list_categories", [](auto& r) { r.clear_list_categories(); }},
      {"UnknownCategory", "list_categories", [](auto& r) { r.add_list_categories("everybody"); }},
      {"CategoryTwice", "list_categories",
       [](auto& r) { r.add_list_categories("wanted-by-courts"); }},
      {"TooManyCategories", "list_categories",
       [](auto& r) {
         for (int i = 0; i < 16; ++i) r.add_list_categories("c" + std::to_string(i));
       }},
      {"UnknownMode", "mode", [](auto& r) { r.set_mode(static_cast<v1::SearchMode>(7)); }},
      {"AgreementOfNoForm", "agreements", [](auto& r) { r.add_agreements("X"); }},
      {"AgreementTwice", "agreements",
       [](auto& r) { r.add_agreements("northshire-eastvale-2026"); }},
      {"TooManyAgreements", "agreements",
       [](auto& r) {
         for (int i = 0; i < 32; ++i) r.add_agreements("a" + std::to_string(i));
       }},
      {"HolderOfNoForm", "holders", [](auto& r) { r.add_holders(""); }},
      {"HolderTwice", "holders", [](auto& r) { r.add_holders("northshire-police"); }},
      {"OwnAgencyAsHolder", "holders", [](auto& r) { r.add_holders("eastvale-council"); }},
      {"TooManyHolders", "holders",
       [](auto& r) {
         for (int i = 0; i < 32; ++i) r.add_holders("h" + std::to_string(i));
       }},
      {"ShortDeadline", "deadline_ms", [](auto& r) { r.set_deadline_ms(99); }},
      {"LongDeadline", "deadline_ms", [](auto& r) { r.set_deadline_ms(10'001); }},
      {"LongCapture", "capture_ref", [](auto& r) { r.set_capture_ref(std::string(129, 'x')); }},
      {"NoTemplate", "embedding", [](auto& r) { r.clear_embedding(); }},
      {"TemplateOfAnotherLength", "embedding",
       [](auto& r) { r.mutable_embedding()->append(4, '\0'); }},
      {"TemplateNotUnit", "embedding", embed([](auto& values) { values[1] = 1; })},
      {"TemplateNotFinite", "embedding",
       embed([](auto& values) { values[1] = std::numeric_limits<float>::infinity(); })},
  };
}

INSTANTIATE_TEST_SUITE_P(Fields, MalformedIdentify, ::testing::ValuesIn(Cases()),
                         [](const auto& request) { return request.param.name; });

}  // namespace
}  // namespace comity::gateway
