// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/sealed/public_matrix.h"
#include "crypto/sealed/quantise.h"
#include "services/audit/events.h"
#include "services/watchlists/block_sealer.h"
#include "services/watchlists/sealed_at_rest.h"
#include "services/watchlists/sealed_publications.h"
#include "services/watchlists/sealed_publications_state.h"

// Whether the holder sealed the templates of its list, and no crafted ones.
namespace comity::watchlists {
namespace {

enum class BlockFinding { kVerified, kDiffering, kWithdrawn, kUnaccounted };

// What all blocks of one epoch need.
struct Resealing {
  const Register& lists;
  const SealedEpoch& epoch;
  const sealed::Quantiser quantiser;
  const sealed::SealingMatrix matrix;
  const SecretBytes key;
};

struct BlockTemplates {
  sealed::SecretArray<std::int8_t> templates;  // as `found`
  std::vector<std::string> found;              // of the handles, in their order
};
Result<BlockTemplates> TemplatesOf(const Resealing& audit, const BlockHandles& handles) {
  const std::size_t dimension = audit.epoch.view->profile().dimension();
  BlockTemplates block{sealed::SecretArray<std::int8_t>(handles.size() * dimension), {}};
  const auto visit = [&](const ActiveEntry& entry) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto canonical,
                            CanonicalTemplate(audit.quantiser, audit.epoch.scope.list, entry));
    std::ranges::copy(
        canonical.Expose(),
        block.templates.ExposeMutable().subspan(block.found.size() * dimension).begin());
    block.found.push_back(entry.reference);
    return {};
  };
  COMITY_RETURN_IF_ERROR(audit.lists.VisitActive(audit.epoch.scope.list, handles, visit));
  return block;
}

// Whether a slot without a template takes part in searches. One that no handle names has none.
bool MissesOneThatTakesPart(const sealed::EpochView& view, const sealed::ListedBlock& listed,
                            const BlockHandles& handles, const std::vector<std::string>& found) {
  auto next = found.begin();
  for (std::size_t slot = 0; slot < listed.count; ++slot) {
    if (slot < handles.size() && next != found.end() && handles[slot] == *next) {
      ++next;
    } else if (view.slots().Contains(SlotNumber(listed.number, slot))) {
      return true;
    }
  }
  return false;
}

Result<BlockFinding> CheckBlock(const Resealing& audit, std::size_t position,
                                const store::SealedBlockRecord& stored) {
  const sealed::EpochView& view = *audit.epoch.view;
  const sealed::ListedBlock& listed = view.state().blocks[position];
  const BlockHandles& handles = *audit.epoch.handles[position];
  if (handles.size() > listed.count) return BlockFinding::kDiffering;
  COMITY_ASSIGN_OR_RETURN(const BlockTemplates block, TemplatesOf(audit, handles));
  if (block.found.size() < listed.count) {
    return MissesOneThatTakesPart(view, listed, handles, block.found) ? BlockFinding::kUnaccounted
                                                                      : BlockFinding::kWithdrawn;
  }
  COMITY_ASSIGN_OR_RETURN(const sealed::BlockRoot root,
                          OpenBlockRoot(audit.key, view.header_digest(), stored));
  COMITY_ASSIGN_OR_RETURN(
      const Digest hash,
      sealed::AuditReseal(view.profile(), audit.matrix, {view.header_digest(), listed.number},
                          root.root.Expose(), block.templates.Expose()));
  return hash == listed.hash ? BlockFinding::kVerified : BlockFinding::kDiffering;
}

std::vector<std::uint32_t>& NumbersOf(SealedPublications::Audit& audit, BlockFinding finding) {
  switch (finding) {
    case BlockFinding::kVerified:
      return audit.verified;
    case BlockFinding::kDiffering:
      return audit.differing;
    case BlockFinding::kWithdrawn:
      return audit.withdrawn;
    case BlockFinding::kUnaccounted:
      break;
  }
  return audit.unaccounted;
}

void AddBlocks(std::span<const std::uint32_t> numbers, std::string_view finding,
               std::string& lines) {
  for (const std::uint32_t number : numbers) {
    lines += std::to_string(number) + " " + std::string(finding) + "\n";
  }
}

audit::Event AuditedEvent(const SealedPublications::Setup& setup,
                          const SealedPublications::AuditedList& one, std::string_view by) {
  const SealedEpoch& epoch = *one.epoch;
  audit::Event event =
      SealedListEvent(audit::kSealedListAudited, setup.own, epoch.scope, setup.clock.Now());
  event.committed["purpose"] = epoch.scope.purpose.text();
  event.committed["operator"] = by;
  std::string& blocks = event.committed["blocks"];
  AddBlocks(one.audit.differing, "differing", blocks);
  AddBlocks(one.audit.withdrawn, "withdrawn", blocks);
  AddBlocks(one.audit.unaccounted, "unaccounted", blocks);
  event.messages = {{"header", epoch.header()}, {"state", epoch.view->state_digest()}};
  event.counts = {{"verified", static_cast<std::int64_t>(one.audit.verified.size())},
                  {"differing", static_cast<std::int64_t>(one.audit.differing.size())},
                  {"withdrawn", static_cast<std::int64_t>(one.audit.withdrawn.size())},
                  {"unaccounted", static_cast<std::int64_t>(one.audit.unaccounted.size())}};
  return event;
}

}  // namespace

Result<SealedPublications::Audit> SealedPublications::AuditReseal(const Digest& header) const {
  const auto found = state_->Matching([&](const SealedEpoch& e) { return e.header() == header; });
  if (found.empty()) return Fail(ErrorCode::kNotFound, "no such sealed list is in force");
  return AuditEpoch(*found.front(), {});
}

Result<SealedPublications::Audit> SealedPublications::AuditEpoch(
    const SealedEpoch& epoch, const std::function<bool()>& is_cancelled) const {
  const Digest header = epoch.header();
  std::vector<store::SealedBlockRecord> stored;
  COMITY_RETURN_IF_ERROR(
      state_->setup.store.Read([&](const store::Transaction& transaction) -> Status {
        COMITY_ASSIGN_OR_RETURN(stored, transaction.sealed_lists().Blocks(header));
        return {};
      }));
  const auto& blocks = epoch.view->state().blocks;
  const bool same = std::ranges::equal(blocks, stored, {}, &sealed::ListedBlock::hash,
                                       &store::SealedBlockRecord::hash);
  if (!same) return Fail(ErrorCode::kConflict, "the sealed list has changed; repeat");
  const std::size_t dimension = epoch.view->profile().dimension();
  COMITY_ASSIGN_OR_RETURN(auto quantiser, sealed::Quantiser::Create(dimension));
  COMITY_ASSIGN_OR_RETURN(
      auto matrix, sealed::SealingMatrix::Expand(epoch.view->header().public_seed, dimension));
  COMITY_ASSIGN_OR_RETURN(SecretBytes key, state_->KeyOf(header));
  const Resealing resealing{state_->setup.lists, epoch, std::move(quantiser), std::move(matrix),
                            std::move(key)};
  Audit audit;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (is_cancelled && is_cancelled()) return Fail(ErrorCode::kUnavailable, "cancelled");
    COMITY_ASSIGN_OR_RETURN(const BlockFinding finding, CheckBlock(resealing, i, stored[i]));
    NumbersOf(audit, finding).push_back(blocks[i].number);
  }
  return audit;
}

// Nothing: it has ended.
Result<std::optional<SealedPublications::AuditedList>> SealedPublications::AuditIfInForce(
    const Digest& header, const std::function<bool()>& is_cancelled) const {
  constexpr int kAttempts = 2;
  Error failed;
  for (int i = 0; i < kAttempts; ++i) {
    const auto found = state_->Matching([&](const SealedEpoch& e) { return e.header() == header; });
    if (found.empty()) return std::nullopt;
    Result<Audit> audit = AuditEpoch(*found.front(), is_cancelled);
    if (audit) return AuditedList{found.front(), *std::move(audit)};
    failed = audit.error();
    if (failed.code != ErrorCode::kConflict && failed.code != ErrorCode::kNotFound) break;
    // The store has a change a moment before it is in force.
    const std::lock_guard settled(state_->changing);
  }
  return Fail(std::move(failed));
}

Result<std::vector<SealedPublications::AuditedList>> SealedPublications::AuditLists(
    const policy::WatchlistId& list, std::string_view by,
    const std::function<bool()>& is_cancelled) const {
  std::vector<AuditedList> audited;
  std::set<Digest> seen;
  while (true) {
    const auto left = state_->Matching([&](const SealedEpoch& epoch) {
      return epoch.scope.list == list && !seen.contains(epoch.header());
    });
    if (left.empty()) return audited;
    const Digest header = left.front()->header();
    seen.insert(header);
    COMITY_ASSIGN_OR_RETURN(auto one, AuditIfInForce(header, is_cancelled));
    if (!one) continue;
    COMITY_RETURN_IF_ERROR(state_->setup.journal.Record(AuditedEvent(state_->setup, *one, by)));
    audited.push_back(*std::move(one));
  }
}

}  // namespace comity::watchlists
