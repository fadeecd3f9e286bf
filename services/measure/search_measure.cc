// SPDX-License-Identifier: Apache-2.0
#include "services/measure/search_measure.h"

#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "crypto/base/check.h"
#include "services/matching/sealed/holder_round.h"
#include "services/matching/sealed/requester_round.h"
#include "services/matching/sealed/sealed_holder.h"
#include "services/matching/sealed/sealed_outcome.h"
#include "services/matching/sealed/sealed_requester.h"

namespace comity::measure {
namespace {

using matching::SealedHolder;
using matching::SealedRequester;

matching::SealedSessionTerms TermsOf(const SealedSample& sample, RandomSource& random) {
  matching::SealedSessionTerms terms{.header = sample.holder->header_digest(),
                                     .tau = SampleTau(),
                                     .cap = sealed::kDefaultCap,
                                     .hit_opening = matching::HitOpening::kAuditor,
                                     .requester_nonce = {},
                                     .holder_nonce = {},
                                     .requester_certificate = {},
                                     .holder_certificate = {}};
  random.Fill(terms.requester_nonce);
  random.Fill(terms.holder_nonce);
  return terms;
}

// The times of the steps of some batches.
struct StepTimes {
  Samples blind, score, tables, offsets, open, requester, holder;
};

BatchFigures FiguresOf(std::size_t probes, const StepTimes& times, const Traffic& octets) {
  return {.probes = probes,
          .blind = times.blind.Median(),
          .score = times.score.Median(),
          .tables = times.tables.Median(),
          .offsets = times.offsets.Median(),
          .open = times.open.Median(),
          .requester = times.requester.Median(),
          .holder = times.holder.Median(),
          .octets = octets};
}

struct HolderBatch {
  std::unique_ptr<SealedHolder::Round> round;
  std::vector<Bytes> offsets;
};
struct RequesterBatch {
  std::vector<Bytes> tables;
  std::vector<Bytes> sketches;
};

}  // namespace

struct MeasuredSession::State {
  explicit State(const Setup& setup)
      : sample(setup.sample), faces(setup.faces), least_seconds(setup.least_seconds) {}

  Status FillPads(std::size_t wanted);
  Status Search(std::size_t probes, StepTimes& times, Traffic& octets);
  Result<HolderBatch> Offer(const std::vector<Bytes>& messages);
  Result<RequesterBatch> Answer(SealedRequester::Round& round, const std::vector<Bytes>& offsets);
  Status Open(SealedHolder::Round& round, const RequesterBatch& answer);
  Status Compare(std::size_t probe, const matching::SealedOutcome& outcome) const;

  const SealedSample& sample;
  const SyntheticFaces& faces;
  const double least_seconds;
  std::optional<SealedHolder> holder;
  std::optional<SealedRequester> requester;
  SetUpFigures set_up;
  Samples holder_pads, requester_pads;  // a pad
  std::uint64_t pads_made = 0;
  std::uint64_t pad_octets = 0;
  std::uint64_t next_number = 1;
};

MeasuredSession::MeasuredSession(std::unique_ptr<State> state) : state_(std::move(state)) {}
MeasuredSession::MeasuredSession(MeasuredSession&&) noexcept = default;
MeasuredSession::~MeasuredSession() = default;

Result<MeasuredSession> MeasuredSession::Create(const Setup& setup) {
  auto state = std::make_unique<State>(setup);
  const auto terms = TermsOf(setup.sample, setup.random);
  Samples holder, requester;
  COMITY_ASSIGN_OR_RETURN(state->holder, holder.Time([&] {
    return SealedHolder::Create({.list = setup.sample.holder,
                                 .terms = terms,
                                 .first_block = 0,
                                 .kernels = setup.kernels,
                                 .random = setup.random});
  }));
  COMITY_ASSIGN_OR_RETURN(state->requester, requester.Time([&] {
    return SealedRequester::Create({.list = setup.sample.requester,
                                    .terms = terms,
                                    .first_block = 0,
                                    .kernels = setup.kernels,
                                    .random = setup.random},
                                   state->holder->offer());
  }));
  COMITY_ASSIGN_OR_RETURN(const Bytes trees, holder.Time([&] {
    return state->holder->OnAnswer(state->requester->answer());
  }));
  COMITY_RETURN_IF_ERROR(requester.Time([&] { return state->requester->OnTrees(trees); }));
  state->set_up = {.requester = requester.Sum(),
                   .holder = holder.Sum(),
                   .octets = {.to_holder = state->requester->answer().size(),
                              .to_requester = state->holder->offer().size() + trees.size()}};
  return MeasuredSession(std::move(state));
}

const SetUpFigures& MeasuredSession::set_up() const {
  return state_->set_up;
}

PadFigures MeasuredSession::pads() const {
  const State& state = *state_;
  if (state.pads_made == 0) return {};
  return {.requester = state.requester_pads.Median(),
          .holder = state.holder_pads.Median(),
          .octets = static_cast<double>(state.pad_octets) / static_cast<double>(state.pads_made)};
}

Status MeasuredSession::State::FillPads(std::size_t wanted) {
  while (holder->pads() < wanted) {
    const std::size_t before = holder->pads();
    Samples made, taken;
    COMITY_ASSIGN_OR_RETURN(const Bytes message, made.Time([&] { return holder->MakePads(); }));
    COMITY_RETURN_IF_ERROR(taken.Time([&] { return requester->OnPads(message); }));
    const std::size_t count = holder->pads() - before;
    holder_pads.Add(made.Sum() / static_cast<double>(count));
    requester_pads.Add(taken.Sum() / static_cast<double>(count));
    pads_made += count;
    pad_octets += message.size();
  }
  return {};
}

Result<HolderBatch> MeasuredSession::State::Offer(const std::vector<Bytes>& messages) {
  const std::vector<ByteView> views(messages.begin(), messages.end());
  HolderBatch batch;
  COMITY_ASSIGN_OR_RETURN(batch.round, holder->Begin(views));
  for (std::size_t probe = 0; probe < messages.size(); ++probe) {
    COMITY_ASSIGN_OR_RETURN(Bytes offsets, holder->Offsets(*batch.round, probe));
    batch.offsets.push_back(std::move(offsets));
  }
  return batch;
}

Result<RequesterBatch> MeasuredSession::State::Answer(SealedRequester::Round& round,
                                                      const std::vector<Bytes>& offsets) {
  std::vector<std::size_t> all(offsets.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  COMITY_RETURN_IF_ERROR(requester->Accept(round, all));
  RequesterBatch batch;
  for (const std::size_t probe : all) {
    sealed::Sketch masks{.cap = sealed::kDefaultCap, .sums = {}};
    COMITY_ASSIGN_OR_RETURN(Bytes tables, requester->Tables(round, probe, offsets[probe], masks));
    batch.tables.push_back(std::move(tables));
    batch.sketches.push_back(sealed::EncodeSketch(masks));
  }
  return batch;
}

Status MeasuredSession::State::Open(SealedHolder::Round& round, const RequesterBatch& answer) {
  const SealedHolder::Round* const rounds[] = {&round};
  for (std::size_t probe = 0; probe < answer.tables.size(); ++probe) {
    sealed::Sketch bits{.cap = sealed::kDefaultCap, .sums = {}};
    COMITY_RETURN_IF_ERROR(holder->Open(round, probe, answer.tables[probe], bits));
    COMITY_ASSIGN_OR_RETURN(const auto outcome,
                            matching::DecodeOutcome(bits, answer.sketches[probe], rounds));
    COMITY_RETURN_IF_ERROR(Compare(probe, outcome));
  }
  return {};
}

Status MeasuredSession::State::Compare(std::size_t probe,
                                       const matching::SealedOutcome& outcome) const {
  std::vector<matching::SealedHit> expected;
  for (const std::size_t entry : faces.Matches(probe)) {
    expected.push_back({.list = 0, .slot = static_cast<std::uint32_t>(entry + 1)});
  }
  if (outcome.over_cap || outcome.hits != expected) {
    return Fail(ErrorCode::kCorrupt, "a sealed search did not find what it must");
  }
  return {};
}

Status MeasuredSession::State::Search(std::size_t probes, StepTimes& times, Traffic& octets) {
  COMITY_RETURN_IF_ERROR(FillPads(probes * faces.entry_count()));
  Samples blind, score, tables, offsets, open;
  COMITY_ASSIGN_OR_RETURN(auto begun, blind.Time([&] {
    return requester->Begin(faces.probe_templates().first(probes), next_number);
  }));
  next_number += probes;
  score.Time([&] { requester->Prepare(*begun.round); });
  COMITY_ASSIGN_OR_RETURN(auto offered, offsets.Time([&] { return Offer(begun.probes); }));
  COMITY_ASSIGN_OR_RETURN(const auto answer,
                          tables.Time([&] { return Answer(*begun.round, offered.offsets); }));
  COMITY_RETURN_IF_ERROR(open.Time([&] { return Open(*offered.round, answer); }));
  octets = {};
  for (const Bytes& message : begun.probes) octets.to_holder += message.size();
  for (const Bytes& message : answer.tables) octets.to_holder += message.size();
  for (const Bytes& message : answer.sketches) octets.to_holder += message.size();
  for (const Bytes& message : offered.offsets) octets.to_requester += message.size();
  times.blind.Add(blind.Sum());
  times.score.Add(score.Sum());
  times.tables.Add(tables.Sum());
  times.offsets.Add(offsets.Sum());
  times.open.Add(open.Sum());
  times.requester.Add(blind.Sum() + score.Sum() + tables.Sum());
  times.holder.Add(offsets.Sum() + open.Sum());
  return {};
}

Result<BatchFigures> MeasuredSession::Measure(std::size_t probes, const Progress& progress) {
  COMITY_CHECK(probes >= 1 && probes <= state_->faces.probe_count());
  StepTimes times;
  Traffic octets;
  while (!IsEnough(times.requester, state_->least_seconds)) {
    COMITY_RETURN_IF_ERROR(state_->Search(probes, times, octets));
    progress(times.requester.count() * probes, 0);
  }
  return FiguresOf(probes, times, octets);
}

Result<BatchFigures> MeasuredSession::MeasureOnce(std::size_t probes) {
  COMITY_CHECK(probes >= 1 && probes <= state_->faces.probe_count());
  StepTimes times;
  Traffic octets;
  COMITY_RETURN_IF_ERROR(state_->Search(probes, times, octets));
  return FiguresOf(probes, times, octets);
}

}  // namespace comity::measure
