// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "policy/decide/agreement_set.h"
#include "policy/model/decision.h"
#include "policy/model/instant.h"
#include "services/audit/journal.h"
#include "services/matching/answer_barrier.h"
#include "services/matching/capacity_meter.h"
#include "services/matching/galleries.h"
#include "services/matching/hit_observer.h"
#include "services/matching/scan.h"
#include "services/matching/search_commitments.h"
#include "services/runtime/clock.h"

namespace comity::matching {

// What a requester opens a session with.
struct SearchTerms {
  policy::SearchRequest request;
  std::string exchange;    // exchange id of the session (exchange_id.h)
  std::string deployment;  // opaque to the holder, 1..64; empty in a retrospective search
  policy::Instant ends_at{};
  SearchCommitments commitments;
  Digest message;  // of the signed message that brought these terms
};

// An entry at or above the threshold. Only what the agreement releases is set.
struct ReleasedHit {
  std::string reference;
  std::string category;
  std::string response_code;
  std::optional<double> similarity;
};

struct ProbeAnswer {
  std::uint64_t sequence = 0;
  policy::Decision decision;      // permit: searched, `hits` is the whole answer
  std::vector<ReleasedHit> hits;  // best first, where there are scores
  std::uint64_t entries = 0;      // entries that were searched; 0 on a refusal
};

// The holder's answer to SearchTerms.
struct SessionOpening {
  policy::Decision decision;
  std::uint64_t entries = 0;  // that are searched as of the opening; 0 on a refusal
};

// Everything a session works on; all must outlive it.
struct HolderPorts {
  // As RequesterPorts::Halted; the second is the requester's deployment, empty in a single search.
  using Halted = std::function<std::optional<policy::ReasonCode>(const policy::SearchRequest&,
                                                                 const std::string&)>;
  std::function<std::shared_ptr<const policy::AgreementSet>()> agreements;  // those of this moment
  Galleries& galleries;
  const Scanner& scanner;
  CapacityMeter& capacity;
  audit::Journal& journal;
  const runtime::Clock& clock;
  AnswerBarrier& barrier;
  Halted halted{};                       // empty: nothing is ever halted
  HitObserver* observer = nullptr;       // null: nobody watches
  RememberReleased remember_released{};  // empty: nobody asks later who was told
};

}  // namespace comity::matching
