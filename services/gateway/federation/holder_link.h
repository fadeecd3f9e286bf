// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "comity/v1/federation.pb.h"
#include "crypto/base/bytes.h"
#include "services/gateway/federation/holder_call.h"
#include "services/gateway/federation/link_ledger.h"
#include "services/gateway/federation/link_ports.h"
#include "services/gateway/federation/search_link.h"
#include "services/runtime/guarded.h"

namespace comity::gateway {

// The direct search with one holder: each face goes to it as it is. Opens the session when the
// first face is permitted, and again (with growing pauses) after it was refused or lost; a face is
// never sent twice.
//
// Threads: a thread of its own opens, decides and sends.
class HolderLink final : public SearchLink {
 public:
  // References must outlive the object.
  HolderLink(LinkPorts ports, matching::RequesterTerms terms, LinkAsker asker);
  ~HolderLink() override;

  const policy::AgencyId& holder() const override { return ledger_.holder(); }
  void Offer(const EngineProbe& probe, Time deadline) override { ledger_.Offer(probe, deadline); }
  bool has_room() const override { return ledger_.window().has_room(); }
  Status Tick(Time now) override;
  void CloseWindow() override { ledger_.window().Close(); }
  void AwaitAnswers(Time until) override { ledger_.window().AwaitEmpty(until); }
  void Cancel() override;
  void Finish(std::string_view reason) override;

 private:
  using Session = LinkLedger::Session;

  void Run(const std::stop_token& stop);
  void StopSender();
  void Handle(const matching::WindowProbe& probe, const std::stop_token& stop);
  bool EnsureOpen(const std::stop_token& stop);
  std::optional<HolderClosed> OpenCall(const std::stop_token& stop);
  void DropCall();
  void Send(const matching::WindowProbe& probe, const LinkLedger::Decided& permit);
  Status OnAnswer(const v1::SearchAnswer& message, const Digest& digest,
                  const std::string& exchange);

  const LinkPorts ports_;
  LinkLedger ledger_;
  runtime::Guarded<std::shared_ptr<HolderCall>> shared_call_;
  // The sender's own.
  std::shared_ptr<HolderCall> call_;
  OpenAttempts attempts_;

  runtime::Watched<bool> sender_done_;
  std::jthread sender_;
};

}  // namespace comity::gateway
