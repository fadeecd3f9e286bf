// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "policy/model/decision.h"
#include "services/runtime/clock.h"
#include "tests/demo/agency.h"
#include "tests/demo/face_set.h"
#include "tests/demo/report.h"
#include "tests/support/agreement_text.h"
#include "tests/support/postgres/postgres_server.h"
#include "tests/support/postgres/test_database.h"

namespace comity::demo {

// Names that several chapters of the story use.
inline constexpr const char* kMain = "northshire-eastvale";
// The stated exception: the holder sees the faces that are searched for.
inline constexpr const char* kDirect = "northshire-eastvale-direct";
inline constexpr const char* kLapsed = "northshire-eastvale-lapsed";
inline constexpr const char* kSmall = "northshire-eastvale-small";
inline constexpr const char* kMissingAtHealth = "northshire-riverside-missing";
inline constexpr const char* kMissingAtCouncil = "northshire-eastvale-missing";
inline constexpr const char* kPurpose = "court-order-arrest";
inline constexpr const char* kMissingPurpose = "missing-person";
inline constexpr const char* kCategory = "wanted-by-courts";
inline constexpr const char* kMissingCategory = "missing-at-risk";
inline constexpr const char* kEngine = "demo-engine";
inline constexpr const char* kEngineVersion = "1";

struct Options {
  std::filesystem::path templates;
  std::filesystem::path report;  // empty: none
  std::optional<double> threshold;
  std::uint32_t entries = 0;  // 0: all
  bool keep = false;
  bool postgresql = false;  // instead of SQLite
};

// Plays the main job with three agencies: everything a newcomer wants to see, told line by line.
// northshire-police holds a list that eastvale-council's cameras search; riverside-health and the
// council answer the police about missing people, case by case.
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
  // A list from its definition to its approval.
  struct ListPlan {
    std::string name;
    std::string purpose;
    std::string category;
    std::string subject;
    std::vector<std::string> agreements;
    std::vector<FaceSet::Face> faces;
    std::string prefix;  // of the entries' references
  };

  Status LoadFaces();
  // Starts a server of its own for the databases of the three agencies.
  Status StartDatabases();
  Status RaiseAgencies();
  Status EnrolPartners();
  // What all agreements of the story have in common.
  testing::AgreementText AgreementBetween(const Agency& requester, const Agency& holder) const;
  // Checked, submitted by the requester's DPO, advised and signed by everybody.
  Status PutInForce(const testing::AgreementText& text, const Agency& requester,
                    const Agency& holder);
  Status MakeAgreements();
  Status MakeList(const Agency& holder, const ListPlan& plan);
  Status MakeLists();
  Status AwaitSealedList();
  Status Search();
  Status WithdrawDuringSearch();
  Status SearchManyHolders();
  Result<nlohmann::json> Identify(const FaceSet::Face& face);
  Status EndOperation();
  Status CountPeople();
  Status Refusals();
  Status RefuseAtOpening(const std::string& name, const std::string& agreement,
                         const policy::SearchRequest& terms, policy::ReasonCode expected);
  Status RefuseWithoutAgreement();
  Status RefuseOverCapacity();
  Status RefuseSuspended();
  Status LiftSuspension(const std::string& suspension);
  Status Audit();
  Status StopAll();

  Result<nlohmann::json> CreateDeployment(const Agency& requester, const std::string& agreement,
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
  std::unique_ptr<testing::PostgresServer> server_;
  std::vector<std::unique_ptr<testing::TestDatabase>> databases_;
  std::optional<Agency> police_;        // northshire-police: holder
  std::optional<Agency> council_;       // eastvale-council: requester
  std::optional<Agency> health_;        // riverside-health: holder of missing patients
  std::string deployment_;              // of the main search
  std::string short_deployment_;        // under the agreement that keeps alerts for seconds
  std::vector<FaceSet::Face> missing_;  // one face each of people who are missed
  std::vector<FaceSet::Face> found_;    // another face of each of them, in the same order
  std::map<std::string, policy::AgreementRef> agreements_;
  Report report_;
};

}  // namespace comity::demo
