// SPDX-License-Identifier: Apache-2.0
#include "services/transport/pki_rotate.h"

#include <system_error>
#include <utility>

#include "crypto/base/random.h"
#include "services/runtime/file.h"
#include "services/transport/pki_folder.h"

namespace comity::transport {
namespace {

constexpr std::size_t kMaxKeyFile = 4096;

std::filesystem::path NextKey(const PkiFolder& folder) {
  return folder.root / "keys" / "agency-signing.next.key";
}
std::filesystem::path FormerKey(const PkiFolder& folder) {
  return folder.root / "keys" / "agency-signing.former.key";
}

Result<sign::SigningKey> ReadKey(const std::filesystem::path& file) {
  COMITY_ASSIGN_OR_RETURN(const SecretBytes text, runtime::ReadSecretFile(file, kMaxKeyFile));
  auto key = sign::SigningKey::ParseKeyFile(AsText(text.Expose()));
  if (!key) return Fail(ErrorCode::kCorrupt, file.string() + ": " + key.error().detail);
  return key;
}

Status Rename(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code fault;
  std::filesystem::rename(from, to, fault);
  if (!fault) return {};
  return Fail(ErrorCode::kUnavailable, to.string() + " cannot be written: " + fault.message());
}

}  // namespace

Result<PeerCard> MakeNextKey(const std::filesystem::path& pki_folder, PeerCard present) {
  const PkiFolder folder{pki_folder};
  COMITY_ASSIGN_OR_RETURN(const AgencyName name, ReadAgencyName(folder));
  COMITY_ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(folder));
  COMITY_ASSIGN_OR_RETURN(const sign::SigningKey key, ReadKey(folder.signing_key()));
  if (present.agency != name.agency ||
      present.signing_key != sign::EncodePublicKey(key.public_key())) {
    return Fail(ErrorCode::kInvalidArgument, "the card is not the present one of the agency in " +
                                                 pki_folder.string() +
                                                 ": take it with 'comity peer invite'");
  }
  COMITY_RETURN_IF_ERROR(CheckAbsent(NextKey(folder)));
  SystemRandom random;
  const sign::SigningKey next = sign::SigningKey::Generate(random);
  COMITY_ASSIGN_OR_RETURN(PeerCard card, SignPeerCard(std::move(present), next, &key));
  COMITY_RETURN_IF_ERROR(WriteNewPrivate(NextKey(folder), next.EncodeKeyFile()));
  return card;
}

Status SwitchKey(const std::filesystem::path& pki_folder) {
  const PkiFolder folder{pki_folder};
  COMITY_RETURN_IF_ERROR(ReadAgencyName(folder));
  COMITY_ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(folder));
  if (const auto next = ReadKey(NextKey(folder)); !next) {
    return Fail(next.error().code, "no next key can be read; 'comity pki rotate-key' makes one: " +
                                       next.error().detail);
  }
  std::error_code ignored;
  if (std::filesystem::exists(folder.signing_key(), ignored)) {
    COMITY_RETURN_IF_ERROR(CheckAbsent(FormerKey(folder)));
    COMITY_RETURN_IF_ERROR(Rename(folder.signing_key(), FormerKey(folder)));
  }
  return Rename(NextKey(folder), folder.signing_key());
}

}  // namespace comity::transport
