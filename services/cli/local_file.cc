// SPDX-License-Identifier: Apache-2.0
#include "services/cli/local_file.h"

#include <system_error>

#include "crypto/base/secret.h"
#include "services/cli/exit_code.h"
#include "services/runtime/file.h"

namespace comity::cli {

Result<std::string> ReadLocalText(const std::filesystem::path& path, std::size_t max_size) {
  return Locally(runtime::ReadTextFile(path, max_size));
}

Status CheckNewFile(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) {
    return Fail(ErrorCode::kConflict,
                path.string() + " exists already; move it away or name another file");
  }
  return {};
}

Status WriteNewFile(const std::filesystem::path& path, std::string_view content) {
  COMITY_RETURN_IF_ERROR(CheckNewFile(path));
  return Locally(runtime::WriteFile(path, AsBytes(content), 0644));
}

Status WriteNewPrivateFile(const std::filesystem::path& path, std::string_view content) {
  COMITY_RETURN_IF_ERROR(CheckNewFile(path));
  return Locally(runtime::WriteFile(path, AsBytes(content), 0600));
}

Result<sign::SigningKey> ReadSigningKey(const std::filesystem::path& path) {
  constexpr std::size_t kMaxKeyFile = 4096;
  COMITY_ASSIGN_OR_RETURN(const SecretBytes text,
                          Locally(runtime::ReadSecretFile(path, kMaxKeyFile)));
  auto key = sign::SigningKey::ParseKeyFile(AsText(text.Expose()));
  if (!key) {
    return Fail(ErrorCode::kInvalidArgument,
                path.string() + ": " + key.error().detail +
                    "; a signing key is the .key file that 'comity pki issue --person' writes");
  }
  return key;
}

}  // namespace comity::cli
