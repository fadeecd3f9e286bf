// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/check.h"
#include "crypto/base/little_endian.h"
#include "crypto/sealed/sealed_block.h"
#include "crypto/sign/dsse.h"
#include "services/watchlists/sealed_copies.h"
#include "services/watchlists/sealed_payload.h"
#include "tests/support/agency_store.h"
#include "tests/support/result_matchers.h"

namespace comity::watchlists::testing {

inline std::int64_t SecondsOf(policy::Instant instant) {
  return std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch().count();
}

// A sealed list as a holder could publish it: its blocks hold random octets, which no reader can
// tell from sealed templates.
//
// Threads: thread-compatible.
class SampleSealedList {
 public:
  static constexpr std::size_t kDimension = 128;

  SampleSealedList(const policy::AgencyId& requester, policy::Instant now, unsigned seed = 1)
      : random_(seed) {
    header.holder = "eastvale-council";
    header.requester = requester.text();
    header.agreement = "northshire-eastvale-2026";
    header.agreement_version = 1;
    header.agreement_sha256.bytes.fill(9);
    header.purpose = "court-order-arrest";
    header.list = "operation-lantern";
    header.epoch = 1;
    header.engine_name = "facenet";
    header.engine_version = "1.0";
    header.scales.dimension = kDimension;
    header.delta = sealed::Profile::Create(header.scales)->delta();
    for (auto& octet : header.public_seed) octet = static_cast<std::uint8_t>(random_());
    header.sealed_at = SecondsOf(now);
    header.valid_until = header.sealed_at + 3600;
    state.sequence = 1;
  }

  void AddBlock(std::uint32_t count) {
    const auto number = static_cast<std::uint32_t>(state.blocks.size());
    state.blocks.push_back({.number = number, .count = count, .hash = {}});
    Reseal(number);
  }
  // Other octets in the block of this number.
  void Reseal(std::uint32_t number) {
    sealed::ListedBlock& listed = state.blocks.at(number);
    Bytes octets(sealed::EncodedBlockBytes(listed.count, kDimension));
    for (auto& octet : octets) octet = static_cast<std::uint8_t>(random_());
    const std::uint32_t fields[] = {number, listed.count, kDimension};
    for (std::size_t i = 0; i < 3; ++i) {
      std::ranges::copy(LittleEndian<4>(fields[i]),
                        octets.begin() + static_cast<std::ptrdiff_t>(4 * i));
    }
    listed.hash = sealed::BlockHash(sealed::HeaderDigest(header),
                                    sealed::ParseSealedBlock(octets, kDimension, number).value());
    blocks[number] = std::move(octets);
  }

  std::string HeaderEnvelope() const { return HeaderSignedBy(key); }
  std::string HeaderSignedBy(const sign::SigningKey& signer) const {
    return Envelope(signer, kSealedHeaderPayloadType, sealed::EncodeListHeader(header));
  }
  std::string StateEnvelope() const { return StateSignedBy(key); }
  std::string StateSignedBy(const sign::SigningKey& signer) const {
    sealed::ListState signed_state = state;
    signed_state.header = sealed::HeaderDigest(header);
    return Envelope(signer, kSealedStatePayloadType, sealed::EncodeListState(signed_state));
  }
  static std::string Envelope(const sign::SigningKey& signer, std::string_view type,
                              Bytes payload) {
    sign::DsseEnvelope envelope;
    envelope.payload_type = std::string(type);
    envelope.payload = std::move(payload);
    sign::AddSignature(signer, envelope);
    return sign::EncodeDsseJson(envelope);
  }

  sealed::ListHeader header;
  sealed::ListState state;
  std::map<std::uint32_t, Bytes> blocks;  // encoded, by number
  sign::SigningKey key = [] {
    SystemRandom random;
    return sign::SigningKey::Generate(random);
  }();

 private:
  std::mt19937 random_;
};

// One requester's copies over its store and log, which can restart.
class CopiesWorld {
 public:
  struct Told {
    std::string holder;
    Digest header;
    std::optional<std::uint64_t> sequence;
    bool operator==(const Told&) const = default;
  };

  CopiesWorld() { Open(); }

  SampleSealedList NewList(unsigned seed = 1) {
    SampleSealedList list(agency.own, agency.clock.Now(), seed);
    key = list.key.public_key();
    return list;
  }
  void Open() {
    auto opened = TryOpen();
    COMITY_CHECK(opened.has_value());
    copies = std::move(opened).value();
  }
  Result<std::unique_ptr<SealedCopies>> TryOpen() {
    return SealedCopies::Open({.store = agency.store(),
                               .journal = agency.journal(),
                               .clock = agency.clock,
                               .own = agency.own,
                               .keys = [this](const policy::AgencyId&) { return KeysNow(); },
                               .folder = Folder(),
                               .tell = [this](auto&, auto&, const auto& to, const Digest& header,
                                              auto sequence) -> Status {
                                 if (refuse_to_tell)
                                   return Fail(ErrorCode::kUnavailable, "the outbox is full");
                                 told.push_back({to.text(), header, sequence});
                                 return {};
                               }});
  }
  void Restart() {
    copies.reset();
    agency.Reopen();
    Open();
  }
  std::filesystem::path Folder() const { return folder_.path() / "copies"; }

  Result<SealedCopies::Offered> Check(const SampleSealedList& list) {
    return copies->Check(holder, list.HeaderEnvelope(), list.StateEnvelope());
  }
  Status Complete(const SampleSealedList& list) {
    return copies->Complete(holder, list.HeaderEnvelope(), list.StateEnvelope());
  }
  // The rest of one block, in pieces; does not finish it.
  Status FetchBlock(const SampleSealedList& list, const Digest& header,
                    const sealed::ListedBlock& block, std::size_t piece = 1000) {
    const ByteView octets = list.blocks.at(block.number);
    for (std::uint64_t at = copies->Resume(header, block); at < octets.size();) {
      const ByteView left = octets.subspan(at);
      const ByteView next = left.first(std::min(piece, left.size()));
      COMITY_RETURN_IF_ERROR(copies->Append(header, block, at, next));
      at += next.size();
    }
    return {};
  }
  // All that a requester does to have the list as it stands.
  Status Fetch(const SampleSealedList& list) {
    COMITY_ASSIGN_OR_RETURN(const auto offered, Check(list));
    for (const sealed::ListedBlock& block : offered.wanted) {
      COMITY_RETURN_IF_ERROR(FetchBlock(list, offered.header, block));
      COMITY_RETURN_IF_ERROR(copies->Finish(offered, block));
    }
    return Complete(list);
  }
  std::vector<std::shared_ptr<const sealed::ListView>> Find(const SampleSealedList& list) {
    const policy::AgreementRef agreement{
        .id = policy::AgreementId::Parse(list.header.agreement).value(),
        .version = list.header.agreement_version,
        .sha256 = list.header.agreement_sha256};
    const policy::EngineProfile engine{list.header.engine_name, list.header.engine_version,
                                       list.header.scales.dimension};
    return copies->Find(holder, agreement, policy::PurposeCode::Parse(list.header.purpose).value(),
                        engine, agency.clock.Now());
  }
  // The sequence that is searched of the list, 0 if none.
  std::uint64_t Searched(const SampleSealedList& list) {
    const auto found = Find(list);
    return found.empty() ? 0 : found.front()->state().sequence;
  }
  Result<std::uint64_t> Erase(const std::function<bool(const sealed::ListHeader&)>& ended =
                                  [](auto&) { return false; }) {
    return copies->Erase(agency.clock.Now(), ended);
  }
  // All files below the folder, sorted.
  std::vector<std::filesystem::path> Files() const {
    std::vector<std::filesystem::path> files;
    for (const auto& item : std::filesystem::recursive_directory_iterator(Folder())) {
      if (item.is_regular_file()) files.push_back(item.path());
    }
    std::ranges::sort(files);
    return files;
  }

  comity::testing::AgencyStore agency;
  const policy::AgencyId holder = policy::AgencyId::Parse("eastvale-council").value();
  std::optional<sign::PublicKey> key;  // of the holder; absent: it is no partner
  std::vector<Told> told;
  bool refuse_to_tell = false;
  std::unique_ptr<SealedCopies> copies;

 private:
  Result<std::vector<sign::PublicKey>> KeysNow() const {
    if (!key) return Fail(ErrorCode::kNotFound, "no such partner");
    return std::vector{*key};
  }
  comity::testing::TemporaryDirectory folder_;
};

}  // namespace comity::watchlists::testing
