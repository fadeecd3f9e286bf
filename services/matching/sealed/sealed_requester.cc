// SPDX-License-Identifier: Apache-2.0
#include "services/matching/sealed/sealed_requester.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/ot/base_ot.h"
#include "crypto/ot/pads.h"
#include "crypto/ot/softspoken.h"
#include "crypto/sealed/threshold.h"
#include "services/matching/sealed/list_terms.h"
#include "services/matching/sealed/requester_round.h"

namespace comity::matching {

struct SealedRequester::State {
  State(Setup setup, ot::BaseOtReceiver base, std::uint32_t the_threshold)
      : list(std::move(setup.list)),
        first_block(setup.first_block),
        cap(setup.terms.cap),
        threshold(the_threshold),
        kernels(setup.kernels),
        most_pads(setup.most_pads),
        random(setup.random),
        sid(SessionId(setup.terms)),
        pad_batch(PadBatchFor(list->slot_count())),
        answer(base.answer()),
        base_keys(std::move(base).TakeKeys()) {}

  // After it nothing secret is left but in rounds, which are useless without it.
  void End() {
    base_keys.reset();
    source.reset();
    pool.reset();
    ended = true;
  }
  Status Ending(Status status) {
    if (!status) End();
    return status;
  }
  Status Alive() const {
    if (ended) return Fail(ErrorCode::kConflict, "the sealed session has ended");
    return {};
  }
  Digest Binding() const {
    return SearchBinding(sid, {.batch = next_batch,
                               .pads_taken = pads_taken,
                               .first_block = first_block,
                               .state_sequence = list->state().sequence,
                               .state = list->state_digest()});
  }

  Status OnTrees(ByteView message);
  Status OnPads(ByteView message);
  Result<sealed::Probe> Blind(std::span<const std::int8_t> q, std::uint64_t number);
  Status TakePads(Round& round, std::span<const std::size_t> indices);
  Status Accept(Round& round, std::span<const std::size_t> indices);
  Result<Bytes> Tables(Round& round, std::size_t index, ByteView offsets, sealed::Sketch& masks);

  std::shared_ptr<const sealed::ListView> list;
  std::shared_ptr<const sealed::SketchTable> sketch;
  std::uint32_t first_block;
  const std::uint32_t cap;
  const std::uint32_t threshold;
  const SealedKernels kernels;
  const std::size_t most_pads;
  RandomSource& random;
  const Digest sid;
  const PadBatch pad_batch;
  const Bytes answer;
  std::optional<ot::BaseOtReceiverKeys> base_keys;  // until the trees are there
  std::optional<ot::SoftSpokenRequester> source;
  std::optional<ot::RequesterPadPool> pool;
  std::uint64_t next_batch = 0;
  std::uint64_t pads_taken = 0;
  std::uint64_t next_number = 0;
  bool ended = false;
};

SealedRequester::SealedRequester(std::unique_ptr<State> state) : state_(std::move(state)) {}
SealedRequester::SealedRequester(SealedRequester&&) noexcept = default;
SealedRequester& SealedRequester::operator=(SealedRequester&&) noexcept = default;
SealedRequester::~SealedRequester() = default;

Result<SealedRequester> SealedRequester::Create(Setup setup, ByteView offer) {
  COMITY_ASSIGN_OR_RETURN(const std::uint32_t threshold, CheckTerms(*setup.list, setup.terms));
  COMITY_ASSIGN_OR_RETURN(auto sketch,
                          MakeSketchTable(*setup.list, setup.first_block, setup.terms.cap));
  COMITY_ASSIGN_OR_RETURN(ot::BaseOtReceiver base,
                          ot::BaseOtReceiver::Answer(SessionId(setup.terms), offer, setup.random));
  auto state = std::make_unique<State>(std::move(setup), std::move(base), threshold);
  state->sketch = std::move(sketch);
  return SealedRequester(std::move(state));
}

const Digest& SealedRequester::sid() const {
  return state_->sid;
}
ByteView SealedRequester::answer() const {
  return state_->answer;
}
std::size_t SealedRequester::pads() const {
  return state_->pool ? state_->pool->size() : 0;
}
std::uint64_t SealedRequester::pads_taken() const {
  return state_->pads_taken;
}
const sealed::ListView& SealedRequester::list() const {
  return *state_->list;
}

Status SealedRequester::State::OnTrees(ByteView message) {
  COMITY_RETURN_IF_ERROR(Alive());
  if (!base_keys) return Fail(ErrorCode::kConflict, "the sealed session has its trees");
  ot::BaseOtReceiverKeys keys = std::move(*base_keys);
  base_keys.reset();
  const Digest transcript = keys.transcript;
  COMITY_ASSIGN_OR_RETURN(
      source, ot::SoftSpokenRequester::Create(sid, std::move(keys), message, kernels.ot));
  pool.emplace(ot::PadHashKey(sid, transcript), kernels.ot);
  return {};
}

Status SealedRequester::State::OnPads(ByteView message) {
  COMITY_RETURN_IF_ERROR(Alive());
  if (!source) return Fail(ErrorCode::kConflict, "the sealed session has no trees yet");
  if (message.size() != pad_batch.message_bytes) {
    return Fail(ErrorCode::kInvalidArgument, "pads of the wrong length");
  }
  if (pool->size() + pad_batch.pads > most_pads) {
    return Fail(ErrorCode::kExhausted, "too many pads wait in the sealed session");
  }
  COMITY_RETURN_IF_ERROR(source->Begin(pad_batch.ots));
  COMITY_RETURN_IF_ERROR(source->Receive(message));
  ot::RequesterRows rows;
  for (;;) {
    COMITY_ASSIGN_OR_RETURN(const bool more, source->Read(rows));
    if (!more) return {};
    pool->Add(rows);
  }
}

Status SealedRequester::OnTrees(ByteView message) {
  return state_->Ending(state_->OnTrees(message));
}

Status SealedRequester::OnPads(ByteView message) {
  return state_->Ending(state_->OnPads(message));
}

Status SealedRequester::Update(std::shared_ptr<const sealed::ListView> list,
                               std::uint32_t first_block) {
  COMITY_RETURN_IF_ERROR(state_->Alive());
  COMITY_RETURN_IF_ERROR(CheckSuccessor(*state_->list, *list));
  // Every batch comes here; making the sketch's table costs as much as scanning the list.
  const bool is_same =
      list->state_digest() == state_->list->state_digest() && first_block == state_->first_block;
  if (!is_same) {
    COMITY_ASSIGN_OR_RETURN(state_->sketch, MakeSketchTable(*list, first_block, state_->cap));
  }
  state_->list = std::move(list);
  state_->first_block = first_block;
  return {};
}

Result<sealed::Probe> SealedRequester::State::Blind(std::span<const std::int8_t> q,
                                                    std::uint64_t number) {
  return sealed::Probe::Blind(list->matrix(), q, sealed::DrawProbeSeed(sid, number, q, random),
                              kernels.score);
}

Result<SealedRequester::Begun> SealedRequester::Begin(
    std::span<const sealed::SecretArray<std::int8_t>> templates, std::uint64_t first_number) {
  State& state = *state_;
  COMITY_RETURN_IF_ERROR(state.Alive());
  if (templates.empty() || templates.size() > MostProbes(state.list->slot_count())) {
    return Fail(ErrorCode::kInvalidArgument, "sealed batch: too many or no probes");
  }
  if (first_number < state.next_number ||
      first_number > std::numeric_limits<std::uint64_t>::max() - templates.size()) {
    return Fail(ErrorCode::kInvalidArgument, "sealed batch: a probe's number comes twice");
  }
  Begun begun;
  std::vector<Round::Item> items;
  const std::size_t dimension = state.list->profile().dimension();
  sealed::SecretArray<std::int8_t> all(templates.size() * dimension);
  for (std::size_t i = 0; i < templates.size(); ++i) {
    const std::span<const std::int8_t> q = templates[i].Expose();
    COMITY_ASSIGN_OR_RETURN(sealed::Probe probe, state.Blind(q, first_number + i));
    std::ranges::copy(q, all.ExposeMutable().subspan(i * dimension).begin());
    ProbeOpening opening{.number = first_number + i,
                         .q = sealed::SecretArray<std::int8_t>(q.size()),
                         .seed = probe.seed().Clone()};
    std::ranges::copy(q, opening.q.ExposeMutable().begin());
    begun.openings.push_back(std::move(opening));
    begun.probes.push_back(ToBytes(probe.message()));
    items.push_back({.probe = std::move(probe), .scores = {}, .pads = std::nullopt});
  }
  begun.batch = state.next_batch;
  begun.binding = state.Binding();
  begun.round = std::make_unique<Round>(state.next_batch, state.list, state.sketch,
                                        std::move(items), std::move(all));
  ++state.next_batch;
  state.next_number = first_number + templates.size();
  return begun;
}

void SealedRequester::Prepare(Round& round) const {
  round.Score(state_->kernels.score);
}

Status SealedRequester::State::TakePads(Round& round, std::span<const std::size_t> indices) {
  const std::size_t slots = round.slots().size();
  if (slots == 0) return {};
  if (!pool || pool->size() / slots < indices.size()) {
    return Fail(ErrorCode::kCorrupt, "the sealed session lacks pads: the sides are out of step");
  }
  for (const std::size_t index : indices) {
    COMITY_ASSIGN_OR_RETURN(ot::RequesterPads pads, pool->Take(slots));
    round.item(index).pads.emplace(std::move(pads));
  }
  pads_taken += slots * indices.size();
  return {};
}

Status SealedRequester::State::Accept(Round& round, std::span<const std::size_t> indices) {
  COMITY_RETURN_IF_ERROR(Alive());
  if (round.batch() + 1 != next_batch) {
    return Fail(ErrorCode::kConflict, "sealed batch: a later one has begun");
  }
  COMITY_RETURN_IF_ERROR(round.SetAccepted(indices));
  return TakePads(round, indices);
}

Status SealedRequester::Accept(Round& round, std::span<const std::size_t> indices) {
  COMITY_RETURN_IF_ERROR(state_->Ending(state_->Accept(round, indices)));
  if (!indices.empty()) Prepare(round);
  return {};
}

Result<Bytes> SealedRequester::State::Tables(Round& round, std::size_t index, ByteView offsets,
                                             sealed::Sketch& masks) {
  COMITY_RETURN_IF_ERROR(Alive());
  COMITY_CHECK(masks.cap == cap);
  COMITY_ASSIGN_OR_RETURN(Round::Item * item, round.Next(index));
  if (round.slots().size() == 0) {
    if (offsets.empty()) return Bytes();
    return Fail(ErrorCode::kInvalidArgument, "offsets of a list without entries");
  }
  const auto rho = item->probe.Masks(round.slots());
  const auto scores = std::exchange(item->scores, {});
  auto tables = sealed::CoverTables(
      {.threshold = threshold, .scores = scores.Expose(), .masks = rho.Expose()}, offsets,
      std::move(*item->pads));
  item->pads.reset();
  if (tables) masks = sealed::Difference(masks, round.sketch().Fold(rho.Expose()));
  return tables;
}

Result<Bytes> SealedRequester::Tables(Round& round, std::size_t index, ByteView offsets,
                                      sealed::Sketch& masks) {
  auto tables = state_->Tables(round, index, offsets, masks);
  if (!tables) state_->End();
  return tables;
}

}  // namespace comity::matching
