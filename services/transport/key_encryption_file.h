// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"

namespace comity::transport {

// The file of the key-encryption key: two lines, `comity-key-encryption-v1` and base64 of 32
// octets.
SecretBytes MakeKeyEncryptionFile(RandomSource& random);
// Errors: those of runtime::ReadSecretFile; kInvalidArgument  not such a file
Result<SecretBytes> ReadKeyEncryptionFile(const std::filesystem::path& path);

}  // namespace comity::transport
