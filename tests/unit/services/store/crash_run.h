// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "services/store/store.h"

// What the crash tests of both back ends share: a writer in a process of its own (crash_writer.cc),
// and what must be true of a store after it was killed.
namespace comity::store {

struct Acknowledged {
  std::uint64_t index = 0;
  std::string id;
};

// How often the writer is killed: COMITY_CRASH_KILLS, or 30.
int Kills();

// Runs the writer on `place` (a directory, or a postgresql:// URL), kills it after `life`, and
// returns what it acknowledged. The test fails if it ended by itself.
std::vector<Acknowledged> RunAndKill(const std::string& place, const std::string& prefix,
                                     std::chrono::microseconds life);

// The writer's lines "<index> <id>". Only complete ones: the last may be torn by the kill.
std::vector<Acknowledged> ParseLines(const std::string& text);

// Everything acknowledged is there, its entry with its payload, and as many units are counted as
// there are entries.
void ExpectThere(Store& store, const std::vector<Acknowledged>& acknowledged);

// And of all that is there, no effect is without its entry, no entry without its effect, and none
// is there twice.
void ExpectWhole(Store& store, const std::vector<Acknowledged>& acknowledged);

}  // namespace comity::store
