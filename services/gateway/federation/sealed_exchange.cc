// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/sealed_exchange.h"

#include <algorithm>
#include <string>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/ot/puncturable_tree.h"
#include "crypto/sealed/sketch.h"
#include "crypto/sealed/threshold.h"

namespace comity::gateway {
namespace {

constexpr std::size_t kNonceSize = 32;

tl::unexpected<Error> Wrong(const char* what) {
  return Fail(ErrorCode::kInvalidArgument, std::string("sealed session: ") + what);
}

std::string ToOctets(const Digest& digest) {
  return std::string(AsText(digest.view()));
}

}  // namespace

void SetRef(const sealed::ListView& list, v1::SealedListRef& ref) {
  ref.set_list(ToOctets(list.header_digest()));
  ref.set_sequence(list.state().sequence);
  ref.set_state(ToOctets(list.state_digest()));
}

Result<std::unique_ptr<SealedExchange>> SealedExchange::Create(Setup setup,
                                                               const v1::SealedOpened& opened) {
  const std::size_t count = setup.lists.size();
  if (count == 0 || count > kMaxLists) return Wrong("1 to 16 lists");
  if (static_cast<std::size_t>(opened.offers_size()) != count)
    return Wrong("an offer for each list");
  if (opened.nonce().size() != kNonceSize) return Wrong("a nonce has 32 octets");
  if (opened.cap() != setup.cap) return Wrong("the cap is not the agreed one");
  if (opened.hit_opening() != v1::HIT_OPENING_AUDITOR) return Wrong("hits open to an auditor only");
  matching::SealedSessionTerms terms;
  terms.tau = setup.tau;
  terms.cap = setup.cap;
  terms.requester_nonce = setup.nonce;
  std::ranges::copy(AsBytes(opened.nonce()), terms.holder_nonce.begin());
  terms.requester_certificate = setup.own_certificate;
  terms.holder_certificate = setup.holder_certificate;
  const matching::SealedKernels kernels = setup.kernels;
  RandomSource& random = setup.random;
  std::unique_ptr<SealedExchange> exchange(new SealedExchange(std::move(setup)));
  for (std::size_t i = 0; i < count; ++i) {
    terms.header = exchange->lists_[i]->header_digest();
    COMITY_ASSIGN_OR_RETURN(
        auto requester, matching::SealedRequester::Create(
                            {exchange->lists_[i], terms, FirstBlock(exchange->lists_, i), kernels,
                             matching::kMostPads, random},
                            AsBytes(opened.offers(static_cast<int>(i)))));
    exchange->requesters_.push_back(std::move(requester));
    exchange->slots_at_set_up_.push_back(exchange->lists_[i]->slot_count());
  }
  exchange->has_trees_.assign(count, false);
  exchange->pad_batches_.assign(count, 0);
  return exchange;
}

std::uint32_t SealedExchange::FirstBlock(const SealedLists& lists, std::size_t list) {
  std::uint32_t blocks = 0;
  for (std::size_t i = 0; i < list; ++i) blocks += matching::BlocksOf(lists[i]->state());
  return blocks;
}

std::size_t SealedExchange::SlotsOf(std::size_t list) const {
  return lists_[list]->slot_count();
}

v1::SealedSetUp SealedExchange::SetUp() const {
  v1::SealedSetUp message;
  for (const auto& requester : requesters_) {
    v1::SealedBaseOts& base = *message.add_lists();
    base.set_sid(ToOctets(requester.sid()));
    base.set_answer(std::string(AsText(requester.answer())));
  }
  return message;
}

// What a part that begins a whole may belong to.
Result<PartAssembly> SealedExchange::Next(const v1::SealedPart& part) const {
  if (part.list() >= requesters_.size()) return Wrong("a part of a list that is not searched");
  const std::size_t list = part.list();
  SealedWhole whole{part.kind(), part.list(), requesters_[list].sid()};
  if (part.kind() == v1::SealedPart::KIND_TREES && !is_ready_ && !has_trees_[list]) {
    whole.size = ot::kTreeMessageSize;
    return PartAssembly(std::move(whole));
  }
  if (part.kind() != v1::SealedPart::KIND_PADS || !is_ready_) return Wrong("not the time for this");
  whole.number = pad_batches_[list];
  whole.size = matching::PadBatchFor(slots_at_set_up_[list]).message_bytes;
  return PartAssembly(std::move(whole));
}

Status SealedExchange::OnPart(const v1::SealedPart& part) {
  if (!is_incoming_) {
    COMITY_ASSIGN_OR_RETURN(incoming_, Next(part));
    is_incoming_ = true;
  }
  COMITY_RETURN_IF_ERROR(incoming_.Add(part));
  if (!incoming_.is_whole()) return {};
  is_incoming_ = false;
  const Bytes octets = incoming_.Take();
  return Deliver(incoming_.whole(), octets);
}

Status SealedExchange::Deliver(const SealedWhole& whole, ByteView octets) {
  if (whole.kind == v1::SealedPart::KIND_TREES) {
    has_trees_[whole.list] = true;
    return requesters_[whole.list].OnTrees(octets);
  }
  ++pad_batches_[whole.list];
  return requesters_[whole.list].OnPads(octets);
}

Status SealedExchange::OnReady(const v1::SealedReady& ready) {
  const bool has_all = std::ranges::all_of(has_trees_, [](bool has) { return has; });
  if (is_ready_ || is_incoming_ || !has_all) return Wrong("ready before its trees, or twice");
  if (static_cast<std::size_t>(ready.sids_size()) != requesters_.size()) {
    return Wrong("a session id for each list");
  }
  for (std::size_t i = 0; i < requesters_.size(); ++i) {
    if (ready.sids(static_cast<int>(i)) != AsText(requesters_[i].sid().view())) {
      return Wrong("the two sides have other terms");
    }
  }
  is_ready_ = true;
  return {};
}

bool SealedExchange::Covers(const SealedLists& lists) const {
  return std::ranges::equal(lists, lists_, [](const auto& left, const auto& right) {
    return left->header_digest() == right->header_digest();
  });
}

Status SealedExchange::Update(const SealedLists& lists) {
  COMITY_CHECK(Covers(lists));
  for (std::size_t i = 0; i < lists.size(); ++i) {
    COMITY_RETURN_IF_ERROR(requesters_[i].Update(lists[i], FirstBlock(lists, i)));
  }
  lists_ = lists;
  return {};
}

std::size_t SealedExchange::MostProbes() const {
  std::size_t slots = 0;
  for (std::size_t i = 0; i < lists_.size(); ++i) slots += SlotsOf(i);
  return std::min(matching::MostProbes(slots), kMaxBlinded / lists_.size());
}

std::uint64_t SealedExchange::pads_taken() const {
  std::uint64_t most = 0;
  for (const auto& requester : requesters_) most = std::max(most, requester.pads_taken());
  return most;
}

static_assert(casework::HitOpening::kMaxHeader == sealed::kMaxHeaderBytes);
static_assert(casework::HitOpening::kMaxTemplate == sealed::kMaxDimension);

Result<SealedExchange::Batch> SealedExchange::Begin(
    std::span<const sealed::SecretArray<std::int8_t>> templates) {
  Batch batch;
  rounds_.clear();
  bindings_.clear();
  const std::uint64_t first = next_number_;
  next_number_ += templates.size();
  for (std::size_t p = 0; p < templates.size(); ++p) {
    batch.message.add_probes()->set_sequence(first + p);
    const auto q = templates[p].Expose();
    batch.openings.emplace_back().probe =
        SecretBytes::CopyOf({reinterpret_cast<const std::uint8_t*>(q.data()), q.size()});
  }
  for (std::size_t i = 0; i < requesters_.size(); ++i) {
    COMITY_ASSIGN_OR_RETURN(auto begun, requesters_[i].Begin(templates, first));
    const Bytes header = sealed::EncodeListHeader(lists_[i]->header());
    for (std::size_t p = 0; p < templates.size(); ++p) {
      const Bytes& blinded = begun.probes[p];
      batch.message.mutable_probes(static_cast<int>(p))
          ->add_blinded(blinded.data(), blinded.size());
      batch.openings[p].lists.push_back({header, std::move(begun.openings[p].seed)});
    }
    batch_ = begun.batch;  // the same of every list: each counts all batches
    batch.message.add_bindings(ToOctets(begun.binding));
    SetRef(*lists_[i], *batch.message.add_lists());
    bindings_.push_back(begun.binding);
    rounds_.push_back(std::move(begun.round));
  }
  batch.message.set_batch(batch_);
  batch.bindings = bindings_;
  return batch;
}

void SealedExchange::Prepare() {
  for (std::size_t i = 0; i < requesters_.size(); ++i) requesters_[i].Prepare(*rounds_[i]);
}

Status SealedExchange::Accept(std::span<const std::size_t> indices) {
  for (std::size_t i = 0; i < requesters_.size(); ++i) {
    COMITY_RETURN_IF_ERROR(requesters_[i].Accept(*rounds_[i], indices));
  }
  return {};
}

std::size_t SealedExchange::OffsetSize(std::size_t list) const {
  return sealed::OffsetBytes(SlotsOf(list));
}

Result<SealedExchange::Tables> SealedExchange::MakeTables(std::size_t probe, std::size_t list,
                                                          ByteView offsets) {
  Tables tables;
  COMITY_ASSIGN_OR_RETURN(tables.octets,
                          requesters_[list].Tables(*rounds_[list], probe, offsets, masks_));
  if (list + 1 == requesters_.size()) {
    const Bytes sketch = sealed::EncodeSketch(masks_);
    tables.octets.insert(tables.octets.end(), sketch.begin(), sketch.end());
  }
  tables.whole = {v1::SealedPart::KIND_TABLES,
                  static_cast<std::uint32_t>(list),
                  bindings_[list],
                  batch_,
                  static_cast<std::uint32_t>(probe),
                  tables.octets.size()};
  return tables;
}

Result<std::vector<SealedExchange::Tables>> SealedExchange::OnOffsets(std::size_t probe,
                                                                      std::size_t list,
                                                                      ByteView offsets) {
  std::vector<Tables> all;
  const auto is_first = [&] {
    for (std::size_t i = 0; i < list; ++i) {
      if (SlotsOf(i) != 0) return false;
    }
    return true;
  };
  std::size_t next = list;
  if (is_first()) {
    masks_ = sealed::Sketch{};
    masks_.cap = cap_;
    next = 0;
  }
  // Lists without entries have no offsets: theirs go with their neighbour's.
  for (; next < list; ++next) {
    COMITY_ASSIGN_OR_RETURN(all.emplace_back(), MakeTables(probe, next, {}));
  }
  COMITY_ASSIGN_OR_RETURN(all.emplace_back(), MakeTables(probe, list, offsets));
  for (next = list + 1; next < requesters_.size() && SlotsOf(next) == 0; ++next) {
    COMITY_ASSIGN_OR_RETURN(all.emplace_back(), MakeTables(probe, next, {}));
  }
  return all;
}

}  // namespace comity::gateway
