// SPDX-License-Identifier: Apache-2.0
#include "services/backup/backup_file.h"

#include <algorithm>
#include <limits>
#include <system_error>
#include <utility>

namespace comity::backup {
namespace {

constexpr std::string_view kForm = "comity-backup/1\n";
constexpr std::size_t kMaxDigits = 6;

tl::unexpected<Error> NotABackup(const std::filesystem::path& file) {
  return Fail(ErrorCode::kInvalidArgument, file.string() + " is not a backup of a gateway");
}

// The signed manifest, and where it ends; empty if there is none.
std::string TakeManifest(std::istream& stream, std::uint64_t& end) {
  std::string form(kForm.size(), '\0');
  if (!stream.read(form.data(), static_cast<std::streamsize>(form.size())) || form != kForm) {
    return {};
  }
  std::string digits;
  char c = 0;
  while (stream.get(c) && c >= '0' && c <= '9' && digits.size() < kMaxDigits) digits += c;
  if (c != '\n' || digits.empty() || digits.front() == '0') return {};
  const std::size_t size = std::stoul(digits);
  if (size > kMaxManifest) return {};
  std::string manifest(size, '\0');
  if (!stream.read(manifest.data(), static_cast<std::streamsize>(size))) return {};
  end = kForm.size() + digits.size() + 1 + size;
  return manifest;
}

Status CheckLength(const std::filesystem::path& file, const Manifest& manifest,
                   std::uint64_t parts_at) {
  std::error_code fault;
  std::uint64_t left = std::filesystem::file_size(file, fault) - parts_at;
  for (const ManifestPart& part : manifest.parts) {
    if (fault || part.size > left) {
      return Fail(ErrorCode::kCorrupt,
                  file.string() + " is cut short: it ends inside its part '" + part.name + "'");
    }
    left -= part.size;
  }
  if (left == 0) return {};
  return Fail(ErrorCode::kCorrupt, file.string() + " is longer than its manifest says");
}

}  // namespace

std::string EncodeBackupHead(const std::string& signed_manifest) {
  return std::string(kForm) + std::to_string(signed_manifest.size()) + "\n" + signed_manifest;
}

Result<BackupFile> BackupFile::Open(const std::filesystem::path& file,
                                    const sign::PublicKey& agency_key) {
  std::error_code fault;
  if (!std::filesystem::is_regular_file(file, fault)) {
    return Fail(ErrorCode::kNotFound, "there is no file " + file.string());
  }
  std::ifstream stream(file, std::ios::binary);
  std::uint64_t parts_at = 0;
  const std::string text = TakeManifest(stream, parts_at);
  if (text.empty()) return NotABackup(file);
  auto manifest = OpenManifest(text, agency_key);
  if (!manifest) {
    return Fail(ErrorCode::kCorrupt, file.string() +
                                         ": its manifest is not one that this agency signed: " +
                                         manifest.error().detail);
  }
  COMITY_RETURN_IF_ERROR(CheckLength(file, *manifest, parts_at));
  return BackupFile(std::move(stream), *std::move(manifest), parts_at);
}

Status BackupFile::Read(std::string_view part, const SecretBytes& key, const OctetSink& sink) {
  std::uint64_t at = parts_at_;
  for (const ManifestPart& one : manifest_.parts) {
    if (one.name != part) {
      at += one.size;
      continue;
    }
    stream_.clear();
    stream_.seekg(static_cast<std::streamoff>(at));
    return ReadPart(stream_, one, {key, manifest_.id, one.name}, sink);
  }
  return Fail(ErrorCode::kNotFound, "the backup has no part '" + std::string(part) + "'");
}

}  // namespace comity::backup
