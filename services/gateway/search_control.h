// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

#include "services/gateway/agency/deployment_keeper.h"
#include "services/gateway/agency/deployments_service.h"
#include "services/gateway/agency/false_alert_watch.h"
#include "services/gateway/agency/offers_reader.h"
#include "services/gateway/agency/stops_service.h"
#include "services/gateway/federation/hit_observation.h"
#include "services/identity/lone_acts.h"
#include "services/matching/deployment_acts.h"
#include "services/matching/deployments.h"
#include "services/matching/galleries.h"
#include "services/matching/holder_session.h"
#include "services/matching/list_validations.h"
#include "services/oversight/hit_alarms.h"
#include "services/oversight/stop_lift.h"
#include "services/oversight/stops.h"
#include "services/watchlists/register.h"

namespace comity::gateway {

// What bounds searches besides agreements, put together: the life of deployments, the stop control,
// the alarms, and the services for own people.
//
// Threads: Open and Serve once each, in this order, by one thread; then thread-safe.
class SearchControl {
 public:
  struct Ports {
    policy::AgencyId self;
    const store::Store& store;
    audit::Journal& journal;
    identity::Notices& notices;
    identity::Approvals& approvals;
    oversight::Outbox& outbox;
    const runtime::Clock& clock;
    RandomSource& random;
    runtime::Logger& logger;
    matching::AnswerBarrier& barrier;
    matching::Galleries& galleries;
    std::function<std::shared_ptr<const policy::AgreementSet>()> agreements;
    std::size_t max_deployments;
    const identity::LoneActs& lone_acts;
  };
  // All references must outlive the object.
  // Errors: those of Deployments::Open, ListValidations::Open and Stops::Open
  static Result<std::unique_ptr<SearchControl>> Open(Ports ports);

  matching::Deployments& deployments() { return *deployments_; }
  casework::OutcomeObserver& outcomes() { return *false_alerts_; }
  matching::HitObserver& observer_at_holder() { return *at_holder_; }
  matching::HitObserver& observer_at_requester() { return *at_requester_; }
  oversight::Stops& stops() { return *stops_; }

  // For RequesterPorts: stops, and lists that are not validated for the deployment.
  std::optional<policy::ReasonCode> HaltedAtRequester(const policy::SearchRequest& request,
                                                      const policy::DeploymentId& deployment) const;
  // For HolderPorts: stops.
  std::optional<policy::ReasonCode> HaltedAtHolder(const policy::SearchRequest& request,
                                                   const std::string& deployment) const;

  struct Desk {
    AgencyCallers& callers;
    const PeerLinks& peers;
    const watchlists::Register& lists;
    const matching::RequesterPorts& search;
  };
  void Serve(Desk desk);
  DeploymentKeeper& keeper() { return *keeper_; }
  DeploymentsService& deployments_service() { return *deployments_service_; }
  StopsService& stops_service() { return *stops_service_; }

  // What rests on a table that somebody else wrote to is given up.
  void Distrust(store::BoundTable table);
  // About every ten seconds.
  void Housekeep();
  // Nothing is written to store and log by this any more, after a last housekeeping.
  void Halt();

 private:
  explicit SearchControl(Ports ports);
  Status OpenParts();
  bool Exists(oversight::StopScope scope, const std::string& reference,
              const watchlists::Register& lists, const PeerLinks& peers) const;
  void Report(std::string_view what, const Status& status);

  const Ports ports_;
  oversight::PartnerNotices partner_notices_;
  std::unique_ptr<matching::Deployments> deployments_;
  std::unique_ptr<matching::ListValidations> validations_;
  std::unique_ptr<oversight::Stops> stops_;
  std::optional<oversight::HitAlarms> alarms_;
  std::optional<HitObservation> at_holder_;
  std::optional<HitObservation> at_requester_;
  std::optional<FalseAlertWatch> false_alerts_;
  std::optional<oversight::StopLift> lift_;
  std::optional<matching::DeploymentStart> start_;
  std::optional<matching::ThresholdChange> change_;
  std::optional<OffersReader> offers_;
  std::optional<matching::RequesterPorts> outlook_;
  std::optional<DeploymentsService> deployments_service_;
  std::optional<StopsService> stops_service_;
  std::unique_ptr<DeploymentKeeper> keeper_;  // last: its threads end before what they use
};

}  // namespace comity::gateway
