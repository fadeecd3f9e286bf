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

// Who at the requester may see a released item: those who may see candidates at all (domain roles
// matrix). The people's names are those of services/identity/role.h.
enum class ReceiverRole {
  kEngine,
  kOperator,
  kAdjudicator,
  kSupervisor,
  kReleaseOfficer,
  kDpo,
  kAuditor
};

// What a hit may carry from the holder to the requester. Closed; no identity is in it.
enum class ReleaseItem { kReferenceNumber, kCategory, kResponseCode, kSimilarity };

// Of whom data are processed (domain requirement PU-6): suspect, about-to-commit and so on.
enum class SubjectCategory {
  kSuspect,
  kAboutToCommit,
  kConvicted,
  kVictim,
  kWitness,
  kMissing,
  kVulnerable,
  kOther
};

// How grave the offence behind a search is, by the longest sentence in law: the bounds of Prüm II
// Art 20(1) and AI Act Annex II (PU-8). Ordered; more grave is greater.
enum class OffenceClass { kBelow1Year, k1To4Years, k4YearsOrMore };  // 4 years belong to the last

// The wider purpose under which a purpose of an agreement falls (domain schema B2).
enum class PurposeTerm {
  kCrimeInvestigation,
  kCrimeDetection,
  kCrimeArrestDetention,
  kCriminalLawEnforcement,
  kPublicSecurity,
  kLocateMissingPerson,
  kSafeguarding,
  kCourtOrderCompliance
};

// Whether what was received may go further (domain requirement PU-10).
enum class OnwardSharing { kNone, kWithAuthorisation };  // none, with-originator-authorisation

// Handling codes of the 3x5x2 system: P lawful sharing permitted, C with conditions.
enum class HandlingCode { kPermitted, kConditions };  // P, C

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

// Whether a regime is one of law enforcement (UK-P3, EU-LED).
bool IsLawEnforcement(Regime regime);

std::string_view Name(LegalRole term);
std::string_view Name(Regime term);
std::string_view Name(SearchMode term);
std::string_view Name(UseMode term);
std::string_view Name(RequesterRole term);
std::string_view Name(ReleaseItem term);
std::string_view Name(ReceiverRole term);
std::string_view Name(SubjectCategory term);
std::string_view Name(OffenceClass term);  // below-1-year, 1-to-4-years, 4-years-or-more
std::string_view Name(PurposeTerm term);
std::string_view Name(OnwardSharing term);
std::string_view Name(HandlingCode term);
std::string_view Name(AttachmentKind term);
std::string_view Name(AdvicePosition term);

// Errors of all: kInvalidArgument, with the allowed terms in the detail.
Result<LegalRole> ParseLegalRole(std::string_view text);
Result<Regime> ParseRegime(std::string_view text);
Result<SearchMode> ParseSearchMode(std::string_view text);
Result<UseMode> ParseUseMode(std::string_view text);
Result<RequesterRole> ParseRequesterRole(std::string_view text);
Result<ReleaseItem> ParseReleaseItem(std::string_view text);
Result<ReceiverRole> ParseReceiverRole(std::string_view text);
Result<SubjectCategory> ParseSubjectCategory(std::string_view text);
Result<OffenceClass> ParseOffenceClass(std::string_view text);
Result<PurposeTerm> ParsePurposeTerm(std::string_view text);
Result<OnwardSharing> ParseOnwardSharing(std::string_view text);
Result<HandlingCode> ParseHandlingCode(std::string_view text);
Result<AttachmentKind> ParseAttachmentKind(std::string_view text);
Result<AdvicePosition> ParseAdvicePosition(std::string_view text);

}  // namespace comity::policy
