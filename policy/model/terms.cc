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
Result<AttachmentKind> ParseAttachmentKind(std::string_view text) {
  return ParseIn(kAttachmentKinds, text);
}
Result<AdvicePosition> ParseAdvicePosition(std::string_view text) {
  return ParseIn(kAdvicePositions, text);
}

}  // namespace comity::policy
