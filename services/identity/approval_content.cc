// SPDX-License-Identifier: Apache-2.0
#include "services/identity/approval_content.h"

#include <array>
#include <nlohmann/json.hpp>

#include "crypto/base/canonical_json.h"
#include "crypto/base/encoding.h"
#include "crypto/hash/sha256.h"

namespace comity::identity {
namespace {

constexpr std::size_t kSaltRoom = 64;
constexpr char kSalt[] = "salt";

}  // namespace

Result<SaltedContent> AddSalt(std::string_view content, std::size_t max_size,
                              RandomSource& random) {
  if (content.size() > max_size - kSaltRoom) {
    return Fail(ErrorCode::kInvalidArgument,
                "an act's content has at most " + std::to_string(max_size - kSaltRoom) + " octets");
  }
  COMITY_ASSIGN_OR_RETURN(nlohmann::json object, ParseCanonicalJson(content, max_size));
  if (!object.is_object() || object.contains(kSalt)) {
    return Fail(ErrorCode::kInvalidArgument, "an act's content is an object without a salt");
  }
  std::array<std::uint8_t, 16> salt{};
  random.Fill(salt);
  object[kSalt] = EncodeHex(salt);
  SaltedContent salted;
  salted.content = EncodeCanonicalJson(object);
  salted.sha256 = hash::Sha256(AsBytes(salted.content));
  salted.unsalted = hash::Sha256(AsBytes(content));
  return salted;
}

Result<std::string> WithoutSalt(std::string_view content) {
  auto object = ParseCanonicalJson(content, content.size());
  if (!object || !object->is_object() || object->erase(kSalt) != 1) {
    return Fail(ErrorCode::kCorrupt, "the stored content of an act is damaged");
  }
  return EncodeCanonicalJson(*object);
}

}  // namespace comity::identity
