// SPDX-License-Identifier: Apache-2.0
#include "services/transport/pki_rotate.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "crypto/base/random.h"
#include "services/runtime/file.h"
#include "services/runtime/partial_file.h"
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

tl::unexpected<Error> CannotWrite(const std::filesystem::path& file, const std::string& why) {
  return Fail(ErrorCode::kUnavailable, file.string() + " cannot be written: " + why);
}

// What a run that was killed left of a key that never got its name.
Status RemoveDrafts(const PkiFolder& folder) {
  const std::string prefix = "." + NextKey(folder).filename().string() + ".";
  std::error_code fault;
  std::vector<std::filesystem::path> drafts;
  for (std::filesystem::directory_iterator at(NextKey(folder).parent_path(), fault), end;
       !fault && at != end; at.increment(fault)) {
    if (at->path().filename().string().starts_with(prefix)) drafts.push_back(at->path());
  }
  for (const std::filesystem::path& draft : drafts) {
    if (::unlink(draft.c_str()) != 0) {
      return Fail(ErrorCode::kUnavailable,
                  draft.string() + " cannot be removed: " + std::generic_category().message(errno));
    }
  }
  return {};
}

// The present key gets a second name before the next one takes its place: there is no moment at
// which the folder has no key.
Status KeepFormer(const PkiFolder& folder) {
  const std::filesystem::path former = FormerKey(folder);
  std::error_code fault;
  const bool is_there = std::filesystem::exists(folder.signing_key(), fault);
  if (fault) return CannotWrite(former, fault.message());
  if (!is_there) return {};
  if (!std::filesystem::equivalent(folder.signing_key(), former, fault)) {
    COMITY_RETURN_IF_ERROR(CheckAbsent(former));
    if (::link(folder.signing_key().c_str(), former.c_str()) != 0) {
      return CannotWrite(former, std::generic_category().message(errno));
    }
  }
  return runtime::SyncFolder(former.parent_path());
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
  COMITY_RETURN_IF_ERROR(RemoveDrafts(folder));
  SystemRandom random;
  const sign::SigningKey next = sign::SigningKey::Generate(random);
  COMITY_ASSIGN_OR_RETURN(PeerCard card, SignPeerCard(std::move(present), next, &key));
  if (const Status written = WriteNewPrivate(NextKey(folder), next.EncodeKeyFile()); !written) {
    // It may have its name and not be on the disk; nobody has its card.
    ::unlink(NextKey(folder).c_str());
    return Fail(written.error());
  }
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
  COMITY_RETURN_IF_ERROR(KeepFormer(folder));
  if (std::rename(NextKey(folder).c_str(), folder.signing_key().c_str()) != 0) {
    return CannotWrite(folder.signing_key(), std::generic_category().message(errno));
  }
  const Status synced = runtime::SyncFolder(folder.signing_key().parent_path());
  if (synced) return {};
  return Fail(synced.error().code,
              synced.error().detail +
                  "; the next key is the present one now, but the loss of power "
                  "may bring the former one back: look at the disk, and run "
                  "this again only if the next key is there again");
}

}  // namespace comity::transport
