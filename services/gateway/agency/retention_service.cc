// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/retention_service.h"

#include <utility>

#include "services/gateway/wire/convert_approval.h"
#include "services/gateway/wire/convert_time.h"
#include "services/gateway/wire/respond.h"
#include "services/identity/visible_text.h"

namespace comity::gateway {
namespace {

using identity::Act;

constexpr std::chrono::hours kReportOf{24};

v1::RetentionClassStatus StatusToProto(const oversight::ClassStatus& status) {
  const policy::RetentionRule& rule = policy::RuleOf(status.record_class);
  v1::RetentionClassStatus proto;
  proto.set_record_class(std::string(rule.name));
  proto.set_words(std::string(rule.words));
  proto.set_starts(std::string(rule.starts));
  proto.set_source(std::string(rule.source));
  proto.set_most_seconds(rule.most ? rule.most->count() : -1);
  proto.set_least_seconds(rule.least.count());
  proto.set_stored(status.stored);
  proto.set_kept(status.kept);
  proto.set_held(status.held);
  proto.set_due(status.due);
  proto.set_overdue(status.overdue);
  if (status.next_due) *proto.mutable_next_due() = ToProto(*status.next_due);
  return proto;
}

v1::ErasedCount CountToProto(const oversight::ErasedCount& count) {
  v1::ErasedCount proto;
  proto.set_record_class(count.record_class);
  proto.set_reason(count.reason);
  proto.set_records(count.records);
  proto.set_late_ms(count.late_ms);
  return proto;
}

v1::RetentionHold HoldToProto(const store::HoldRecord& hold, policy::Instant now) {
  v1::RetentionHold proto;
  proto.set_number(hold.number);
  proto.set_record_class(hold.record_class);
  proto.set_reference(hold.reference);
  proto.set_reason(hold.reason);
  proto.set_held_by(hold.held_by.text());
  proto.set_approved_by(hold.approved_by.text());
  *proto.mutable_held_at() = ToProto(hold.held_at);
  *proto.mutable_review_by() = ToProto(hold.review_by);
  proto.set_state(std::string(Name(oversight::StateOf(hold, now))));
  return proto;
}

std::string CopyState(const oversight::ErasureLedger::State& state) {
  if (!state.has_copy) return "none";
  return state.behind ? "behind" : "current";
}

}  // namespace

RetentionService::RetentionService(Ports ports)
    : ports_(std::move(ports)),
      place_({ports_.store, ports_.own, ports_.clock}),
      release_({ports_.store, ports_.own, ports_.clock}) {
  ports_.approvals.Handle(Act::kRetentionHold, place_);
  ports_.approvals.Handle(Act::kRetentionRelease, release_);
}

grpc::Status RetentionService::Due(grpc::ServerContext* context,
                                   const v1::RetentionDueRequest* /*request*/,
                                   v1::RetentionDueResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller,
                            ports_.callers.Person(*context, Act::kRetentionRead));
    COMITY_ASSIGN_OR_RETURN(const auto classes, ports_.desk.Due());
    for (const oversight::ClassStatus& status : classes) {
      *response->add_classes() = StatusToProto(status);
    }
    const auto ledger = ports_.ledger.Look();
    response->set_ledger_lines(ledger.lines);
    response->set_ledger_copy(CopyState(ledger));
    return {};
  });
}

grpc::Status RetentionService::Run(grpc::ServerContext* context,
                                   const v1::RetentionRunRequest* /*request*/,
                                   v1::RetentionRunResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller, ports_.callers.Person(*context, Act::kRetentionRun));
    // Told first: what is erased is gone, whatever comes of the notice.
    COMITY_RETURN_IF_ERROR(ports_.lone_acts.Tell({Act::kRetentionRun, "records that are due",
                                                  "the erasure at once of what is due was ordered",
                                                  caller.person.text()}));
    COMITY_ASSIGN_OR_RETURN(const auto erased, ports_.desk.Run());
    for (const oversight::ErasedCount& count : erased) {
      *response->add_erased() = CountToProto(count);
    }
    return {};
  });
}

grpc::Status RetentionService::Report(grpc::ServerContext* context,
                                      const v1::RetentionReportRequest* request,
                                      v1::RetentionReportResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller,
                            ports_.callers.Person(*context, Act::kRetentionRead));
    policy::Instant to = ports_.clock.Now();
    if (request->has_to()) {
      COMITY_ASSIGN_OR_RETURN(to, FromProto(request->to()));
    }
    policy::Instant from = to - kReportOf;
    if (request->has_from()) {
      COMITY_ASSIGN_OR_RETURN(from, FromProto(request->from()));
    }
    if (to <= from) return Fail(ErrorCode::kInvalidArgument, "the period ends before it begins");
    COMITY_ASSIGN_OR_RETURN(const auto report, ports_.desk.ReportOf(from, to));
    *response->mutable_from() = ToProto(from);
    *response->mutable_to() = ToProto(to);
    for (const oversight::ErasedCount& count : report.erased) {
      *response->add_erased() = CountToProto(count);
    }
    response->set_overdue(report.overdue);
    response->set_held(report.held);
    response->set_ledger_lines(ports_.ledger.Look().lines);
    response->set_whole(report.whole);
    return {};
  });
}

grpc::Status RetentionService::Holds(grpc::ServerContext* context,
                                     const v1::RetentionHoldsRequest* /*request*/,
                                     v1::RetentionHoldsResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller,
                            ports_.callers.Person(*context, Act::kRetentionRead));
    return ports_.store.Read([&](const store::Transaction& tx) -> Status {
      COMITY_ASSIGN_OR_RETURN(const auto holds, tx.retention().Holds());
      for (const store::HoldRecord& hold : holds) {
        *response->add_holds() = HoldToProto(hold, ports_.clock.Now());
      }
      return {};
    });
  });
}

grpc::Status RetentionService::Hold(grpc::ServerContext* context,
                                    const v1::RetentionHoldRequest* request,
                                    v1::PendingAct* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller,
                            ports_.callers.Person(*context, Act::kRetentionHold));
    oversight::HoldOrder order;
    COMITY_ASSIGN_OR_RETURN(order.record_class,
                            policy::ParseRetentionClass(request->record_class()));
    order.reference = request->reference();
    order.reason = request->reason();
    if (request->review_days() != 0) order.review_days = request->review_days();
    COMITY_ASSIGN_OR_RETURN(const std::string content, oversight::EncodeHold(order));
    const std::string subject = "hold on " + request->record_class();
    COMITY_ASSIGN_OR_RETURN(
        const auto act, ports_.approvals.Propose(Act::kRetentionHold, content, subject, caller));
    *response = ToProto(act);
    return {};
  });
}

grpc::Status RetentionService::Release(grpc::ServerContext* context,
                                       const v1::RetentionReleaseRequest* request,
                                       v1::PendingAct* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller,
                            ports_.callers.Person(*context, Act::kRetentionRelease));
    COMITY_RETURN_IF_ERROR(identity::CheckVisibleText("the reason", request->reason(),
                                                      oversight::HoldOrder::kMaxReason));
    COMITY_ASSIGN_OR_RETURN(
        const auto act,
        ports_.approvals.Propose(Act::kRetentionRelease,
                                 oversight::EncodeRelease(request->number(), request->reason()),
                                 "hold " + std::to_string(request->number()), caller));
    *response = ToProto(act);
    return {};
  });
}

}  // namespace comity::gateway
