// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/sealed_requester_side.h"

#include <utility>

#include "crypto/ot/kernel.h"
#include "crypto/sealed/score.h"
#include "services/oversight/partner_content.h"

namespace comity::gateway {

Result<std::unique_ptr<SealedRequesterSide>> SealedRequesterSide::Open(Ports ports) {
  std::unique_ptr<SealedRequesterSide> side(new SealedRequesterSide(std::move(ports)));
  const Ports& own = side->ports_;
  const auto keys =
      [&own](const policy::AgencyId& partner) -> Result<std::vector<sign::PublicKey>> {
    COMITY_ASSIGN_OR_RETURN(const identity::Peer peer, own.partners.Find(partner));
    return peer.SigningKeysAt(own.clock.Now());
  };
  const auto tell = [&own](store::Transaction& transaction, audit::Recorder& recorder,
                           const policy::AgencyId& holder, const Digest& header,
                           std::optional<std::uint64_t> sequence) -> Status {
    oversight::Outbox::Message message{holder, oversight::message_kind::kSealedErased, {}};
    if (sequence) {
      message.kind = oversight::message_kind::kSealedHeld;
      message.content = oversight::EncodeSealedHeld({header, *sequence});
    } else {
      message.content = oversight::EncodeSealedErased(header);
    }
    COMITY_RETURN_IF_ERROR(own.outbox.Add(transaction, recorder, message));
    return {};
  };
  COMITY_ASSIGN_OR_RETURN(
      side->copies_, watchlists::SealedCopies::Open(
                         {own.store, own.journal, own.clock, own.self, keys, own.folder, tell}));
  side->source_ = side->MakeSource();
  side->fetcher_.emplace(SealedFetcher::Ports{own.self, own.peers, own.signer, own.verifier,
                                              *side->copies_, own.agreements, own.random, own.clock,
                                              own.logger});
  return side;
}

SealedSource SealedRequesterSide::MakeSource() {
  SealedSource source;
  source.find = [this](const policy::AgencyId& holder, const policy::AgreementRef& agreement,
                       const policy::PurposeCode& purpose, const policy::EngineProfile& engine,
                       policy::Instant now) {
    return copies_->Find(holder, agreement, purpose, engine, now);
  };
  source.hurry = [this](const policy::AgencyId& holder) { fetcher_->Hurry(holder); };
  source.news = [this](const policy::AgencyId& holder) { return fetcher_->News(holder); };
  source.await = [this](const policy::AgencyId& holder, std::uint64_t seen,
                        SealedFetcher::SteadyTime until, const std::stop_token& stop) {
    fetcher_->Await(holder, seen, until, stop);
  };
  source.has_shown = [this](const Digest& certificate) { return ports_.tls.HasShown(certificate); };
  source.on_failed_check = [this](const policy::AgencyId& holder, std::string_view detail) {
    OnFailedCheck(holder, detail);
  };
  source.kernels = {sealed::FastestKernel(), ot::FastestKernel()};
  return source;
}

void SealedRequesterSide::OnFailedCheck(const policy::AgencyId& holder, std::string_view detail) {
  ports_.logger.Error("oblivious-transfer-check-failed",
                      {{"peer", holder.text()}, {"reason", std::string(detail)}});
  const Status told = ports_.notices.Post(
      {identity::notice::kAlarm,
       {identity::Role::kAdministrator, identity::Role::kDpo},
       holder.text(),
       "The gateway of " + holder.text() +
           " has failed a check of a sealed search: its machine is at fault, or it has tried to "
           "learn what it may not. The session was ended; nothing of the faces in it was told."});
  if (!told) ports_.logger.Error("notice-not-stored", {{"reason", told.error().detail}});
}

void SealedRequesterSide::UpdateGauges(runtime::Metrics& metrics) const {
  const SealedFetcher::Counts counts = fetcher_->counts();
  const auto set = [&](const char* name, const char* help, std::uint64_t value) {
    metrics.Gauge({name, help}).Set(static_cast<double>(value));
  };
  set("comity_sealed_fetch_rounds",
      "Times that holders were asked for sealed lists since the start", counts.rounds);
  set("comity_sealed_fetch_failures", "Of these, those that failed", counts.failures);
  set("comity_sealed_fetched_octets", "Octets of sealed blocks fetched since the start",
      counts.octets);
}

}  // namespace comity::gateway
