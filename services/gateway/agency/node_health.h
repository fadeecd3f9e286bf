// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "comity/v1/node.pb.h"
#include "crypto/base/result.h"
#include "services/agreements/register.h"
#include "services/audit/log.h"
#include "services/gateway/federation/peer_monitor.h"
#include "services/identity/peers.h"
#include "services/identity/people.h"
#include "services/matching/capacity_meter.h"
#include "services/oversight/certificate_revocations.h"
#include "services/runtime/config.h"
#include "services/store/store.h"
#include "services/watchlists/register.h"

namespace comity::gateway {

// Gathers what whoever is on duty must see of the node, from what the other parts know already.
// Contacts nobody and writes nothing.
//
// Threads: thread-safe.
class NodeHealth {
 public:
  struct Ports {
    policy::AgencyId self;
    const store::Store& store;
    const audit::Log& log;
    const agreements::Register& agreements;
    const watchlists::Register& lists;
    const matching::CapacityMeter& capacity;
    const identity::Peers& peers;
    const PeerMonitor& monitor;
    const runtime::Clock& clock;
    const runtime::Config& config;
    int schema = 0;  // of the database
    const oversight::CertificateRevocations& revocations;
  };
  // All references must outlive the object.
  explicit NodeHealth(Ports ports) : ports_(std::move(ports)) {}

  // Fills `health` with what the caller's roles may see: a part that an act of reading guards is
  // withheld from who may not do that act.
  // Errors: those of the store
  Status Gather(const identity::Caller& caller, v1::NodeHealth& health) const;

 private:
  void AddMachine(v1::NodeHealth& health) const;
  void AddCertificates(v1::NodeHealth& health) const;
  Status AddPartners(const store::Transaction& transaction, v1::NodeHealth& health) const;
  Status AddCopies(const store::Transaction& transaction, v1::NodeHealth& health) const;
  Status AddTables(const store::Transaction& transaction, v1::NodeHealth& health) const;
  Status AddDecisions(const identity::Caller& caller, const store::Transaction& transaction,
                      v1::NodeHealth& health) const;
  void AddRevocations(v1::NodeHealth& health) const;
  void AddAgreements(v1::NodeHealth& health) const;
  void AddCapacities(v1::NodeHealth& health) const;
  Status AddLists(v1::NodeHealth& health) const;

  const Ports ports_;
};

}  // namespace comity::gateway
