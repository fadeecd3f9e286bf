// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "policy/agreement/field_reader.h"
#include "policy/model/agreement.h"

// The parts of an agreement document, each read from the map it stands in. Fields, bounds and
// meaning: docs/formats/agreement.md.
namespace comity::policy {

void ReadParty(FieldReader& fields, Party& party);
void ReadPurpose(FieldReader& fields, Purpose& purpose);
void ReadAttachment(FieldReader& fields, Attachment& attachment);
void ReadPermission(FieldReader& fields, SearchPermission& permission);
void ReadProhibition(FieldReader& fields, Prohibition& prohibition);
void ReadRetention(FieldReader& fields, Retention& retention);

}  // namespace comity::policy
