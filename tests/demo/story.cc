// SPDX-License-Identifier: Apache-2.0
#include "tests/demo/story.h"

#include <fmt/format.h>

#include <cmath>
#include <fstream>

#include "crypto/hash/sha256.h"
#include "tests/demo/ask_until.h"
#include "tests/demo/tell.h"

namespace comity::demo {

Status Story::Play() {
  COMITY_RETURN_IF_ERROR(LoadFaces());
  COMITY_RETURN_IF_ERROR(RaiseAgencies());
  COMITY_RETURN_IF_ERROR(EnrolPartners());
  COMITY_RETURN_IF_ERROR(MakeAgreements());
  COMITY_RETURN_IF_ERROR(MakeLists());
  COMITY_RETURN_IF_ERROR(Search());
  COMITY_RETURN_IF_ERROR(WithdrawDuringSearch());
  COMITY_RETURN_IF_ERROR(Refusals());
  COMITY_RETURN_IF_ERROR(SearchManyHolders());
  COMITY_RETURN_IF_ERROR(EndOperation());
  COMITY_RETURN_IF_ERROR(CountPeople());
  COMITY_RETURN_IF_ERROR(Audit());
  return options_.keep ? Status() : StopAll();
}

Status Story::LoadFaces() {
  COMITY_ASSIGN_OR_RETURN(faces_, LoadFaceSet(options_.templates, options_.entries));
  report_.dimension = faces_.dimension;
  report_.threshold = options_.threshold.value_or(CalibrateThreshold(faces_));
  Chapter("Faces");
  Tell(fmt::format("  {} enrolled, {} mated and {} non-mated faces, {} dimensions",
                   faces_.enrolled.size(), faces_.mated.size(), faces_.non_mated.size(),
                   faces_.dimension));
  Tell(options_.threshold ? fmt::format("  threshold {:.4f}, as asked for", report_.threshold)
                          : fmt::format("  threshold {:.4f}: FPIR 1 % on {} calibration faces",
                                        report_.threshold, faces_.calibration.size()));
  return {};
}

Status Story::RaiseAgencies() {
  Chapter("Agencies: own certificate authority, keys, people and gateway each");
  COMITY_ASSIGN_OR_RETURN(police_, Agency::Create(programs_, folder_, "northshire-police"));
  COMITY_ASSIGN_OR_RETURN(council_, Agency::Create(programs_, folder_, "eastvale-council"));
  COMITY_ASSIGN_OR_RETURN(health_, Agency::Create(programs_, folder_, "riverside-health"));
  if (options_.postgresql) COMITY_RETURN_IF_ERROR(StartDatabases());
  for (Agency* agency : {&*police_, &*council_, &*health_}) {
    COMITY_RETURN_IF_ERROR(agency->Start());
    Tell(fmt::format("  {:<18} process {}, agency port {}; 10 people added by two administrators",
                     agency->name(), agency->pid(), agency->agency_port()));
  }
  report_.agencies = 3;
  return {};
}

Status Story::StartDatabases() {
  COMITY_ASSIGN_OR_RETURN(server_, testing::PostgresServer::Start({true, {}, {}}));
  for (Agency* agency : {&*police_, &*council_, &*health_}) {
    databases_.push_back(std::make_unique<testing::TestDatabase>(*server_));
    agency->UseDatabase(databases_.back()->Url("comity_gateway"));
  }
  report_.store = "postgresql";
  Tell(fmt::format("  a PostgreSQL server on port {}, one database for each agency",
                   server_->port()));
  return {};
}

Status Story::EnrolPartners() {
  Chapter("Partners enrol each other: two people on each side, fingerprint read out by telephone");
  for (const auto& [here, there] : {std::pair{&*police_, &*council_}, {&*police_, &*health_}}) {
    COMITY_RETURN_IF_ERROR(here->Enrol(*there));
    COMITY_RETURN_IF_ERROR(there->Enrol(*here));
    Tell(fmt::format("  {} and {}", here->name(), there->name()));
  }
  return {};
}

testing::AgreementText Story::AgreementBetween(const Agency& requester,
                                               const Agency& holder) const {
  testing::AgreementText text;
  const auto now = std::chrono::floor<std::chrono::seconds>(clock_.Now());
  text.requester = requester.keys();
  text.holder = holder.keys();
  text.engine_name = kEngine;
  text.engine_version = kEngineVersion;
  text.dimension = faces_.dimension;
  // The floor lies at or just below the threshold that is used.
  text.threshold_floor = fmt::format("{:.4f}", std::floor(report_.threshold * 10'000) / 10'000);
  text.probes_per_day = 10'000'000;
  text.list_after_end = "PT5S";
  text.effective_from = now - std::chrono::hours(1);
  text.effective_until = now + std::chrono::hours(24 * 365);
  text.attachment_until = text.effective_until;
  return text;
}

Status Story::PutInForce(const testing::AgreementText& text, const Agency& requester,
                         const Agency& holder) {
  const std::string yaml = testing::WriteAgreement(text);
  const std::filesystem::path file = folder_ / (text.id + ".yaml");
  std::ofstream(file) << yaml;
  COMITY_RETURN_IF_ERROR(Cli(programs_.comity, {}).Run({"agreement", "check", file.string()}));
  COMITY_RETURN_IF_ERROR(holder.cli("dpo").Run({"agreement", "submit", file.string()}));
  COMITY_RETURN_IF_ERROR(holder.Approve(text.id));
  COMITY_RETURN_IF_ERROR(AskUntil(
      std::chrono::seconds(15), [&] { return requester.cli("dpo").Ask({"agreement", "list"}); },
      [&](const nlohmann::json& known) {
        return known.dump().find(text.id) != std::string::npos;
      }));
  COMITY_RETURN_IF_ERROR(requester.Approve(text.id));
  policy::AgreementRef& reference = agreements_[text.id];
  COMITY_ASSIGN_OR_RETURN(reference.id, policy::AgreementId::Parse(text.id));
  reference.version = 1;
  reference.sha256 = hash::Sha256(AsBytes(yaml));
  Tell(fmt::format("  {:<28} advised by 2 DPOs, signed by 4 signatories", text.id));
  return {};
}

Status Story::MakeAgreements() {
  Chapter("Agreements");
  testing::AgreementText live = AgreementBetween(*council_, *police_);
  live.id = kMain;
  live.mode = "sealed";
  COMITY_RETURN_IF_ERROR(PutInForce(live, *council_, *police_));
  live.mode = "direct";
  live.id = kDirect;
  COMITY_RETURN_IF_ERROR(PutInForce(live, *council_, *police_));
  live.id = kLapsed;
  live.attachment_until =
      std::chrono::floor<std::chrono::seconds>(clock_.Now()) - std::chrono::hours(1);
  COMITY_RETURN_IF_ERROR(PutInForce(live, *council_, *police_));
  live = AgreementBetween(*council_, *police_);
  live.id = kSmall;
  live.probes_per_day = 5;
  live.alert_retention = "PT20S";  // so that its deployment can be seen to be closed
  COMITY_RETURN_IF_ERROR(PutInForce(live, *council_, *police_));
  for (const auto& [id, holder] :
       {std::pair{kMissingAtHealth, &*health_}, {kMissingAtCouncil, &*council_}}) {
    testing::AgreementText missing = AgreementBetween(*police_, *holder);
    missing.id = id;
    missing.purpose = kMissingPurpose;
    missing.purpose_label = "Finding missing people who are at risk";
    missing.purpose_parent = "locate-missing-person";
    missing.list_categories = {kMissingCategory};
    missing.roles = {"operator"};
    missing.uses = {"retrospective"};
    COMITY_RETURN_IF_ERROR(PutInForce(missing, *police_, *holder));
  }
  return {};
}

void Story::KeepRunning() {
  Chapter("Still running; look around:");
  Tell(fmt::format("  export COMITY_PROFILE={}", council_->profile().string()));
  for (const char* command : {"status", "alert list", "agreement status", "deployment list"}) {
    Tell(fmt::format("  {} {}", programs_.comity.string(), command));
  }
  Tell(fmt::format("  curl -k https://127.0.0.1:{}/metrics", council_->web_port()));
  Tell(fmt::format("Stop with: kill {} {} {}; the folder is {}", police_->pid(), council_->pid(),
                   health_->pid(), folder_.string()));
  for (Agency* agency : {&*police_, &*council_, &*health_}) agency->LeaveRunning();
}

void Story::CleanUp() const {
  std::error_code ignored;
  for (const auto& agency : std::filesystem::directory_iterator(folder_)) {
    if (!agency.is_directory()) {
      std::filesystem::remove(agency, ignored);
      continue;
    }
    for (const auto& item : std::filesystem::directory_iterator(agency)) {
      if (item.path().filename() != "audit-export") std::filesystem::remove_all(item, ignored);
    }
  }
}

Status Story::CountPeople() {
  for (const Agency* agency : {&*police_, &*council_, &*health_}) {
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t approved, agency->CountApproved());
    report_.approvals += approved;
  }
  Tell(fmt::format("\n{} acts needed two people and had them", report_.approvals));
  return {};
}

Status Story::StopAll() {
  Chapter("Stop");
  for (Agency* agency : {&*council_, &*health_, &*police_}) {
    COMITY_ASSIGN_OR_RETURN(const auto took, agency->Stop());
    Tell(fmt::format("  {:<18} stopped in {} ms", agency->name(), took.count()));
  }
  return {};
}

}  // namespace comity::demo
