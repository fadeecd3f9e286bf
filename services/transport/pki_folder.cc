// SPDX-License-Identifier: Apache-2.0
#include "services/transport/pki_folder.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/file.h>
#include <unistd.h>

#include <toml++/toml.h>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>

#include "crypto/base/encoding.h"
#include "services/runtime/file.h"
#include "services/transport/certificate.h"
#include "services/transport/peer_identity.h"

namespace comity::transport {
namespace {

constexpr std::size_t kMaxSmallFile = 64 * 1024;
constexpr std::size_t kMaxIndex = 64 * 1024 * 1024;  // several 100,000 certificates

Error Damaged(const std::filesystem::path& path) {
  return {ErrorCode::kCorrupt, path.string() + " is damaged; restore it from a backup"};
}

int RefusePassPhrase(char*, int, int, void*) {
  return -1;
}

// Null if there is none.
PkeyPtr ParsePrivateKey(const SecretBytes& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.Expose().data(), static_cast<int>(pem.size())));
  return PkeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, RefusePassPhrase, nullptr));
}

std::int64_t Seconds(runtime::Instant instant) {
  return std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch().count();
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// Seconds since 1970 up to the year 9999, and smaller numbers: more would overflow an Instant.
std::optional<std::int64_t> ParseNumber(std::string_view text) {
  constexpr std::int64_t kEndOfYear9999 = 253402300799;
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value >= 0 && value <= kEndOfYear9999 ? std::optional(value) : std::nullopt;
}

std::optional<IndexLine> ParseIndexLine(std::string_view text) {
  const auto parts = Split(text, ' ');
  if (parts.size() != 6 || (parts[0] != "valid" && parts[0] != "revoked")) return std::nullopt;
  const auto expiry = ParseNumber(parts[2]);
  const auto revoked_at = ParseNumber(parts[3]);
  const auto reason = ParseNumber(parts[4]);
  constexpr std::int64_t kHighestReason = 10;  // RFC 5280 section 5.3.1
  if (!ParseHex(parts[1]) || !expiry || !revoked_at || !reason || *reason > kHighestReason ||
      !ParseSpiffeId(parts[5])) {
    return std::nullopt;
  }
  return IndexLine{parts[0] == "revoked",
                   std::string(parts[1]),
                   runtime::Instant(std::chrono::seconds(*expiry)),
                   runtime::Instant(std::chrono::seconds(*revoked_at)),
                   static_cast<int>(*reason),
                   std::string(parts[5])};
}

}  // namespace

std::string EncodeAgencyName(const AgencyName& name) {
  return "agency = \"" + name.agency + "\"\ntrust_domain = \"" + name.trust_domain + "\"\n";
}

Result<AgencyName> ReadAgencyName(const PkiFolder& folder) {
  auto text = runtime::ReadTextFile(folder.agency(), kMaxSmallFile);
  if (!text && text.error().code == ErrorCode::kNotFound) {
    return Fail(ErrorCode::kNotFound,
                folder.root.string() + " holds no CA; make one with `comity pki init`");
  }
  if (!text) return Fail(text.error());
  try {  // toml++ reports faults by exception
    const toml::table table = toml::parse(*text);
    AgencyName name{table["agency"].value_or(std::string()),
                    table["trust_domain"].value_or(std::string())};
    if (!IsPeerName(name.agency) || !IsTrustDomain(name.trust_domain)) {
      return Fail(Damaged(folder.agency()));
    }
    return name;
  } catch (const toml::parse_error&) {
    return Fail(Damaged(folder.agency()));
  }
}

Result<PkeyPtr> ReadPrivateKey(const std::filesystem::path& file) {
  COMITY_ASSIGN_OR_RETURN(const SecretBytes pem, runtime::ReadSecretFile(file, kMaxSmallFile));
  PkeyPtr key = ParsePrivateKey(pem);
  ERR_clear_error();
  if (!key) return Fail(Damaged(file));
  return key;
}

Result<Authority> ReadAuthority(const PkiFolder& folder) {
  COMITY_ASSIGN_OR_RETURN(const std::string pem,
                          runtime::ReadTextFile(folder.ca_certificate(), kMaxSmallFile));
  COMITY_ASSIGN_OR_RETURN(const SecretBytes key_pem,
                          runtime::ReadSecretFile(folder.ca_key(), kMaxSmallFile));
  auto chain = ParseCertificateChain(pem);
  if (!chain) return Fail(Damaged(folder.ca_certificate()));
  PkeyPtr key = ParsePrivateKey(key_pem);
  const bool fits = key && X509_check_private_key(chain->leaf.get(), key.get()) == 1;
  ERR_clear_error();
  if (!fits) return Fail(Damaged(folder.ca_key()));
  return Authority{std::move(chain->leaf), std::move(key)};
}

std::string EncodeIndex(const std::vector<IndexLine>& lines) {
  std::string text;
  for (const IndexLine& line : lines) {
    text += std::string(line.revoked ? "revoked " : "valid ") + line.serial + ' ' +
            std::to_string(Seconds(line.expires_at)) + ' ' +
            std::to_string(Seconds(line.revoked_at)) + ' ' + std::to_string(line.reason) + ' ' +
            line.spiffe_id + '\n';
  }
  return text;
}

Result<std::vector<IndexLine>> ParseIndex(std::string_view text) {
  std::vector<IndexLine> lines;
  if (text.empty()) return lines;
  const bool ends_well = text.back() == '\n';
  if (ends_well) text.remove_suffix(1);
  for (const std::string_view part : Split(text, '\n')) {
    auto line = ParseIndexLine(part);
    if (!line || !ends_well) {
      return Fail(ErrorCode::kCorrupt, "line " + std::to_string(lines.size() + 1) + " is damaged");
    }
    lines.push_back(std::move(*line));
  }
  return lines;
}

Result<std::vector<IndexLine>> ReadIndex(const PkiFolder& folder) {
  COMITY_ASSIGN_OR_RETURN(const std::string text, runtime::ReadTextFile(folder.index(), kMaxIndex));
  auto lines = ParseIndex(text);
  if (!lines)
    return Fail(lines.error().code, folder.index().string() + ": " + lines.error().detail);
  return lines;
}

Result<FolderLock> FolderLock::Take(const PkiFolder& folder) {
  const int descriptor = open(folder.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return Fail(ErrorCode::kUnavailable, folder.lock().string() + " cannot be written: " +
                                             std::generic_category().message(errno));
  }
  FolderLock lock(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    return Fail(ErrorCode::kUnavailable,
                "another command works on " + folder.root.string() + "; try again");
  }
  return lock;
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

Status CheckAbsent(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::symlink_status(path, ignored).type() ==
      std::filesystem::file_type::not_found) {
    return {};
  }
  return Fail(ErrorCode::kConflict, path.string() + " exists already and is not overwritten");
}

Status WriteNewPrivate(const std::filesystem::path& path, const SecretBytes& content) {
  COMITY_RETURN_IF_ERROR(CheckAbsent(path));
  return runtime::WriteFile(path, content.Expose(), 0600);
}

Status WriteNewPublic(const std::filesystem::path& path, std::string_view content) {
  COMITY_RETURN_IF_ERROR(CheckAbsent(path));
  return runtime::WriteFile(path, AsBytes(content), 0644);
}

Status MakePrivateFolder(const std::filesystem::path& path) {
  std::error_code fault;
  if (std::filesystem::create_directories(path, fault); fault) {
    return Fail(ErrorCode::kUnavailable, path.string() + ": " + fault.message());
  }
  std::filesystem::permissions(path, std::filesystem::perms::owner_all, fault);
  if (fault) return Fail(ErrorCode::kUnavailable, path.string() + ": " + fault.message());
  return {};
}

}  // namespace comity::transport
