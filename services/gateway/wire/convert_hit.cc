// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/wire/convert_hit.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "services/transport/limits.h"

namespace comity::gateway {

namespace limits = transport::limits;

Result<casework::ReleasedHit> FromProto(const v1::Hit& proto) {
  const auto is_text = [](const std::string& text, std::size_t limit) {
    return text.size() <= limit && std::none_of(text.begin(), text.end(), [](unsigned char c) {
             return c < 0x20 || c == 0x7f;
           });
  };
  constexpr std::size_t kMaxResponseCode = 256;
  if (!is_text(proto.reference(), limits::kMaxIdLength) ||
      !is_text(proto.response_code(), kMaxResponseCode)) {
    return Fail(ErrorCode::kInvalidArgument, "a hit's reference or response code is out of bounds");
  }
  casework::ReleasedHit hit;
  hit.reference = proto.reference();
  hit.response_code = proto.response_code();
  if (!proto.category().empty()) {
    COMITY_ASSIGN_OR_RETURN(hit.category, policy::ListCategory::Parse(proto.category()));
  }
  if (proto.has_similarity()) {
    if (!std::isfinite(proto.similarity())) {
      return Fail(ErrorCode::kInvalidArgument, "a hit's similarity is not a number");
    }
    hit.similarity = proto.similarity();
  }
  return hit;
}

v1::Hit ToProto(const casework::ReleasedHit& hit) {
  v1::Hit proto;
  proto.set_reference(hit.reference);
  if (hit.category) proto.set_category(hit.category->text());
  proto.set_response_code(hit.response_code);
  if (hit.similarity) proto.set_similarity(*hit.similarity);
  return proto;
}

casework::ReleasedHit Permitted(casework::ReleasedHit hit,
                                const std::vector<policy::Release>& releases) {
  const auto may = [&](policy::ReleaseItem item) {
    return std::ranges::any_of(releases, [&](const policy::Release& release) {
      return release.item == item && !release.roles.empty();
    });
  };
  if (!may(policy::ReleaseItem::kReferenceNumber)) hit.reference.clear();
  if (!may(policy::ReleaseItem::kCategory)) hit.category.reset();
  if (!may(policy::ReleaseItem::kResponseCode)) hit.response_code.clear();
  if (!may(policy::ReleaseItem::kSimilarity)) hit.similarity.reset();
  return hit;
}

}  // namespace comity::gateway
