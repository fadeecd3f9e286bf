// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "policy/model/ids.h"
#include "services/store/records.h"
#include "services/watchlists/entry_fields.h"
#include "services/watchlists/template_matrix.h"

namespace comity::watchlists {

// How lists and entries rest in the store: key-encryption key > list key > entry key > template and
// fields. Every ciphertext is bound to its list and reference, the fields also to what stands
// beside them in the clear, and the list key to the engine, so that nothing can be moved or edited
// unseen.

Bytes WrapListKey(const SecretBytes& kek, const SecretBytes& list_key,
                  const store::WatchlistRecord& list, RandomSource& random);
// Errors: kCorrupt  names the list
Result<SecretBytes> UnwrapListKey(const SecretBytes& kek, const store::WatchlistRecord& list);

// Secret: list_key, face_template, fields
store::EntryRecord SealEntry(const SecretBytes& list_key, const policy::WatchlistId& list,
                             const EntryFields& fields, std::span<const float> face_template,
                             RandomSource& random);

struct OpenedEntry {
  TemplateMatrix face_template;  // one row
  std::string response_code;
};
// In:     entry  active
// Errors: kCorrupt  key, template or fields do not decrypt or are not of this list, reference and
//                   dimension; names list and reference
Result<OpenedEntry> OpenEntry(const SecretBytes& list_key, const store::WatchlistRecord& list,
                              const store::EntryRecord& entry);

}  // namespace comity::watchlists
