// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/callers.h"

#include <vector>

#include "services/audit/events.h"
#include "services/transport/credentials.h"

namespace comity::gateway {
namespace {

audit::Event RefusalEvent(const RefusalRecord::Refusal& refusal, std::int64_t attempts) {
  audit::Event event;
  event.type = refusal.type;
  event.decision_code = std::string(Name(refusal.error.code));
  if (refusal.type == audit::kPeerMessageRefused) {
    event.committed = {{"kind", refusal.method}, {"reason", refusal.error.detail}};
    event.counts = {{"messages", attempts}};
    return event;
  }
  event.committed = {{"identity", refusal.identity}, {"reason", refusal.error.detail}};
  if (refusal.type == audit::kAuthorisationRefused) event.committed["method"] = refusal.method;
  event.counts = {{"attempts", attempts}};
  return event;
}

}  // namespace

Status RefusalRecord::Add(const Refusal& refusal) {
  const runtime::Instant now = clock_.Now();
  const Key key{refusal.identity, std::string(refusal.type) + " " + refusal.method};
  const std::int64_t attempts = repeats_.With([&](auto& repeats) -> std::int64_t {
    // Callers choose neither their identity nor the method, but a bound costs nothing.
    if (repeats.size() >= kMaxKeys && !repeats.contains(key)) repeats.clear();
    Repeats& entry = repeats[key];
    entry.last = refusal;
    ++entry.since;
    if (now - entry.written_at < kQuietTime && now >= entry.written_at) return 0;
    entry.written_at = now;
    return std::exchange(entry.since, 0);
  });
  return attempts == 0 ? Status() : Write(refusal, attempts, now);
}

Status RefusalRecord::WriteRepeats() {
  const runtime::Instant now = clock_.Now();
  std::vector<std::pair<Refusal, std::int64_t>> due;
  repeats_.With([&](auto& repeats) {
    for (auto entry = repeats.begin(); entry != repeats.end();) {
      Repeats& repeat = entry->second;
      if (now - repeat.written_at < kQuietTime && now >= repeat.written_at) {
        ++entry;
      } else if (repeat.since == 0) {
        entry = repeats.erase(entry);
      } else {
        repeat.written_at = now;
        due.emplace_back(repeat.last, std::exchange(repeat.since, 0));
        ++entry;
      }
    }
  });
  for (const auto& [refusal, attempts] : due) {
    COMITY_RETURN_IF_ERROR(Write(refusal, attempts, now));
  }
  return {};
}

Status RefusalRecord::Write(const Refusal& refusal, std::int64_t attempts, runtime::Instant now) {
  logger_.Warn(refusal.type, {{"identity", refusal.identity},
                              {"method", refusal.method},
                              {"code", Name(refusal.error.code)},
                              {"reason", refusal.error.detail},
                              {"attempts", attempts}});
  audit::Event event = RefusalEvent(refusal, attempts);
  event.time = now;
  event.parties = {self_};
  if (auto peer = policy::AgencyId::Parse(refusal.identity); peer) event.parties.push_back(*peer);
  return journal_.Record(event);
}

Result<std::string> AgencyCallers::Person(const grpc::ServerContextBase& context,
                                          std::string_view method) {
  return Caller(context, transport::PeerKind::kPerson, method);
}

Result<std::string> AgencyCallers::Engine(const grpc::ServerContextBase& context,
                                          std::string_view method) {
  return Caller(context, transport::PeerKind::kEngine, method);
}

Result<std::string> AgencyCallers::Caller(const grpc::ServerContextBase& context,
                                          transport::PeerKind kind, std::string_view method) {
  auto caller = transport::CallerOf(context, trust_, clock_.Now());
  if (!caller) {
    COMITY_RETURN_IF_ERROR(
        refusals_.Add({audit::kAuthenticationRefused, "", std::string(method), caller.error()}));
    return Fail(std::move(caller).error());
  }
  if (caller->identity.kind == kind) return caller->identity.name;
  Error error{ErrorCode::kPermissionDenied,
              std::string(method) + " is for a certificate of kind " +
                  std::string(transport::Name(kind)) + ", not " +
                  std::string(transport::Name(caller->identity.kind))};
  COMITY_RETURN_IF_ERROR(
      refusals_.Add({audit::kAuthorisationRefused, transport::EncodeSpiffeId(caller->identity),
                     std::string(method), error}));
  return Fail(std::move(error));
}

Result<PinnedPeer> FederationCallers::Peer(const grpc::ServerContextBase& context,
                                           std::string_view method) {
  auto caller = transport::CallerOf(context, trust_, clock_.Now());
  if (!caller) {
    COMITY_RETURN_IF_ERROR(
        refusals_.Add({audit::kAuthenticationRefused, "", std::string(method), caller.error()}));
    return Fail(std::move(caller).error());
  }
  COMITY_ASSIGN_OR_RETURN(policy::AgencyId agency, policy::AgencyId::Parse(caller->agency));
  const auto key = keys_.find(agency);
  if (key == keys_.end()) {
    return Fail(ErrorCode::kUnauthenticated, "no signing key is pinned for " + agency.text());
  }
  return PinnedPeer{std::move(agency), key->second};
}

}  // namespace comity::gateway
