// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/configuration_act.h"

#include <algorithm>
#include <utility>

#include "crypto/base/encoding.h"
#include "services/audit/events.h"
#include "services/store/setting_store.h"

namespace comity::gateway {
namespace {

using identity::Role;

constexpr std::string_view kAcknowledged = "configuration-acknowledged";
constexpr std::string_view kNoticed = "configuration-noticed";

std::string Encode(const std::string& hash) {
  return R"({"configuration":")" + hash + R"("})";
}

}  // namespace

Status ConfigurationAct::Check() {
  const std::string now = EncodeHex(configuration_.view());
  bool posted = false;
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    posted = false;
    store::SettingStore& settings = transaction.settings();
    COMITY_ASSIGN_OR_RETURN(const auto known, settings.Find(kAcknowledged));
    acknowledged_ = !known || *known == now;
    // The first one is the one by which the gateway was set up, and names its administrators.
    if (!known) return settings.Put(kAcknowledged, now);
    if (acknowledged_) return {};
    COMITY_ASSIGN_OR_RETURN(const auto noticed, settings.Find(kNoticed));
    if (noticed == now) return {};
    COMITY_RETURN_IF_ERROR(settings.Put(kNoticed, now));
    posted = true;
    return ports_.notices.Post(
        transaction, recorder,
        {identity::notice::kConfigurationChanged,
         {Role::kAdministrator, Role::kKeyAdministrator, Role::kAuditor},
         "configuration " + now.substr(0, 16),
         "The gateway was started with a changed configuration, SHA-256 " + now +
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
  COMITY_RETURN_IF_ERROR(
      transaction.settings().Put(kAcknowledged, EncodeHex(configuration_.view())));
  audit::Event event;
  event.type = audit::kConfigurationAcknowledged;
  event.parties = {ports_.own};
  event.committed = {{"operator", by.text()}};
  event.messages.emplace("configuration", configuration_);
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  return AfterCommit([this] { acknowledged_ = true; });
}

}  // namespace comity::gateway
