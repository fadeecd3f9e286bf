// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "crypto/base/check.h"
#include "crypto/sealed/sketch.h"
#include "crypto/sealed/threshold.h"
#include "services/matching/sealed/holder_round.h"
#include "services/matching/sealed/requester_round.h"
#include "services/matching/sealed/sealed_holder.h"
#include "services/matching/sealed/sealed_outcome.h"
#include "services/matching/sealed/sealed_requester.h"
#include "tests/unit/crypto/sealed/sample_list.h"

namespace comity::matching::testing {

using Template = std::vector<std::int8_t>;
using sealed::testing::SampleList;
using sealed::testing::SeededRandom;

inline sealed::SecretArray<std::int8_t> Secretly(std::span<const std::int8_t> values) {
  sealed::SecretArray<std::int8_t> secret(values.size());
  std::ranges::copy(values, secret.ExposeMutable().begin());
  return secret;
}
inline std::vector<sealed::SecretArray<std::int8_t>> Secretly(const std::vector<Template>& all) {
  std::vector<sealed::SecretArray<std::int8_t>> secret;
  for (const Template& one : all) secret.push_back(Secretly(one));
  return secret;
}

inline SealedKernels FastestKernels() {
  return {.score = sealed::FastestKernel(), .ot = ot::FastestKernel()};
}

inline SealedSessionTerms TermsFor(const Digest& header) {
  SealedSessionTerms terms{.header = header,
                           .tau = 4000,
                           .cap = 5,
                           .hit_opening = HitOpening::kAuditor,
                           .requester_nonce = {},
                           .holder_nonce = {},
                           .requester_certificate = {},
                           .holder_certificate = {}};
  terms.requester_nonce.fill(1);
  terms.holder_nonce.fill(2);
  terms.requester_certificate.bytes.fill(3);
  terms.holder_certificate.bytes.fill(4);
  return terms;
}

// Both ends of the session of one list, and what they draw from.
class ListSession {
 public:
  ListSession(const SampleList& list, SealedSessionTerms terms, std::uint32_t first_block,
              SealedKernels kernels)
      : list_(list),
        requester_random_(std::make_unique<SeededRandom>(11)),
        holder_random_(std::make_unique<SeededRandom>(22)),
        holder(*SealedHolder::Create({.list = list.epoch(),
                                      .terms = terms,
                                      .first_block = first_block,
                                      .kernels = kernels,
                                      .random = *holder_random_})),
        requester(*SealedRequester::Create({.list = list.view(),
                                            .terms = terms,
                                            .first_block = first_block,
                                            .kernels = kernels,
                                            .random = *requester_random_},
                                           holder.offer())) {}

  void ExchangeTrees() {
    COMITY_CHECK(requester.OnTrees(*holder.OnAnswer(requester.answer())).has_value());
  }
  // One pad batch at both ends.
  void Refill() { COMITY_CHECK(requester.OnPads(*holder.MakePads()).has_value()); }
  void RefillFor(std::size_t pads) {
    while (holder.pads() < pads) Refill();
  }
  void Update(std::uint32_t first_block) {
    COMITY_CHECK(requester.Update(list_.view(&requester.list()), first_block).has_value());
    COMITY_CHECK(holder.Update(list_.epoch(), first_block).has_value());
  }

 private:
  const SampleList& list_;
  std::unique_ptr<SeededRandom> requester_random_;
  std::unique_ptr<SeededRandom> holder_random_;

 public:
  SealedHolder holder;
  SealedRequester requester;
};

// What one end of a batch over one list has open.
struct OpenBatch {
  SealedRequester::Begun begun;
  std::unique_ptr<SealedHolder::Round> holder_round;
};

// A session over one list or several, message by message.
class Session {
 public:
  explicit Session(const std::vector<const SampleList*>& lists, std::uint32_t cap = 5,
                   SealedKernels kernels = FastestKernels())
      : samples_(lists), cap_(cap) {
    std::uint32_t first_block = 0;
    for (const SampleList* list : lists) {
      SealedSessionTerms terms = TermsFor(list->state().header);
      terms.cap = cap;
      lists_.push_back(std::make_unique<ListSession>(*list, terms, first_block, kernels));
      lists_.back()->ExchangeTrees();
      first_block += BlocksOf(list->state());
    }
  }
  explicit Session(const SampleList& list, std::uint32_t cap = 5,
                   SealedKernels kernels = FastestKernels())
      : Session(std::vector<const SampleList*>{&list}, cap, kernels) {}

  ListSession& list(std::size_t index = 0) { return *lists_[index]; }
  SealedRequester& requester() { return lists_[0]->requester; }
  SealedHolder& holder() { return lists_[0]->holder; }

  // Both ends take the lists' present states.
  void Update() {
    std::uint32_t first_block = 0;
    for (std::size_t l = 0; l < lists_.size(); ++l) {
      lists_[l]->Update(first_block);
      first_block += BlocksOf(samples_[l]->state());
    }
  }

  // The holder goes on with `accepted`.
  std::vector<OpenBatch> Begin(const std::vector<Template>& templates,
                               const std::vector<std::size_t>& accepted) {
    std::vector<OpenBatch> open;
    const auto secret = Secretly(templates);
    for (const auto& list : lists_) {
      auto begun = *list->requester.Begin(secret, next_number_);
      COMITY_CHECK(begun.binding == list->holder.NextBinding());
      list->RefillFor(list->requester.list().slot_count() * accepted.size());
      std::vector<ByteView> probes;
      for (const std::size_t index : accepted) probes.push_back(begun.probes[index]);
      auto round = *list->holder.Begin(probes);
      COMITY_CHECK(list->requester.Accept(*begun.round, accepted).has_value());
      open.push_back({std::move(begun), std::move(round)});
    }
    next_number_ += templates.size();
    return open;
  }

  SealedOutcome Finish(std::vector<OpenBatch>& open, std::size_t requester_index,
                       std::size_t holder_index) {
    sealed::Sketch masks{.cap = cap_};
    sealed::Sketch bits{.cap = cap_};
    std::vector<const SealedHolder::Round*> rounds;
    for (std::size_t l = 0; l < lists_.size(); ++l) {
      const Bytes offsets = *lists_[l]->holder.Offsets(*open[l].holder_round, holder_index);
      const Bytes tables =
          *lists_[l]->requester.Tables(*open[l].begun.round, requester_index, offsets, masks);
      COMITY_CHECK(
          lists_[l]->holder.Open(*open[l].holder_round, holder_index, tables, bits).has_value());
      rounds.push_back(open[l].holder_round.get());
    }
    return *DecodeOutcome(bits, sealed::EncodeSketch(masks), rounds);
  }

  std::vector<SealedOutcome> Search(const std::vector<Template>& templates,
                                    const std::vector<std::size_t>& accepted) {
    auto open = Begin(templates, accepted);
    std::vector<SealedOutcome> outcomes;
    for (std::size_t i = 0; i < accepted.size(); ++i) {
      outcomes.push_back(Finish(open, accepted[i], i));
    }
    return outcomes;
  }
  std::vector<SealedOutcome> Search(const std::vector<Template>& templates) {
    std::vector<std::size_t> all(templates.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    return Search(templates, all);
  }
  SealedOutcome Search(const Template& q) { return Search(std::vector<Template>{q}).front(); }

  std::uint64_t next_number() const { return next_number_; }

 private:
  std::vector<const SampleList*> samples_;
  std::uint32_t cap_;
  std::vector<std::unique_ptr<ListSession>> lists_;
  std::uint64_t next_number_ = 1;
};

}  // namespace comity::matching::testing
