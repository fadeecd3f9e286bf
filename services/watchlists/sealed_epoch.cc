// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/sealed_epoch.h"

#include <algorithm>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/sign/dsse.h"
#include "services/watchlists/sealed_payload.h"

namespace comity::watchlists {
namespace {

std::string Signed(std::string_view type, Bytes payload, const sign::SigningKey& key) {
  sign::DsseEnvelope envelope;
  envelope.payload_type = type;
  envelope.payload = std::move(payload);
  sign::AddSignature(key, envelope);
  return sign::EncodeDsseJson(envelope);
}

// The ids of a header that this agency made were ids before.
template <typename IdType>
IdType Known(const std::string& text) {
  auto id = IdType::Parse(text);
  return id ? *std::move(id) : IdType();
}

}  // namespace

SealedScope ScopeOf(const sealed::ListHeader& header) {
  return {Known<policy::AgencyId>(header.requester),
          {Known<policy::AgreementId>(header.agreement), header.agreement_version,
           header.agreement_sha256},
          Known<policy::PurposeCode>(header.purpose),
          Known<policy::WatchlistId>(header.list)};
}

policy::Instant SealedEpoch::valid_until() const {
  return policy::Instant(std::chrono::seconds(view->header().valid_until));
}

const std::string* SealedEpoch::ReferenceOf(std::uint32_t number) const {
  if (number == 0 || !view->slots().Contains(number)) return nullptr;
  const std::size_t block = sealed::SlotSet::BlockOf(number);
  const auto& blocks = view->state().blocks;
  const auto found = std::ranges::lower_bound(blocks, block, {}, &sealed::ListedBlock::number);
  if (found == blocks.end() || found->number != block) return nullptr;
  const BlockHandles& slots = *handles[static_cast<std::size_t>(found - blocks.begin())];
  return &slots[(number - 1) % sealed::kRingDegree];
}

Result<SealedEpochPtr> MakeEpoch(EpochParts parts, const sign::SigningKey& agency_key) {
  COMITY_CHECK(parts.handles.size() == parts.state.blocks.size());
  for (std::size_t i = 0; i < parts.handles.size(); ++i) {
    COMITY_CHECK(parts.handles[i]->size() == parts.state.blocks[i].count);
  }
  auto epoch = std::make_shared<SealedEpoch>();
  COMITY_ASSIGN_OR_RETURN(
      epoch->view,
      sealed::EpochView::Create(parts.header, std::move(parts.state), std::move(parts.secrets)));
  epoch->scope = ScopeOf(parts.header);
  epoch->handles = std::move(parts.handles);
  epoch->superseded = parts.superseded;
  epoch->header_envelope =
      Signed(kSealedHeaderPayloadType, sealed::EncodeListHeader(parts.header), agency_key);
  epoch->state_envelope =
      Signed(kSealedStatePayloadType, sealed::EncodeListState(epoch->view->state()), agency_key);
  return epoch;
}

EpochParts PartsOf(const SealedEpoch& epoch) {
  return {epoch.view->header(), epoch.view->state(), epoch.view->secrets(), epoch.handles,
          epoch.superseded};
}

}  // namespace comity::watchlists
