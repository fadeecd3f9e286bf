// SPDX-License-Identifier: Apache-2.0
#include "policy/model/agreement.h"

#include <algorithm>

namespace comity::policy {

const Party* Agreement::FindParty(const AgencyId& agency) const {
  const auto found = std::find_if(parties.begin(), parties.end(),
                                  [&](const Party& party) { return party.agency == agency; });
  return found == parties.end() ? nullptr : &*found;
}

const Purpose* Agreement::FindPurpose(const PurposeCode& code) const {
  const auto found = std::find_if(purposes.begin(), purposes.end(),
                                  [&](const Purpose& purpose) { return purpose.code == code; });
  return found == purposes.end() ? nullptr : &*found;
}

const SearchPermission* Agreement::FindPermission(std::string_view clause) const {
  const auto found =
      std::find_if(permissions.begin(), permissions.end(),
                   [&](const SearchPermission& permission) { return permission.id == clause; });
  return found == permissions.end() ? nullptr : &*found;
}

std::vector<AttachmentKind> MissingAttachments(const Agreement& agreement) {
  const bool law_enforcement =
      std::any_of(agreement.purposes.begin(), agreement.purposes.end(),
                  [](const Purpose& purpose) { return IsLawEnforcement(purpose.regime); });
  std::vector<AttachmentKind> missing = {AttachmentKind::kDpia};
  if (law_enforcement) missing.push_back(AttachmentKind::kApd);
  std::erase_if(missing, [&](AttachmentKind kind) {
    return std::any_of(agreement.attachments.begin(), agreement.attachments.end(),
                       [&](const Attachment& attachment) { return attachment.kind == kind; });
  });
  return missing;
}

}  // namespace comity::policy
