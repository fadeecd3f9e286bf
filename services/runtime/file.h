// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"

namespace comity::runtime {

// The content of a regular file.
//
// Errors of all reads: kNotFound         no such file
//                      kInvalidArgument  not a regular file, or larger than `max_size`
//                      kUnavailable      may not be read, or the disk fails
Result<Bytes> ReadFile(const std::filesystem::path& path, std::size_t max_size);
Result<std::string> ReadTextFile(const std::filesystem::path& path, std::size_t max_size);

// The content of a key file, which must pass CheckPrivateFile. The file that was checked is the
// file that is read, even if the name is replaced meanwhile. Errors: as above, and
// kPermissionDenied  others may read or write the file
Result<SecretBytes> ReadSecretFile(const std::filesystem::path& path, std::size_t max_size);

// Checks that only the owner (this user or root) can read or write `path`: mode 0600 or stricter.
// Errors: kNotFound; kInvalidArgument  not a regular file; kPermissionDenied  names mode and
// command
Status CheckPrivateFile(const std::filesystem::path& path);

// Puts `content` at `path` in one step: written beside it, synced, renamed, directory synced. After
// a crash there is the old content or the new one, never a part.
//
// In:     mode  permission bits of the file, e.g. 0600; not subject to the umask
// Errors: kUnavailable  the directory is absent or not writable, or the disk is full or fails; the
//                       old content stands, or the new one if only the directory could not be
//                       synced
Status WriteFile(const std::filesystem::path& path, ByteView content, mode_t mode);

}  // namespace comity::runtime
