// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/entry_seal.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

#include "crypto/base/canonical_json.h"
#include "crypto/base/encoding.h"
#include "crypto/envelope/aead.h"
#include "crypto/hash/sha256.h"

namespace comity::watchlists {
namespace {

using policy::EncodeInstant;
using policy::WatchlistId;

std::string TimeOrNone(const std::optional<policy::Instant>& time) {
  return time ? EncodeInstant(*time) : std::string("none");
}

// The reference stands last: it may contain the separator, what is before it cannot.
std::string TemplateContext(const WatchlistId& list, const store::EntryRecord& entry) {
  return "entry-template|" + list.text() + "|" + entry.reference;
}

std::string KeyContext(const WatchlistId& list, const store::EntryRecord& entry) {
  return "entry-key|" + list.text() + "|" + std::to_string(static_cast<int>(entry.restriction)) +
         "|" + std::to_string(static_cast<int>(entry.clearance)) + "|" +
         TimeOrNone(entry.cleared_at) + "|" + entry.reference;
}

std::string FieldsContext(const WatchlistId& list, const store::EntryRecord& entry) {
  return "entry-fields|" + list.text() + "|" + entry.category.text() + "|" +
         EncodeInstant(entry.valid_from) + "|" + EncodeInstant(entry.expires_at) + "|" +
         EncodeInstant(entry.review_by) + "|" + EncodeInstant(entry.as_of) + "|" +
         (entry.under_18 ? "under-18" : "adult") + "|" + EncodeHex(entry.rationale.view()) + "|" +
         entry.reference;
}

std::string ListContext(const store::WatchlistRecord& list) {
  std::vector<std::string> drafters;
  for (const policy::PersonId& person : list.drafters) drafters.push_back(person.text());
  const nlohmann::json context = {
      {"reference", list.reference.text()},
      {"state", static_cast<int>(list.state)},
      {"definition", EncodeHex(hash::Sha256(AsBytes(list.definition)).view())},
      {"drafters", drafters},
      {"content", EncodeHex(list.content.view())},
      {"drafted_at", EncodeInstant(list.drafted_at)},
      {"approved_by", list.approved_by ? list.approved_by->text() : "none"},
      {"approved_at", TimeOrNone(list.approved_at)},
      {"validated_at", TimeOrNone(list.validated_at)},
      {"closed_at", TimeOrNone(list.closed_at)},
      {"delete_by", TimeOrNone(list.delete_by)}};
  return "list-key|" + EncodeCanonicalJson(context);
}

ByteView Octets(std::span<const float> elements) {
  return {reinterpret_cast<const std::uint8_t*>(elements.data()), elements.size_bytes()};
}

tl::unexpected<Error> Corrupt(const WatchlistId& list, std::string_view reference,
                              std::string_view what) {
  return Fail(ErrorCode::kCorrupt, "watchlist " + list.text() + ", entry " +
                                       std::string(reference) + ": " + std::string(what) +
                                       "; restore the data folder from a backup, or withdraw the "
                                       "entry");
}

Result<SecretBytes> EntryKey(const SecretBytes& list_key, const WatchlistId& list,
                             const store::EntryRecord& entry) {
  auto key = envelope::UnwrapKey(list_key, entry.wrapped_key, AsBytes(KeyContext(list, entry)));
  if (key) return key;
  return Corrupt(list, entry.reference, "its key is missing or does not open");
}

Result<SecretBytes> FieldsUnder(const SecretBytes& key, const WatchlistId& list,
                                const store::EntryRecord& entry) {
  auto fields = envelope::Open(key, entry.sealed_fields, AsBytes(FieldsContext(list, entry)));
  if (fields) return fields;
  return Corrupt(list, entry.reference, "its fields do not decrypt");
}

}  // namespace

Bytes WrapListKey(const SecretBytes& kek, const SecretBytes& list_key,
                  const store::WatchlistRecord& list, RandomSource& random) {
  return envelope::WrapKey(kek, list_key, AsBytes(ListContext(list)), random);
}

Result<SecretBytes> UnwrapListKey(const SecretBytes& kek, const store::WatchlistRecord& list) {
  auto key = envelope::UnwrapKey(kek, list.wrapped_key, AsBytes(ListContext(list)));
  if (key) return key;
  return Fail(ErrorCode::kCorrupt,
              "watchlist " + list.reference.text() +
                  ": its key does not open under the key-encryption key; either the key file is "
                  "another one or the stored list was changed");
}

Digest CommitToRationale(const SecretBytes& kek, const WatchlistId& list,
                         std::string_view reference, std::string_view rationale) {
  const SecretBytes key = hash::DeriveKey(kek, AsBytes("comity/watchlist/rationale/v1"));
  const std::string place = list.text() + "|" + std::string(reference) + "|";
  return hash::HmacSha256(key, {AsBytes(place), AsBytes(rationale)});
}

store::EntryRecord SealEntry(const SecretBytes& list_key, const WatchlistId& list,
                             const EntryFields& fields, std::span<const float> face_template,
                             const Digest& rationale, RandomSource& random) {
  store::EntryRecord entry;
  FillClear(entry, fields);
  entry.rationale = rationale;
  entry.clearance =
      fields.needs_approval ? store::EntryClearance::kPending : store::EntryClearance::kNotNeeded;
  const SecretBytes key = envelope::GenerateKey(random);
  entry.wrapped_key = envelope::WrapKey(list_key, key, AsBytes(KeyContext(list, entry)), random);
  entry.sealed_template =
      envelope::Seal(key, Octets(face_template), AsBytes(TemplateContext(list, entry)), random);
  entry.sealed_fields = envelope::Seal(key, AsBytes(fields.sealed_fields),
                                       AsBytes(FieldsContext(list, entry)), random);
  return entry;
}

Result<OpenedEntry> OpenEntry(const SecretBytes& list_key, const WatchlistId& list,
                              const store::EntryRecord& entry, std::uint32_t dimension) {
  COMITY_ASSIGN_OR_RETURN(const SecretBytes key, EntryKey(list_key, list, entry));
  const auto elements =
      envelope::Open(key, entry.sealed_template, AsBytes(TemplateContext(list, entry)));
  if (!elements) return Corrupt(list, entry.reference, "its template does not decrypt");
  COMITY_ASSIGN_OR_RETURN(const SecretBytes fields, FieldsUnder(key, list, entry));
  OpenedEntry opened{TemplateMatrix(1, dimension), {}};
  const std::span<float> row = opened.face_template.MutableRow(0);
  if (elements->size() != row.size_bytes()) {
    return Corrupt(list, entry.reference, "its template has another dimension");
  }
  std::memcpy(row.data(), elements->Expose().data(), row.size_bytes());
  auto read = ReadSearchFields(AsText(fields.Expose()));
  if (!read) return Corrupt(list, entry.reference, read.error().detail);
  opened.fields = std::move(*read);
  return opened;
}

Result<SecretBytes> OpenFields(const SecretBytes& list_key, const WatchlistId& list,
                               const store::EntryRecord& entry) {
  COMITY_ASSIGN_OR_RETURN(const SecretBytes key, EntryKey(list_key, list, entry));
  return FieldsUnder(key, list, entry);
}

void FillClear(store::EntryRecord& entry, const EntryFields& fields) {
  entry.reference = fields.reference;
  entry.category = fields.category;
  entry.under_18 = fields.under_18;
  entry.valid_from = fields.valid_from;
  entry.expires_at = fields.expires_at;
  entry.review_by = fields.review_by;
  entry.as_of = fields.as_of;
}

Digest StateDigest(const WatchlistId& list, const store::EntryRecord& entry) {
  const std::string head = "entry-state|" + list.text() + "|" + entry.reference + "|";
  const Digest key = hash::Sha256(entry.wrapped_key);
  const Digest fields = hash::Sha256(entry.sealed_fields);
  const Digest face = hash::Sha256(entry.sealed_template);
  return hash::Sha256({AsBytes(head), key.view(), fields.view(), face.view()});
}

Status RewrapEntryKey(const SecretBytes& list_key, const WatchlistId& list,
                      const store::EntryRecord& before, store::EntryRecord& after,
                      RandomSource& random) {
  COMITY_ASSIGN_OR_RETURN(const SecretBytes key, EntryKey(list_key, list, before));
  after.wrapped_key = envelope::WrapKey(list_key, key, AsBytes(KeyContext(list, after)), random);
  return {};
}

Status ResealFields(const SecretBytes& list_key, const WatchlistId& list,
                    const store::EntryRecord& before, store::EntryRecord& after,
                    const EntryFields& fields, RandomSource& random) {
  COMITY_ASSIGN_OR_RETURN(const SecretBytes key, EntryKey(list_key, list, before));
  FillClear(after, fields);
  after.wrapped_key = envelope::WrapKey(list_key, key, AsBytes(KeyContext(list, after)), random);
  after.sealed_fields = envelope::Seal(key, AsBytes(fields.sealed_fields),
                                       AsBytes(FieldsContext(list, after)), random);
  return {};
}

}  // namespace comity::watchlists
