// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/alerts_service.h"

#include <utility>

#include "services/audit/events.h"
#include "services/gateway/agency/receiver_roles.h"
#include "services/gateway/wire/convert_hit.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/gateway/wire/convert_time.h"
#include "services/gateway/wire/respond.h"

namespace comity::gateway {
namespace {

using casework::Outcome;

// How long a quiet stream waits before it looks whether its reader is still there and may still
// read.
constexpr std::chrono::milliseconds kLookAround{500};

v1::Outcome OutcomeToProto(Outcome outcome) {
  switch (outcome) {
    case Outcome::kTrueMatch:
      return v1::OUTCOME_TRUE_MATCH;
    case Outcome::kNotAMatch:
      return v1::OUTCOME_NOT_A_MATCH;
    case Outcome::kCannotSay:
      return v1::OUTCOME_CANNOT_SAY;
  }
  return v1::OUTCOME_UNSPECIFIED;
}

Result<Outcome> OutcomeFromProto(v1::Outcome outcome) {
  if (outcome == v1::OUTCOME_TRUE_MATCH) return Outcome::kTrueMatch;
  if (outcome == v1::OUTCOME_NOT_A_MATCH) return Outcome::kNotAMatch;
  if (outcome == v1::OUTCOME_CANNOT_SAY) return Outcome::kCannotSay;
  return Fail(ErrorCode::kInvalidArgument, "an outcome is true-match, not-a-match or cannot-say");
}

v1::Frame FrameToProto(const casework::Frame& frame) {
  v1::Frame proto;
  proto.set_capture_ref(frame.capture_ref);
  proto.set_camera(frame.camera);
  *proto.mutable_captured_at() = ToProto(frame.captured_at);
  proto.set_exchange_id(frame.exchange_id);
  return proto;
}

std::string ToText(ByteView octets) {
  return std::string(AsText(octets));
}

v1::FrameOpening FrameToProto(const casework::OpenedAlert::Frame& frame) {
  v1::FrameOpening proto;
  proto.set_exchange_id(frame.exchange_id);
  proto.set_probe(ToText(frame.opening.probe.Expose()));
  for (const casework::HitOpening::List& list : frame.opening.lists) {
    v1::SealedListOpening& one = *proto.add_lists();
    one.set_header(ToText(list.header));
    one.set_seed(ToText(list.seed.Expose()));
  }
  return proto;
}

}  // namespace

v1::Alert ToProto(const casework::Alert& alert, identity::RoleSet roles) {
  v1::Alert proto;
  proto.set_alert(alert.id);
  proto.set_state(std::string(casework::Name(alert.state)));
  proto.set_deployment(alert.deployment.text());
  proto.set_holder(alert.holder.text());
  *proto.mutable_hit() =
      ToProto(casework::VisibleTo(ReceiversOf(roles), alert.hit, alert.releases));
  proto.set_threshold(alert.threshold);
  *proto.mutable_engine() = ToProto(alert.engine);
  proto.set_exchange_id(alert.exchange_id);
  *proto.mutable_agreement() = ToProto(alert.agreement);
  for (const casework::Frame& frame : alert.frames) *proto.add_frames() = FrameToProto(frame);
  proto.set_frame_count(alert.frame_count);
  *proto.mutable_first_seen() = ToProto(alert.first_seen);
  *proto.mutable_last_seen() = ToProto(alert.last_seen);
  *proto.mutable_expires_at() = ToProto(alert.expires_at);
  if (alert.acknowledgement) {
    proto.set_outcome(OutcomeToProto(alert.acknowledgement->outcome));
    *proto.mutable_acknowledged_at() = ToProto(alert.acknowledgement->at);
  }
  if (alert.entry_note) {
    proto.mutable_entry_note()->set_change(alert.entry_note->change);
    *proto.mutable_entry_note()->mutable_at() = ToProto(alert.entry_note->at);
  }
  return proto;
}

Status AlertsService::RecordRead(const identity::Caller& caller, std::string_view how,
                                 std::size_t alerts) const {
  audit::Event event;
  event.type = audit::kAlertsRead;
  event.time = ports_.clock.Now();
  event.parties = {ports_.self};
  event.committed = {{"operator", caller.person.text()}, {"how", std::string(how)}};
  event.counts = {{"alerts", static_cast<std::int64_t>(alerts)}};
  return ports_.journal.Record(event);
}

grpc::Status AlertsService::List(grpc::ServerContext* context, const v1::ListAlertsRequest* request,
                                 v1::ListAlertsResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, identity::Act::kAlertRead));
    COMITY_ASSIGN_OR_RETURN(const auto alerts,
                            ports_.alerts.List(ports_.clock.Now(), request->limit()));
    COMITY_RETURN_IF_ERROR(RecordRead(caller, "list", alerts.size()));
    for (const casework::Alert& alert : alerts) {
      *response->add_alerts() = ToProto(alert, caller.roles);
    }
    return {};
  });
}

grpc::Status AlertsService::Watch(grpc::ServerContext* context,
                                  const v1::WatchAlertsRequest* request,
                                  grpc::ServerWriter<v1::Alert>* writer) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(identity::Caller caller,
                            ports_.callers.Person(*context, identity::Act::kAlertRead));
    // Subscribed before the open ones are read: an alert may come twice, but none is missed.
    const auto subscription = ports_.alerts.Subscribe();
    std::vector<casework::Alert> open;
    if (request->include_open()) {
      COMITY_ASSIGN_OR_RETURN(
          open, ports_.alerts.List(ports_.clock.Now(), casework::AlertDesk::kMaxListed));
    }
    COMITY_RETURN_IF_ERROR(RecordRead(caller, "watch", open.size()));
    for (auto alert = open.rbegin(); alert != open.rend(); ++alert) {
      if (!writer->Write(ToProto(*alert, caller.roles))) return {};
    }
    while (!ports_.stop.stop_requested() && !context->IsCancelled() && !subscription->closed()) {
      COMITY_ASSIGN_OR_RETURN(
          const auto alert,
          subscription->Next(ports_.stop, std::chrono::steady_clock::now() + kLookAround));
      // A person whose access or certificate was revoked meanwhile reads no further, and one whose
      // roles changed reads what the new ones may see.
      COMITY_ASSIGN_OR_RETURN(caller, ports_.callers.Person(*context, identity::Act::kAlertRead));
      if (alert && !writer->Write(ToProto(*alert, caller.roles))) return {};
    }
    return {};
  });
}

grpc::Status AlertsService::Acknowledge(grpc::ServerContext* context,
                                        const v1::AcknowledgeAlertRequest* request,
                                        v1::Alert* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, identity::Act::kAlertAdjudicate));
    COMITY_ASSIGN_OR_RETURN(const Outcome outcome, OutcomeFromProto(request->outcome()));
    COMITY_ASSIGN_OR_RETURN(const casework::Alert alert,
                            ports_.alerts.Acknowledge({request->alert(), outcome, request->note(),
                                                       caller.person.text()}));
    *response = ToProto(alert, caller.roles);
    return {};
  });
}

grpc::Status AlertsService::Open(grpc::ServerContext* context, const v1::OpenAlertRequest* request,
                                 v1::AlertOpening* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, identity::Act::kAlertOpen));
    COMITY_ASSIGN_OR_RETURN(
        const casework::OpenedAlert opened,
        ports_.alerts.Open({request->alert(), request->reason(), caller.person.text()}));
    response->set_alert(opened.id);
    response->set_requester(ports_.self.text());
    response->set_holder(opened.holder.text());
    for (const auto& frame : opened.frames) *response->add_frames() = FrameToProto(frame);
    return {};
  });
}

}  // namespace comity::gateway
