// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/stops_service.h"

#include <algorithm>
#include <array>
#include <utility>

#include "services/gateway/wire/convert_approval.h"
#include "services/gateway/wire/convert_time.h"
#include "services/gateway/wire/respond.h"
#include "services/identity/visible_text.h"
#include "services/oversight/stop_lift.h"

namespace comity::gateway {
namespace {

using identity::Act;
using identity::Role;
using oversight::StopScope;

constexpr std::uint32_t kDefaultListed = 100;
constexpr std::uint32_t kMaxListed = 1000;
// Who may say that a regulator ordered it.
constexpr identity::RoleSet kOrderBearers{Role::kSupervisor, Role::kSignatory};

constexpr std::array<std::pair<v1::StopScope, StopScope>, 4> kScopes{{
    {v1::STOP_SCOPE_DEPLOYMENT, StopScope::kDeployment},
    {v1::STOP_SCOPE_WATCHLIST, StopScope::kWatchlist},
    {v1::STOP_SCOPE_PARTNER, StopScope::kPartner},
    {v1::STOP_SCOPE_AGREEMENT, StopScope::kAgreement},
}};

Result<StopScope> FromProto(v1::StopScope scope) {
  for (const auto& [wire, value] : kScopes) {
    if (wire == scope) return value;
  }
  return Fail(ErrorCode::kInvalidArgument, "scope is deployment, watchlist, partner or agreement");
}

v1::StopScope ToProto(StopScope scope) {
  for (const auto& [wire, value] : kScopes) {
    if (value == scope) return wire;
  }
  return v1::STOP_SCOPE_UNSPECIFIED;
}

v1::Stop ToProto(const oversight::Stop& stop) {
  v1::Stop proto;
  proto.set_stop(stop.id);
  proto.set_scope(ToProto(stop.scope));
  proto.set_reference(stop.reference);
  proto.set_set_by(stop.set_by);
  proto.set_reason(stop.reason);
  proto.set_order(stop.order);
  *proto.mutable_set_at() = gateway::ToProto(stop.set_at);
  if (stop.lifted_by) {
    proto.set_lifted_by(stop.lifted_by->text());
    proto.set_lift_reason(stop.lift_reason);
    *proto.mutable_lifted_at() = gateway::ToProto(stop.lifted_at);
  }
  return proto;
}

Result<oversight::StopOrder> OrderOf(const v1::SetStopRequest& request) {
  oversight::StopOrder order;
  COMITY_ASSIGN_OR_RETURN(order.scope, FromProto(request.scope()));
  COMITY_RETURN_IF_ERROR(
      identity::CheckVisibleText("the reason", request.reason(), oversight::StopOrder::kMaxReason));
  if (!request.order().empty()) {
    COMITY_RETURN_IF_ERROR(
        identity::CheckVisibleText("the order", request.order(), oversight::StopOrder::kMaxOrder));
  }
  order.reference = request.reference();
  order.reason = request.reason();
  order.order = request.order();
  return order;
}

}  // namespace

grpc::Status StopsService::Set(grpc::ServerContext* context, const v1::SetStopRequest* request,
                               v1::Stop* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller, ports_.callers.Person(*context, Act::kStopSet));
    COMITY_ASSIGN_OR_RETURN(const oversight::StopOrder order, OrderOf(*request));
    if (!order.order.empty() && !caller.roles.Meets(kOrderBearers)) {
      return Fail(ports_.callers.Refused(
          caller, identity::Name(Act::kStopSet),
          {ErrorCode::kPermissionDenied,
           "an order is carried out by a supervisor or signatory; anybody who may stop can stop "
           "without one"}));
    }
    if (!ports_.exists(order.scope, order.reference)) {
      return Fail(ErrorCode::kNotFound,
                  "there is no such " + std::string(oversight::Name(order.scope)) + " here");
    }
    COMITY_ASSIGN_OR_RETURN(const oversight::Stop stop, ports_.stops.Set(order, caller.person));
    *response = ToProto(stop);
    return {};
  });
}

grpc::Status StopsService::List(grpc::ServerContext* context, const v1::ListStopsRequest* request,
                                v1::ListStopsResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_RETURN_IF_ERROR(ports_.callers.Person(*context, Act::kStopRead));
    const std::uint32_t limit =
        request->limit() == 0 ? kDefaultListed : std::min(request->limit(), kMaxListed);
    COMITY_ASSIGN_OR_RETURN(const auto stops, ports_.stops.List(request->all(), limit));
    for (const oversight::Stop& stop : stops) *response->add_stops() = ToProto(stop);
    return {};
  });
}

grpc::Status StopsService::Lift(grpc::ServerContext* context, const v1::LiftStopRequest* request,
                                v1::PendingAct* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller, ports_.callers.Person(*context, Act::kStopLift));
    COMITY_ASSIGN_OR_RETURN(
        const auto pending,
        ports_.approvals.Propose(Act::kStopLift,
                                 oversight::EncodeStopLift(request->stop(), request->reason()),
                                 "stop " + request->stop().substr(0, 64), caller));
    *response = gateway::ToProto(pending);
    return {};
  });
}

}  // namespace comity::gateway
