// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"

// A file that arrives in pieces, perhaps over several lives of the process, and gets its name when
// it is whole.
//
// Threads: one thread at a time for one path.
namespace comity::runtime {

// Octets of a regular file; 0 if there is none. Never follows a link.
//
// Errors: kInvalidArgument  something else than a regular file
//         kUnavailable      may not be inspected
Result<std::uint64_t> PartialSize(const std::filesystem::path& path);

// Adds `piece` to the file, made if need be. All of it is there on success, none of it on failure.
// Not synced: after a crash of the machine the content wants verifying, as what comes from outside
// does anyway.
//
// In:     offset  what the file has already; what it has beyond is dropped
//         mode    of a new file, e.g. 0600
// Errors: kInvalidArgument  the file has fewer octets, or is no regular file
//         kUnavailable      no folder, not writable, or the disk is full
Status AppendAt(const std::filesystem::path& path, std::uint64_t offset, ByteView piece,
                mode_t mode);

// Gives a file that is whole the name `to`, in the same folder: synced, renamed, folder synced.
//
// Errors: kUnavailable  if it could not be synced, `from` is removed: nobody knows what of it is on
//                       the disk, and it is to be written anew
Status KeepAs(const std::filesystem::path& from, const std::filesystem::path& to);

// Makes durable what a file holds. Errors: kUnavailable  write the file anew: a further sync would
// succeed without what this one has lost
Status SyncFile(const std::filesystem::path& file);

// Makes durable which names a folder has. Errors: kUnavailable
Status SyncFolder(const std::filesystem::path& folder);

}  // namespace comity::runtime
