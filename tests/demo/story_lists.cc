// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include "tests/demo/live_stream.h"
#include "tests/demo/story.h"
#include "tests/demo/tell.h"
#include "tests/support/watchlist_text.h"

namespace comity::demo {
namespace {

constexpr std::size_t kMissedPeople = 20;  // at most, of each holder

}  // namespace

// The operator drafts, a supervisor approves exactly what was drafted.
Status Story::MakeList(const Agency& holder, const ListPlan& plan) {
  const policy::Instant now = clock_.Now();
  testing::DefinitionText definition;
  definition.reference = plan.name;
  definition.purpose = plan.purpose;
  definition.agreements = plan.agreements;
  definition.categories = {plan.category};
  definition.engine_name = kEngine;
  definition.engine_version = kEngineVersion;
  definition.dimension = faces_.dimension;
  definition.threshold = fmt::format("{:.4f}", report_.threshold);
  definition.starts_at = std::chrono::floor<std::chrono::seconds>(now - std::chrono::hours(1));
  definition.ends_at = std::chrono::floor<std::chrono::seconds>(now + std::chrono::hours(23));
  const std::filesystem::path base = folder_ / plan.name;
  const std::string yaml = base.string() + ".yaml";
  const std::string entries = base.string() + ".jsonl";
  const std::string templates = base.string() + ".f32";
  {
    std::ofstream(yaml) << testing::WriteDefinition(definition);
    std::ofstream lines(entries);
    std::ofstream floats(templates, std::ios::binary);
    for (const FaceSet::Face& face : plan.faces) {
      testing::EntryText entry;
      entry.reference = plan.prefix + std::to_string(face.identity);
      entry.category = plan.category;
      entry.subject = plan.subject;
      entry.now = std::chrono::floor<std::chrono::seconds>(now);
      lines << testing::EntryLine(entry);
      const auto row = faces_.Row(face.row);
      floats.write(reinterpret_cast<const char*>(row.data()),
                   static_cast<std::streamsize>(row.size_bytes()));
    }
  }
  COMITY_RETURN_IF_ERROR(holder.cli().Run({"watchlist", "draft", yaml}));
  COMITY_ASSIGN_OR_RETURN(const auto added,
                          holder.cli().Ask({"watchlist", "add", plan.name, "--entries", entries,
                                            "--templates", templates}));
  // The files held real templates; the gateway keeps them encrypted.
  std::filesystem::remove(templates);
  if (added.value("entries", std::uint64_t{0}) != plan.faces.size()) {
    return Fail(ErrorCode::kInternal, "the import is incomplete: " + added.dump());
  }
  COMITY_RETURN_IF_ERROR(
      holder.ByTwo("operator", "supervisor-1", {"watchlist", "submit", plan.name}));
  Tell(fmt::format("  {:<18} {:<8} {} entries of category {}; drafted by one, approved by another",
                   holder.name(), plan.name, plan.faces.size(), plan.category));
  return {};
}

Status Story::MakeLists() {
  Chapter("Watchlists, each bound to one operation, one purpose and its agreements");
  COMITY_RETURN_IF_ERROR(MakeList(*police_, {"lantern",
                                             kPurpose,
                                             kCategory,
                                             "suspect",
                                             {kMain, kDirect, kLapsed, kSmall},
                                             faces_.enrolled,
                                             "np-"}));
  report_.entries = faces_.enrolled.size();
  // Two faces each of people whom nobody else in the story looks for.
  for (std::size_t i = 0; i + 1 < faces_.calibration.size() && missing_.size() < 2 * kMissedPeople;
       ++i) {
    if (faces_.calibration[i].identity != faces_.calibration[i + 1].identity) continue;
    if (!missing_.empty() && missing_.back().identity == faces_.calibration[i].identity) continue;
    missing_.push_back(faces_.calibration[i]);
    found_.push_back(faces_.calibration[i + 1]);
  }
  const auto middle = missing_.begin() + static_cast<std::ptrdiff_t>(missing_.size() / 2);
  COMITY_RETURN_IF_ERROR(MakeList(*health_, {"patients",
                                             kMissingPurpose,
                                             kMissingCategory,
                                             "missing",
                                             {kMissingAtHealth},
                                             {missing_.begin(), middle},
                                             "rh-"}));
  return MakeList(*council_, {"beacon",
                              kMissingPurpose,
                              kMissingCategory,
                              "missing",
                              {kMissingAtCouncil},
                              {middle, missing_.end()},
                              "ev-"});
}

}  // namespace comity::demo
