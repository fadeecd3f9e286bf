// SPDX-License-Identifier: Apache-2.0
#include "tests/demo/story.h"

#include <fmt/format.h>

#include <cmath>
#include <fstream>

#include "crypto/hash/sha256.h"
#include "tests/demo/live_stream.h"

namespace comity::demo {
namespace {

constexpr const char* kMain = "northshire-eastvale";
constexpr const char* kPurpose = "court-order-arrest";
constexpr const char* kCategory = "wanted-by-courts";
constexpr const char* kEngine = "demo-engine";
constexpr const char* kEngineVersion = "1";

void Tell(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}
void Chapter(const std::string& title) {
  Tell("\n" + title);
}

std::string EntryLine(const std::string& reference, policy::Instant now) {
  const nlohmann::json entry = {
      {"reference", reference},
      {"category", kCategory},
      {"image", {{"source_kind", "custody"}, {"acquisition_legal_basis", "PACE 1984 s.64A"}}},
      {"rationale",
       {{"necessity", "Warrant; not at the known address."},
        {"proportionality", "Other enquiries have failed."},
        {"at", policy::EncodeInstant(now - std::chrono::hours(1))}}},
      {"response", {{"priority", "amber"}, {"text", "speak to the person"}}},
      {"valid_from", policy::EncodeInstant(now - std::chrono::minutes(1))},
      {"expires_at", policy::EncodeInstant(now + std::chrono::hours(24))}};
  return entry.dump() + "\n";
}

Status WriteWatchlist(const FaceSet& faces, policy::Instant now,
                      const std::filesystem::path& entries,
                      const std::filesystem::path& templates) {
  std::ofstream lines(entries);
  std::ofstream floats(templates, std::ios::binary);
  for (const FaceSet::Face& face : faces.enrolled) {
    lines << EntryLine(ReferenceOf(face.identity), now);
    const auto row = faces.Row(face.row);
    floats.write(reinterpret_cast<const char*>(row.data()),
                 static_cast<std::streamsize>(row.size_bytes()));
  }
  lines.flush();
  floats.flush();
  if (lines && floats) return {};
  return Fail(ErrorCode::kUnavailable, "cannot write " + entries.string());
}

}  // namespace

Status Story::Play() {
  COMITY_RETURN_IF_ERROR(LoadFaces());
  COMITY_RETURN_IF_ERROR(RaiseAgencies());
  Chapter("Agreements");
  COMITY_RETURN_IF_ERROR(PutInForce({kMain, 10'000'000, false}));
  COMITY_RETURN_IF_ERROR(PutInForce({"northshire-eastvale-lapsed", 10'000'000, true}));
  COMITY_RETURN_IF_ERROR(PutInForce({"northshire-eastvale-small", 5, false}));
  COMITY_RETURN_IF_ERROR(ImportWatchlist());
  COMITY_RETURN_IF_ERROR(Search());
  COMITY_RETURN_IF_ERROR(Refusals());
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
  COMITY_RETURN_IF_ERROR(police_->Start({&*council_, &*health_}));
  COMITY_RETURN_IF_ERROR(council_->Start({&*police_}));
  COMITY_RETURN_IF_ERROR(health_->Start({&*police_}));
  for (const Agency* agency : {&*police_, &*council_, &*health_}) {
    Tell(fmt::format("  {:<18} process {}, agency port {}", agency->name(), agency->pid(),
                     agency->agency_port()));
  }
  return {};
}

Status Story::PutInForce(const Variant& variant) {
  testing::AgreementText text;
  const auto now = std::chrono::floor<std::chrono::seconds>(clock_.Now());
  text.id = variant.id;
  text.requester = council_->keys();
  text.holder = police_->keys();
  text.engine_name = kEngine;
  text.engine_version = kEngineVersion;
  text.dimension = faces_.dimension;
  // The floor lies at or just below the threshold that is used.
  text.threshold_floor = fmt::format("{:.4f}", std::floor(report_.threshold * 10'000) / 10'000);
  text.probes_per_day = variant.probes_per_day;
  text.effective_from = now - std::chrono::hours(1);
  text.effective_until = now + std::chrono::hours(24 * 365);
  text.attachment_until =
      variant.attachments_lapsed ? now - std::chrono::hours(1) : text.effective_until;
  const std::string yaml = testing::WriteAgreement(text);
  const std::filesystem::path file = folder_ / (variant.id + ".yaml");
  std::ofstream(file) << yaml;

  COMITY_RETURN_IF_ERROR(Cli(programs_.comity, {}).Run({"agreement", "check", file.string()}));
  COMITY_RETURN_IF_ERROR(police_->cli().Run({"agreement", "submit", file.string()}));
  COMITY_RETURN_IF_ERROR(police_->Approve(variant.id));
  COMITY_RETURN_IF_ERROR(council_->Approve(variant.id));
  policy::AgreementRef& reference = agreements_[variant.id];
  COMITY_ASSIGN_OR_RETURN(reference.id, policy::AgreementId::Parse(variant.id));
  reference.version = 1;
  reference.sha256 = hash::Sha256(AsBytes(yaml));
  Tell(fmt::format("  {:<28} advised by 2 DPOs, signed by 4 signatories", variant.id));
  return {};
}

Status Story::ImportWatchlist() {
  Chapter("Watchlist at northshire-police");
  const std::filesystem::path entries = folder_ / "lantern.jsonl";
  const std::filesystem::path templates = folder_ / "lantern.f32";
  COMITY_RETURN_IF_ERROR(WriteWatchlist(faces_, clock_.Now(), entries, templates));
  COMITY_ASSIGN_OR_RETURN(
      const auto imported,
      police_->cli().Ask({"watchlist", "import", "lantern", "--entries", entries.string(),
                          "--templates", templates.string(), "--engine", kEngine,
                          "--engine-version", kEngineVersion, "--dimension",
                          std::to_string(faces_.dimension)}));
  // The files held real templates; the gateway keeps them encrypted.
  std::filesystem::remove(templates);
  report_.entries = imported.value("entries", std::uint64_t{0});
  if (report_.entries != faces_.enrolled.size()) {
    return Fail(ErrorCode::kInternal, "the import is incomplete: " + imported.dump());
  }
  Tell(fmt::format("  lantern: {} entries of category {}", report_.entries, kCategory));
  return {};
}

policy::SearchRequest Story::TermsOf(const std::string& agreement) const {
  policy::SearchRequest terms;
  terms.requester = *policy::AgencyId::Parse(council_->name());
  terms.holder = *policy::AgencyId::Parse(police_->name());
  terms.agreement = agreements_.at(agreement);
  terms.purpose = *policy::PurposeCode::Parse(kPurpose);
  terms.role = policy::RequesterRole::kEngine;
  terms.use = policy::UseMode::kLive;
  terms.mode = policy::SearchMode::kDirect;
  terms.list_categories = {*policy::ListCategory::Parse(kCategory)};
  terms.engine = policy::EngineProfile{kEngine, kEngineVersion, faces_.dimension};
  terms.threshold = report_.threshold;
  return terms;
}

Result<std::string> Story::CreateDeployment(const Agency& requester, const std::string& agreement,
                                            const policy::SearchRequest& terms) {
  std::vector<std::string> command = {
      "deployment",       "create",
      "--agreement",      agreement,
      "--purpose",        terms.purpose->text(),
      "--engine-profile", fmt::format("{}/{}/{}", kEngine, kEngineVersion, faces_.dimension),
      "--engine",         "cameras",
      "--threshold",      fmt::format("{}", *terms.threshold),
      "--place",          "Eastvale town square",
      "--reason",         "Market day",
      "--case-ref",       "EV-2026-118",
      "--hours",          "2",
      "--mode",           "direct"};
  for (const auto& category : terms.list_categories) {
    command.insert(command.end(), {"--category", category.text()});
  }
  COMITY_ASSIGN_OR_RETURN(const auto created, requester.cli().Ask(std::move(command)));
  if (created["deployment"].is_string()) return created["deployment"].get<std::string>();
  return std::string();
}

Status Story::Search() {
  Chapter("Live search: eastvale-council's engine streams, northshire-police searches");
  COMITY_ASSIGN_OR_RETURN(const std::string deployment,
                          CreateDeployment(*council_, kMain, TermsOf(kMain)));
  COMITY_RETURN_IF_ERROR(StreamFaces(*council_, deployment, faces_, clock_, report_));
  COMITY_ASSIGN_OR_RETURN(const auto listed,
                          council_->cli().Ask({"alert", "list", "--limit", "1000"}));
  Tell(fmt::format("  {} faces in {:.1f} s, {} unanswered; latency p50 {:.2f} ms, p99 {:.2f} ms",
                   report_.faces, report_.seconds, report_.unanswered, report_.latency_ms(0.5),
                   report_.latency_ms(0.99)));
  Tell(fmt::format("  {} hits became {} alerts ({} true, {} false); {} are listed", report_.hits,
                   report_.alerts, report_.true_alerts, report_.alerts - report_.true_alerts,
                   listed.size()));
  Tell(fmt::format("  TPIR {:.4f} ({} of {} mated), FPIR {:.4f} ({} of {} non-mated)",
                   report_.tpir(), report_.mated_found, report_.mated, report_.fpir(),
                   report_.non_mated_alerted, report_.faces - report_.mated));
  if (listed.empty()) return {};
  const std::string alert = listed.front()["alert"];
  return council_->cli().Run(
      {"alert", "ack", alert, "--outcome", "cannot-say", "--note", "Back turned to the camera."});
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

Status Story::StopAll() {
  Chapter("Stop");
  for (Agency* agency : {&*council_, &*health_, &*police_}) {
    COMITY_ASSIGN_OR_RETURN(const auto took, agency->Stop());
    Tell(fmt::format("  {:<18} stopped in {} ms", agency->name(), took.count()));
  }
  return {};
}

}  // namespace comity::demo
