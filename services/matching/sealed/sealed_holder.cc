// SPDX-License-Identifier: Apache-2.0
#include "services/matching/sealed/sealed_holder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/ot/base_ot.h"
#include "crypto/ot/pads.h"
#include "crypto/ot/softspoken.h"
#include "crypto/sealed/ring.h"
#include "crypto/sealed/threshold.h"
#include "services/matching/sealed/holder_round.h"
#include "services/matching/sealed/list_terms.h"

namespace comity::matching {

struct SealedHolder::State {
  explicit State(Setup setup)
      : list(std::move(setup.list)),
        first_block(setup.first_block),
        cap(setup.terms.cap),
        kernels(setup.kernels),
        most_pads(setup.most_pads),
        random(setup.random),
        sid(SessionId(setup.terms)),
        pad_batch(PadBatchFor(list->slots().size())),
        base(std::in_place, sid, setup.random),
        offer(base->offer()) {}

  void End() {
    base.reset();
    source.reset();
    pool.reset();
    ended = true;
  }
  Status Alive() const {
    if (ended) return Fail(ErrorCode::kConflict, "the sealed session has ended");
    return {};
  }

  Result<Bytes> OnAnswer(ByteView answer);
  Result<Bytes> MakePads();
  Status CheckProbes(std::span<const ByteView> probes) const;
  Status Open(Round& round, std::size_t index, ByteView tables, sealed::Sketch& bits);

  std::shared_ptr<const sealed::EpochView> list;
  std::shared_ptr<const sealed::SketchTable> sketch;
  std::uint32_t first_block;
  const std::uint32_t cap;
  const SealedKernels kernels;
  const std::size_t most_pads;
  RandomSource& random;
  const Digest sid;
  const PadBatch pad_batch;
  std::optional<ot::BaseOtSender> base;  // until the answer is there
  const std::array<std::uint8_t, ot::kBaseOtOfferSize> offer;
  std::optional<ot::SoftSpokenHolder> source;
  std::optional<ot::HolderPadPool> pool;
  std::uint64_t next_batch = 0;
  std::uint64_t pads_taken = 0;
  bool ended = false;
};

SealedHolder::SealedHolder(std::unique_ptr<State> state) : state_(std::move(state)) {}
SealedHolder::SealedHolder(SealedHolder&&) noexcept = default;
SealedHolder& SealedHolder::operator=(SealedHolder&&) noexcept = default;
SealedHolder::~SealedHolder() = default;

Result<SealedHolder> SealedHolder::Create(Setup setup) {
  COMITY_RETURN_IF_ERROR(CheckTerms(*setup.list, setup.terms));
  COMITY_ASSIGN_OR_RETURN(auto sketch,
                          MakeSketchTable(*setup.list, setup.first_block, setup.terms.cap));
  auto state = std::make_unique<State>(std::move(setup));
  state->sketch = std::move(sketch);
  return SealedHolder(std::move(state));
}

const Digest& SealedHolder::sid() const {
  return state_->sid;
}
ByteView SealedHolder::offer() const {
  return state_->offer;
}
std::size_t SealedHolder::pads() const {
  return state_->pool ? state_->pool->size() : 0;
}
std::uint64_t SealedHolder::pads_taken() const {
  return state_->pads_taken;
}
const sealed::EpochView& SealedHolder::list() const {
  return *state_->list;
}
std::uint64_t SealedHolder::next_batch() const {
  return state_->next_batch;
}
void SealedHolder::SkipBatch() {
  ++state_->next_batch;
}

Digest SealedHolder::NextBinding() const {
  return SearchBinding(state_->sid, {.batch = state_->next_batch,
                                     .pads_taken = state_->pads_taken,
                                     .first_block = state_->first_block,
                                     .state_sequence = state_->list->state().sequence,
                                     .state = state_->list->state_digest()});
}

Result<Bytes> SealedHolder::State::OnAnswer(ByteView answer) {
  COMITY_RETURN_IF_ERROR(Alive());
  if (!base) return Fail(ErrorCode::kConflict, "the sealed session has its base OTs");
  ot::BaseOtSender sender = std::move(*base);
  base.reset();
  COMITY_ASSIGN_OR_RETURN(ot::BaseOtSenderKeys keys, std::move(sender).Finish(answer));
  pool.emplace(ot::PadHashKey(sid, keys.transcript), kernels.ot);
  source.emplace(sid, std::move(keys), random, kernels.ot);
  return source->tree_message();
}

Result<Bytes> SealedHolder::State::MakePads() {
  COMITY_RETURN_IF_ERROR(Alive());
  if (!source) return Fail(ErrorCode::kConflict, "the sealed session has no base OTs yet");
  if (pool->size() + pad_batch.pads > most_pads) {
    return Fail(ErrorCode::kExhausted, "too many pads wait in the sealed session");
  }
  COMITY_ASSIGN_OR_RETURN(Bytes message, source->Begin(pad_batch.ots));
  ot::HolderRows rows;
  for (;;) {
    COMITY_ASSIGN_OR_RETURN(const bool more, source->Read(rows));
    if (!more) return message;
    pool->Add(rows);
  }
}

Result<Bytes> SealedHolder::OnAnswer(ByteView answer) {
  auto trees = state_->OnAnswer(answer);
  if (!trees) state_->End();
  return trees;
}

Result<Bytes> SealedHolder::MakePads() {
  auto message = state_->MakePads();
  if (!message) state_->End();
  return message;
}

Status SealedHolder::Update(std::shared_ptr<const sealed::EpochView> list,
                            std::uint32_t first_block) {
  COMITY_RETURN_IF_ERROR(state_->Alive());
  COMITY_RETURN_IF_ERROR(CheckSuccessor(*state_->list, *list));
  COMITY_ASSIGN_OR_RETURN(state_->sketch, MakeSketchTable(*list, first_block, state_->cap));
  state_->list = std::move(list);
  state_->first_block = first_block;
  return {};
}

Status SealedHolder::State::CheckProbes(std::span<const ByteView> probes) const {
  const std::size_t slots = list->slots().size();
  if (probes.empty() || probes.size() > MostProbes(slots) ||
      std::ranges::any_of(probes, [](ByteView c) { return c.size() != sealed::kElementBytes; })) {
    return Fail(ErrorCode::kInvalidArgument, "sealed batch: probes of a wrong number or length");
  }
  if (!pool) return Fail(ErrorCode::kConflict, "the sealed session has no base OTs yet");
  if (slots * probes.size() > pool->size()) {
    return Fail(ErrorCode::kUnavailable, "the sealed session has too few pads");
  }
  return {};
}

Result<std::unique_ptr<SealedHolder::Round>> SealedHolder::Begin(std::span<const ByteView> probes) {
  State& state = *state_;
  COMITY_RETURN_IF_ERROR(state.Alive());
  COMITY_RETURN_IF_ERROR(state.CheckProbes(probes));
  const std::size_t slots = state.list->slots().size();
  std::vector<Round::Item> items(probes.size());
  for (std::size_t i = 0; i < probes.size(); ++i) {
    sealed::Element element;
    COMITY_RETURN_IF_ERROR(sealed::ParseElement(probes[i], element));
    sealed::Transform(element, items[i].probe);
    if (slots == 0) continue;
    COMITY_ASSIGN_OR_RETURN(ot::HolderPads pads, state.pool->Take(slots));
    items[i].pads.emplace(std::move(pads));
  }
  state.pads_taken += slots * probes.size();
  ++state.next_batch;
  return std::make_unique<Round>(state.list, state.sketch, state.first_block, std::move(items));
}

Result<Bytes> SealedHolder::Offsets(Round& round, std::size_t index) {
  COMITY_RETURN_IF_ERROR(state_->Alive());
  COMITY_ASSIGN_OR_RETURN(Round::Item * item, round.NextToTell(index));
  if (!item->pads) return Bytes();  // a list without entries
  round.Share(*item);
  sealed::ToldOffsets told = sealed::TellOffsets(item->shares.Expose(), std::move(*item->pads));
  item->pads.reset();
  item->openings.emplace(std::move(told.openings));
  return std::move(told.message);
}

Status SealedHolder::State::Open(Round& round, std::size_t index, ByteView tables,
                                 sealed::Sketch& bits) {
  COMITY_RETURN_IF_ERROR(Alive());
  COMITY_CHECK(bits.cap == cap);
  COMITY_ASSIGN_OR_RETURN(Round::Item * item, round.NextToOpen(index));
  if (!item->openings) {
    if (tables.empty()) return {};
    return Fail(ErrorCode::kInvalidArgument, "tables of a list without entries");
  }
  const auto shares = std::exchange(item->shares, {});
  ot::HolderOpenings openings = std::move(*item->openings);
  item->openings.reset();
  COMITY_ASSIGN_OR_RETURN(const SecretBytes opened,
                          sealed::OpenTables(shares.Expose(), std::move(openings), tables));
  bits = sealed::Difference(bits, round.sketch().Fold(opened.Expose()));
  return {};
}

Status SealedHolder::Open(Round& round, std::size_t index, ByteView tables, sealed::Sketch& bits) {
  Status status = state_->Open(round, index, tables, bits);
  if (!status) state_->End();
  return status;
}

}  // namespace comity::matching
