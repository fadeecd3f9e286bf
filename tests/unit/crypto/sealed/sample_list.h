// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "crypto/sealed/list_view.h"
#include "tests/unit/crypto/sealed/samples.h"

namespace comity::sealed::testing {

inline ListHeader SampleHeader(const Scales& scales) {
  ListHeader header{.holder = "landespolizei-nord",
                    .requester = "kantonspolizei-sued",
                    .agreement = "nord-sued",
                    .agreement_version = 2,
                    .agreement_sha256 = {},
                    .purpose = "missing-persons",
                    .list = "wanted",
                    .epoch = 7,
                    .engine_name = "facenet",
                    .engine_version = "2018-04 b",
                    .scales = scales,
                    .delta = Profile::Create(scales)->delta(),
                    .sealed_at = 1'790'000'000,
                    .valid_until = 1'790'086'400};
  header.agreement_sha256.bytes.fill(0xaa);
  header.public_seed.fill(0x5a);
  return header;
}

// A sealed list at both ends, with the templates of its slots.
class SampleList {
 public:
  SampleList(const Scales& scales, std::uint8_t seed) : SampleList(SampleHeader(scales), seed) {}
  SampleList(ListHeader header, std::uint8_t seed)
      : header_(std::move(header)),
        profile_(*Profile::Create(header_.scales)),
        matrix_(*SealingMatrix::Expand(header_.public_seed, header_.scales.dimension)),
        random_(seed) {
    state_.header = HeaderDigest(header_);
    state_.sequence = 1;
  }

  // Seals `entries` as the block `number`; once more if there is one.
  void Seal(std::uint32_t number, std::span<const std::int8_t> entries) {
    const BlockIdentity identity{.header = state_.header, .number = number};
    SealedWithRoot sealed = *sealed::Seal(profile_, matrix_, identity, entries, random_);
    const ListedBlock listed{.number = number,
                             .count = sealed.root.count,
                             .hash = BlockHash(state_.header, sealed.block)};
    auto secret = std::make_shared<const BlockSecret>(*BlockSecret::Derive(identity, sealed.root));
    const std::size_t at = PlaceOf(number);
    state_.blocks[at] = listed;
    blocks_[at] = ListView::MakeBlock(std::move(sealed.block));
    secrets_[at] = std::move(secret);
    entries_[at] = {entries.begin(), entries.end()};
  }
  // As the next state.
  void Withdraw(std::vector<std::uint32_t> numbers) {
    state_.withdrawn = std::move(numbers);
    ++state_.sequence;
  }
  void MoveOn() { ++state_.sequence; }

  std::shared_ptr<const ListView> view(const ListView* former = nullptr) const {
    return *ListView::Create(header_, state_, blocks_, former);
  }
  std::shared_ptr<const EpochView> epoch() const {
    return *EpochView::Create(header_, state_, secrets_);
  }
  std::span<const std::int8_t> Entry(std::uint32_t slot_number) const {
    const auto block = static_cast<std::uint32_t>(SlotSet::BlockOf(slot_number));
    for (std::size_t at = 0; at < state_.blocks.size(); ++at) {
      if (state_.blocks[at].number != block) continue;
      const std::size_t slot = (slot_number - 1) % kRingDegree;
      return std::span(entries_[at]).subspan(slot * profile_.dimension(), profile_.dimension());
    }
    return {};
  }

  const ListHeader& header() const { return header_; }
  const ListState& state() const { return state_; }
  const ListView::Blocks& blocks() const { return blocks_; }
  const EpochView::Secrets& secrets() const { return secrets_; }

 private:
  std::size_t PlaceOf(std::uint32_t number) {
    std::size_t at = 0;
    while (at < state_.blocks.size() && state_.blocks[at].number < number) ++at;
    if (at == state_.blocks.size() || state_.blocks[at].number != number) {
      const auto offset = static_cast<std::ptrdiff_t>(at);
      state_.blocks.insert(state_.blocks.begin() + offset, ListedBlock{});
      blocks_.insert(blocks_.begin() + offset, nullptr);
      secrets_.insert(secrets_.begin() + offset, nullptr);
      entries_.insert(entries_.begin() + offset, std::vector<std::int8_t>());
    }
    return at;
  }

  ListHeader header_;
  Profile profile_;
  SealingMatrix matrix_;
  SeededRandom random_;
  ListState state_;
  ListView::Blocks blocks_;
  EpochView::Secrets secrets_;
  std::vector<std::vector<std::int8_t>> entries_;
};

}  // namespace comity::sealed::testing
