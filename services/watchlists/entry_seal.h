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
// fields. The list key is bound to the definition, the state and the approval of its list, each
// entry key to the entry's restriction and clearance, the fields to what stands beside them in the
// clear: nothing can be moved, edited or approved unseen by changing the database. A change of
// state wraps the same key anew. Source: docs/formats/watchlist_entries.md, "At rest"

Bytes WrapListKey(const SecretBytes& kek, const SecretBytes& list_key,
                  const store::WatchlistRecord& list, RandomSource& random);
// Errors: kCorrupt  names the list
Result<SecretBytes> UnwrapListKey(const SecretBytes& kek, const store::WatchlistRecord& list);

// Commitment to a rationale: what the manifest keeps. Only who has the key-encryption key can say
// whether a text is the one.
// Secret: kek, rationale
Digest CommitToRationale(const SecretBytes& kek, const policy::WatchlistId& list,
                         std::string_view reference, std::string_view rationale);

// A new active entry. Secret: list_key, face_template, fields
store::EntryRecord SealEntry(const SecretBytes& list_key, const policy::WatchlistId& list,
                             const EntryFields& fields, std::span<const float> face_template,
                             const Digest& rationale, RandomSource& random);

struct OpenedEntry {
  TemplateMatrix face_template;  // one row
  SearchFields fields;
};
// In:     entry  active
// Errors: kCorrupt  key, template or fields do not decrypt or are not of this list, reference,
// state
//                   and dimension; names list and reference
Result<OpenedEntry> OpenEntry(const SecretBytes& list_key, const policy::WatchlistId& list,
                              const store::EntryRecord& entry, std::uint32_t dimension);
// The sealed fields alone. Errors: as above
Result<SecretBytes> OpenFields(const SecretBytes& list_key, const policy::WatchlistId& list,
                               const store::EntryRecord& entry);

// What stands of `fields` in the clear beside the sealed ones.
void FillClear(store::EntryRecord& entry, const EntryFields& fields);

// Names an entry in exactly this state: any change of its fields, face, restriction or clearance,
// and lifting a restriction and putting it anew, make another digest, since each seals or wraps
// with a fresh nonce. Tells nothing of the person: it is of ciphertexts.
// In:     entry  with its sealed octets
Digest StateDigest(const policy::WatchlistId& list, const store::EntryRecord& entry);

// Wraps the key of `before` for the restriction and clearance of `after`.
// Errors: kCorrupt  as above
Status RewrapEntryKey(const SecretBytes& list_key, const policy::WatchlistId& list,
                      const store::EntryRecord& before, store::EntryRecord& after,
                      RandomSource& random);
// The same with new fields, which `after` has in the clear already.
Status ResealFields(const SecretBytes& list_key, const policy::WatchlistId& list,
                    const store::EntryRecord& before, store::EntryRecord& after,
                    const EntryFields& fields, RandomSource& random);

}  // namespace comity::watchlists
