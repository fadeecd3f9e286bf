// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/node_health.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <system_error>

#include "services/gateway/wire/convert_time.h"
#include "services/identity/act.h"
#include "services/matching/judge.h"
#include "services/store/approval_store.h"
#include "services/store/bound_tables.h"
#include "services/store/notice_store.h"
#include "services/store/outbox_store.h"
#include "services/store/sealed_copy_store.h"
#include "services/store/stop_store.h"
#include "services/transport/certificate.h"
#include "services/transport/validity.h"

namespace comity::gateway {
namespace {

using identity::Act;
namespace fs = std::filesystem;

constexpr int kMaxRows = 200;  // of one part: what a person looks through, and far below 1 MiB

// A further row, or null when the part is full: then it is named as cut, once.
template <typename Rows>
auto* NextRow(Rows& rows, const char* part, v1::NodeHealth& health) {
  if (rows.size() < kMaxRows) return rows.Add();
  if (health.cut().empty() || health.cut(health.cut_size() - 1) != part) health.add_cut(part);
  return static_cast<decltype(rows.Add())>(nullptr);
}

bool May(const identity::Caller& caller, Act act) {
  return caller.roles.Meets(identity::RuleOf(act).roles);
}

const char* ScopeName(store::StopScope scope) {
  switch (scope) {
    case store::StopScope::kDeployment:
      return "deployment";
    case store::StopScope::kWatchlist:
      return "watchlist";
    case store::StopScope::kPartner:
      return "partner";
    case store::StopScope::kAgreement:
      return "agreement";
  }
  return "";
}

struct Queue {
  std::uint32_t waiting = 0;
  policy::Instant oldest{};
  std::string refused;
};

Result<std::map<policy::AgencyId, Queue>> QueuesOf(const store::Transaction& transaction) {
  std::map<policy::AgencyId, Queue> queues;
  COMITY_ASSIGN_OR_RETURN(const auto messages, transaction.outbox().AllWaiting());  // oldest first
  for (const store::OutboxRecord& message : messages) {
    Queue& queue = queues[message.peer];
    if (queue.waiting++ == 0) queue.oldest = message.created_at;
    if (!message.refused.empty()) queue.refused = message.refused;
  }
  return queues;
}

}  // namespace

Status NodeHealth::Gather(const identity::Caller& caller, v1::NodeHealth& health) const {
  AddMachine(health);
  AddCertificates(health);
  const bool may_see_lists = May(caller, Act::kWatchlistRead);
  COMITY_RETURN_IF_ERROR(ports_.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_RETURN_IF_ERROR(AddPartners(transaction, health));
    if (may_see_lists) COMITY_RETURN_IF_ERROR(AddCopies(transaction, health));
    return AddDecisions(caller, transaction, health);
  }));
  if (May(caller, Act::kCertificateRead)) {
    AddRevocations(health);
  } else {
    health.add_withheld("revocations");
  }
  if (May(caller, Act::kAgreementRead)) {
    AddAgreements(health);
    AddCapacities(health);
  } else {
    health.add_withheld("agreements");
    health.add_withheld("capacities");
  }
  if (may_see_lists) return AddLists(health);
  health.add_withheld("lists");
  health.add_withheld("copies");
  return {};
}

void NodeHealth::AddMachine(v1::NodeHealth& health) const {
  health.set_schema(static_cast<std::uint32_t>(ports_.schema));
  std::error_code fault;
  const fs::space_info space = fs::space(ports_.config.data_directory, fault);
  if (!fault) {
    health.set_disk_free(space.available);
    health.set_disk_size(space.capacity);
  }
  const audit::LogHealth log = ports_.log.Health();
  health.set_publishing(log.publishing && !log.stopped);
  health.set_log_problem(log.problem);
  struct stat status{};
  const fs::path checkpoint = ports_.config.data_directory / "log" / "checkpoint";
  if (::stat(checkpoint.c_str(), &status) == 0) {
    *health.mutable_checkpoint_at() =
        ToProto(policy::Instant(std::chrono::seconds(status.st_mtim.tv_sec)));
  }
}

void NodeHealth::AddCertificates(v1::NodeHealth& health) const {
  const auto add = [&](const char* what, policy::Instant expires_at) {
    v1::CertificateHealth& certificate = *health.add_certificates();
    certificate.set_what(what);
    *certificate.mutable_expires_at() = ToProto(expires_at);
  };
  if (const auto own = transport::ReadOwnCertificate(ports_.config.keys.tls); own) {
    add("keys.tls", own->expires_at);
  }
  if (!ports_.config.keys.crl) return;
  if (const auto list = transport::ValidityOfRevocationLists(*ports_.config.keys.crl); list) {
    add("keys.crl", list->until);
  }
}

Status NodeHealth::AddPartners(const store::Transaction& transaction,
                               v1::NodeHealth& health) const {
  COMITY_ASSIGN_OR_RETURN(const auto queues, QueuesOf(transaction));
  const auto contacts = ports_.monitor.Contacts();
  for (const identity::Peer& peer : ports_.peers.List()) {
    if (peer.state == identity::PeerState::kRemoved) continue;
    v1::PartnerHealth* partner = NextRow(*health.mutable_partners(), "partners", health);
    if (partner == nullptr) return {};
    partner->set_agency(peer.terms.agency.text());
    partner->set_state(std::string(identity::Name(peer.state)));
    partner->set_presence("unknown");
    if (const auto contact = contacts.find(peer.terms.agency); contact != contacts.end()) {
      partner->set_presence(std::string(identity::Name(contact->second.presence)));
      if (const auto& seen = contact->second.record.last_seen; seen) {
        *partner->mutable_last_seen() = ToProto(*seen);
      }
    }
    const auto queue = queues.find(peer.terms.agency);
    if (queue == queues.end()) continue;
    partner->set_waiting(queue->second.waiting);
    *partner->mutable_oldest() = ToProto(queue->second.oldest);
    partner->set_refused(queue->second.refused);
  }
  return {};
}

Status NodeHealth::AddCopies(const store::Transaction& transaction, v1::NodeHealth& health) const {
  COMITY_ASSIGN_OR_RETURN(const auto records, transaction.sealed_copies().All());
  std::map<policy::AgencyId, std::pair<std::uint32_t, policy::Instant>> held;
  for (const store::SealedCopyRecord& record : records) {
    auto [place, is_new] = held.try_emplace(record.holder, 0U, record.received_at);
    ++place->second.first;
    place->second.second = std::min(place->second.second, record.received_at);
  }
  for (const auto& [holder, copies] : held) {
    v1::CopyHealth* copy = NextRow(*health.mutable_copies(), "copies", health);
    if (copy == nullptr) return {};
    copy->set_holder(holder.text());
    copy->set_lists(copies.first);
    *copy->mutable_oldest() = ToProto(copies.second);
  }
  return {};
}

Status NodeHealth::AddTables(const store::Transaction& transaction, v1::NodeHealth& health) const {
  const auto add = [&](std::string_view table, const std::string& fault) {
    if (fault.empty()) return;
    v1::StopHealth& stop = *health.add_stops();
    stop.set_scope("table");
    stop.set_reference(std::string(table));
    stop.set_set_by(fault);
  };
  COMITY_ASSIGN_OR_RETURN(const auto states, transaction.bound_tables().Look());
  for (const store::BoundState& state : states) add(Name(state.table), state.fault);
  add("capacity", ports_.capacity.fault());
  return {};
}

Status NodeHealth::AddDecisions(const identity::Caller& caller,
                                const store::Transaction& transaction,
                                v1::NodeHealth& health) const {
  COMITY_RETURN_IF_ERROR(AddTables(transaction, health));
  const auto stops = transaction.stops().Standing();
  // A table that is not to be trusted is named above.
  if (!stops && stops.error().code != ErrorCode::kCorrupt) return Fail(stops.error());
  for (const store::StopRecord& record : stops ? *stops : std::vector<store::StopRecord>()) {
    v1::StopHealth* stop = NextRow(*health.mutable_stops(), "stops", health);
    if (stop == nullptr) break;
    stop->set_stop(record.id);
    stop->set_scope(ScopeName(record.scope));
    stop->set_reference(record.reference);
    stop->set_set_by(record.set_by);
    *stop->mutable_set_at() = ToProto(record.set_at);
  }
  COMITY_ASSIGN_OR_RETURN(const auto approvals, transaction.approvals().List(true, kMaxRows + 1));
  for (const store::ApprovalRecord& record : approvals) {
    v1::ApprovalHealth* approval = NextRow(*health.mutable_approvals(), "approvals", health);
    if (approval == nullptr) break;
    approval->set_approval(record.id);
    approval->set_act(record.act);
    approval->set_subject(record.subject);
    *approval->mutable_expires_at() = ToProto(record.expires_at);
  }
  COMITY_ASSIGN_OR_RETURN(const auto notices,
                          transaction.notices().List(caller.roles.Names(), 0, true, kMaxRows));
  health.set_notices(static_cast<std::uint32_t>(notices.size()));
  return {};
}

void NodeHealth::AddRevocations(v1::NodeHealth& health) const {
  for (const oversight::CertificateRevocation& one : ports_.revocations.List(/*all=*/false)) {
    v1::RevocationHealth* row = NextRow(*health.mutable_revocations(), "revocations", health);
    if (row == nullptr) return;
    row->set_revocation(one.id);
    row->set_scope(std::string(oversight::Name(one.scope)));
    row->set_subject(one.subject);
    row->set_set_by(one.set_by);
    *row->mutable_set_at() = ToProto(one.set_at);
  }
}

void NodeHealth::AddAgreements(v1::NodeHealth& health) const {
  for (const agreements::AgreementView& view : ports_.agreements.List(ports_.clock.Now())) {
    // What is over and was replaced is history: comity agreement status shows it.
    if (view.status == Name(policy::AgreementStatus::kSuperseded)) continue;
    v1::AgreementHealth* agreement = NextRow(*health.mutable_agreements(), "agreements", health);
    if (agreement == nullptr) return;
    agreement->set_agreement(view.agreement.id.text() + "@" +
                             std::to_string(view.agreement.version));
    agreement->set_status(view.status);
    const auto until = view.terminates_at ? std::min(*view.terminates_at, view.effective_until)
                                          : view.effective_until;
    *agreement->mutable_until() = ToProto(until);
    *agreement->mutable_review_by() = ToProto(view.review_by);
    agreement->set_reviewed(view.reviewed);
    agreement->set_differs(view.status_differs);
  }
}

void NodeHealth::AddCapacities(v1::NodeHealth& health) const {
  const auto set = ports_.agreements.Snapshot();
  const policy::Instant now = ports_.clock.Now();
  for (const policy::AgreementId& id : set->ids()) {
    const policy::AgreementVersion* version = set->FindCurrent(id, now);
    if (version == nullptr) continue;
    if (set->StatusOf(*version, now) != policy::AgreementStatus::kInForce) continue;
    for (const policy::SearchPermission& permission : version->agreement.permissions) {
      const auto used = ports_.capacity.Used(matching::RequesterKey(
          {id, permission.id, permission.capacity}, permission.requester, now));
      if (!used || *used == 0) continue;
      v1::CapacityHealth* row = NextRow(*health.mutable_capacities(), "capacities", health);
      if (row == nullptr) return;
      row->set_agreement(id.text());
      row->set_clause(permission.id);
      row->set_requester(permission.requester.text());
      row->set_holder(permission.holder.text());
      row->set_used(*used);
      row->set_limit(permission.capacity.probes_per_day);
    }
  }
}

Status NodeHealth::AddLists(v1::NodeHealth& health) const {
  COMITY_ASSIGN_OR_RETURN(const auto lists,
                          ports_.lists.StatusOf(std::nullopt, ports_.clock.Now()));
  for (const watchlists::ListStatus& status : lists) {
    if (status.deleted_at) continue;
    v1::ListHealth* list = NextRow(*health.mutable_lists(), "lists", health);
    if (list == nullptr) return {};
    list->set_list(status.list.text());
    list->set_state(std::string(watchlists::Name(status.state)));
    list->set_searchable(status.searchable);
    list->set_active(status.counts.active);
    list->set_stale(status.counts.stale);
    if (status.delete_by) *list->mutable_delete_by() = ToProto(*status.delete_by);
  }
  return {};
}

}  // namespace comity::gateway
