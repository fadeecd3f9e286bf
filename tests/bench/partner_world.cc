// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/partner_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "services/gateway/wire/convert_time.h"
#include "tests/integration/live_acts.h"

namespace comity::bench {
namespace {

constexpr std::size_t kImport = 5'000;    // entries at once
constexpr std::size_t kKept = 100;        // entries of a list that are shown to the cameras
constexpr double kFalseMatchRate = 1e-9;  // no false alert is predicted that a budget forbids
constexpr const char* kFalseMatches = "0.000000001";

policy::Instant Whole(const runtime::Clock& clock) {
  return std::chrono::floor<std::chrono::seconds>(clock.Now());
}

std::string AgreementId(std::size_t i) {
  return fmt::format("load-{:02}", i);
}

}  // namespace

PartnerWorld::PartnerWorld(const PartnerTerms& terms) : terms_(terms) {
  agencies_.push_back(std::make_unique<testing::LiveAgency>("eastvale-council"));
  for (std::size_t i = 1; i <= terms.holders; ++i) {
    agencies_.push_back(std::make_unique<testing::LiveAgency>(fmt::format("holder-{:02}", i)));
  }
}

bool PartnerWorld::SetUp(const Progress& progress) {
  if (!progress("enrolling")) return false;
  std::vector<const testing::LiveAgency*> holders;
  for (std::size_t i = 1; i < size(); ++i) holders.push_back(&agency(i));
  for (std::size_t i = 1; i < size(); ++i) agency(i).Start({&agency(0)});
  agency(0).Start(holders);
  for (const auto& one : agencies_) AwaitPartners(*one);
  for (std::size_t i = 1; i < size(); ++i) {
    if (!progress(fmt::format("agreement and {} entries, holder {} of {}", terms_.entries, i,
                              terms_.holders))) {
      return false;
    }
    Agree(i);
    Import(i);
  }
  if (!progress("agreements in force, deployment")) return false;
  for (std::size_t i = 1; i < size(); ++i) AwaitInForce(agency(i), 1);
  AwaitInForce(agency(0), terms_.holders);
  Deploy();
  for (const auto& one : agencies_) one->Stop();
  return StartProcesses(progress);
}

PartnerWorld::Template PartnerWorld::Stranger() {
  std::normal_distribution<float> normal;
  Template values(terms_.dimension);
  double sum = 0;
  for (float& value : values) {
    value = normal(random_);
    sum += double{value} * double{value};
  }
  for (float& value : values) value = static_cast<float>(double{value} / std::sqrt(sum));
  return values;
}

void PartnerWorld::Agree(std::size_t i) {
  testing::AgreementText text;
  text.id = AgreementId(i);
  text.requester = agency(0).party_keys();
  text.holder = agency(i).party_keys();
  text.dimension = terms_.dimension;
  text.mode = terms_.sealed ? "sealed" : "direct";
  text.effective_from = Whole(clock_) - std::chrono::hours(24);
  text.effective_until = Whole(clock_) + std::chrono::hours(24 * 30);
  text.attachment_until = text.effective_until;
  const std::string yaml = WriteAgreement(text);
  for (testing::LiveAgency* party : {&agency(0), &agency(i)}) party->SubmitDocument(yaml);
  for (testing::LiveAgency* party : {&agency(0), &agency(i)}) {
    party->Approve(testing::RefOf(text, yaml));
  }
}

void PartnerWorld::Import(std::size_t i) {
  testing::DefinitionText list;
  list.agreements = {AgreementId(i)};
  list.dimension = terms_.dimension;
  list.false_match_rate = kFalseMatches;
  list.expected_faces = 100'000;
  list.starts_at = Whole(clock_) - std::chrono::hours(1);
  list.ends_at = Whole(clock_) + std::chrono::hours(20);
  DraftList(agency(i), list);
  std::vector<Template>& enrolled = enrolled_.emplace_back();
  for (std::size_t from = 0; from < terms_.entries; from += kImport) {
    std::string lines;
    std::string floats;
    for (std::size_t n = from; n < std::min(from + kImport, terms_.entries); ++n) {
      testing::EntryText entry;
      entry.reference = fmt::format("ref-{}", n);
      entry.now = Whole(clock_);
      lines += EntryLine(entry);
      const Template face = Stranger();
      floats.append(reinterpret_cast<const char*>(face.data()), face.size() * sizeof(float));
      if (enrolled.size() < kKept) enrolled.push_back(face);
    }
    AddEntries(agency(i), list.reference, lines, floats);
  }
  ApproveList(agency(i), list.reference);
}

void PartnerWorld::Deploy() {
  v1::DeploymentDefinition definition;
  for (std::size_t i = 1; i < size(); ++i) definition.add_agreements(AgreementId(i));
  definition.set_purpose("court-order-arrest");
  definition.add_list_categories("wanted-by-courts");
  definition.mutable_engine()->set_name("facenet");
  definition.mutable_engine()->set_version("20180402");
  definition.mutable_engine()->set_dimension(terms_.dimension);
  definition.set_engine_name("cameras");
  definition.set_threshold(0.6);
  definition.set_place("Town square");
  definition.set_reason("Market day");
  definition.set_case_ref("case-7");
  definition.set_mode(terms_.sealed ? v1::SEARCH_MODE_SEALED : v1::SEARCH_MODE_DIRECT);
  *definition.mutable_starts_at() = gateway::ToProto(Whole(clock_) - std::chrono::minutes(1));
  *definition.mutable_ends_at() = gateway::ToProto(Whole(clock_) + std::chrono::hours(10));
  definition.set_expected_faces(100'000);
  definition.set_false_match_rate(kFalseMatchRate);
  definition.set_test_report("laboratory report 12");
  definition.set_faces_per_false_alert(1000);
  deployment_ = StartDeployment(agency(0), definition);
}

bool PartnerWorld::StartProcesses(const Progress& progress) {
  for (const auto& one : agencies_) {
    processes_.push_back(std::make_unique<testing::GatewayProcess>(*one));
  }
  for (std::size_t n = 0; n < size(); ++n) {
    const std::size_t i = size() - 1 - n;  // the requester last
    if (!progress(fmt::format("starting comityd of {}", agency(i).name()))) return false;
    // It says nothing for longer than one wait while it loads a large list on a busy machine.
    constexpr int kWaits = 6;
    bool listening = process(i).Begin();
    for (int wait = 0; listening && !process(i).AwaitListening(); ++wait) {
      listening = wait < kWaits && process(i).IsRunning();
    }
    if (!listening) {
      fmt::print(stderr, "\n{} did not start:\n{}\n", agency(i).name(), process(i).log());
      return false;
    }
  }
  return true;
}

bool PartnerWorld::StopProcesses() {
  bool clean = true;
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    const auto exit_code = process(i).Stop(std::chrono::seconds(10));
    if (exit_code == 0) continue;
    clean = false;
    fmt::print(stderr, "{} did not end cleanly: {}\n", agency(i).name(),
               exit_code ? std::to_string(*exit_code) : "killed after 10 s");
  }
  return clean;
}

}  // namespace comity::bench
