// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/services/matching/sealed_world.h"

#include <algorithm>
#include <utility>

namespace comity::matching::testing {

void ListsInMemory::Put(const policy::AgencyId& requester, const policy::WatchlistId& watchlist,
                        const sealed::testing::SampleList& sample) {
  const auto view = sample.epoch();
  Listed& listed = lists_[view->header_digest()];
  listed.requester = requester;
  listed.released.resize(view->state().blocks.size());
  const auto names = std::make_shared<std::vector<std::string>>();
  for (int i = 0; i < 8; ++i) names->push_back("r" + std::to_string(i));
  listed.list = {watchlist, view, [names](std::uint32_t number) {
                   return number >= 1 && number <= names->size() ? &(*names)[number - 1] : nullptr;
                 }};
}

std::vector<SealedListInForce> ListsInMemory::InForce(const policy::AgencyId& requester,
                                                      const policy::AgreementRef&,
                                                      const policy::PurposeCode&,
                                                      policy::Instant) const {
  std::vector<SealedListInForce> found;
  for (const auto& [header, listed] : lists_) {
    if (listed.requester == requester && !listed.superseded) found.push_back(listed.list);
  }
  return found;
}

Result<SealedListInForce> ListsInMemory::Find(const Digest& header,
                                              const policy::AgencyId& requester,
                                              policy::Instant now) const {
  const auto found = lists_.find(header);
  const bool is_its = found != lists_.end() && found->second.requester == requester;
  if (is_its && now < over_at_) return found->second.list;
  return Fail(ErrorCode::kNotFound, "no such list");
}

bool ListsInMemory::IsStale(const Digest& header) const {
  const auto found = lists_.find(header);
  return found == lists_.end() ||
         std::ranges::any_of(found->second.released, [](std::uint32_t released) {
           return released >= sealed::kReleaseBudget;
         });
}

void ListsInMemory::Reseal(const Digest& header) {
  Listed& listed = lists_.at(header);
  listed.resealed = listed.list.view->state().sequence + 1;
  std::ranges::fill(listed.released, 0U);
}

Result<sealed::Release> ListsInMemory::Look(const Digest& header, std::uint64_t sequence) const {
  const auto found = lists_.find(header);
  if (found == lists_.end()) return Fail(ErrorCode::kNotFound, "the list has ended");
  const bool stale = IsStale(header) || found->second.resealed > sequence;
  return stale ? sealed::Release::kStaleBlock : sealed::Release::kRelease;
}

Result<sealed::Release> ListsInMemory::Charge(store::Transaction&, const SealedCharge& charge) {
  const auto found = lists_.find(charge.header);
  if (found == lists_.end()) return Fail(ErrorCode::kNotFound, "the list has ended");
  if (found->second.resealed > charge.sequence) return sealed::Release::kStaleBlock;
  std::vector<std::uint32_t>& released = found->second.released;
  if (charge.over_cap) return sealed::ChargeOverCap(released);
  std::vector<std::uint32_t> hits(released.size());
  for (const std::uint32_t slot : charge.slots) ++hits[sealed::SlotSet::BlockOf(slot)];
  const sealed::Release release = sealed::ChargeAnswer(released, hits);
  if (release == sealed::Release::kRelease) charged += charge.slots.size();
  return release;
}

SealedWorld::SealedWorld() : sample(Header(), 5) {
  Agree(Knobs());
  sealed::testing::Faces faces(kDimension, 4);
  sample.Seal(0, faces.Templates(6));
  Publish();
}

sealed::ListHeader SealedWorld::Header() const {
  sealed::ListHeader header = sealed::testing::SampleHeader(
      {.dimension = kDimension, .tau_min = 5000, .tau_max = 9500, .cos_min = -10000});
  header.agreement = Ref().id.text();
  header.agreement_version = Ref().version;
  header.agreement_sha256 = Ref().sha256;
  header.purpose = "court-order-arrest";
  header.engine_name = Profile(kDimension).name;
  header.engine_version = Profile(kDimension).version;
  return header;
}

AgreementKnobs SealedWorld::Knobs() const {
  AgreementKnobs knobs;
  knobs.mode = policy::SearchMode::kSealed;
  return knobs;
}

SearchTerms SealedWorld::SealedTerms() {
  SearchTerms terms = Terms();
  terms.request.mode = policy::SearchMode::kSealed;
  return terms;
}

std::vector<SealedListRef> SealedWorld::Refs() const {
  return {{sample.state().header, sample.state().sequence, sample.epoch()->state_digest()}};
}

SealedHolderSession::Opened SealedWorld::TryOpen(SearchTerms terms,
                                                 std::vector<SealedListRef> refs) {
  auto opened = SealedHolderSession::Open(
      std::move(terms), refs, Ports(), lists,
      [](const SessionOpening&, const SealedHolderSession::Ground&) { return Digest{}; });
  COMITY_CHECK(opened.has_value());
  return *std::move(opened);
}

std::unique_ptr<SealedHolderSession> SealedWorld::OpenSealed() {
  auto opened = TryOpen(SealedTerms(), Refs());
  COMITY_CHECK(opened.session != nullptr);
  return std::move(opened.session);
}

SealedProbe SealedWorld::Asked(std::uint64_t sequence) const {
  SealedProbe probe;
  probe.claims = {.sequence = sequence, .agreement = Ref(), .commitments = {}, .message = {}};
  probe.claims.commitments.officer.bytes[0] = 4;
  probe.claims.commitments.case_ref = Digest{};
  probe.track[0] = static_cast<std::uint8_t>(sequence);
  probe.blinded = {Digest{}};
  probe.blinded[0].bytes.fill(static_cast<std::uint8_t>(sequence));
  return probe;
}

SealedHolderSession::SealAnswers SealedWorld::Keep(std::vector<ProbeAnswer>& kept) {
  return [&kept](std::span<const ProbeAnswer> answers) {
    kept.insert(kept.end(), answers.begin(), answers.end());
    Digest digest;
    digest.bytes[0] = static_cast<std::uint8_t>(kept.size());
    return digest;
  };
}

SealedOutcome SealedWorld::Hits(std::vector<std::uint32_t> slots) {
  SealedOutcome outcome;
  for (const std::uint32_t slot : slots) outcome.hits.push_back({0, slot});
  return outcome;
}

std::optional<ProbeAnswer> SealedWorld::Search(SealedHolderSession& session,
                                               const SealedProbe& probe,
                                               const SealedOutcome& outcome) {
  std::vector<ProbeAnswer> answers;
  auto batch = session.Begin({probe}, Refs(), Keep(answers));
  if (!batch) return std::nullopt;
  if (!batch->accepted.empty() && !session.Conclude(*batch, {&outcome, 1}, Keep(answers))) {
    return std::nullopt;
  }
  if (answers.size() != 1) return std::nullopt;
  return answers.front();
}

}  // namespace comity::matching::testing
