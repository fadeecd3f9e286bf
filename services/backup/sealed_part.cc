// SPDX-License-Identifier: Apache-2.0
#include "services/backup/sealed_part.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/envelope/aead.h"
#include "crypto/hash/sha256.h"

namespace comity::backup {
namespace {

constexpr std::size_t kLengthSize = 4;
constexpr mode_t kFileMode = 0600;

std::string FrameContext(const PartContext& context, std::uint64_t index, bool last) {
  return "comity/backup/v1|" + context.backup + "|" + context.part + "|" + std::to_string(index) +
         (last ? "|last" : "|more");
}

std::array<char, kLengthSize> EncodeLength(std::size_t length) {
  return {static_cast<char>(length >> 24U), static_cast<char>(length >> 16U),
          static_cast<char>(length >> 8U), static_cast<char>(length)};
}

std::size_t ParseLength(const std::array<char, kLengthSize>& octets) {
  std::size_t length = 0;
  for (const char octet : octets) length = length << 8U | static_cast<std::uint8_t>(octet);
  return length;
}

tl::unexpected<Error> Damaged(const PartContext& context, std::uint64_t frame) {
  return Fail(ErrorCode::kCorrupt, "part '" + context.part + "' of the backup, frame " +
                                       std::to_string(frame) + ": not as it was written");
}

// One frame's sealed octets.
Result<Bytes> TakeFrame(std::istream& stream, std::uint64_t& left) {
  std::array<char, kLengthSize> head{};
  if (left < kLengthSize || !stream.read(head.data(), head.size())) {
    return Fail(ErrorCode::kCorrupt, "cut short");
  }
  const std::size_t length = ParseLength(head);
  left -= kLengthSize;
  if (length > left || length > kFrameSize + envelope::kOverhead) {
    return Fail(ErrorCode::kCorrupt, "too long");
  }
  Bytes sealed(length);
  if (!stream.read(reinterpret_cast<char*>(sealed.data()), static_cast<std::streamsize>(length))) {
    return Fail(ErrorCode::kCorrupt, "cut short");
  }
  left -= length;
  return sealed;
}

}  // namespace

PartWriter::PartWriter(const std::filesystem::path& file, PartContext context, RandomSource& random)
    : path_(file),
      file_(file, std::ios::binary | std::ios::trunc),
      context_(std::move(context)),
      random_(random) {
  ::chmod(file.c_str(), kFileMode);
}

Status PartWriter::Write(ByteView octets) {
  while (!octets.empty()) {
    if (filled_ == kFrameSize) COMITY_RETURN_IF_ERROR(WriteFrame(false));
    const std::size_t part = std::min(octets.size(), kFrameSize - filled_);
    std::ranges::copy(octets.first(part),
                      buffer_.ExposeMutable().begin() + static_cast<std::ptrdiff_t>(filled_));
    filled_ += part;
    octets = octets.subspan(part);
  }
  return {};
}

Status PartWriter::WriteFrame(bool last) {
  const Bytes sealed = envelope::Seal(context_.key, buffer_.Expose().first(filled_),
                                      AsBytes(FrameContext(context_, frames_, last)), random_);
  const auto length = EncodeLength(sealed.size());
  file_.write(length.data(), length.size());
  file_.write(reinterpret_cast<const char*>(sealed.data()),
              static_cast<std::streamsize>(sealed.size()));
  if (!file_) {
    return Fail(ErrorCode::kUnavailable, "cannot write " + path_.string() + "; is the disk full?");
  }
  const Digest digest = hash::Sha256(sealed);
  digests_.insert(digests_.end(), digest.bytes.begin(), digest.bytes.end());
  size_ += length.size() + sealed.size();
  ++frames_;
  filled_ = 0;
  return {};
}

Result<ManifestPart> PartWriter::Finish() {
  COMITY_RETURN_IF_ERROR(WriteFrame(true));
  file_.close();
  if (!file_) return Fail(ErrorCode::kUnavailable, "cannot write " + path_.string());
  return ManifestPart{context_.part, size_, hash::Sha256(digests_)};
}

Status ReadPart(std::istream& stream, const ManifestPart& part, const PartContext& context,
                const OctetSink& sink) {
  std::uint64_t left = part.size;
  Bytes digests;
  for (std::uint64_t frame = 0; left > 0; ++frame) {
    const auto sealed = TakeFrame(stream, left);
    if (!sealed) return Damaged(context, frame);
    const Digest digest = hash::Sha256(*sealed);
    digests.insert(digests.end(), digest.bytes.begin(), digest.bytes.end());
    const auto octets =
        envelope::Open(context.key, *sealed, AsBytes(FrameContext(context, frame, left == 0)));
    if (!octets) return Damaged(context, frame);
    COMITY_RETURN_IF_ERROR(sink(octets->Expose()));
  }
  if (!digests.empty() && hash::Sha256(digests) == part.sha256) return {};
  return Fail(ErrorCode::kCorrupt,
              "part '" + context.part + "' of the backup is not the one its manifest names");
}

}  // namespace comity::backup
