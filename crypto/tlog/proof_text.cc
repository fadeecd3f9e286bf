// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/proof_text.h"

#include "crypto/base/encoding.h"
#include "crypto/merkle/proof.h"
#include "crypto/tlog/decimal.h"
#include "crypto/tlog/note.h"

namespace comity::tlog {
namespace {

constexpr std::string_view kHead = "c2sp.org/tlog-proof@v1";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";
constexpr std::size_t kMaxText = 512 * 1024;
constexpr std::size_t kMaxExtra = 64 * 1024;

tl::unexpected<Error> NotAProof(const std::string& why) {
  return Fail(ErrorCode::kInvalidArgument, "not a tlog-proof: " + why);
}

// Takes one line off the front of `text`; false if it has no end.
bool TakeLine(std::string_view& text, std::string_view& line) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return false;
  line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return true;
}

}  // namespace

std::string EncodeTlogProof(const TlogProof& proof) {
  std::string text = std::string(kHead) + "\n";
  if (proof.extra) text += std::string(kExtra) + EncodeBase64(*proof.extra) + "\n";
  text += std::string(kIndex) + std::to_string(proof.index.value) + "\n";
  for (const Digest& hash : proof.path) text += EncodeBase64(hash.view()) + "\n";
  return text + "\n" + proof.checkpoint;
}

Result<TlogProof> ParseTlogProof(std::string_view text) {
  if (text.size() > kMaxText) return NotAProof("more than 512 KiB");
  std::string_view line;
  if (!TakeLine(text, line) || line != kHead) {
    return NotAProof("the first line is not " + std::string(kHead));
  }
  TlogProof proof;
  if (!TakeLine(text, line)) return NotAProof("it ends before the index");
  if (line.starts_with(kExtra)) {
    auto extra = ParseBase64(line.substr(kExtra.size()));
    if (!extra || extra->size() > kMaxExtra) return NotAProof("extra is not base64 of <= 64 KiB");
    proof.extra = std::move(*extra);
    if (!TakeLine(text, line)) return NotAProof("it ends before the index");
  }
  if (!line.starts_with(kIndex)) return NotAProof("no index line");
  const auto index = ReadDecimal(line.substr(kIndex.size()));
  if (!index) return NotAProof("the index is not a decimal without leading zeros");
  proof.index.value = *index;
  while (true) {
    if (!TakeLine(text, line)) return NotAProof("no empty line before the checkpoint");
    if (line.empty()) break;
    if (proof.path.size() == merkle::kMaxSiblings) return NotAProof("more than 64 hashes");
    const auto hash = ParseBase64Digest(line);
    if (!hash) return NotAProof("a hash is not base64 of 32 octets");
    proof.path.push_back(*hash);
  }
  COMITY_RETURN_IF_ERROR(ParseNote(text));
  proof.checkpoint = std::string(text);
  return proof;
}

Result<VerifiedCheckpoint> VerifyTlogProof(const TlogProof& proof, const Digest& leaf_hash,
                                           const VerifierKey& log_key,
                                           std::span<const VerifierKey> witnesses) {
  COMITY_ASSIGN_OR_RETURN(VerifiedCheckpoint opened,
                          OpenCheckpoint(proof.checkpoint, log_key, witnesses));
  const merkle::InclusionProof inclusion{proof.index, opened.checkpoint.size, proof.path};
  COMITY_RETURN_IF_ERROR(merkle::VerifyInclusion(leaf_hash, inclusion, opened.checkpoint.root));
  return opened;
}

}  // namespace comity::tlog
