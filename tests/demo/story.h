// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "policy/model/decision.h"
#include "services/runtime/clock.h"
#include "tests/demo/agency.h"
#include "tests/demo/face_set.h"
#include "tests/demo/report.h"

namespace comity::demo {

struct Options {
  std::filesystem::path templates;
  std::filesystem::path report;  // empty: none
  std::optional<double> threshold;
  std::uint32_t entries = 0;  // 0: all
  bool keep = false;
};

// Plays the main job with two agencies, and a third that has no agreement: everything a newcomer
// wants to see, told line by line.
//
// Threads: thread-compatible.
class Story {
 public:
  // `folder` is where the agencies live; `programs` what they run.
  Story(Options options, Programs programs, std::filesystem::path folder)
      : options_(std::move(options)), programs_(std::move(programs)), folder_(std::move(folder)) {}

  Status Play();
  const Report& report() const { return report_; }
  // Leaves the gateways running and says how to look around.
  void KeepRunning();
  // Removes keys, data and lists of the story; the exported logs stay.
  void CleanUp() const;

 private:
  // How the agreements of the story differ from the main one.
  struct Variant {
    std::string id;
    std::uint64_t probes_per_day = 10'000'000;
    bool attachments_lapsed = false;
  };

  Status LoadFaces();
  Status RaiseAgencies();
  Status PutInForce(const Variant& variant);
  Status ImportWatchlist();
  Status Search();
  Status Refusals();
  Status RefuseAtOpening(const std::string& name, const std::string& agreement,
                         const policy::SearchRequest& terms, policy::ReasonCode expected);
  Status RefuseWithoutAgreement();
  Status RefuseOverCapacity();
  Status RefuseSuspended();
  Status LiftSuspension(const std::string& suspension);
  Status Audit();
  Status StopAll();

  Result<std::string> CreateDeployment(const Agency& requester, const std::string& agreement,
                                       const policy::SearchRequest& terms);
  // One face through the honest requester's engine; its answer must be a refusal.
  Result<v1::WatchAnswer> AskHonest(testing::EngineClient& engine, std::uint64_t sequence);
  void AddRefusal(std::string name, std::string requester, std::string by,
                  const policy::Decision& decision, std::string expected_by,
                  policy::ReasonCode expected);
  policy::SearchRequest TermsOf(const std::string& agreement) const;

  Options options_;
  Programs programs_;
  std::filesystem::path folder_;
  runtime::SystemClock clock_;
  FaceSet faces_;
  std::optional<Agency> police_;   // northshire-police: holder
  std::optional<Agency> council_;  // eastvale-council: requester
  std::optional<Agency> health_;   // riverside-health: enrolled, without an agreement
  std::map<std::string, policy::AgreementRef> agreements_;
  Report report_;
};

}  // namespace comity::demo
