// SPDX-License-Identifier: Apache-2.0
// A face that is withdrawn, and twenty partners that were told of it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "comity/v1/holdings.grpc.pb.h"
#include "tests/integration/live_acts.h"
#include "tests/integration/live_agency.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t kPartners = 20;
constexpr std::size_t kLists = 2;  // a list is bound to at most 16 agreements
constexpr std::uint32_t kDimension = 128;

class WithdrawalScale : public ::testing::Test {
 protected:
  void SetUp() override {
    std::vector<const LiveAgency*> peers;
    for (std::size_t i = 0; i < kPartners; ++i) {
      partners_.push_back(std::make_unique<LiveAgency>(fmt::format("partner-{:02}", i)));
      peers.push_back(partners_.back().get());
    }
    for (const auto& partner : partners_) partner->Start({&police_});
    police_.Start(peers);
    AwaitPartners(police_);
    for (const auto& partner : partners_) AwaitPartners(*partner);
    for (std::size_t i = 0; i < kPartners; ++i) Agree(i);
    AwaitInForce(police_, kPartners);
    face_[0] = 1;
    for (std::size_t list = 0; list < kLists; ++list) FillList(police_, List(list), {face_});
  }
  policy::Instant Whole() const { return std::chrono::floor<std::chrono::seconds>(clock_.Now()); }
  std::string AgreementId(std::size_t i) const { return "with-" + std::to_string(i); }
  static std::string ListName(std::size_t list) { return "lantern-" + std::to_string(list); }
  DefinitionText List(std::size_t list) const {
    DefinitionText text;
    text.reference = ListName(list);
    for (std::size_t i = list; i < kPartners; i += kLists) {
      text.agreements.push_back(AgreementId(i));
    }
    text.starts_at = Whole() - 1h;
    text.ends_at = Whole() + 20h;
    return text;
  }
  void Agree(std::size_t i) {
    AgreementText text;
    text.id = AgreementId(i);
    text.requester = partners_[i]->party_keys();
    text.holder = police_.party_keys();
    text.effective_from = Whole() - 24h;
    text.effective_until = Whole() + 24h * 30;
    text.attachment_until = text.effective_until;
    const std::string yaml = WriteAgreement(text);
    refs_.push_back(RefOf(text, yaml));
    for (LiveAgency* agency : {&police_, partners_[i].get()}) agency->SubmitDocument(yaml);
    for (LiveAgency* agency : {&police_, partners_[i].get()}) agency->Approve(refs_.back());
  }
  // The partner asks, and is told of the entry.
  void Hit(std::size_t i) {
    const auto requester =
        UncheckedRequester::Create(partners_[i]->unchecked_towards(police_), clock_);
    ASSERT_THAT(requester, IsOk());
    policy::SearchRequest terms;
    terms.requester = policy::AgencyId::Parse(partners_[i]->name()).value();
    terms.holder = policy::AgencyId::Parse(police_.name()).value();
    terms.agreement = refs_[i];
    terms.purpose = policy::PurposeCode::Parse("court-order-arrest").value();
    terms.role = policy::RequesterRole::kEngine;
    terms.use = policy::UseMode::kLive;
    terms.mode = policy::SearchMode::kDirect;
    terms.list_categories = {policy::ListCategory::Parse("wanted-by-courts").value()};
    terms.engine = policy::EngineProfile{"facenet", "20180402", kDimension};
    terms.threshold = 0.6;
    ASSERT_THAT((*requester)->Open(terms), IsOk());
    const auto answer = (*requester)->Probe(face_, refs_[i]);
    ASSERT_THAT(answer, IsOk());
    ASSERT_EQ(answer->hits_size(), 1) << answer->DebugString();
  }
  v1::HoldersResponse Holders() {
    grpc::ClientContext context;
    v1::HoldersRequest request;
    v1::HoldersResponse response;
    request.set_reference("ref-0");
    EXPECT_TRUE(holdings_->OfReference(&context, request, &response).ok());
    return response;
  }
  std::size_t Acknowledged() {
    const v1::HoldersResponse response = Holders();
    return static_cast<std::size_t>(
        std::ranges::count_if(response.holders(), [](const v1::EntryHolder& holder) {
          return holder.answer().has_acknowledged_at() && holder.answer().receipt_verified();
        }));
  }

  runtime::SystemClock clock_;
  LiveAgency police_{"northshire-police"};
  std::vector<std::unique_ptr<LiveAgency>> partners_;
  std::vector<policy::AgreementRef> refs_;
  std::vector<float> face_ = std::vector<float>(kDimension);
  std::unique_ptr<v1::Holdings::Stub> holdings_;
};

TEST_F(WithdrawalScale, AllReceiptsOfTwentyPartnersAreThereWithinFiveSeconds) {
  for (std::size_t i = 0; i < kPartners; ++i) Hit(i);
  holdings_ = v1::Holdings::NewStub(police_.ChannelOf("operator"));
  ASSERT_EQ(Holders().holders_size(), static_cast<int>(kPartners));
  const auto lists = police_.watchlists();
  const auto begin = steady_clock::now();
  for (std::size_t list = 0; list < kLists; ++list) {
    grpc::ClientContext context;
    v1::WithdrawEntryRequest request;
    v1::WithdrawEntryResponse response;
    request.set_watchlist(ListName(list));
    request.set_reference("ref-0");
    request.set_reason("the warrant was executed");
    ASSERT_TRUE(lists->Withdraw(&context, request, &response).ok());
  }
  const auto until = begin + 30s;
  while (Acknowledged() < kPartners && steady_clock::now() < until)
    std::this_thread::sleep_for(5ms);
  const auto took = steady_clock::now() - begin;
  fmt::print("{{\"partners\": {}, \"withdrawal_ms\": {}}}\n", kPartners,
             std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
  EXPECT_EQ(Acknowledged(), kPartners);
  EXPECT_LE(took, 5s);
}

}  // namespace
}  // namespace comity::testing
