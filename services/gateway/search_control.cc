// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/search_control.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace comity::gateway {
namespace {

using identity::Act;
using oversight::StopScope;
using policy::ReasonCode;

std::set<policy::WatchlistId> StoppedLists(const oversight::StandingStops& standing) {
  std::set<policy::WatchlistId> lists;
  for (const std::string& reference : standing.References(StopScope::kWatchlist)) {
    if (auto list = policy::WatchlistId::Parse(reference)) lists.insert(*std::move(list));
  }
  return lists;
}

std::string_view AgreementOf(const policy::SearchRequest& request) {
  return request.agreement ? std::string_view(request.agreement->id.text()) : std::string_view();
}

}  // namespace

SearchControl::SearchControl(Ports ports)
    : ports_(std::move(ports)), partner_notices_({ports_.outbox, ports_.notices, ports_.clock}) {}

Result<std::unique_ptr<SearchControl>> SearchControl::Open(Ports ports) {
  std::unique_ptr<SearchControl> control(new SearchControl(std::move(ports)));
  COMITY_RETURN_IF_ERROR(control->OpenParts());
  return control;
}

Status SearchControl::OpenParts() {
  COMITY_ASSIGN_OR_RETURN(deployments_,
                          matching::Deployments::Open({ports_.self, ports_.store, ports_.journal,
                                                       ports_.clock, ports_.random, ports_.barrier,
                                                       ports_.max_deployments, &ports_.lone_acts}));
  COMITY_ASSIGN_OR_RETURN(
      validations_,
      matching::ListValidations::Open({ports_.self, ports_.store, ports_.journal, ports_.clock},
                                      deployments_->Unfinished()));
  COMITY_ASSIGN_OR_RETURN(
      stops_, oversight::Stops::Open({ports_.store, ports_.journal, ports_.notices,
                                      partner_notices_, ports_.self, ports_.clock, ports_.random,
                                      [this](const oversight::StandingStops& standing) {
                                        ports_.galleries.Halt(StoppedLists(standing));
                                      },
                                      [this] { ports_.barrier.Drain(); }}));
  alarms_.emplace(oversight::HitAlarms::Setup{ports_.store, ports_.journal, *stops_, ports_.notices,
                                              partner_notices_, ports_.self, ports_.clock});
  using Side = oversight::WatchedSearch::Side;
  at_holder_.emplace(Side::kHolder, *alarms_, ports_.agreements);
  at_requester_.emplace(Side::kRequester, *alarms_, ports_.agreements);
  false_alerts_.emplace(FalseAlertWatch::Ports{ports_.self, *deployments_, *stops_, ports_.notices,
                                               ports_.barrier, ports_.clock});
  lift_.emplace(*stops_, *alarms_);
  start_.emplace(*deployments_, [this](const policy::DeploymentId&) {
    if (keeper_) keeper_->Poke();
  });
  change_.emplace(*deployments_, [this](const matching::Deployment& definition) {
    return CheckFloors(definition, *ports_.agreements(), ports_.self, ports_.clock.Now());
  });
  ports_.approvals.Handle(Act::kStopLift, *lift_);
  ports_.approvals.Handle(Act::kDeploymentStart, *start_);
  ports_.approvals.Handle(Act::kThresholdLower, *change_);
  return {};
}

std::optional<ReasonCode> SearchControl::HaltedAtRequester(
    const policy::SearchRequest& request, const policy::DeploymentId& deployment) const {
  if (stops_->Standing()->Cover(request.holder.text(), AgreementOf(request), deployment.text())) {
    return ReasonCode::kStopped;
  }
  if (deployment.empty() || validations_->IsValidated(deployment, request.holder)) {
    return std::nullopt;
  }
  return ReasonCode::kListNotCovered;
}

std::optional<ReasonCode> SearchControl::HaltedAtHolder(const policy::SearchRequest& request,
                                                        const std::string& deployment) const {
  if (stops_->Standing()->Cover(request.requester.text(), AgreementOf(request), deployment)) {
    return ReasonCode::kStopped;
  }
  return std::nullopt;
}

bool SearchControl::Exists(StopScope scope, const std::string& reference,
                           const watchlists::Register& lists, const PeerLinks& peers) const {
  switch (scope) {
    case StopScope::kDeployment:
      // A holder stops the requester's, of which it knows nothing but the id.
      return reference.starts_with("d-") && policy::IsWellFormedId(reference);
    case StopScope::kWatchlist: {
      const auto list = policy::WatchlistId::Parse(reference);
      return list && lists.StatusOf(*list, ports_.clock.Now()).has_value();
    }
    case StopScope::kPartner:
      return std::ranges::any_of(peers.partners(),
                                 [&](const auto& agency) { return agency.text() == reference; });
    case StopScope::kAgreement: {
      const auto agreement = policy::AgreementId::Parse(reference);
      return agreement && !ports_.agreements()->Versions(*agreement).empty();
    }
  }
  return false;
}

void SearchControl::Serve(Desk desk) {
  offers_.emplace(OffersReader::Ports{ports_.self, desk.peers, ports_.journal, ports_.clock});
  outlook_.emplace(desk.search);
  outlook_->halted = [this](const policy::SearchRequest& request,
                            const policy::DeploymentId&) -> std::optional<ReasonCode> {
    return HaltedAtRequester(request, {});
  };
  deployments_service_.emplace(DeploymentsService::Ports{ports_.self, desk.callers, *deployments_,
                                                         *validations_, *outlook_, *offers_,
                                                         ports_.approvals, *stops_});
  stops_service_.emplace(StopsService::Ports{desk.callers, *stops_, ports_.approvals,
                                             [this, &lists = desk.lists, &peers = desk.peers](
                                                 StopScope scope, const std::string& reference) {
                                               return Exists(scope, reference, lists, peers);
                                             }});
  keeper_ = std::make_unique<DeploymentKeeper>(DeploymentKeeper::Ports{
      ports_.self, *deployments_, *validations_, desk.peers, desk.search, ports_.logger});
}

void SearchControl::Report(std::string_view what, const Status& status) {
  if (!status) ports_.logger.Error(what, {{"reason", status.error().detail}});
}

void SearchControl::Distrust(store::BoundTable table) {
  if (table == store::BoundTable::kDeployment) deployments_->Distrust();
  // It fails, and so stops everything.
  if (table == store::BoundTable::kStop) static_cast<void>(stops_->Refresh());
}

void SearchControl::Housekeep() {
  Report("deployments-housekeeping-failed", deployments_->Housekeep());
  Report("stops-not-read", stops_->Housekeep());
  Report("alarm-counts-not-stored", alarms_->Save());
}

void SearchControl::Halt() {
  keeper_.reset();
  Housekeep();
}

}  // namespace comity::gateway
