// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/configuration_act.h"

#include <algorithm>
#include <utility>

#include "crypto/base/encoding.h"
#include "services/audit/events.h"
#include "services/store/bound_tables.h"
#include "services/store/setting_store.h"

namespace comity::gateway {
namespace {

using identity::Role;

constexpr std::string_view kAcknowledged = "configuration-acknowledged";
constexpr std::string_view kNoticed = "configuration-noticed";

constexpr std::uint64_t kFewEntries = 128;  // of the log after a first start: people and so on

std::string Encode(const std::string& hash) {
  return R"({"configuration":")" + hash + R"("})";
}

// What is stored under `name` for a configuration: whoever can only write into the database cannot
// say that two administrators looked at one that they never saw. What a former version stored, the
// hash alone, says nothing: they look at what is running once more.
Result<std::string> Stored(const store::Transaction& transaction, std::string_view name,
                           const std::string& hash) {
  const auto mac = transaction.bound_tables().Authenticate(name, 0, hash);
  if (!mac) return Fail(ErrorCode::kInternal, "the database was opened without a key");
  return hash + " " + EncodeHex(mac->view());
}

// A gateway that has run before has started before: that its database has lost a row makes no first
// start of this one, which is in the log by now.
Result<bool> IsFirstStart(const store::Transaction& transaction) {
  COMITY_ASSIGN_OR_RETURN(const auto entries, transaction.audit().Read(0, kFewEntries + 1));
  const std::string mark = "\"" + std::string(audit::kGatewayStarted) + "\"";
  const auto starts = std::ranges::count_if(entries, [&](const store::AuditEntryRecord& entry) {
    return AsText(entry.entry).find(mark) != std::string_view::npos;
  });
  return entries.size() <= kFewEntries && starts <= 1;
}

}  // namespace

Status ConfigurationAct::Check() {
  const std::string now = EncodeHex(configuration_.view());
  bool posted = false;
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    posted = false;
    store::SettingStore& settings = transaction.settings();
    COMITY_ASSIGN_OR_RETURN(const auto known, settings.Find(kAcknowledged));
    COMITY_ASSIGN_OR_RETURN(const std::string wanted, Stored(transaction, kAcknowledged, now));
    COMITY_ASSIGN_OR_RETURN(const bool is_first, IsFirstStart(transaction));
    acknowledged_ = known ? *known == wanted : is_first;
    // The first one is the one by which the gateway was set up, and names its administrators.
    if (!known && is_first) return settings.Put(kAcknowledged, wanted);
    COMITY_ASSIGN_OR_RETURN(const auto noticed, settings.Find(kNoticed));
    // Another one that ran meanwhile is told again when it comes back.
    if (acknowledged_) return noticed.value_or("").empty() ? Status() : settings.Put(kNoticed, "");
    COMITY_ASSIGN_OR_RETURN(const std::string told, Stored(transaction, kNoticed, now));
    if (noticed == told) return {};
    COMITY_RETURN_IF_ERROR(settings.Put(kNoticed, told));
    posted = true;
    return ports_.notices.Post(
        transaction, recorder,
        {identity::notice::kConfigurationChanged,
         {Role::kAdministrator, Role::kKeyAdministrator, Role::kAuditor},
         "configuration " + now.substr(0, 16),
         "The gateway was started with a configuration that nobody is known to have acknowledged, "
         "SHA-256 " +
             now +
             ". Two administrators look at it and acknowledge it: comity node "
             "acknowledge-configuration"});
  };
  COMITY_RETURN_IF_ERROR(ports_.journal.Commit(work));
  if (posted) ports_.notices.Announce();
  return {};
}

Result<std::string> ConfigurationAct::ContentFor(ByteView configuration) const {
  if (!std::ranges::equal(configuration, configuration_.view())) {
    return Fail(ErrorCode::kConflict, "the gateway runs with another configuration: SHA-256 " +
                                          EncodeHex(configuration_.view()));
  }
  if (acknowledged_) return Fail(ErrorCode::kConflict, "this configuration is acknowledged");
  return Encode(EncodeHex(configuration_.view()));
}

Status ConfigurationAct::CheckContent(std::string_view content) const {
  if (content == Encode(EncodeHex(configuration_.view()))) return {};
  return Fail(ErrorCode::kConflict,
              "the gateway runs with another configuration than the proposed");
}

Result<std::string> ConfigurationAct::Describe(std::string_view content) const {
  COMITY_RETURN_IF_ERROR(CheckContent(content));
  return "Acknowledge the configuration file that the gateway was started with.\nSHA-256: " +
         EncodeHex(configuration_.view()) + "\nCompare it: sha256sum comityd.toml\n";
}

Result<identity::ActHandler::AfterCommit> ConfigurationAct::Carry(store::Transaction& transaction,
                                                                  audit::Recorder& recorder,
                                                                  const identity::PendingAct& act,
                                                                  const policy::PersonId& by) {
  COMITY_RETURN_IF_ERROR(CheckContent(act.content));
  COMITY_ASSIGN_OR_RETURN(const std::string acknowledged,
                          Stored(transaction, kAcknowledged, EncodeHex(configuration_.view())));
  COMITY_RETURN_IF_ERROR(transaction.settings().Put(kAcknowledged, acknowledged));
  audit::Event event;
  event.type = audit::kConfigurationAcknowledged;
  event.parties = {ports_.own};
  event.committed = {{"operator", by.text()}};
  event.messages.emplace("configuration", configuration_);
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  return AfterCommit([this] { acknowledged_ = true; });
}

}  // namespace comity::gateway
