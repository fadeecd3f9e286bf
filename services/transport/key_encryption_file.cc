// SPDX-License-Identifier: Apache-2.0
#include "services/transport/key_encryption_file.h"

#include <cstddef>
#include <string>
#include <string_view>

#include "crypto/base/encoding.h"
#include "services/runtime/file.h"

namespace comity::transport {
namespace {

constexpr std::string_view kFirstLine = "comity-key-encryption-v1\n";
constexpr std::size_t kKeySize = 32;
constexpr std::size_t kMaxFile = 1024;  // the form has 70 octets

}  // namespace

SecretBytes MakeKeyEncryptionFile(RandomSource& random) {
  SecretBytes key(kKeySize);
  random.Fill(key.ExposeMutable());
  std::string text = std::string(kFirstLine) + EncodeBase64(key.Expose()) + "\n";
  SecretBytes file = SecretBytes::CopyOf(AsBytes(text));
  Wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  return file;
}

Result<SecretBytes> ReadKeyEncryptionFile(const std::filesystem::path& path) {
  COMITY_ASSIGN_OR_RETURN(const SecretBytes file, runtime::ReadSecretFile(path, kMaxFile));
  const auto fault = [&] {
    return Fail(ErrorCode::kInvalidArgument, path.string() + " is no key-encryption key file");
  };
  std::string_view text = AsText(file.Expose());
  if (!text.starts_with(kFirstLine) || !text.ends_with('\n')) return fault();
  text.remove_prefix(kFirstLine.size());
  if (text.empty()) return fault();
  text.remove_suffix(1);
  auto key = ParseBase64(text);
  if (!key || key->size() != kKeySize) return fault();
  SecretBytes secret = SecretBytes::CopyOf(*key);
  Wipe(*key);
  return secret;
}

}  // namespace comity::transport
