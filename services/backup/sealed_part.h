// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <istream>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "services/backup/manifest.h"

namespace comity::backup {

// A part of a backup: frames of at most 1 MiB, each encrypted and bound to its place, so that none
// can be changed, left out, repeated or moved (docs/formats/backup.md).
struct PartContext {
  const SecretBytes& key;  // of the backup
  std::string backup;
  std::string part;
};
inline constexpr std::size_t kFrameSize = std::size_t{1} << 20;

// Writes one part into a file of its own.
//
// Threads: thread-compatible.
class PartWriter {
 public:
  // In: file  made, with mode 0600; must not exist
  PartWriter(const std::filesystem::path& file, PartContext context, RandomSource& random);
  // Errors: kUnavailable  the file cannot be written; what follows fails too
  Status Write(ByteView octets);
  Result<ManifestPart> Finish();  // at the end, once

 private:
  Status WriteFrame(bool last);

  const std::filesystem::path path_;
  std::ofstream file_;
  const PartContext context_;
  RandomSource& random_;
  SecretBytes buffer_{kFrameSize};
  std::size_t filled_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t size_ = 0;
  Bytes digests_;
};

// Reads `part.size` octets of `stream` and gives what they hold to `sink`, frame by frame, each
// verified.
// Errors: kCorrupt  a frame is not what was written, or the part is not the one of the manifest;
//         those of `sink`
using OctetSink = std::function<Status(ByteView octets)>;
Status ReadPart(std::istream& stream, const ManifestPart& part, const PartContext& context,
                const OctetSink& sink);

}  // namespace comity::backup
