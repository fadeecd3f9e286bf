// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "services/runtime/clock.h"

namespace comity::cli {

// What all commands of one run share: the global options and the clock.
//
// Threads: thread-compatible; fixed once the command line is read.
struct Session {
  const runtime::Clock& clock;
  std::string profile_file;  // --profile; empty: the environment names it
  bool json = false;
};

}  // namespace comity::cli
