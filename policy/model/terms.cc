// SPDX-License-Identifier: Apache-2.0
#include "policy/model/terms.h"

#include <algorithm>
#include <string>
#include <utility>

namespace comity::policy {
namespace {

// One vocabulary: each term with its name, in the order of the enum.
template <typename Enum, std::size_t kCount>
using Vocabulary = std::array<std::pair<Enum, std::string_view>, kCount>;

constexpr Vocabulary<LegalRole, 4> kLegalRoles = {{
    {LegalRole::kController, "controller"},
    {LegalRole::kJointController, "joint-controller"},
    {LegalRole::kProcessor, "processor"},
    {LegalRole::kRecipient, "recipient"},
}};
constexpr Vocabulary<Regime, 4> kRegimes = {{
    {Regime::kUkPart3, "UK-P3"},
    {Regime::kUkGdpr, "UK-GDPR"},
    {Regime::kEuLed, "EU-LED"},
    {Regime::kEuGdpr, "EU-GDPR"},
}};
constexpr Vocabulary<SearchMode, 2> kSearchModes = {{
    {SearchMode::kDirect, "direct"},
    {SearchMode::kSealed, "sealed"},
}};
constexpr Vocabulary<UseMode, 2> kUseModes = {{
    {UseMode::kLive, "live"},
    {UseMode::kRetrospective, "retrospective"},
}};
constexpr Vocabulary<RequesterRole, 2> kRequesterRoles = {{
    {RequesterRole::kEngine, "engine"},
    {RequesterRole::kOperator, "operator"},
}};
constexpr Vocabulary<ReleaseItem, 4> kReleaseItems = {{
    {ReleaseItem::kReferenceNumber, "reference-number"},
    {ReleaseItem::kCategory, "category"},
    {ReleaseItem::kResponseCode, "response-code"},
    {ReleaseItem::kSimilarity, "similarity"},
}};
constexpr Vocabulary<ReceiverRole, 7> kReceiverRoles = {{
    {ReceiverRole::kEngine, "engine"},
    {ReceiverRole::kOperator, "operator"},
    {ReceiverRole::kAdjudicator, "adjudicator"},
    {ReceiverRole::kSupervisor, "supervisor"},
    {ReceiverRole::kReleaseOfficer, "release-officer"},
    {ReceiverRole::kDpo, "dpo"},
    {ReceiverRole::kAuditor, "auditor"},
}};
constexpr Vocabulary<SubjectCategory, 8> kSubjectCategories = {{
    {SubjectCategory::kSuspect, "suspect"},
    {SubjectCategory::kAboutToCommit, "about-to-commit"},
    {SubjectCategory::kConvicted, "convicted"},
    {SubjectCategory::kVictim, "victim"},
    {SubjectCategory::kWitness, "witness"},
    {SubjectCategory::kMissing, "missing"},
    {SubjectCategory::kVulnerable, "vulnerable"},
    {SubjectCategory::kOther, "other"},
}};
constexpr Vocabulary<OffenceClass, 3> kOffenceClasses = {{
    {OffenceClass::kBelow1Year, "below-1-year"},
    {OffenceClass::k1To4Years, "1-to-4-years"},
    {OffenceClass::k4YearsOrMore, "4-years-or-more"},
}};
constexpr Vocabulary<PurposeTerm, 8> kPurposeTerms = {{
    {PurposeTerm::kCrimeInvestigation, "crime-investigation"},
    {PurposeTerm::kCrimeDetection, "crime-detection"},
    {PurposeTerm::kCrimeArrestDetention, "crime-arrest-detention"},
    {PurposeTerm::kCriminalLawEnforcement, "criminal-law-enforcement"},
    {PurposeTerm::kPublicSecurity, "public-security"},
    {PurposeTerm::kLocateMissingPerson, "locate-missing-person"},
    {PurposeTerm::kSafeguarding, "safeguarding"},
    {PurposeTerm::kCourtOrderCompliance, "court-order-compliance"},
}};
constexpr Vocabulary<OnwardSharing, 2> kOnwardSharings = {{
    {OnwardSharing::kNone, "none"},
    {OnwardSharing::kWithAuthorisation, "with-originator-authorisation"},
}};
constexpr Vocabulary<HandlingCode, 2> kHandlingCodes = {{
    {HandlingCode::kPermitted, "P"},
    {HandlingCode::kConditions, "C"},
}};
constexpr Vocabulary<AttachmentKind, 7> kAttachmentKinds = {{
    {AttachmentKind::kDpia, "dpia"},
    {AttachmentKind::kApd, "apd"},
    {AttachmentKind::kEia, "eia"},
    {AttachmentKind::kFria, "fria"},
    {AttachmentKind::kSop, "sop"},
    {AttachmentKind::kLegalMandate, "legal-mandate"},
    {AttachmentKind::kProcessorContract, "processor-contract"},
}};
constexpr Vocabulary<AdvicePosition, 3> kAdvicePositions = {{
    {AdvicePosition::kFor, "for"},
    {AdvicePosition::kAgainst, "against"},
    {AdvicePosition::kConditional, "conditional"},
}};

// A value outside the enum (a wrong cast) has no name; nothing parses to it.
template <typename Enum, std::size_t kCount>
std::string_view NameIn(const Vocabulary<Enum, kCount>& vocabulary, Enum term) {
  for (const auto& [known, name] : vocabulary) {
    if (known == term) return name;
  }
  return "unknown";
}

template <typename Enum, std::size_t kCount>
Result<Enum> ParseIn(const Vocabulary<Enum, kCount>& vocabulary, std::string_view text) {
  std::string allowed;
  for (const auto& [term, name] : vocabulary) {
    if (name == text) return term;
    allowed.append(allowed.empty() ? "" : ", ").append(name);
  }
  return Fail(ErrorCode::kInvalidArgument, "must be one of: " + allowed);
}

}  // namespace

bool IsListCategory(std::string_view text) {
  return std::find(kListCategories.begin(), kListCategories.end(), text) != kListCategories.end();
}

bool IsLawEnforcement(Regime regime) {
  return regime == Regime::kUkPart3 || regime == Regime::kEuLed;
}

std::string_view Name(LegalRole term) {
  return NameIn(kLegalRoles, term);
}
std::string_view Name(Regime term) {
  return NameIn(kRegimes, term);
}
std::string_view Name(SearchMode term) {
  return NameIn(kSearchModes, term);
}
std::string_view Name(UseMode term) {
  return NameIn(kUseModes, term);
}
std::string_view Name(RequesterRole term) {
  return NameIn(kRequesterRoles, term);
}
std::string_view Name(ReleaseItem term) {
  return NameIn(kReleaseItems, term);
}
std::string_view Name(ReceiverRole term) {
  return NameIn(kReceiverRoles, term);
}
std::string_view Name(SubjectCategory term) {
  return NameIn(kSubjectCategories, term);
}
std::string_view Name(OffenceClass term) {
  return NameIn(kOffenceClasses, term);
}
std::string_view Name(PurposeTerm term) {
  return NameIn(kPurposeTerms, term);
}
std::string_view Name(OnwardSharing term) {
  return NameIn(kOnwardSharings, term);
}
std::string_view Name(HandlingCode term) {
  return NameIn(kHandlingCodes, term);
}
std::string_view Name(AttachmentKind term) {
  return NameIn(kAttachmentKinds, term);
}
std::string_view Name(AdvicePosition term) {
  return NameIn(kAdvicePositions, term);
}

Result<LegalRole> ParseLegalRole(std::string_view text) {
  return ParseIn(kLegalRoles, text);
}
Result<Regime> ParseRegime(std::string_view text) {
  return ParseIn(kRegimes, text);
}
Result<SearchMode> ParseSearchMode(std::string_view text) {
  return ParseIn(kSearchModes, text);
}
Result<UseMode> ParseUseMode(std::string_view text) {
  return ParseIn(kUseModes, text);
}
Result<RequesterRole> ParseRequesterRole(std::string_view text) {
  return ParseIn(kRequesterRoles, text);
}
Result<ReleaseItem> ParseReleaseItem(std::string_view text) {
  return ParseIn(kReleaseItems, text);
}
Result<ReceiverRole> ParseReceiverRole(std::string_view text) {
  return ParseIn(kReceiverRoles, text);
}
Result<SubjectCategory> ParseSubjectCategory(std::string_view text) {
  return ParseIn(kSubjectCategories, text);
}
Result<OffenceClass> ParseOffenceClass(std::string_view text) {
  return ParseIn(kOffenceClasses, text);
}
Result<PurposeTerm> ParsePurposeTerm(std::string_view text) {
  return ParseIn(kPurposeTerms, text);
}
Result<OnwardSharing> ParseOnwardSharing(std::string_view text) {
  return ParseIn(kOnwardSharings, text);
}
Result<HandlingCode> ParseHandlingCode(std::string_view text) {
  return ParseIn(kHandlingCodes, text);
}
Result<AttachmentKind> ParseAttachmentKind(std::string_view text) {
  return ParseIn(kAttachmentKinds, text);
}
Result<AdvicePosition> ParseAdvicePosition(std::string_view text) {
  return ParseIn(kAdvicePositions, text);
}

}  // namespace comity::policy
