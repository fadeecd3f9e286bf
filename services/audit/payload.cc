// SPDX-License-Identifier: Apache-2.0
#include "services/audit/payload.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "crypto/envelope/aead.h"
#include "crypto/merkle/tree_hash.h"
#include "crypto/tlog/commitment.h"
#include "crypto/tlog/entry.h"

namespace comity::audit {
namespace {

constexpr std::uint8_t kPayloadVersion = 1;

Bytes Context(std::string_view use, const Digest& leaf) {
  Bytes context = ToBytes(use);
  context.insert(context.end(), leaf.bytes.begin(), leaf.bytes.end());
  return context;
}
Bytes KeyContext(const Digest& leaf) {
  return Context("comity/audit/record-key/v1|", leaf);
}
Bytes PayloadContext(const Digest& leaf) {
  return Context("comity/audit/payload/v1|", leaf);
}

// version || for each field, by name: length[1] || name || length[4] || octets
std::size_t EncodedSize(const CommittedFields& fields) {
  std::size_t size = 1;
  for (const auto& [name, octets] : fields) size += 1 + name.size() + 4 + octets.size();
  return size;
}

SecretBytes EncodeFields(const CommittedFields& fields) {
  SecretBytes encoded(EncodedSize(fields));
  auto out = encoded.ExposeMutable().begin();
  *out++ = kPayloadVersion;
  for (const auto& [name, octets] : fields) {
    *out++ = static_cast<std::uint8_t>(name.size());
    out = std::ranges::copy(AsBytes(name), out).out;
    for (int shift = 24; shift >= 0; shift -= 8) {
      *out++ = static_cast<std::uint8_t>(octets.size() >> shift);
    }
    out = std::ranges::copy(AsBytes(octets), out).out;
  }
  return encoded;
}

// Takes a big-endian length of `width` octets and then that many octets off the front of `rest`.
Result<std::string> TakePrefixed(ByteView& rest, std::size_t width) {
  std::size_t length = 0;
  if (rest.size() < width) return Fail(ErrorCode::kCorrupt, "audit payload: cut short");
  for (const std::uint8_t octet : rest.first(width)) length = length << 8U | octet;
  rest = rest.subspan(width);
  if (rest.size() < length) return Fail(ErrorCode::kCorrupt, "audit payload: cut short");
  std::string text(AsText(rest.first(length)));
  rest = rest.subspan(length);
  return text;
}

Result<CommittedFields> ParseFields(ByteView encoded) {
  if (encoded.empty() || encoded.front() != kPayloadVersion) {
    return Fail(ErrorCode::kCorrupt, "audit payload: not of version 1");
  }
  CommittedFields fields;
  ByteView rest = encoded.subspan(1);
  while (!rest.empty()) {
    COMITY_ASSIGN_OR_RETURN(std::string name, TakePrefixed(rest, 1));
    COMITY_ASSIGN_OR_RETURN(std::string octets, TakePrefixed(rest, 4));
    if (!fields.emplace(std::move(name), std::move(octets)).second) {
      return Fail(ErrorCode::kCorrupt, "audit payload: a field twice");
    }
  }
  return fields;
}

Status CheckCommitments(const tlog::LogEntry& entry, const CommittedFields& fields,
                        const SecretBytes& k_record) {
  if (entry.commitments.size() != fields.size()) {
    return Fail(ErrorCode::kCorrupt, "audit payload: not the fields that the entry commits to");
  }
  for (const auto& [name, octets] : fields) {
    const auto commitment = entry.commitments.find(name);
    if (commitment == entry.commitments.end() ||
        !tlog::Opens(commitment->second, k_record, name, AsBytes(octets))) {
      return Fail(ErrorCode::kCorrupt,
                  "audit payload: a field does not match its commitment in the entry");
    }
  }
  return {};
}

Result<CommittedFields> OpenFields(const tlog::LogEntry& entry,
                                   const store::AuditPayloadRecord& record,
                                   const SecretBytes& k_record, const PayloadKeys& keys) {
  COMITY_ASSIGN_OR_RETURN(
      const SecretBytes padded,
      envelope::Open(tlog::DerivePayloadKey(k_record), record.sealed, PayloadContext(keys.leaf)));
  COMITY_ASSIGN_OR_RETURN(const SecretBytes encoded, tlog::Unpad(padded));
  COMITY_ASSIGN_OR_RETURN(CommittedFields fields, ParseFields(encoded.Expose()));
  COMITY_RETURN_IF_ERROR(CheckCommitments(entry, fields, k_record));
  return fields;
}

}  // namespace

Result<store::AuditPayloadRecord> SealPayload(const CommittedFields& fields,
                                              const SecretBytes& k_record, const PayloadKeys& keys,
                                              RandomSource& random) {
  const auto too_long = [](const auto& field) {
    return field.first.size() > std::numeric_limits<std::uint8_t>::max();
  };
  if (EncodedSize(fields) > kMaxPayloadSize || std::ranges::any_of(fields, too_long)) {
    return Fail(ErrorCode::kInternal, "audit payload: above " + std::to_string(kMaxPayloadSize) +
                                          " octets, or a name above 255");
  }
  COMITY_ASSIGN_OR_RETURN(const SecretBytes padded, tlog::PadToBucket(EncodeFields(fields)));
  return store::AuditPayloadRecord{
      .wrapped_key = envelope::WrapKey(keys.kek, k_record, KeyContext(keys.leaf), random),
      .sealed = envelope::Seal(tlog::DerivePayloadKey(k_record), padded.Expose(),
                               PayloadContext(keys.leaf), random),
      .erase_at = {}};
}

Result<OpenedPayload> OpenPayload(const store::Store& store, const SecretBytes& kek,
                                  std::uint64_t index) {
  Bytes octets;
  store::AuditPayloadRecord record;
  COMITY_RETURN_IF_ERROR(store.Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(auto entries, tx.audit().Read(index, 1));
    if (entries.size() != 1) {
      return Fail(ErrorCode::kNotFound, "the log has no entry " + std::to_string(index));
    }
    octets = std::move(entries.front().entry);
    COMITY_ASSIGN_OR_RETURN(record, tx.audit().Payload(index));
    return {};
  }));
  return OpenPayload(std::move(octets), record, kek);
}

Result<OpenedPayload> OpenPayload(Bytes entry, const store::AuditPayloadRecord& record,
                                  const SecretBytes& kek) {
  OpenedPayload opened;
  opened.entry = std::move(entry);
  opened.erased = record.wrapped_key.empty();
  if (record.erase_at != policy::Instant()) opened.erase_at = record.erase_at;
  if (opened.erased) return opened;
  auto parsed = tlog::ParseEntry(AsText(opened.entry));
  if (!parsed) return Fail(ErrorCode::kCorrupt, "stored entry: " + parsed.error().detail);
  const PayloadKeys keys{.kek = kek, .leaf = merkle::LeafHash(opened.entry)};
  COMITY_ASSIGN_OR_RETURN(opened.record_key,
                          envelope::UnwrapKey(kek, record.wrapped_key, KeyContext(keys.leaf)));
  COMITY_ASSIGN_OR_RETURN(opened.fields, OpenFields(*parsed, record, opened.record_key, keys));
  return opened;
}

}  // namespace comity::audit
