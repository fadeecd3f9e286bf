// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <stop_token>

#include "crypto/base/result.h"
#include "services/runtime/descriptor.h"

namespace comity::runtime {

// A data directory belongs to one process at a time: who holds the lock of its file comity.lock,
// for as long as the descriptor lives. The system lets go of it when the process ends, however it
// ends.
//
// Both make the directory, with mode 0700, and the file, with mode 0600, if they are absent.
// Errors: kUnavailable  the directory cannot be made or locked
// Threads: thread-safe.

// Errors: kUnavailable  another process has it
Result<Descriptor> LockDirectory(const std::filesystem::path& directory);

// Waits until whoever has it lets go.
// Errors: kUnavailable  `stop` was requested first
Result<Descriptor> AwaitDirectory(const std::filesystem::path& directory, std::stop_token stop);

}  // namespace comity::runtime
