// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/peer_acts.h"

#include <chrono>
#include <utility>

#include "services/gateway/agency/peer_content.h"
#include "services/gateway/agency/peer_words.h"
#include "services/gateway/federation/key_change.h"
#include "services/gateway/federation/peer_terms.h"
#include "services/identity/peer_rules.h"
#include "services/oversight/partner_content.h"
#include "services/store/outbox_store.h"
#include "services/transport/fingerprint.h"

namespace comity::gateway {
namespace {

using identity::PeerState;
using identity::Role;
using AfterCommit = identity::ActHandler::AfterCommit;

// A partner that does not take an announcement in this time is told of to people.
constexpr std::chrono::hours kAnnouncementDue{24};

Status CheckCompared(const identity::PendingAct& act, const identity::PeerTerms& terms) {
  const auto told = transport::ParseFingerprint(act.reason);
  if (told && *told == terms.fingerprint) return {};
  if (told) {
    return Fail(ErrorCode::kPermissionDenied,
                "the fingerprint that was read out is not that of the card: the card is not the "
                "agency's, or was changed on its way; reject it");
  }
  return Fail(ErrorCode::kPermissionDenied,
              "a card is approved with the fingerprint that the agency read out (--fingerprint)");
}

// What everybody works by follows the register.
AfterCommit Refreshed(const PeerActPorts& ports) {
  return [&peers = ports.peers, &monitor = ports.monitor, &barrier = ports.barrier] {
    (void)peers.Refresh();  // unreadable: nobody is a partner until it can be read
    // What was being answered to a removed partner, or under a key that was taken from it, is
    // answered; nothing after that.
    barrier.Drain();
    monitor.Poke();
  };
}

Status TellPeople(store::Transaction& transaction, audit::Recorder& recorder,
                  const PeerActPorts& ports, const policy::AgencyId& agency, std::string words) {
  return ports.notices.Post(transaction, recorder,
                            {identity::notice::kPeerNotice,
                             {Role::kSupervisor, Role::kDpo, Role::kSignatory},
                             agency.text(),
                             std::move(words)});
}

Status CheckOwnCard(const PeerActPorts& ports, const PeerCardAct& act,
                    const identity::PeerTerms& terms) {
  COMITY_ASSIGN_OR_RETURN(const transport::PeerCard card, transport::ParsePeerCard(act.card));
  const identity::PeerTerms own = ports.peers.Self().terms;
  if (card.former_key != sign::EncodePublicKey(own.signing_key)) {
    return Fail(ErrorCode::kInvalidArgument,
                "the card is not one that this agency's present key signed too; make it with "
                "'comity pki rotate-key'");
  }
  if (terms.spiffe_id == own.spiffe_id && terms.log_key == own.log_key) return {};
  return Fail(ErrorCode::kInvalidArgument,
              "the card names another SPIFFE id or log key than this gateway works with");
}

Result<identity::Suspension> SuspensionOf(const PeerStateAct& act) {
  if (act.suspended_at) return identity::Suspension{act.agency, *act.suspended_at};
  return Fail(ErrorCode::kInvalidArgument, "peer act: `suspended_at` is missing");
}

}  // namespace

Result<std::string> PeerEnrolAct::Describe(std::string_view content) const {
  COMITY_ASSIGN_OR_RETURN(const PeerCardAct act, ParsePeerCardAct(content));
  COMITY_ASSIGN_OR_RETURN(const identity::PeerTerms terms, TermsOf(act));
  const auto book = ports_.peers.Book();
  COMITY_RETURN_IF_ERROR(identity::Enrolled(*book, terms, ports_.clock.Now()));
  std::string words =
      "Enrol a partner agency: its gateway may then connect to this one, and "
      "agreements can be made with it.\n";
  if (book->contains(terms.agency)) words += "It was a partner before and was removed.\n";
  return words + WordsOf(terms) + Question(terms);
}

Result<AfterCommit> PeerEnrolAct::Carry(store::Transaction& transaction, audit::Recorder& recorder,
                                        const identity::PendingAct& act,
                                        const policy::PersonId& by) {
  COMITY_ASSIGN_OR_RETURN(const PeerCardAct content, ParsePeerCardAct(act.content));
  COMITY_ASSIGN_OR_RETURN(const identity::PeerTerms terms, TermsOf(content));
  COMITY_RETURN_IF_ERROR(CheckCompared(act, terms));
  COMITY_RETURN_IF_ERROR(ports_.peers.Enrol(transaction, recorder, terms, by));
  COMITY_RETURN_IF_ERROR(
      TellPeople(transaction, recorder, ports_, terms.agency,
                 terms.agency.text() + " (" + terms.name + ") was enrolled as a partner agency."));
  return Refreshed(ports_);
}

Result<std::string> PeerRekeyAct::Describe(std::string_view content) const {
  COMITY_ASSIGN_OR_RETURN(const PeerCardAct act, ParsePeerCardAct(content));
  COMITY_ASSIGN_OR_RETURN(const identity::PeerTerms terms, TermsOf(act));
  const auto book = ports_.peers.Book();
  const auto now = ports_.clock.Now();
  if (terms.agency == ports_.self) {
    COMITY_RETURN_IF_ERROR(CheckOwnCard(ports_, act, terms));
    COMITY_RETURN_IF_ERROR(identity::OwnRekeyed(*book, terms, act.how, act.card, now));
    return OwnRekeyWords(terms, act.how);
  }
  COMITY_RETURN_IF_ERROR(identity::Rekeyed(*book, terms, act.how, now));
  return RekeyWords(book->at(terms.agency), terms, act.how);
}

Result<AfterCommit> PeerRekeyAct::Carry(store::Transaction& transaction, audit::Recorder& recorder,
                                        const identity::PendingAct& act,
                                        const policy::PersonId& by) {
  COMITY_ASSIGN_OR_RETURN(const PeerCardAct content, ParsePeerCardAct(act.content));
  COMITY_ASSIGN_OR_RETURN(const identity::PeerTerms terms, TermsOf(content));
  COMITY_RETURN_IF_ERROR(CheckCompared(act, terms));
  if (terms.agency == ports_.self) {
    COMITY_RETURN_IF_ERROR(CheckOwnCard(ports_, content, terms));
    COMITY_RETURN_IF_ERROR(
        ports_.peers.RekeyOwn(transaction, recorder, terms, content.how, content.card, by));
    COMITY_RETURN_IF_ERROR(AnnounceToAll(
        transaction, recorder, EncodeKeyChange({content.card, content.how.compromised_since})));
  } else {
    COMITY_RETURN_IF_ERROR(ports_.peers.Rekey(transaction, recorder, terms, content.how, by));
    COMITY_RETURN_IF_ERROR(TellPeople(
        transaction, recorder, ports_, terms.agency,
        "What is known of " + terms.agency.text() + " (keys, address or name) was replaced."));
  }
  return Refreshed(ports_);
}

Status PeerRekeyAct::AnnounceToAll(store::Transaction& transaction, audit::Recorder& recorder,
                                   std::string_view content) const {
  const auto due_by = ports_.clock.Now() + kAnnouncementDue;
  for (const identity::Peer& peer : ports_.peers.List()) {
    if (peer.state == PeerState::kRemoved) continue;
    COMITY_RETURN_IF_ERROR(ports_.outbox.Add(
        transaction, recorder,
        {peer.terms.agency, oversight::message_kind::kKeyChange, std::string(content), due_by}));
  }
  return {};
}

Result<std::string> PeerResumeAct::Describe(std::string_view content) const {
  COMITY_ASSIGN_OR_RETURN(const PeerStateAct act, ParsePeerStateAct(content));
  COMITY_ASSIGN_OR_RETURN(const identity::Suspension suspension, SuspensionOf(act));
  const auto book = ports_.peers.Book();
  COMITY_RETURN_IF_ERROR(identity::Resumed(*book, suspension, ports_.clock.Now()));
  const identity::Peer& peer = book->at(act.agency);
  return "Resume the partner " + act.agency.text() + " (" + peer.terms.name +
         "): its gateway may connect again, and searches between the two go on.\nSuspended since " +
         policy::EncodeInstant(peer.changed_at) + " because: " + peer.reason +
         "\nResumed because: " + act.reason + "\n";
}

Result<AfterCommit> PeerResumeAct::Carry(store::Transaction& transaction, audit::Recorder& recorder,
                                         const identity::PendingAct& act,
                                         const policy::PersonId& by) {
  COMITY_ASSIGN_OR_RETURN(const PeerStateAct content, ParsePeerStateAct(act.content));
  COMITY_ASSIGN_OR_RETURN(const identity::Suspension suspension, SuspensionOf(content));
  COMITY_RETURN_IF_ERROR(
      ports_.peers.Resume(transaction, recorder, suspension, {by, content.reason}));
  COMITY_RETURN_IF_ERROR(TellPeople(transaction, recorder, ports_, content.agency,
                                    content.agency.text() + " was resumed: " + content.reason));
  return Refreshed(ports_);
}

Result<std::string> PeerRemoveAct::Describe(std::string_view content) const {
  COMITY_ASSIGN_OR_RETURN(const PeerStateAct act, ParsePeerStateAct(content));
  if (act.suspended_at) {
    return Fail(ErrorCode::kInvalidArgument, "peer act: a removal has no `suspended_at`");
  }
  const auto book = ports_.peers.Book();
  COMITY_RETURN_IF_ERROR(identity::Removed(*book, act.agency, act.reason, ports_.clock.Now()));
  return "Remove the partner " + act.agency.text() + " (" + book->at(act.agency).terms.name +
         "): its gateway is refused, agreements with it are in force no more, and messages that "
         "wait for it are dropped. Its keys stay for checking what it signed.\nBecause: " +
         act.reason + "\n";
}

Result<AfterCommit> PeerRemoveAct::Carry(store::Transaction& transaction, audit::Recorder& recorder,
                                         const identity::PendingAct& act,
                                         const policy::PersonId& by) {
  COMITY_ASSIGN_OR_RETURN(const PeerStateAct content, ParsePeerStateAct(act.content));
  COMITY_RETURN_IF_ERROR(
      ports_.peers.Remove(transaction, recorder, content.agency, {by, content.reason}));
  COMITY_ASSIGN_OR_RETURN(const std::uint64_t dropped,
                          transaction.outbox().Discard(content.agency));
  COMITY_RETURN_IF_ERROR(TellPeople(
      transaction, recorder, ports_, content.agency,
      content.agency.text() + " was removed: " + content.reason +
          ". Messages that waited for it and were dropped: " + std::to_string(dropped) + "."));
  return Refreshed(ports_);
}

}  // namespace comity::gateway
