// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/block_sealer.h"

#include <algorithm>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/sealed/ring.h"

namespace comity::watchlists {

Result<sealed::SecretArray<std::int8_t>> CanonicalTemplate(const sealed::Quantiser& quantiser,
                                                           const policy::WatchlistId& list,
                                                           const ActiveEntry& entry) {
  auto canonical = quantiser.Quantise(entry.face_template);
  if (canonical) return canonical;
  return Fail(ErrorCode::kInvalidArgument, "watchlist " + list.text() + ", entry " +
                                               entry.reference +
                                               " cannot be sealed: " + canonical.error().detail);
}

BlockSealer::BlockSealer(Setup setup, policy::WatchlistId list, Digest header,
                         sealed::Profile profile, sealed::Quantiser quantiser,
                         sealed::SealingMatrix matrix)
    : setup_(std::move(setup)),
      list_(std::move(list)),
      header_(header),
      profile_(profile),
      quantiser_(std::move(quantiser)),
      matrix_(std::move(matrix)),
      templates_(sealed::kRingDegree * profile_.dimension()) {}

Result<BlockSealer> BlockSealer::Create(Setup setup, const sealed::ListHeader& header) {
  COMITY_RETURN_IF_ERROR(sealed::CheckListHeader(header));
  COMITY_ASSIGN_OR_RETURN(const sealed::Profile profile,
                          sealed::Profile::FromHeader(header.scales, header.delta));
  COMITY_ASSIGN_OR_RETURN(sealed::Quantiser quantiser,
                          sealed::Quantiser::Create(profile.dimension()));
  COMITY_ASSIGN_OR_RETURN(sealed::SealingMatrix matrix,
                          sealed::SealingMatrix::Expand(header.public_seed, profile.dimension()));
  return BlockSealer(std::move(setup), ScopeOf(header).list, sealed::HeaderDigest(header), profile,
                     std::move(quantiser), std::move(matrix));
}

Status BlockSealer::Take(const ActiveEntry& entry, std::span<std::int8_t> slot) const {
  COMITY_ASSIGN_OR_RETURN(const auto canonical, CanonicalTemplate(quantiser_, list_, entry));
  std::ranges::copy(canonical.Expose(), slot.begin());
  return {};
}

Result<BlockHandles> BlockSealer::Load(std::span<const std::string> references) {
  COMITY_CHECK(references.size() <= sealed::kRingDegree);
  BlockHandles handles;
  const auto visit = [&](const ActiveEntry& entry) -> Status {
    if (!setup_.takes(entry)) return {};
    const std::size_t dimension = profile_.dimension();
    COMITY_RETURN_IF_ERROR(
        Take(entry, templates_.ExposeMutable().subspan(handles.size() * dimension, dimension)));
    handles.push_back(entry.reference);
    return {};
  };
  COMITY_RETURN_IF_ERROR(setup_.lists.VisitActive(list_, references, visit));
  return handles;
}

Result<std::optional<NewBlock>> BlockSealer::SealBlock(std::uint32_t number,
                                                       std::span<const std::string> references) {
  COMITY_ASSIGN_OR_RETURN(BlockHandles handles, Load(references));
  if (handles.empty()) return std::nullopt;
  const sealed::BlockIdentity identity{header_, number};
  COMITY_ASSIGN_OR_RETURN(
      sealed::SealedWithRoot made,
      sealed::Seal(profile_, matrix_, identity,
                   templates_.Expose().first(handles.size() * profile_.dimension()),
                   setup_.random));
  NewBlock block;
  block.listed = {number, made.root.count, sealed::BlockHash(header_, made.block)};
  COMITY_RETURN_IF_ERROR(
      setup_.files.Write(header_, block.listed, sealed::EncodeSealedBlock(made.block)));
  COMITY_ASSIGN_OR_RETURN(auto secret, sealed::BlockSecret::Derive(identity, made.root));
  block.secret = std::make_shared<const sealed::BlockSecret>(std::move(secret));
  block.handles = std::make_shared<const BlockHandles>(std::move(handles));
  block.root = std::move(made.root);
  return block;
}

}  // namespace comity::watchlists
