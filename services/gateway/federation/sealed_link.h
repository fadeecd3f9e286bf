// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "comity/v1/sealed.pb.h"
#include "crypto/base/bytes.h"
#include "crypto/sealed/quantise.h"
#include "services/gateway/federation/link_ledger.h"
#include "services/gateway/federation/link_ports.h"
#include "services/gateway/federation/sealed_call.h"
#include "services/gateway/federation/sealed_flights.h"
#include "services/gateway/federation/sealed_source.h"
#include "services/gateway/federation/search_link.h"
#include "services/gateway/federation/track_book.h"
#include "services/runtime/guarded.h"

namespace comity::gateway {

// The copies that a search would be made in. In: request  of one holder
SealedLists ListsFor(const SealedSource& source, const policy::SearchRequest& request,
                     policy::Instant now);
// Whether a search that was refused so is to be made again, in the lists as they stand by then.
bool AsksAgain(policy::ReasonCode code);

// The sealed search with one holder: no face and no score goes to it. Gathers the faces that wait
// into batches without holding up a lone one; keeps the session warm between them, and opens it
// anew when it is lost, when other lists are to be searched or after 24 hours.
//
// A face of which nothing was used (another state of a list, a block without budget, a session that
// broke) is asked again under a new number while its deadline allows. If the holder had gone on
// with it, that counts as one more search of its track, whether its tables had left or not.
//
// Threads: a thread of its own opens, decides, computes and sends.
class SealedLink final : public SearchLink {
 public:
  // References must outlive the object.
  // In: terms  with the mode settled as sealed
  SealedLink(LinkPorts ports, const SealedSource& source, matching::RequesterTerms terms,
             LinkAsker asker);
  ~SealedLink() override;

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
  using States = std::vector<Digest>;  // of the lists, in their order

  // A face that is ready to be sealed.
  struct Ready {
    matching::WindowProbe probe;
    LinkLedger::Decided permit;
    std::string track;
  };
  // What would be searched at this moment.
  struct Scene {
    bool permitted = false;
    std::optional<policy::AgreementRef> agreement;
    std::uint32_t cap = 0;
    SealedLists lists;
    States states;
  };
  enum class Standing { kOpen, kClosed, kAwaitsLists };

  void Run(const std::stop_token& stop);
  void StopSender();
  void Handle(matching::WindowProbe first, const std::stop_token& stop);
  Scene Look();
  bool IsRefused(const Scene& scene);
  void NoteRefused(const States& states);
  void EndIfOver(SealedCall& call);
  Standing EnsureOpen(const std::stop_token& stop);
  Standing Open(const Scene& scene, const std::stop_token& stop);
  bool GoesOn(const Scene& scene);
  std::optional<HolderClosed> OpenCall(const Scene& scene);
  std::optional<HolderClosed> SetUp(const Scene& scene, const Digest& holder_certificate,
                                    const std::array<std::uint8_t, 32>& nonce,
                                    const v1::SealedOpened& opened, Time until);
  void Drop(std::string_view reason);

  void SendBatch(std::vector<matching::WindowProbe> hand);
  std::optional<sealed::SecretArray<std::int8_t>> Quantise(const matching::WindowProbe& probe);
  bool MakeReady(matching::WindowProbe probe, std::vector<Ready>& ready,
                 std::vector<sealed::SecretArray<std::int8_t>>& templates);
  void Seal(std::vector<Ready> ready, std::span<const sealed::SecretArray<std::int8_t>> templates);
  void Note(std::vector<Ready>& ready, SealedExchange::Batch& batch, const Digest& message);
  bool AwaitRoom();
  // What waits for an answer of this session is given back, to be asked again.
  void ReturnFlights(const std::string& exchange);
  Status OnAnswers(const v1::SealedAnswers& message, const Digest& digest,
                   const std::string& exchange);
  void OnAnswer(const v1::SealedAnswer& answer, SealedFlight flight,
                const v1::SealedAnswers& message, const Digest& digest);

  const LinkPorts ports_;
  const SealedSource& source_;
  const matching::RequesterPorts search_;  // of ports_, and denies where no copy is there
  LinkLedger ledger_;
  const Result<sealed::Quantiser> quantiser_;
  SealedFlights flights_;
  runtime::Guarded<TrackBook> tracks_;
  // The states that the holder would not search, and until when that is believed.
  struct Refused {
    States states;
    Time until{};
  };
  runtime::Guarded<Refused> refused_;
  runtime::Guarded<std::vector<Digest>> headers_;  // of the session's lists
  Time look_at_{};                                 // Tick's own
  runtime::Guarded<std::shared_ptr<SealedCall>> shared_call_;
  // The sender's own.
  std::shared_ptr<SealedCall> call_;
  std::optional<policy::AgreementRef> agreement_;  // the session's
  States states_;                                  // what its next batch is searched in
  Time opened_at_{};
  std::uint64_t news_ = 0;  // of the source, when the lists were looked at
  OpenAttempts attempts_;

  runtime::Watched<bool> sender_done_;
  std::jthread sender_;
};

}  // namespace comity::gateway
