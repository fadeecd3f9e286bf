// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "services/matching/sealed/session_terms.h"
#include "services/measure/sealed_sample.h"
#include "services/measure/stopwatch.h"
#include "services/measure/synthetic_faces.h"

namespace comity::measure {

// Octets of messages, counted where they are made; without signatures, framing and TLS.
struct Traffic {
  std::uint64_t to_holder = 0;
  std::uint64_t to_requester = 0;
};

// Setting up a session: base OTs and trees.
struct SetUpFigures {
  double requester = 0;  // seconds
  double holder = 0;
  Traffic octets;
};

// Pads ahead of need: one for each entry and probe.
struct PadFigures {
  double requester = 0;  // seconds a pad
  double holder = 0;
  double octets = 0;  // a pad, to the requester
};

// Batches of some probes over the whole list; seconds and octets a batch.
struct BatchFigures {
  std::size_t probes = 0;
  double blind = 0;    // requester: c''
  double score = 0;    // requester: scores of all entries
  double tables = 0;   // requester
  double offsets = 0;  // holder: shares of the scores, and what it tells of them
  double open = 0;     // holder: tables to hits
  double requester = 0;
  double holder = 0;
  Traffic octets;
};

// Both ends of a session over a sample in one process, with the code of the gateways: every message
// of one is given to the other, and every outcome is compared with what must be found.
//
// Threads: thread-compatible.
class MeasuredSession {
 public:
  struct Setup {
    const SealedSample& sample;
    const SyntheticFaces& faces;
    matching::SealedKernels kernels;
    RandomSource& random;
    double least_seconds = 0;  // as SealedWork
  };
  // All of `setup` must outlive the object. Errors: those of either end
  static Result<MeasuredSession> Create(const Setup& setup);
  MeasuredSession(MeasuredSession&&) noexcept;
  MeasuredSession& operator=(MeasuredSession&&) = delete;
  ~MeasuredSession();

  const SetUpFigures& set_up() const;
  // In:     probes  of those of the faces, the first ones; 1..MostProbes(entries)
  // Errors: kCorrupt  an outcome is not what it must be;  and those of either end
  Result<BatchFigures> Measure(std::size_t probes, const Progress& progress);
  // A single batch, for sessions that take turns. In, Errors: as Measure
  Result<BatchFigures> MeasureOnce(std::size_t probes);
  // Of all pads that were made so far.
  PadFigures pads() const;

 private:
  struct State;
  explicit MeasuredSession(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace comity::measure
