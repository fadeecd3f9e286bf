// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/commitment.h"

#include <algorithm>

#include "crypto/base/check.h"
#include "crypto/hash/sha256.h"

namespace comity::tlog {
namespace {

constexpr std::string_view kPayloadKeyInfo = "comity/audit/v1|payload-key";
constexpr std::size_t kLengthSize = 4;
constexpr std::size_t kSmallestBucket = 256;
constexpr std::size_t kLargestBucket = 16 * 1024 * 1024;

// Smallest bucket that holds a payload; 0 if none does.
std::size_t BucketFor(std::size_t payload_size) {
  if (payload_size > kLargestBucket - kLengthSize) return 0;
  std::size_t bucket = kSmallestBucket;
  while (bucket < payload_size + kLengthSize) bucket *= 4;
  return bucket;
}

}  // namespace

SecretBytes GenerateRecordKey(RandomSource& random) {
  SecretBytes key(kRecordKeySize);
  random.Fill(key.ExposeMutable());
  return key;
}

Digest Commit(const SecretBytes& record_key, std::string_view field, ByteView octets) {
  COMITY_CHECK(record_key.size() == kRecordKeySize);
  COMITY_CHECK(field.find('|') == std::string_view::npos);
  const std::string_view bar = "|";
  return hash::HmacSha256(
      record_key, {AsBytes(kCommitmentDomain), AsBytes(bar), AsBytes(field), AsBytes(bar), octets});
}

bool Opens(const Digest& commitment, const SecretBytes& record_key, std::string_view field,
           ByteView octets) {
  return ConstantTimeEqual(commitment.view(), Commit(record_key, field, octets).view());
}

SecretBytes DerivePayloadKey(const SecretBytes& record_key) {
  COMITY_CHECK(record_key.size() == kRecordKeySize);
  return hash::DeriveKey(record_key, AsBytes(kPayloadKeyInfo));
}

Result<SecretBytes> PadToBucket(const SecretBytes& payload) {
  const std::size_t bucket = BucketFor(payload.size());
  if (bucket == 0) {
    return Fail(ErrorCode::kInvalidArgument, "a record's payload has less than 16 MiB");
  }
  SecretBytes padded(bucket);
  const std::span<std::uint8_t> out = padded.ExposeMutable();
  for (std::size_t i = 0; i < kLengthSize; ++i) {
    out[i] = static_cast<std::uint8_t>(payload.size() >> (8 * (kLengthSize - 1 - i)));
  }
  const ByteView octets = payload.Expose();
  std::copy(octets.begin(), octets.end(), out.begin() + kLengthSize);
  return padded;
}

Result<SecretBytes> Unpad(const SecretBytes& padded) {
  const auto not_padded = [] {
    return Fail(ErrorCode::kCorrupt, "a record's payload is not padded as it must be");
  };
  const ByteView octets = padded.Expose();
  if (octets.size() < kSmallestBucket) return not_padded();
  std::size_t size = 0;
  for (const std::uint8_t octet : octets.first(kLengthSize)) size = size << 8U | octet;
  if (BucketFor(size) != octets.size()) return not_padded();
  const ByteView zeros = octets.subspan(kLengthSize + size);
  if (std::any_of(zeros.begin(), zeros.end(), [](std::uint8_t o) { return o != 0; })) {
    return not_padded();
  }
  return SecretBytes::CopyOf(octets.subspan(kLengthSize, size));
}

}  // namespace comity::tlog
