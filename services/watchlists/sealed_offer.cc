// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/sealed_offer.h"

#include <algorithm>
#include <chrono>
#include <tuple>
#include <utility>

#include "crypto/sign/dsse.h"
#include "services/watchlists/sealed_payload.h"

namespace comity::watchlists {
namespace {

using std::chrono::seconds;

constexpr seconds kMaxClockSkew{60};
constexpr seconds kLongestValidity = std::chrono::hours(24);
// What canonical JSON and the log can say.
constexpr std::uint64_t kMaxCounted = (std::uint64_t{1} << 53) - 1;

tl::unexpected<Error> Wrong(const char* detail) {
  return Fail(ErrorCode::kInvalidArgument, detail);
}

// In: most  octets of the payload; an envelope of more than that with its signatures is not read
Result<sign::DsseEnvelope> ReadEnvelope(std::string_view text, std::string_view type,
                                        std::size_t most) {
  COMITY_ASSIGN_OR_RETURN(auto envelope, sign::ParseDsseJson(text, MostEnvelopeBytes(most)));
  if (envelope.payload_type != type || envelope.payload.size() > most) {
    return Wrong("the envelope is not of that part of a sealed list");
  }
  return envelope;
}

Result<Bytes> OpenEnvelope(const SealedOfferTerms& terms, std::string_view text,
                           std::string_view type, std::size_t most) {
  COMITY_ASSIGN_OR_RETURN(auto envelope, ReadEnvelope(text, type, most));
  const bool is_signed = std::ranges::any_of(terms.keys, [&](const sign::PublicKey& key) {
    return sign::VerifySignedBy(envelope, key).has_value();
  });
  if (is_signed) return std::move(envelope.payload);
  return Fail(ErrorCode::kPermissionDenied,
              "the sealed list is not signed by a key of " + terms.holder.text());
}

std::int64_t SecondsOf(policy::Instant instant) {
  return std::chrono::floor<seconds>(instant).time_since_epoch().count();
}

Status CheckParties(const SealedOfferTerms& terms, const sealed::ListHeader& header) {
  if (header.holder == terms.holder.text() && header.requester == terms.requester.text()) return {};
  return Fail(ErrorCode::kPermissionDenied,
              "the sealed list is not one of " + terms.holder.text() + " for this agency");
}

Status CheckNames(const sealed::ListHeader& header) {
  COMITY_RETURN_IF_ERROR(policy::AgreementId::Parse(header.agreement));
  COMITY_RETURN_IF_ERROR(policy::PurposeCode::Parse(header.purpose));
  COMITY_RETURN_IF_ERROR(policy::WatchlistId::Parse(header.list));
  if (header.epoch <= kMaxCounted) return {};
  return Wrong("an epoch above 2^53 - 1");
}

Status CheckTimes(const sealed::ListHeader& header, policy::Instant now) {
  if (header.sealed_at > SecondsOf(now + kMaxClockSkew)) {
    return Wrong("the sealed list lies in the future");
  }
  if (header.valid_until - header.sealed_at > kLongestValidity.count()) {
    return Wrong("the sealed list is valid for more than a day");
  }
  if (IsSealedListOver(header, now)) return Wrong("the sealed list is over");
  return {};
}

}  // namespace

bool IsSealedListOver(const sealed::ListHeader& header, policy::Instant now) {
  return SecondsOf(now) >= header.valid_until;
}

bool AreOfOneScope(const sealed::ListHeader& a, const sealed::ListHeader& b) {
  const auto scope = [](const sealed::ListHeader& header) {
    return std::tie(header.holder, header.requester, header.agreement, header.agreement_version,
                    header.agreement_sha256, header.purpose, header.list);
  };
  return scope(a) == scope(b);
}

Result<sealed::ListHeader> ReadSealedHeader(std::string_view header_envelope) {
  COMITY_ASSIGN_OR_RETURN(
      const auto envelope,
      ReadEnvelope(header_envelope, kSealedHeaderPayloadType, sealed::kMaxHeaderBytes));
  return sealed::ParseListHeader(envelope.payload);
}

Result<SealedOffer> OpenSealedOffer(const SealedOfferTerms& terms, std::string_view header_envelope,
                                    std::string_view state_envelope) {
  SealedOffer offer;
  COMITY_ASSIGN_OR_RETURN(
      const Bytes header,
      OpenEnvelope(terms, header_envelope, kSealedHeaderPayloadType, sealed::kMaxHeaderBytes));
  COMITY_ASSIGN_OR_RETURN(offer.header, sealed::ParseListHeader(header));
  COMITY_RETURN_IF_ERROR(CheckParties(terms, offer.header));
  COMITY_RETURN_IF_ERROR(CheckNames(offer.header));
  COMITY_RETURN_IF_ERROR(CheckTimes(offer.header, terms.now));
  offer.header_digest = sealed::HeaderDigest(offer.header);
  COMITY_ASSIGN_OR_RETURN(
      const Bytes state,
      OpenEnvelope(terms, state_envelope, kSealedStatePayloadType, sealed::kMaxStateBytes));
  COMITY_ASSIGN_OR_RETURN(offer.state, sealed::ParseListState(state));
  if (offer.state.header != offer.header_digest) {
    return Wrong("the state is of another sealed list");
  }
  if (offer.state.sequence > kMaxCounted) return Wrong("a sequence above 2^53 - 1");
  COMITY_RETURN_IF_ERROR(sealed::SlotsOf(offer.state));
  offer.state_digest = sealed::StateDigest(offer.state);
  return offer;
}

}  // namespace comity::watchlists
