// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/sealed_copies.h"

#include <algorithm>
#include <utility>

#include "services/runtime/task_pipeline.h"
#include "services/watchlists/sealed_copy_hold.h"
#include "services/watchlists/sealed_events.h"

namespace comity::watchlists {
namespace {

using sealed::ListedBlock;
using sealed::ListView;
using ViewPtr = std::shared_ptr<const ListView>;

bool Covers(const sealed::ListHeader& header, const policy::AgreementRef& agreement,
            const policy::PurposeCode& purpose, const policy::EngineProfile& engine) {
  return header.agreement == agreement.id.text() && header.agreement_version == agreement.version &&
         header.agreement_sha256 == agreement.sha256 && header.purpose == purpose.text() &&
         header.engine_name == engine.name && header.engine_version == engine.version &&
         header.scales.dimension == engine.dimension;
}

// The block in `former` that is listed so, or null.
std::shared_ptr<const ListView::Block> FindBlock(const ListView& former, const ListedBlock& block) {
  const auto& listed = former.state().blocks;
  const auto found = std::ranges::lower_bound(listed, block.number, {}, &ListedBlock::number);
  if (found == listed.end() || *found != block) return nullptr;
  return former.blocks()[static_cast<std::size_t>(found - listed.begin())];
}

}  // namespace

Result<SealedOffer> SealedCopies::Verify(const policy::AgencyId& holder,
                                         std::string_view header_envelope,
                                         std::string_view state_envelope) const {
  COMITY_ASSIGN_OR_RETURN(const auto keys, setup_.keys(holder));
  return OpenSealedOffer({holder, setup_.own, keys, setup_.clock.Now()}, header_envelope,
                         state_envelope);
}

Status SealedCopies::Admit(const policy::AgencyId& holder, const SealedOffer& offer,
                           std::string_view header_envelope) {
  return copies_.With([&](Copies& copies) -> Status {
    std::size_t of_holder = 0;
    for (const auto& [digest, copy] : copies) {
      if (copy.holder == holder) ++of_holder;
      if (digest != offer.header_digest && copy.sequence > 0 &&
          AreOfOneScope(copy.header, offer.header) && copy.header.epoch >= offer.header.epoch) {
        return Fail(ErrorCode::kConflict, "a later epoch of the sealed list is here already");
      }
    }
    const auto known = copies.find(offer.header_digest);
    if (known == copies.end()) {
      if (of_holder >= kMostLists) {
        return Fail(ErrorCode::kExhausted, "the holder offers too many sealed lists");
      }
      copies.emplace(offer.header_digest, Copy{.holder = holder,
                                               .header = offer.header,
                                               .header_envelope = std::string(header_envelope)});
      return {};
    }
    const Copy& copy = known->second;
    if (copy.sequence > offer.state.sequence) {
      return Fail(ErrorCode::kConflict, "a later state of the sealed list is here already");
    }
    if (copy.sequence == offer.state.sequence && copy.state != offer.state_digest) {
      return Fail(ErrorCode::kConflict, "the holder signed two states of one sequence");
    }
    return {};
  });
}

Result<SealedCopies::Offered> SealedCopies::Check(const policy::AgencyId& holder,
                                                  std::string_view header_envelope,
                                                  std::string_view state_envelope) {
  COMITY_ASSIGN_OR_RETURN(SealedOffer offer, Verify(holder, header_envelope, state_envelope));
  COMITY_RETURN_IF_ERROR(Admit(holder, offer, header_envelope));
  const SealedFolder folder = FolderOf(offer.header_digest, offer.header);
  Offered offered;
  for (const ListedBlock& block : offer.state.blocks) {
    if (!folder.HasWhole(block)) offered.wanted.push_back(block);
  }
  offered.header = offer.header_digest;
  offered.terms = std::move(offer.header);
  offered.sequence = offer.state.sequence;
  offered.state = offer.state_digest;
  offered.complete = offered.wanted.empty();
  return offered;
}

std::uint64_t SealedCopies::Resume(const Digest& header, const ListedBlock& block) const {
  const auto dimension = copies_.With([&](const Copies& copies) -> std::optional<std::size_t> {
    const auto found = copies.find(header);
    if (found == copies.end()) return std::nullopt;
    return found->second.header.scales.dimension;
  });
  return dimension ? SealedFolder(setup_.folder, header, *dimension).Arrived(block) : 0;
}

Status SealedCopies::Append(const Digest& header, const ListedBlock& block, std::uint64_t offset,
                            ByteView octets) {
  COMITY_ASSIGN_OR_RETURN(const Hold hold, Hold::Take(copies_, header));
  const SealedFolder folder = FolderOf(header, hold.copy().header);
  COMITY_RETURN_IF_ERROR(folder.Prepare(hold.copy().header_envelope));
  return folder.Append(block, offset, octets);
}

Status SealedCopies::Finish(const Offered& offered, const ListedBlock& block) {
  COMITY_ASSIGN_OR_RETURN(const Hold hold, Hold::Take(copies_, offered.header));
  return FolderOf(offered.header, hold.copy().header).Finish(block);
}

Result<ViewPtr> SealedCopies::Load(const SealedOffer& offer, const ViewPtr& former) const {
  const SealedFolder folder = FolderOf(offer.header_digest, offer.header);
  using Loaded = Result<std::shared_ptr<const ListView::Block>>;
  ListView::Blocks blocks;
  std::optional<Error> failed;
  runtime::TaskPipeline<Loaded> loading([&](Loaded block) -> Status {
    // After a failure the others are looked at all the same, so that all that are damaged are
    // known and fetched in one go.
    if (!block && !failed) failed = std::move(block).error();
    if (!failed) blocks.push_back(*std::move(block));
    return {};
  });
  for (const ListedBlock& listed : offer.state.blocks) {
    COMITY_RETURN_IF_ERROR(loading.Start([&folder, &former, &listed]() -> Loaded {
      auto block = former ? FindBlock(*former, listed) : nullptr;
      if (block) return block;
      return folder.Load(listed);
    }));
  }
  COMITY_RETURN_IF_ERROR(loading.Finish());
  if (failed) return Fail(*std::move(failed));
  return ListView::Create(offer.header, offer.state, std::move(blocks), former.get());
}

Status SealedCopies::Keep(const store::SealedCopyRecord& record, const ListView& view) {
  const audit::Event event = SealedListReceived(setup_.own, view, setup_.clock.Now());
  return setup_.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        COMITY_RETURN_IF_ERROR(transaction.sealed_copies().Put(record));
        COMITY_RETURN_IF_ERROR(recorder.Record(event));
        return setup_.tell(transaction, recorder, record.holder, record.header, record.sequence);
      });
}

Status SealedCopies::Complete(const policy::AgencyId& holder, std::string_view header_envelope,
                              std::string_view state_envelope) {
  COMITY_ASSIGN_OR_RETURN(const SealedOffer offer, Verify(holder, header_envelope, state_envelope));
  COMITY_RETURN_IF_ERROR(Admit(holder, offer, header_envelope));
  COMITY_ASSIGN_OR_RETURN(Hold hold, Hold::Take(copies_, offer.header_digest));
  const ViewPtr former = hold.copy().view;
  if (former && former->state_digest() == offer.state_digest) return {};
  COMITY_ASSIGN_OR_RETURN(const ViewPtr view, Load(offer, former));
  const store::SealedCopyRecord record{.header = offer.header_digest,
                                       .holder = holder,
                                       .header_envelope = std::string(header_envelope),
                                       .sequence = offer.state.sequence,
                                       .state = offer.state_digest,
                                       .state_envelope = std::string(state_envelope),
                                       .received_at = setup_.clock.Now()};
  COMITY_RETURN_IF_ERROR(Keep(record, *view));
  hold.Change([&](Copy& copy) {
    copy.sequence = record.sequence;
    copy.state = record.state;
    copy.view = view;
  });
  FolderOf(record.header, offer.header).KeepOnly(offer.state.blocks);
  return {};
}

std::vector<ViewPtr> SealedCopies::Find(const policy::AgencyId& holder,
                                        const policy::AgreementRef& agreement,
                                        const policy::PurposeCode& purpose,
                                        const policy::EngineProfile& engine,
                                        policy::Instant now) const {
  std::map<std::string, ViewPtr> latest;
  copies_.With([&](const Copies& copies) {
    for (const auto& [digest, copy] : copies) {
      const bool fits = copy.view && copy.holder == holder && !IsSealedListOver(copy.header, now) &&
                        Covers(copy.header, agreement, purpose, engine);
      if (!fits) continue;
      ViewPtr& view = latest[copy.header.list];
      if (!view || view->header().epoch < copy.header.epoch) view = copy.view;
    }
  });
  std::vector<ViewPtr> found;
  for (auto& [list, view] : latest) found.push_back(std::move(view));
  return found;
}

}  // namespace comity::watchlists
