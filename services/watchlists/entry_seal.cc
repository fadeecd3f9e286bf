// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/entry_seal.h"

#include <cstring>
#include <string_view>

#include "crypto/envelope/aead.h"

namespace comity::watchlists {
namespace {

using policy::EncodeInstant;

// The reference stands last: it may contain the separator, what is before it cannot.
std::string Context(std::string_view what, const policy::WatchlistId& list,
                    std::string_view reference) {
  return std::string(what) + "|" + list.text() + "|" + std::string(reference);
}

std::string FieldsContext(const policy::WatchlistId& list, const store::EntryRecord& entry) {
  return "entry-fields|" + list.text() + "|" + entry.category.text() + "|" +
         EncodeInstant(entry.valid_from) + "|" + EncodeInstant(entry.expires_at) + "|" +
         entry.reference;
}

std::string ListContext(const store::WatchlistRecord& list) {
  const policy::EngineProfile& engine = list.engine;
  // Lengths in front: an engine's name may contain any printable character.
  return "list-key|" + list.reference.text() + "|" + std::to_string(engine.dimension) + "|" +
         std::to_string(engine.name.size()) + "|" + engine.name + "|" + engine.version;
}

ByteView Octets(std::span<const float> elements) {
  return {reinterpret_cast<const std::uint8_t*>(elements.data()), elements.size_bytes()};
}

tl::unexpected<Error> Corrupt(const policy::WatchlistId& list, std::string_view reference,
                              std::string_view what) {
  return Fail(ErrorCode::kCorrupt, "watchlist " + list.text() + ", entry " +
                                       std::string(reference) + ": " + std::string(what) +
                                       "; restore the data folder from a backup, or withdraw the "
                                       "entry");
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

store::EntryRecord SealEntry(const SecretBytes& list_key, const policy::WatchlistId& list,
                             const EntryFields& fields, std::span<const float> face_template,
                             RandomSource& random) {
  store::EntryRecord entry;
  entry.reference = fields.reference;
  entry.category = fields.category;
  entry.valid_from = fields.valid_from;
  entry.expires_at = fields.expires_at;
  const SecretBytes key = envelope::GenerateKey(random);
  entry.wrapped_key = envelope::WrapKey(
      list_key, key, AsBytes(Context("entry-key", list, entry.reference)), random);
  entry.sealed_template =
      envelope::Seal(key, Octets(face_template),
                     AsBytes(Context("entry-template", list, entry.reference)), random);
  entry.sealed_fields = envelope::Seal(key, AsBytes(fields.sealed_fields),
                                       AsBytes(FieldsContext(list, entry)), random);
  return entry;
}

Result<OpenedEntry> OpenEntry(const SecretBytes& list_key, const store::WatchlistRecord& list,
                              const store::EntryRecord& entry) {
  const policy::WatchlistId& id = list.reference;
  const auto key = envelope::UnwrapKey(list_key, entry.wrapped_key,
                                       AsBytes(Context("entry-key", id, entry.reference)));
  if (!key) return Corrupt(id, entry.reference, "its key is missing or does not open");
  const auto elements = envelope::Open(*key, entry.sealed_template,
                                       AsBytes(Context("entry-template", id, entry.reference)));
  if (!elements) return Corrupt(id, entry.reference, "its template does not decrypt");
  const auto fields = envelope::Open(*key, entry.sealed_fields, AsBytes(FieldsContext(id, entry)));
  if (!fields) return Corrupt(id, entry.reference, "its fields do not decrypt");
  OpenedEntry opened{TemplateMatrix(1, list.engine.dimension), {}};
  const std::span<float> row = opened.face_template.MutableRow(0);
  if (elements->size() != row.size_bytes()) {
    return Corrupt(id, entry.reference, "its template has another dimension");
  }
  std::memcpy(row.data(), elements->Expose().data(), row.size_bytes());
  auto code = ResponseCode(AsText(fields->Expose()));
  if (!code) return Corrupt(id, entry.reference, code.error().detail);
  opened.response_code = std::move(*code);
  return opened;
}

}  // namespace comity::watchlists
