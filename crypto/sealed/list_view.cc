// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/list_view.h"

#include <algorithm>
#include <utility>

namespace comity::sealed {
namespace {

bool BelongsTo(const ListView::Block& block, const ListedBlock& listed, std::size_t dimension) {
  return block.block.number == listed.number && block.block.count() == listed.count &&
         block.block.dimension() == dimension;
}

Status CheckBlocksOf(const ListTerms& terms, const ListView::Blocks& blocks) {
  const bool belong = std::ranges::equal(
      blocks, terms.state().blocks, [&](const auto& block, const ListedBlock& listed) {
        return block != nullptr && BelongsTo(*block, listed, terms.profile().dimension());
      });
  if (!belong) return Fail(ErrorCode::kInvalidArgument, "the blocks are not those of the state");
  return {};
}

}  // namespace

ListTerms::ListTerms(ListHeader header, ListState state, Profile profile, SlotSet slots)
    : header_(std::move(header)),
      state_(std::move(state)),
      profile_(profile),
      slots_(std::move(slots)),
      state_digest_(StateDigest(state_)) {}

Result<ListTerms> ListTerms::Create(ListHeader header, ListState state) {
  COMITY_RETURN_IF_ERROR(CheckListHeader(header));
  COMITY_RETURN_IF_ERROR(CheckListState(state));
  if (state.header != HeaderDigest(header)) {
    return Fail(ErrorCode::kInvalidArgument, "the state is of another sealed list");
  }
  COMITY_ASSIGN_OR_RETURN(const Profile profile, Profile::FromHeader(header.scales, header.delta));
  COMITY_ASSIGN_OR_RETURN(SlotSet slots, SlotsOf(state));
  return ListTerms(std::move(header), std::move(state), profile, std::move(slots));
}

std::shared_ptr<const ListView::Block> ListView::MakeBlock(SealedBlock block) {
  auto made = std::make_shared<Block>(Block{.block = std::move(block), .p = {}});
  Transform(made->block.p, made->p);
  return made;
}

ListView::ListView(ListTerms terms, Blocks blocks, std::shared_ptr<const PublicMatrix> matrix)
    : terms_(std::move(terms)), blocks_(std::move(blocks)), matrix_(std::move(matrix)) {}

Result<std::shared_ptr<const ListView>> ListView::Create(const ListHeader& header, ListState state,
                                                         Blocks blocks, const ListView* former) {
  COMITY_ASSIGN_OR_RETURN(ListTerms terms, ListTerms::Create(header, std::move(state)));
  COMITY_RETURN_IF_ERROR(CheckBlocksOf(terms, blocks));
  std::shared_ptr<const PublicMatrix> matrix;
  if (former != nullptr && former->header_digest() == terms.header_digest()) {
    matrix = former->matrix_;
  } else {
    COMITY_ASSIGN_OR_RETURN(PublicMatrix expanded,
                            PublicMatrix::Expand(header.public_seed, header.scales.dimension));
    matrix = std::make_shared<const PublicMatrix>(std::move(expanded));
  }
  return std::shared_ptr<const ListView>(
      new ListView(std::move(terms), std::move(blocks), std::move(matrix)));
}

EpochView::EpochView(ListTerms terms, Secrets secrets)
    : terms_(std::move(terms)), secrets_(std::move(secrets)) {}

Result<std::shared_ptr<const EpochView>> EpochView::Create(const ListHeader& header,
                                                           ListState state, Secrets secrets) {
  COMITY_ASSIGN_OR_RETURN(ListTerms terms, ListTerms::Create(header, std::move(state)));
  if (secrets.size() != terms.state().blocks.size() ||
      std::ranges::any_of(secrets, [](const auto& secret) { return secret == nullptr; })) {
    return Fail(ErrorCode::kInvalidArgument, "not one secret a block");
  }
  return std::shared_ptr<const EpochView>(new EpochView(std::move(terms), std::move(secrets)));
}

}  // namespace comity::sealed
