// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <vector>

#include "comity/v1/sealed.pb.h"
#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "services/gateway/federation/part_assembly.h"

namespace comity::gateway {

// The holder's offsets for one batch: takes nothing that is not next. The probes that it does not
// refuse before the first of them are those that it goes on with. To these it can answer only when
// it has what it asked for: a refusal between offsets and sketch would have the face asked again,
// and its sketch would leave all the same.
//
// Threads: thread-compatible.
class OffsetsIntake {
 public:
  struct List {
    Digest binding;
    std::size_t size = 0;  // octets of its offsets; 0: none come
  };
  OffsetsIntake() = default;  // nothing is expected
  // In: lists  at least one has offsets
  OffsetsIntake(std::uint64_t batch, std::size_t probes, std::vector<List> lists);

  std::uint64_t batch() const { return batch_; }
  // The holder's answer to a probe.
  // Errors: kInvalidArgument  neither a refusal before all offsets nor the first after the sketch
  Status Answer(std::size_t probe, bool is_refusal);
  // The sketch of a probe, the last of its tables, is about to leave.
  void NoteSketch(std::size_t probe) { sketched_.insert(probe); }
  // Errors: kInvalidArgument  not the next part
  Status Add(const v1::SealedPart& part);
  // Nothing more may come: all is there, or every probe was refused.
  bool is_over() const { return left_.empty(); }
  bool has_whole() const { return !ready_.empty(); }
  // The probes that the holder goes on with, rising; once it has begun.
  const std::vector<std::size_t>& accepted() const { return accepted_; }

  struct Whole {
    std::size_t probe = 0;
    std::size_t list = 0;
    Bytes octets;
  };
  std::optional<Whole> Take();

 private:
  Status Refuse(std::size_t probe);
  void ExpectNext();

  std::uint64_t batch_ = 0;
  std::vector<List> lists_;
  std::deque<std::size_t> left_;  // probes whose offsets are not all there
  std::size_t next_list_ = 0;
  bool has_begun_ = false;
  std::vector<std::size_t> accepted_;
  std::set<std::size_t> sketched_;  // and not answered
  PartAssembly incoming_;
  std::deque<Whole> ready_;
};

}  // namespace comity::gateway
