// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "services/runtime/clock.h"
#include "services/transport/openssl_ptr.h"

namespace comity::transport {

// The files of a pki folder (layout: pki.h).
struct PkiFolder {
  std::filesystem::path root;
  std::filesystem::path agency() const { return root / "agency.toml"; }
  std::filesystem::path ca_certificate() const { return root / "ca" / "ca.pem"; }
  std::filesystem::path ca_key() const { return root / "ca" / "ca.key"; }
  std::filesystem::path index() const { return root / "ca" / "index"; }
  std::filesystem::path lock() const { return root / "ca" / "lock"; }
  std::filesystem::path crl() const { return root / "crl.pem"; }
  std::filesystem::path signing_key() const { return root / "keys" / "agency-signing.key"; }
  std::filesystem::path log_key() const { return root / "keys" / "log.key"; }
  std::filesystem::path key_encryption_key() const { return root / "keys" / "key-encryption.key"; }
};

struct AgencyName {
  std::string agency;
  std::string trust_domain;
};
std::string EncodeAgencyName(const AgencyName& name);
// Errors: kNotFound  no CA in the folder; kCorrupt  the file is damaged
Result<AgencyName> ReadAgencyName(const PkiFolder& folder);

struct Authority {
  X509Ptr certificate;
  PkeyPtr key;
};
// Errors: kNotFound; kPermissionDenied  others can read the key; kCorrupt  damaged
Result<Authority> ReadAuthority(const PkiFolder& folder);

// The private key of a PEM file that holds one.
// Errors: those of runtime::ReadSecretFile; kCorrupt  no such key in it
Result<PkeyPtr> ReadPrivateKey(const std::filesystem::path& file);

// One issued certificate. A line of the index:
// `valid|revoked SP serial SP expiry SP revoked-at SP reason SP SPIFFE id`, times in seconds of
// UTC.
struct IndexLine {
  bool revoked = false;
  std::string serial;  // lower-case hex
  runtime::Instant expires_at{};
  runtime::Instant revoked_at{};
  int reason = 0;
  std::string spiffe_id;
};
std::string EncodeIndex(const std::vector<IndexLine>& lines);
// Errors: kCorrupt  naming the line
Result<std::vector<IndexLine>> ParseIndex(std::string_view text);
Result<std::vector<IndexLine>> ReadIndex(const PkiFolder& folder);

// Held while a command works on the folder; released with the object, also when the process dies.
//
// Threads: thread-compatible.
class FolderLock {
 public:
  // Errors: kUnavailable  another command works on the folder, or it cannot be written
  static Result<FolderLock> Take(const PkiFolder& folder);
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// Errors: kConflict  something stands at `path`
Status CheckAbsent(const std::filesystem::path& path);
// Writes a file that must not exist. Errors: kConflict  it exists; those of runtime::WriteFile
Status WriteNewPrivate(const std::filesystem::path& path, const SecretBytes& content);
Status WriteNewPublic(const std::filesystem::path& path, std::string_view content);
// Makes a folder that only this user can enter, if it is not there.
Status MakePrivateFolder(const std::filesystem::path& path);

}  // namespace comity::transport
