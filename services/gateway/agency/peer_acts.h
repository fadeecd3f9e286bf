// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "services/gateway/federation/peer_monitor.h"
#include "services/identity/approvals.h"
#include "services/identity/notices.h"
#include "services/identity/peers.h"
#include "services/matching/answer_barrier.h"
#include "services/oversight/outbox.h"
#include "services/runtime/clock.h"

namespace comity::gateway {

// What the acts about partners work on; all references must outlive the handlers.
struct PeerActPorts {
  policy::AgencyId self;
  identity::Peers& peers;
  identity::Notices& notices;
  oversight::Outbox& outbox;
  PeerMonitor& monitor;
  const runtime::Clock& clock;
  matching::AnswerBarrier& barrier;
};

// The acts about partners that need two people. A card is approved only with its fingerprint as the
// approver's signed reason: what the partner read out over another way.
//
// Threads: thread-safe.
class PeerEnrolAct final : public identity::ActHandler {
 public:
  explicit PeerEnrolAct(PeerActPorts ports) : ports_(std::move(ports)) {}
  Result<std::string> Describe(std::string_view content) const override;
  // Errors: kPermissionDenied  the fingerprint is missing or another than the card's
  Result<AfterCommit> Carry(store::Transaction& transaction, audit::Recorder& recorder,
                            const identity::PendingAct& act, const policy::PersonId& by) override;

 private:
  const PeerActPorts ports_;
};

// A partner's new card; the own agency's: its next key, announced to all partners.
class PeerRekeyAct final : public identity::ActHandler {
 public:
  explicit PeerRekeyAct(PeerActPorts ports) : ports_(std::move(ports)) {}
  Result<std::string> Describe(std::string_view content) const override;
  // Errors: as above
  Result<AfterCommit> Carry(store::Transaction& transaction, audit::Recorder& recorder,
                            const identity::PendingAct& act, const policy::PersonId& by) override;

 private:
  Status AnnounceToAll(store::Transaction& transaction, audit::Recorder& recorder,
                       std::string_view content) const;
  const PeerActPorts ports_;
};

class PeerResumeAct final : public identity::ActHandler {
 public:
  explicit PeerResumeAct(PeerActPorts ports) : ports_(std::move(ports)) {}
  Result<std::string> Describe(std::string_view content) const override;
  Result<AfterCommit> Carry(store::Transaction& transaction, audit::Recorder& recorder,
                            const identity::PendingAct& act, const policy::PersonId& by) override;

 private:
  const PeerActPorts ports_;
};

class PeerRemoveAct final : public identity::ActHandler {
 public:
  explicit PeerRemoveAct(PeerActPorts ports) : ports_(std::move(ports)) {}
  Result<std::string> Describe(std::string_view content) const override;
  Result<AfterCommit> Carry(store::Transaction& transaction, audit::Recorder& recorder,
                            const identity::PendingAct& act, const policy::PersonId& by) override;

 private:
  const PeerActPorts ports_;
};

}  // namespace comity::gateway
