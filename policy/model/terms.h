// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "crypto/base/result.h"

namespace comity::policy {

// The closed vocabularies of agreements and requests. A term outside them is an error where it is
// read and a denial where it is decided. Each enum has Name() and Parse<Enum>(); the tables are in
// terms.cc. Sources: law and practice as cited in docs/formats/agreement.md.

// What an agreement is between, for one party and one processing.
enum class LegalRole { kController, kJointController, kProcessor, kRecipient };

// The legal regime of a processing (not of an agency: one agency can act under several).
enum class Regime { kUkPart3, kUkGdpr, kEuLed, kEuGdpr };  // UK-P3, UK-GDPR, EU-LED, EU-GDPR

// How the holder's list is searched. `sealed`: nobody sees the other's templates. `direct`: the
// probe goes to the holder over mutual TLS, is matched in memory, wiped and forgotten.
enum class SearchMode { kDirect, kSealed };

// Why a search starts: a live stream inside a deployment, or one search by an operator.
enum class UseMode { kLive, kRetrospective };  // live, retrospective

// In which capacity the requester asks (domain roles matrix).
enum class RequesterRole { kEngine, kOperator };  // engine, operator

// What a hit may carry from the holder to the requester. Closed; no identity is in it.
enum class ReleaseItem { kReferenceNumber, kCategory, kResponseCode, kSimilarity };

// Documents that must be valid for an agreement to be executable.
enum class AttachmentKind { kDpia, kApd, kEia, kFria, kSop, kLegalMandate, kProcessorContract };

// What a DPO's advice says.
enum class AdvicePosition { kFor, kAgainst, kConditional };

// Categories of people on a list (domain requirement WL-1). There is no catch-all.
inline constexpr std::array<std::string_view, 8> kListCategories = {
    "wanted-by-courts", "suspected", "court-restriction", "missing-at-risk",
    "risk-of-harm",     "victim",    "witness",           "associate",
};
bool IsListCategory(std::string_view text);

std::string_view Name(LegalRole term);
std::string_view Name(Regime term);
std::string_view Name(SearchMode term);
std::string_view Name(UseMode term);
std::string_view Name(RequesterRole term);
std::string_view Name(ReleaseItem term);
std::string_view Name(AttachmentKind term);
std::string_view Name(AdvicePosition term);

// Errors of all: kInvalidArgument, with the allowed terms in the detail.
Result<LegalRole> ParseLegalRole(std::string_view text);
Result<Regime> ParseRegime(std::string_view text);
Result<SearchMode> ParseSearchMode(std::string_view text);
Result<UseMode> ParseUseMode(std::string_view text);
Result<RequesterRole> ParseRequesterRole(std::string_view text);
Result<ReleaseItem> ParseReleaseItem(std::string_view text);
Result<AttachmentKind> ParseAttachmentKind(std::string_view text);
Result<AdvicePosition> ParseAdvicePosition(std::string_view text);

}  // namespace comity::policy
