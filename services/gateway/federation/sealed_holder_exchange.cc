// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/sealed_holder_exchange.h"

#include <algorithm>
#include <string>
#include <utility>

#include "crypto/sealed/sketch.h"
#include "crypto/sealed/threshold.h"
#include "services/matching/sealed/holder_round.h"

namespace comity::gateway {
namespace {

// Searches whose pads are made ahead.
constexpr std::size_t kProbesAhead = 2;

std::string OctetsOf(const Digest& digest) {
  return std::string(AsText(digest.view()));
}

tl::unexpected<Error> NotTaken() {
  return Fail(ErrorCode::kUnavailable, "the requester does not listen any more");
}

}  // namespace

SealedHolderExchange::SealedHolderExchange(const matching::SealedSessionTerms& terms)
    : terms_(terms) {}
SealedHolderExchange::~SealedHolderExchange() = default;

Result<std::unique_ptr<SealedHolderExchange>> SealedHolderExchange::Create(Setup setup) {
  const Setup own = std::move(setup);
  std::unique_ptr<SealedHolderExchange> exchange(new SealedHolderExchange(own.terms));
  for (std::size_t i = 0; i < own.lists.size(); ++i) {
    matching::SealedSessionTerms terms = own.terms;
    terms.header = own.lists[i]->header_digest();
    COMITY_ASSIGN_OR_RETURN(auto holder,
                            matching::SealedHolder::Create({.list = own.lists[i],
                                                            .terms = terms,
                                                            .first_block = FirstBlock(own.lists, i),
                                                            .kernels = own.kernels,
                                                            .random = own.random}));
    exchange->slots_at_set_up_.push_back(own.lists[i]->slots().size());
    exchange->holders_.push_back(std::move(holder));
  }
  exchange->pad_batches_.assign(own.lists.size(), 0);
  return exchange;
}

std::uint32_t SealedHolderExchange::FirstBlock(const Views& lists, std::size_t list) {
  std::uint32_t blocks = 0;
  for (std::size_t i = 0; i < list; ++i) blocks += matching::BlocksOf(lists[i]->state());
  return blocks;
}

std::size_t SealedHolderExchange::SlotsOf(std::size_t list) const {
  return holders_[list].list().slots().size();
}

void SealedHolderExchange::FillOpened(v1::SealedOpened& opened) const {
  opened.set_nonce(terms_.holder_nonce.data(), terms_.holder_nonce.size());
  opened.set_cap(terms_.cap);
  opened.set_hit_opening(v1::HIT_OPENING_AUDITOR);
  opened.set_requester_certificate(OctetsOf(terms_.requester_certificate));
  for (const auto& holder : holders_) {
    opened.add_offers(holder.offer().data(), holder.offer().size());
  }
}

Status SealedHolderExchange::OnSetUp(const v1::SealedSetUp& message, const Send& send) {
  if (static_cast<std::size_t>(message.lists_size()) != holders_.size()) {
    return Fail(ErrorCode::kInvalidArgument, "sealed session: base OTs for each list");
  }
  for (std::size_t i = 0; i < holders_.size(); ++i) {
    if (message.lists(static_cast<int>(i)).sid() != OctetsOf(holders_[i].sid())) {
      return Fail(ErrorCode::kInvalidArgument, "sealed session: the two sides have other terms");
    }
  }
  for (std::size_t i = 0; i < holders_.size(); ++i) {
    COMITY_ASSIGN_OR_RETURN(
        const Bytes trees,
        holders_[i].OnAnswer(AsBytes(message.lists(static_cast<int>(i)).answer())));
    const SealedWhole whole{v1::SealedPart::KIND_TREES,
                            static_cast<std::uint32_t>(i),
                            holders_[i].sid(),
                            0,
                            0,
                            trees.size()};
    if (!SendParts(whole, trees, send)) return NotTaken();
  }
  return {};
}

void SealedHolderExchange::FillReady(v1::SealedReady& ready) const {
  for (const auto& holder : holders_) ready.add_sids(OctetsOf(holder.sid()));
}

Status SealedHolderExchange::SendPads(std::size_t probes, const Send& send) {
  for (std::size_t i = 0; i < holders_.size(); ++i) {
    // What a batch needs is at most kMaxSlotsABatch, half of what may wait.
    const std::size_t wanted = SlotsOf(i) * std::max(probes, kProbesAhead);
    while (holders_[i].pads() < wanted) {
      const std::size_t more = matching::PadBatchFor(slots_at_set_up_[i]).pads;
      const bool needed = holders_[i].pads() < SlotsOf(i) * probes;
      if (!needed && holders_[i].pads() + more > matching::kMostPads) break;
      COMITY_ASSIGN_OR_RETURN(const Bytes pads, holders_[i].MakePads());
      const SealedWhole whole{v1::SealedPart::KIND_PADS,
                              static_cast<std::uint32_t>(i),
                              holders_[i].sid(),
                              pad_batches_[i]++,
                              0,
                              pads.size()};
      if (!SendParts(whole, pads, send)) return NotTaken();
    }
  }
  return {};
}

std::size_t SealedHolderExchange::MostProbes() const {
  std::size_t slots = 0;
  for (std::size_t i = 0; i < holders_.size(); ++i) slots += SlotsOf(i);
  return matching::MostProbes(slots);
}

Status SealedHolderExchange::Update(const Views& lists) {
  bool same = true;
  for (std::size_t i = 0; i < holders_.size(); ++i) {
    same = same && lists[i]->state_digest() == holders_[i].list().state_digest();
  }
  if (same) return {};
  for (std::size_t i = 0; i < holders_.size(); ++i) {
    COMITY_RETURN_IF_ERROR(holders_[i].Update(lists[i], FirstBlock(lists, i)));
  }
  return {};
}

bool SealedHolderExchange::IsBound(const v1::SealedProbes& probes) const {
  for (std::size_t i = 0; i < holders_.size(); ++i) {
    if (probes.bindings(static_cast<int>(i)) != OctetsOf(holders_[i].NextBinding())) return false;
  }
  return true;
}

void SealedHolderExchange::Skip() {
  for (auto& holder : holders_) holder.SkipBatch();
}

Status SealedHolderExchange::Begin(const v1::SealedProbes& probes,
                                   std::span<const std::size_t> accepted, const Send& send) {
  if (!IsBound(probes)) {
    return Fail(ErrorCode::kInvalidArgument, "sealed session: the two sides are out of step");
  }
  COMITY_RETURN_IF_ERROR(SendPads(accepted.size(), send));
  batch_ = next_batch();
  accepted_.assign(accepted.begin(), accepted.end());
  rounds_.clear();
  bindings_.clear();
  for (std::size_t i = 0; i < holders_.size(); ++i) {
    bindings_.push_back(holders_[i].NextBinding());
    std::vector<ByteView> blinded;
    for (const std::size_t index : accepted) {
      blinded.push_back(
          AsBytes(probes.probes(static_cast<int>(index)).blinded(static_cast<int>(i))));
    }
    COMITY_ASSIGN_OR_RETURN(auto round, holders_[i].Begin(blinded));
    rounds_.push_back(std::move(round));
  }
  for (std::size_t p = 0; p < accepted_.size(); ++p) {
    for (std::size_t i = 0; i < holders_.size(); ++i) {
      COMITY_ASSIGN_OR_RETURN(const Bytes offsets, holders_[i].Offsets(*rounds_[i], p));
      const SealedWhole whole{v1::SealedPart::KIND_OFFSETS,
                              static_cast<std::uint32_t>(i),
                              bindings_[i],
                              batch_,
                              static_cast<std::uint32_t>(accepted_[p]),
                              offsets.size()};
      if (!SendParts(whole, offsets, send)) return NotTaken();
    }
  }
  next_probe_ = 0;
  next_list_ = 0;
  return ExpectTables();
}

std::size_t SealedHolderExchange::TableBytes(std::size_t list) const {
  const bool last = list + 1 == holders_.size();
  return SlotsOf(list) * sealed::kTableBytes + (last ? sealed::SketchBytes(terms_.cap) : 0);
}

std::size_t SealedHolderExchange::TablesLeft() const {
  std::size_t octets = 0;
  for (std::size_t i = 0; i < holders_.size(); ++i) octets += TableBytes(i);
  return octets * (accepted_.size() - next_probe_);
}

Status SealedHolderExchange::ExpectTables() {
  if (!is_comparing()) return {};
  if (next_list_ == 0) {
    bits_ = sealed::Sketch{};
    bits_.cap = terms_.cap;
  }
  // The last list always sends: the sketch.
  for (; TableBytes(next_list_) == 0; ++next_list_) {
    COMITY_RETURN_IF_ERROR(holders_[next_list_].Open(*rounds_[next_list_], next_probe_, {}, bits_));
  }
  incoming_ = PartAssembly(
      {v1::SealedPart::KIND_TABLES, static_cast<std::uint32_t>(next_list_), bindings_[next_list_],
       batch_, static_cast<std::uint32_t>(accepted_[next_probe_]), TableBytes(next_list_)});
  return {};
}

Result<std::optional<matching::SealedOutcome>> SealedHolderExchange::OnTables(
    const v1::SealedPart& part) {
  if (!is_comparing()) {
    return Fail(ErrorCode::kInvalidArgument, "sealed session: no tables are expected");
  }
  COMITY_RETURN_IF_ERROR(incoming_.Add(part));
  if (!incoming_.is_whole()) return std::nullopt;
  const Bytes octets = incoming_.Take();
  const std::size_t tables = SlotsOf(next_list_) * sealed::kTableBytes;
  COMITY_RETURN_IF_ERROR(holders_[next_list_].Open(*rounds_[next_list_], next_probe_,
                                                   ByteView(octets).first(tables), bits_));
  if (++next_list_ < holders_.size()) {
    COMITY_RETURN_IF_ERROR(ExpectTables());
    return std::nullopt;
  }
  std::vector<const matching::SealedHolder::Round*> rounds;
  for (const auto& round : rounds_) rounds.push_back(round.get());
  COMITY_ASSIGN_OR_RETURN(matching::SealedOutcome outcome,
                          matching::DecodeOutcome(bits_, ByteView(octets).subspan(tables), rounds));
  next_list_ = 0;
  ++next_probe_;
  if (!is_comparing()) rounds_.clear();
  COMITY_RETURN_IF_ERROR(ExpectTables());
  return outcome;
}

}  // namespace comity::gateway
