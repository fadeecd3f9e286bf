// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/sealed_offers.h"

#include <algorithm>
#include <utility>

#include "policy/decide/decide.h"
#include "services/gateway/federation/part_assembly.h"
#include "services/gateway/federation/session_wire.h"
#include "services/matching/holder_decider.h"
#include "services/matching/judge.h"
#include "services/matching/sealed_lists.h"

namespace comity::gateway {
namespace {

std::string OctetsOf(const Digest& digest) {
  return std::string(AsText(digest.view()));
}

bool IsEngine(const sealed::ListHeader& header, const policy::EngineProfile& engine) {
  return header.engine_name == engine.name && header.engine_version == engine.version &&
         header.scales.dimension == engine.dimension;
}

// A search that keeps every bound of the permission.
policy::SearchRequest Within(policy::SearchRequest asked,
                             const policy::SearchPermission& permission) {
  if (!permission.roles.empty()) asked.role = permission.roles.front();
  if (!permission.uses.empty()) asked.use = permission.uses.front();
  asked.mode = policy::SearchMode::kSealed;
  asked.list_categories = permission.list_categories;
  asked.threshold = permission.threshold_floor;
  asked.offence_class = policy::OffenceClass::k4YearsOrMore;
  asked.has_case_reference = true;
  return asked;
}

constexpr int kMostHeld = 64;
// How long a caller that is gone keeps its thread.
constexpr std::chrono::milliseconds kLook{50};

bool IsHeld(const v1::SealedListOffer& offer, const v1::ListSealedRequest& asked) {
  return std::ranges::any_of(asked.held(), [&](const v1::SealedListRef& held) {
    return held.list() == offer.list() && held.sequence() == offer.sequence() &&
           held.state() == offer.state();
  });
}

// Whether the caller holds what is offered, and nothing else.
bool AreHeld(const v1::ListSealedReply& reply, const v1::ListSealedRequest& asked) {
  return reply.lists_size() == asked.held_size() &&
         std::ranges::all_of(reply.lists(),
                             [&](const auto& offer) { return IsHeld(offer, asked); });
}

// Octets from `offset` on of a text that is at hand.
Status SendText(const std::string& text, std::uint64_t offset, const SealedOffers::Send& send) {
  if (offset > text.size()) {
    return Fail(ErrorCode::kInvalidArgument, "an offset beyond the end");
  }
  for (std::size_t at = offset; at < text.size(); at += kMaxPart) {
    v1::SealedChunk chunk;
    chunk.set_data(text.substr(at, kMaxPart));
    if (!send(chunk)) return {};
  }
  return {};
}

}  // namespace

policy::Decision SealedOffers::Decide(const policy::SearchRequest& asked) const {
  const policy::Instant now = ports_.search.clock.Now();
  const auto agreements = ports_.search.agreements();
  const auto consider = [&](const policy::SearchRequest& request) {
    policy::Verdict verdict =
        matching::ConsiderAs(policy::SearchMode::kSealed, *agreements, request, now);
    if (ports_.search.halted) {
      verdict = matching::Halt(std::move(verdict), ports_.search.halted(request, {}));
    }
    return verdict;
  };
  const auto* const version = agreements->FindCurrent(asked.agreement->id, now);
  std::optional<policy::Decision> first;
  if (version != nullptr) {
    for (const policy::SearchPermission& permission : version->agreement.permissions) {
      if (permission.mode != policy::SearchMode::kSealed) continue;
      policy::Verdict verdict = consider(Within(asked, permission));
      if (verdict.capacity) {
        verdict.decision.code = policy::ReasonCode::kPermit;
        return std::move(verdict.decision);
      }
      if (!first) first = std::move(verdict.decision);
    }
  }
  if (first) return *std::move(first);
  policy::SearchRequest none = asked;
  none.mode = policy::SearchMode::kSealed;
  return consider(none).decision;
}

Result<v1::ListSealedReply> SealedOffers::List(const v1::ListSealedRequest& asked,
                                               const policy::AgencyId& requester) const {
  if (asked.held_size() > kMostHeld) {
    return Fail(ErrorCode::kInvalidArgument, "more than 64 sealed lists are held");
  }
  policy::SearchRequest request;
  request.requester = requester;
  request.holder = ports_.self;
  COMITY_ASSIGN_OR_RETURN(request.agreement, FromProto(asked.agreement()));
  COMITY_ASSIGN_OR_RETURN(request.purpose, policy::PurposeCode::Parse(asked.purpose()));
  COMITY_ASSIGN_OR_RETURN(request.engine, FromProto(asked.engine()));
  const policy::Decision decision = Decide(request);
  v1::ListSealedReply reply;
  *reply.mutable_decision() = ToProto(decision);
  if (!decision.permitted()) return reply;
  const policy::Instant now = ports_.search.clock.Now();
  for (const auto& epoch :
       ports_.desk.publications().InForce(requester, *request.agreement, *request.purpose, now)) {
    if (!IsEngine(epoch->view->header(), *request.engine)) continue;
    if (static_cast<std::size_t>(reply.lists_size()) == matching::kMostSealedLists) {
      // Some of them would be searched as if they were all.
      ports_.logger.Warn("too-many-sealed-lists", {{"peer", requester.text()},
                                                   {"agreement", request.agreement->id.text()},
                                                   {"purpose", request.purpose->text()}});
      reply.clear_lists();
      *reply.mutable_decision() =
          ToProto(matching::DenialUnder(policy::ReasonCode::kListNotCovered, decision));
      return reply;
    }
    v1::SealedListOffer& offer = *reply.add_lists();
    offer.set_header(epoch->header_envelope);
    offer.set_list(OctetsOf(epoch->header()));
    offer.set_sequence(epoch->view->state().sequence);
    offer.set_state(OctetsOf(epoch->view->state_digest()));
  }
  reply.set_preparing(ports_.desk.IsPreparing(requester, *request.agreement, *request.purpose));
  return reply;
}

void SealedOffers::AwaitNews(const v1::ListSealedRequest& asked, const policy::AgencyId& requester,
                             const std::function<bool()>& is_there) const {
  using std::chrono::steady_clock;
  const auto wait = std::min(std::chrono::milliseconds(asked.wait_ms()), kLongestWait);
  const auto until = steady_clock::now() + wait;
  const watchlists::SealedPublications& publications = ports_.desk.publications();
  while (steady_clock::now() < until && is_there()) {
    const std::uint64_t seen = publications.changes();
    const auto reply = List(asked, requester);
    if (!reply || !AreHeld(*reply, asked)) return;
    if (reply->preparing()) {
      publications.AwaitChange(seen, std::min(until, steady_clock::now() + kLook));
      continue;
    }
    // Unless what was being sealed is just coming into force.
    publications.AwaitCommit(until);
    if (publications.changes() == seen) return;
  }
}

bool SealedOffers::MayFetch(const watchlists::SealedEpoch& epoch) const {
  const sealed::ListHeader& header = epoch.view->header();
  policy::SearchRequest request;
  request.requester = epoch.scope.requester;
  request.holder = ports_.self;
  request.agreement = epoch.scope.agreement;
  request.purpose = epoch.scope.purpose;
  request.engine =
      policy::EngineProfile{header.engine_name, header.engine_version, header.scales.dimension};
  return Decide(request).permitted();
}

Status SealedOffers::Fetch(const v1::FetchSealedRequest& asked, const policy::AgencyId& requester,
                           const Send& send) const {
  if (asked.list().size() != Digest::kSize) {
    return Fail(ErrorCode::kInvalidArgument, "a list has a digest of 32 octets");
  }
  const bool wants_block = asked.state_sequence() == 0;
  if (asked.block_hash().size() != (wants_block ? Digest::kSize : 0)) {
    return Fail(ErrorCode::kInvalidArgument, "a block has a hash of 32 octets, a state none");
  }
  const Digest list = DigestOf(asked.list());
  const Digest hash = DigestOf(asked.block_hash());
  std::uint64_t offset = asked.offset();
  for (;;) {
    // Looked at again for every piece: what is taken away is not sent on.
    COMITY_ASSIGN_OR_RETURN(const auto epoch, ports_.desk.publications().Find(
                                                  list, requester, ports_.search.clock.Now()));
    if (!MayFetch(*epoch)) {
      return Fail(ErrorCode::kPermissionDenied, "nothing lets the sealed list be fetched now");
    }
    if (!wants_block) {
      if (epoch->view->state().sequence < asked.state_sequence()) {
        return Fail(ErrorCode::kNotFound, "no such state");
      }
      return SendText(epoch->state_envelope, offset, send);
    }
    COMITY_ASSIGN_OR_RETURN(const Bytes piece, ports_.desk.publications().ReadBlock(
                                                   list, asked.block(), hash, offset, kMaxPart));
    if (piece.empty()) return {};
    offset += piece.size();
    v1::SealedChunk chunk;
    chunk.set_data(piece.data(), piece.size());
    if (!send(chunk)) return {};
  }
}

}  // namespace comity::gateway
