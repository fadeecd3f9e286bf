// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "services/backup/manifest.h"
#include "services/backup/sealed_part.h"

namespace comity::backup {

// What stands before the parts: the form's name, the manifest's length, the signed manifest.
std::string EncodeBackupHead(const std::string& signed_manifest);

// A backup file whose head was verified.
//
// Threads: thread-compatible.
class BackupFile {
 public:
  // Errors: kNotFound; kInvalidArgument  not a backup; kCorrupt  its manifest is not signed by
  //         `agency_key`, or the file is longer or shorter than it says
  static Result<BackupFile> Open(const std::filesystem::path& file,
                                 const sign::PublicKey& agency_key);

  const Manifest& manifest() const { return manifest_; }
  // Errors: kNotFound  no part of this name; else those of ReadPart
  Status Read(std::string_view part, const SecretBytes& key, const OctetSink& sink);

 private:
  BackupFile(std::ifstream stream, Manifest manifest, std::uint64_t parts_at)
      : stream_(std::move(stream)), manifest_(std::move(manifest)), parts_at_(parts_at) {}
  std::ifstream stream_;
  Manifest manifest_;
  std::uint64_t parts_at_ = 0;
};

}  // namespace comity::backup
