// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/sealed_folder.h"

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include "crypto/base/encoding.h"
#include "crypto/sealed/sealed_block.h"
#include "services/runtime/file.h"
#include "services/runtime/partial_file.h"
#include "services/watchlists/sealed_payload.h"

namespace comity::watchlists {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHeaderFile = "header";
constexpr std::string_view kPart = ".part";
constexpr std::string_view kDamaged = ".damaged";
constexpr std::size_t kHashOctetsInName = 8;
constexpr mode_t kMode = 0600;

tl::unexpected<Error> Unavailable(const char* act, const fs::path& path,
                                  const std::error_code& error) {
  return Fail(ErrorCode::kUnavailable,
              std::string("cannot ") + act + " " + path.string() + ": " + error.message());
}

void RemoveQuietly(const fs::path& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
}

}  // namespace

SealedFolder::SealedFolder(const fs::path& root, const Digest& header, std::size_t dimension)
    : folder_(root / EncodeHex(header.view())), header_(header), dimension_(dimension) {}

Result<std::vector<Digest>> SealedFolder::Found(const fs::path& root) {
  std::vector<Digest> found;
  std::error_code error;
  for (fs::directory_iterator item(root, error), end; !error && item != end;
       item.increment(error)) {
    const auto digest = ParseHexDigest(item->path().filename().string());
    if (digest) found.push_back(*digest);
  }
  if (error) return Unavailable("read", root, error);
  std::ranges::sort(found);
  return found;
}

Status SealedFolder::Prepare(std::string_view header_envelope) const {
  std::error_code error;
  if (fs::exists(folder_ / kHeaderFile, error)) return {};
  if (fs::create_directory(folder_, error)) {
    fs::permissions(folder_, fs::perms::owner_all, error);
    COMITY_RETURN_IF_ERROR(runtime::SyncFolder(folder_.parent_path()));
  }
  if (error) return Unavailable("make", folder_, error);
  return runtime::WriteFile(folder_ / kHeaderFile, AsBytes(header_envelope), kMode);
}

Result<std::string> SealedFolder::HeaderEnvelope() const {
  return runtime::ReadTextFile(folder_ / kHeaderFile, kMaxSealedHeaderEnvelope);
}

fs::path SealedFolder::PathOf(const sealed::ListedBlock& block, std::string_view suffix) const {
  return folder_ / (std::to_string(block.number) + "-" +
                    EncodeHex(block.hash.view().first(kHashOctetsInName)) + std::string(suffix));
}

std::uint64_t SealedFolder::SizeOf(const sealed::ListedBlock& block) const {
  return sealed::EncodedBlockBytes(block.count, dimension_);
}

bool SealedFolder::HasWhole(const sealed::ListedBlock& block) const {
  const auto size = runtime::PartialSize(PathOf(block, ""));
  return size && *size == SizeOf(block);
}

std::uint64_t SealedFolder::Arrived(const sealed::ListedBlock& block) const {
  const auto size = runtime::PartialSize(PathOf(block, kPart));
  return size && *size <= SizeOf(block) ? *size : 0;
}

Status SealedFolder::Append(const sealed::ListedBlock& block, std::uint64_t offset,
                            ByteView octets) const {
  if (offset != Arrived(block)) {
    return Fail(ErrorCode::kInvalidArgument, "not the next octets of the block");
  }
  if (octets.size() > SizeOf(block) - offset) {
    return Fail(ErrorCode::kInvalidArgument, "more octets than the block has");
  }
  return runtime::AppendAt(PathOf(block, kPart), offset, octets, kMode);
}

Result<sealed::SealedBlock> SealedFolder::Verified(const sealed::ListedBlock& block,
                                                   const fs::path& path) const {
  const auto octets = runtime::ReadFile(path, SizeOf(block));
  if (!octets && octets.error().code != ErrorCode::kInvalidArgument) return Fail(octets.error());
  const auto wrong = Fail(ErrorCode::kCorrupt, path.string() + " is not the block it must be");
  if (!octets || octets->size() != SizeOf(block)) return wrong;
  auto parsed = sealed::ParseSealedBlock(*octets, dimension_, block.number);
  if (!parsed || sealed::BlockHash(header_, *parsed) != block.hash) return wrong;
  return parsed;
}

Status SealedFolder::Finish(const sealed::ListedBlock& block) const {
  const fs::path part = PathOf(block, kPart);
  if (Arrived(block) != SizeOf(block)) {
    return Fail(ErrorCode::kConflict, "octets of the block are missing");
  }
  const auto verified = Verified(block, part);
  if (verified) return runtime::KeepAs(part, PathOf(block, ""));
  if (verified.error().code == ErrorCode::kCorrupt) RemoveQuietly(part);
  return Fail(verified.error());
}

Result<std::shared_ptr<const sealed::ListView::Block>> SealedFolder::Load(
    const sealed::ListedBlock& block) const {
  const fs::path path = PathOf(block, "");
  auto verified = Verified(block, path);
  if (verified) return sealed::ListView::MakeBlock(*std::move(verified));
  if (verified.error().code == ErrorCode::kCorrupt) {
    std::error_code error;
    fs::rename(path, PathOf(block, kDamaged), error);
    if (error) RemoveQuietly(path);
  }
  return Fail(verified.error());
}

void SealedFolder::KeepOnly(std::span<const sealed::ListedBlock> blocks) const {
  std::set<fs::path> kept = {folder_ / kHeaderFile};
  for (const sealed::ListedBlock& block : blocks) kept.insert(PathOf(block, ""));
  std::vector<fs::path> others;
  std::error_code error;
  for (fs::directory_iterator item(folder_, error), end; !error && item != end;
       item.increment(error)) {
    if (!kept.contains(item->path())) others.push_back(item->path());
  }
  for (const fs::path& path : others) RemoveQuietly(path);
}

Status SealedFolder::Remove() const {
  std::error_code error;
  fs::remove_all(folder_, error);
  if (error) return Unavailable("remove", folder_, error);
  return runtime::SyncFolder(folder_.parent_path());
}

}  // namespace comity::watchlists
