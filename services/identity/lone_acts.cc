// SPDX-License-Identifier: Apache-2.0
#include "services/identity/lone_acts.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "services/store/setting_store.h"

namespace comity::identity {
namespace {

using policy::Instant;
using enum Role;

constexpr std::string_view kSetting = "lone-acts";
constexpr std::size_t kMaxOn = 100;
constexpr std::size_t kMaxWhat = 1000;

// What one person does of one kind to one thing, from the notice of the first on.
struct Gathered {
  Act act{};
  std::string on;
  std::string by;
  Instant since{};
  std::uint64_t further = 0;  // that no notice has told of
};

RoleSet AudienceOf(Act act) {
  if (act == Act::kPersonRevoke) return {kSupervisor, kDpo, kAuditor, kAdministrator};
  if (act == Act::kAlertOpen) return {kDpo};  // auditors do it, one alert after the other
  if (act == Act::kAuditExport) return {kDpo, kAuditor};
  if (act == Act::kRetentionRun) return {kDpo, kAuditor, kAdministrator};
  if (act == Act::kBackup) return {kDpo, kAuditor, kAdministrator, kKeyAdministrator};
  return {kSupervisor, kDpo, kAuditor};
}

bool HasReason(Act act) {
  return act != Act::kAuditExport && act != Act::kRetentionRun && act != Act::kBackup;
}

std::string Encode(const std::vector<Gathered>& all) {
  auto rows = nlohmann::json::array();
  for (const Gathered& one : all) {
    rows.push_back({{"act", Name(one.act)},
                    {"on", one.on},
                    {"by", one.by},
                    {"since", policy::EncodeInstant(one.since)},
                    {"further", one.further}});
  }
  return rows.dump();
}

std::optional<Gathered> Parse(const nlohmann::json& row) {
  const auto text = [&](const char* name) {
    const auto found = row.is_object() ? row.find(name) : row.end();
    return found != row.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto act = ParseAct(text("act"));
  const auto since = policy::ParseInstant(text("since"));
  if (!act || !since || !row.contains("further") || !row.at("further").is_number_unsigned()) {
    return std::nullopt;
  }
  return Gathered{*act, text("on"), text("by"), *since, row.at("further").get<std::uint64_t>()};
}

// Rows that somebody changed in the database are left out: the next act of their kind is then told
// at once, and no withdrawal of an entry waits for the mending of a count.
Result<std::vector<Gathered>> Read(const store::Transaction& transaction) {
  std::vector<Gathered> all;
  COMITY_ASSIGN_OR_RETURN(const auto text, transaction.settings().Find(kSetting));
  if (!text) return all;
  const auto rows = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!rows.is_array()) return all;
  for (const auto& row : rows) {
    if (auto one = Parse(row)) all.push_back(*std::move(one));
  }
  return all;
}

// Also when the clock was put back: nothing is kept from people for longer than it says.
bool IsOver(const Gathered& gathered, Instant now) {
  return now < gathered.since || now - gathered.since >= LoneActs::kGathered;
}

Notice NoticeOf(Act act, const std::string& on, std::string words) {
  return {notice::kLoneAct, AudienceOf(act), on, std::move(words)};
}

std::string WordsOf(const LoneAct& act) {
  return act.what + " by " + act.by + " alone; " + (HasReason(act.act) ? "the reason" : "it") +
         " stands in the log";
}

std::string WordsOf(const Gathered& gathered) {
  return gathered.by + " alone did " + std::to_string(gathered.further) +
         (gathered.further == 1 ? " further act of this kind on "
                                : " further acts of this kind on ") +
         gathered.on + " since " + policy::EncodeInstant(gathered.since) + ": " +
         std::string(RuleOf(gathered.act).words) + "; each stands in the log";
}

}  // namespace

Status LoneActs::Tell(store::Transaction& transaction, audit::Recorder& recorder,
                      const LoneAct& act) const {
  if (act.on.empty() || act.on.size() > kMaxOn || act.what.empty() || act.what.size() > kMaxWhat) {
    return Fail(ErrorCode::kInternal,
                "what one person did cannot be told: a text is outside its bounds");
  }
  const Instant now = setup_.clock.Now();
  COMITY_ASSIGN_OR_RETURN(std::vector<Gathered> all, Read(transaction));
  const auto same = std::ranges::find_if(all, [&](const Gathered& one) {
    return one.act == act.act && one.on == act.on && one.by == act.by;
  });
  if (same != all.end() && !IsOver(*same, now)) {
    ++same->further;
    return transaction.settings().Put(kSetting, Encode(all));
  }
  COMITY_RETURN_IF_ERROR(
      setup_.notices.Post(transaction, recorder, NoticeOf(act.act, act.on, WordsOf(act))));
  // What is over and untold is for Housekeep; until then each further act is told singly.
  if (same != all.end() || all.size() >= kMaxGathered) return {};
  all.push_back({act.act, act.on, act.by, now, 0});
  return transaction.settings().Put(kSetting, Encode(all));
}

Status LoneActs::Tell(const LoneAct& act) const {
  COMITY_RETURN_IF_ERROR(setup_.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        return Tell(transaction, recorder, act);
      }));
  Announce();
  return {};
}

Status LoneActs::Housekeep() {
  const auto is_over = [this](const Gathered& one) { return IsOver(one, setup_.clock.Now()); };
  bool due = false;
  COMITY_RETURN_IF_ERROR(setup_.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto all, Read(transaction));
    due = std::ranges::any_of(all, is_over);
    return {};
  }));
  if (!due) return {};
  COMITY_RETURN_IF_ERROR(setup_.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        COMITY_ASSIGN_OR_RETURN(auto all, Read(transaction));
        const Instant now = setup_.clock.Now();
        for (Gathered& one : all) {
          if (!is_over(one) || one.further == 0) continue;
          COMITY_RETURN_IF_ERROR(
              setup_.notices.Post(transaction, recorder, NoticeOf(one.act, one.on, WordsOf(one))));
          // Whoever goes on is told of once in kGathered, not from the first act anew.
          one.since = now;
          one.further = 0;
        }
        std::erase_if(all, is_over);
        return transaction.settings().Put(kSetting, Encode(all));
      }));
  Announce();
  return {};
}

}  // namespace comity::identity
