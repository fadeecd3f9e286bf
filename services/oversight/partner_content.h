// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"

// What messages between partners say: canonical JSON, one closed form for each kind
// (docs/formats/partner_messages.md). Readers take untrusted bytes and refuse every other spelling.
namespace comity::oversight {

namespace message_kind {
inline constexpr std::string_view kEntryChange = "entry-change";
inline constexpr std::string_view kDeletionOrder = "deletion-order";
inline constexpr std::string_view kPeerNotice = "peer-notice";
inline constexpr std::string_view kKeyChange = "key-change";
inline constexpr std::string_view kSealedHeld = "sealed-held";
inline constexpr std::string_view kSealedErased = "sealed-erased";
}  // namespace message_kind

inline constexpr std::size_t kMaxContent = std::size_t{64} << 10;
// Errors: kInvalidArgument  not canonical JSON of at most kMaxContent octets
Status CheckContent(std::string_view content);

// What may happen to an entry: a closed list.
namespace entry_change {
inline constexpr std::string_view kWithdrawn = "withdrawn";
inline constexpr std::string_view kExpired = "expired";
inline constexpr std::string_view kCorrected = "corrected";
inline constexpr std::string_view kRestricted = "restricted";
inline constexpr std::string_view kUnrestricted = "unrestricted";
inline constexpr std::array kAll{kWithdrawn, kExpired, kCorrected, kRestricted, kUnrestricted};
}  // namespace entry_change

// One change of one entry, as a partner that was told of the entry learns it.
struct EntryNews {
  static constexpr std::size_t kMaxAnswers = 64;
  std::string reference;             // empty: the partner was not given it
  std::vector<std::string> answers;  // then: the exchange ids of the answers it was told by, 1..64
  std::string change;                // of entry_change
  policy::Instant at{};
  std::string category;       // corrected: as of now; empty: was not released
  std::string response_code;  // corrected: as of now; empty: was not released
  bool operator==(const EntryNews&) const = default;
};
inline constexpr std::size_t kMaxNews = 256;  // in one message
// In all of its changes: the receiver looks for an alert for each while its log waits.
inline constexpr std::size_t kMaxNewsAnswers = 1024;

// In: news  1..kMaxNews, at most kMaxNewsAnswers and kMaxContent octets when encoded
std::string EncodeEntryNews(std::span<const EntryNews> news);
// Errors of all readers: kInvalidArgument
Result<std::vector<EntryNews>> ParseEntryNews(std::string_view content);

// What the sender's partner holds of it under this agreement, up to this version, is to be erased.
struct DeletionOrder {
  policy::AgreementId agreement;
  std::uint32_t version = 0;
  policy::Instant due_by{};
  bool operator==(const DeletionOrder&) const = default;
};
std::string EncodeDeletionOrder(const DeletionOrder& order);
Result<DeletionOrder> ParseDeletionOrder(std::string_view content);

// What partners tell each other's people: a closed list.
namespace peer_notice {
inline constexpr std::string_view kPlannedOutage = "planned-outage";
inline constexpr std::string_view kReturned = "returned";
inline constexpr std::string_view kSuspendedByUs = "suspended-by-us";
inline constexpr std::string_view kResumedByUs = "resumed-by-us";
inline constexpr std::string_view kAlarm = "alarm";
inline constexpr std::array kAll{kPlannedOutage, kReturned, kSuspendedByUs, kResumedByUs, kAlarm};
}  // namespace peer_notice

struct PeerNotice {
  std::string kind;   // of peer_notice
  std::string words;  // 1..2000 octets of visible text
  policy::Instant at{};
  bool operator==(const PeerNotice&) const = default;
};
std::string EncodePeerNotice(const PeerNotice& notice);
Result<PeerNotice> ParsePeerNotice(std::string_view content);

// The sender has the receiver's sealed list as it stands in a state, and nothing older of it.
struct SealedHeld {
  Digest header;               // of the list
  std::uint64_t sequence = 0;  // of the state, from 1 to 2^53 - 1
  bool operator==(const SealedHeld&) const = default;
};
std::string EncodeSealedHeld(const SealedHeld& held);
Result<SealedHeld> ParseSealedHeld(std::string_view content);

// The sender has erased its copy of the receiver's sealed list. In: header  of the list
std::string EncodeSealedErased(const Digest& header);
Result<Digest> ParseSealedErased(std::string_view content);

}  // namespace comity::oversight
