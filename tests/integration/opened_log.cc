// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/opened_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/base/encoding.h"
#include "services/audit/events.h"
#include "services/gateway/database.h"
#include "services/gateway/identity_keys.h"
#include "services/runtime/config.h"

namespace comity::testing {

std::string OpenedLog::Entry::Field(const std::string& name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string() : found->second;
}

std::string OpenedLog::Entry::Message(const std::string& name) const {
  const auto found = entry.messages.find(name);
  return found == entry.messages.end() ? std::string() : EncodeHex(found->second.view());
}

std::string OpenedLog::Entry::Count(const std::string& name) const {
  const auto found = entry.counts.find(name);
  return found == entry.counts.end() ? std::string() : std::to_string(found->second);
}

Result<OpenedLog> OpenedLog::Of(const LiveAgency& agency) {
  const auto config = runtime::LoadConfig(agency.config_file());
  if (!config) return Fail(ErrorCode::kInvalidArgument, config.error().front().message);
  COMITY_ASSIGN_OR_RETURN(const gateway::IdentityKeys keys, gateway::LoadIdentityKeys(*config));
  COMITY_ASSIGN_OR_RETURN(const auto store, gateway::OpenDatabase(*config));
  OpenedLog log;
  log.agency_ = agency.name();
  for (std::uint64_t index = 0;; ++index) {
    const auto opened = audit::OpenPayload(*store, keys.kek, index);
    if (!opened && opened.error().code == ErrorCode::kNotFound) return log;
    if (!opened) return Fail(opened.error());
    Entry& entry = log.entries_.emplace_back();
    COMITY_ASSIGN_OR_RETURN(entry.entry, tlog::ParseEntry(AsText(opened->entry)));
    entry.fields = opened->fields;
  }
}

std::map<std::string, int> OpenedLog::Times(std::string_view type, const Identity& identity) const {
  std::map<std::string, int> times;
  for (const Entry& entry : entries_) {
    if (entry.entry.type != type) continue;
    const std::string what = identity(entry);
    if (!what.empty()) ++times[what];
  }
  return times;
}

void OpenedLog::ExpectEachOnce(std::string_view type, const Identity& identity,
                               const std::set<std::string>& expected) const {
  std::map<std::string, int> once;
  for (const std::string& what : expected) once[what] = 1;
  EXPECT_THAT(Times(type, identity), ::testing::ContainerEq(once)) << type << " at " << agency_;
}

void OpenedLog::ExpectEachOnceOrReplayed(std::string_view type, const Identity& identity,
                                         const std::set<std::string>& expected) const {
  std::int64_t replayed = 0;
  for (const Entry& entry : entries_) {
    if (entry.entry.type == audit::kErasuresReplayed) replayed += entry.entry.counts.at("records");
  }
  const auto times = Times(type, identity);
  for (const auto& [what, count] : times) {
    EXPECT_TRUE(expected.contains(what)) << type << " of " << what << " at " << agency_;
    EXPECT_EQ(count, 1) << type << " of " << what << " at " << agency_;
  }
  EXPECT_LE(expected.size(), times.size() + static_cast<std::size_t>(replayed))
      << type << " at " << agency_ << ": " << ::testing::PrintToString(times);
}

void OpenedLog::ExpectNoneTwice(std::string_view type, const Identity& identity) const {
  for (const auto& [what, times] : Times(type, identity)) {
    EXPECT_EQ(times, 1) << type << " of " << what << " at " << agency_;
  }
}

void ExpectMessagesArrivedOnce(const OpenedLog& sender, const OpenedLog& receiver) {
  const auto exchange = [](const OpenedLog::Entry& entry) { return entry.entry.exchange; };
  const auto queued = sender.Times(audit::kPartnerMessageQueued, exchange);
  std::set<std::string> sent;
  for (const auto& [message, times] : queued) sent.insert(message);
  sender.ExpectEachOnce(audit::kPartnerMessageQueued, exchange, sent);
  receiver.ExpectEachOnce(audit::kPartnerMessageReceived, exchange, sent);
  sender.ExpectEachOnce(audit::kReceiptReceived, exchange, sent);
}

}  // namespace comity::testing
