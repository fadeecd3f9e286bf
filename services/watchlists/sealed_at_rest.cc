// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/sealed_at_rest.h"

#include <algorithm>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/base/encoding.h"
#include "crypto/base/little_endian.h"
#include "crypto/envelope/aead.h"

namespace comity::watchlists {
namespace {

constexpr std::size_t kRootBytes = sealed::kSeedBytes + Digest::kSize + 4;
constexpr std::size_t kMaxReference = 0xffff;

std::string Context(std::string_view what, const Digest& header) {
  return "sealed-list-" + std::string(what) + "|" + EncodeHex(header.view());
}

std::string StateContext(const Digest& header, std::uint64_t sequence) {
  return Context("state", header) + "|" + std::to_string(sequence);
}

std::string BlockContext(std::string_view what, const Digest& header, std::uint32_t number,
                         const Digest& hash) {
  return Context(what, header) + "|" + std::to_string(number) + "|" + EncodeHex(hash.view());
}

tl::unexpected<Error> Damaged(const Digest& header, std::string_view what) {
  return Fail(ErrorCode::kCorrupt,
              "sealed list " + EncodeHex(header.view()).substr(0, 16) + ": " + std::string(what));
}

SecretBytes EncodeRoot(const sealed::BlockRoot& root) {
  SecretBytes octets(kRootBytes);
  const auto count = LittleEndian<4>(root.count);
  auto out = std::ranges::copy(root.root.Expose(), octets.ExposeMutable().begin()).out;
  out = std::ranges::copy(root.contents.bytes, out).out;
  std::ranges::copy(count, out);
  return octets;
}

Bytes EncodeHandles(const BlockHandles& handles) {
  Bytes octets;
  for (const std::string& reference : handles) {
    COMITY_CHECK(reference.size() <= kMaxReference);
    const auto size = LittleEndian<2>(reference.size());
    octets.insert(octets.end(), size.begin(), size.end());
    octets.insert(octets.end(), reference.begin(), reference.end());
  }
  return octets;
}

Result<BlockHandles> ParseHandles(ByteView octets, std::uint32_t count) {
  BlockHandles handles;
  while (octets.size() >= 2) {
    const std::size_t size = ReadLittleEndian<2>(octets);
    if (octets.size() - 2 < size) break;
    handles.emplace_back(AsText(octets.subspan(2, size)));
    octets = octets.subspan(2 + size);
  }
  if (octets.empty() && handles.size() == count) return handles;
  return Fail(ErrorCode::kCorrupt, "handles are malformed");
}

// Opens what the list's key is over; any failure names the list.
Result<SecretBytes> OpenUnder(const SecretBytes& key, const Digest& header, ByteView sealed,
                              const std::string& context) {
  auto opened = envelope::Open(key, sealed, AsBytes(context));
  if (opened) return opened;
  return Damaged(header, "what is stored does not open");
}

Result<std::shared_ptr<const BlockHandles>> OpenHandles(const SecretBytes& key,
                                                        const Digest& header,
                                                        const store::SealedBlockRecord& block) {
  COMITY_ASSIGN_OR_RETURN(const SecretBytes octets,
                          OpenUnder(key, header, block.sealed_handles,
                                    BlockContext("handles", header, block.number, block.hash)));
  COMITY_ASSIGN_OR_RETURN(BlockHandles handles, ParseHandles(octets.Expose(), block.count));
  return std::make_shared<const BlockHandles>(std::move(handles));
}

bool IsOf(const store::SealedListRecord& record, const sealed::ListHeader& header) {
  const SealedScope scope = ScopeOf(header);
  const policy::AgreementRef agreement{record.agreement, record.agreement_version,
                                       record.agreement_sha256};
  return sealed::HeaderDigest(header) == record.header &&
         scope == SealedScope{record.requester, agreement, record.purpose, record.list} &&
         header.epoch == record.epoch;
}

// The columns beside what is sealed must say the same.
Result<EpochParts> OpenTerms(const SecretBytes& key, const store::SealedListRecord& record) {
  EpochParts parts;
  COMITY_ASSIGN_OR_RETURN(
      const SecretBytes header,
      OpenUnder(key, record.header, record.sealed_header, Context("header", record.header)));
  COMITY_ASSIGN_OR_RETURN(const SecretBytes state,
                          OpenUnder(key, record.header, record.sealed_state,
                                    StateContext(record.header, record.sequence)));
  auto read_header = sealed::ParseListHeader(header.Expose());
  auto read_state = sealed::ParseListState(state.Expose());
  if (!read_header || !read_state || !IsOf(record, *read_header) ||
      read_state->header != record.header || read_state->sequence != record.sequence) {
    return Damaged(record.header, "header or state is not what the record says");
  }
  parts.header = *std::move(read_header);
  parts.state = *std::move(read_state);
  parts.superseded = record.state == store::SealedListState::kSuperseded;
  return parts;
}

}  // namespace

store::SealedListRecord SealListRecord(const SecretBytes& kek, const sealed::ListHeader& header,
                                       const sealed::ListState& state, RandomSource& random,
                                       SecretBytes& key) {
  const SealedScope scope = ScopeOf(header);
  store::SealedListRecord record;
  record.header = sealed::HeaderDigest(header);
  record.list = scope.list;
  record.requester = scope.requester;
  record.agreement = scope.agreement.id;
  record.agreement_version = scope.agreement.version;
  record.agreement_sha256 = scope.agreement.sha256;
  record.purpose = scope.purpose;
  record.epoch = header.epoch;
  record.sealed_at = policy::Instant(std::chrono::seconds(header.sealed_at));
  record.valid_until = policy::Instant(std::chrono::seconds(header.valid_until));
  record.sequence = state.sequence;
  key = envelope::GenerateKey(random);
  record.wrapped_key = envelope::WrapKey(kek, key, AsBytes(Context("key", record.header)), random);
  record.sealed_header = envelope::Seal(key, sealed::EncodeListHeader(header),
                                        AsBytes(Context("header", record.header)), random);
  record.sealed_state = SealListState(key, state, random);
  return record;
}

Bytes SealListState(const SecretBytes& key, const sealed::ListState& state, RandomSource& random) {
  return envelope::Seal(key, sealed::EncodeListState(state),
                        AsBytes(StateContext(state.header, state.sequence)), random);
}

store::SealedBlockRecord SealBlockRecord(const SecretBytes& key, const Digest& header,
                                         const sealed::ListedBlock& listed,
                                         const sealed::BlockRoot& root, const BlockHandles& handles,
                                         std::uint64_t resealed, RandomSource& random) {
  const auto context = [&](std::string_view what) {
    return BlockContext(what, header, listed.number, listed.hash);
  };
  store::SealedBlockRecord block;
  block.number = listed.number;
  block.hash = listed.hash;
  block.count = listed.count;
  block.resealed = resealed;
  block.sealed_root =
      envelope::Seal(key, EncodeRoot(root).Expose(), AsBytes(context("root")), random);
  block.sealed_handles =
      envelope::Seal(key, EncodeHandles(handles), AsBytes(context("handles")), random);
  return block;
}

Result<SecretBytes> OpenListKey(const SecretBytes& kek, const store::SealedListRecord& record) {
  auto key = envelope::UnwrapKey(kek, record.wrapped_key, AsBytes(Context("key", record.header)));
  if (key) return key;
  return Damaged(record.header, "its key is destroyed, or does not open");
}

Result<sealed::BlockRoot> OpenBlockRoot(const SecretBytes& key, const Digest& header,
                                        const store::SealedBlockRecord& block) {
  COMITY_ASSIGN_OR_RETURN(const SecretBytes octets,
                          OpenUnder(key, header, block.sealed_root,
                                    BlockContext("root", header, block.number, block.hash)));
  const ByteView view = octets.Expose();
  if (view.size() != kRootBytes) return Damaged(header, "a block root is malformed");
  sealed::BlockRoot root;
  root.root = SecretBytes::CopyOf(view.first(sealed::kSeedBytes));
  std::ranges::copy(view.subspan(sealed::kSeedBytes, Digest::kSize), root.contents.bytes.begin());
  root.count = static_cast<std::uint32_t>(ReadLittleEndian<4>(view.last(4)));
  return root;
}

Result<EpochParts> OpenListRecord(const SecretBytes& kek, const store::SealedListRecord& record,
                                  const std::vector<store::SealedBlockRecord>& blocks) {
  COMITY_ASSIGN_OR_RETURN(const SecretBytes key, OpenListKey(kek, record));
  COMITY_ASSIGN_OR_RETURN(EpochParts parts, OpenTerms(key, record));
  const bool same = std::ranges::equal(
      parts.state.blocks, blocks,
      [](const sealed::ListedBlock& listed, const store::SealedBlockRecord& block) {
        return listed == sealed::ListedBlock{block.number, block.count, block.hash};
      });
  if (!same) return Damaged(record.header, "its blocks are not those of its state");
  for (const store::SealedBlockRecord& block : blocks) {
    COMITY_ASSIGN_OR_RETURN(const sealed::BlockRoot root, OpenBlockRoot(key, record.header, block));
    COMITY_ASSIGN_OR_RETURN(auto secret,
                            sealed::BlockSecret::Derive({record.header, block.number}, root));
    COMITY_ASSIGN_OR_RETURN(auto handles, OpenHandles(key, record.header, block));
    parts.secrets.push_back(std::make_shared<const sealed::BlockSecret>(std::move(secret)));
    parts.handles.push_back(std::move(handles));
  }
  return parts;
}

}  // namespace comity::watchlists
