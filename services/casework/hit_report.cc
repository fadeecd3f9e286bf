// SPDX-License-Identifier: Apache-2.0
#include "services/casework/hit_report.h"

#include <algorithm>
#include <cmath>

#include "crypto/base/utf8.h"

namespace comity::casework {

Status CheckText(std::string_view what, std::string_view text, std::size_t max) {
  const bool has_control = std::any_of(text.begin(), text.end(), [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7f;
  });
  if (text.size() <= max && !has_control && IsUtf8(text)) return {};
  return Fail(ErrorCode::kInvalidArgument, std::string(what) + " is longer than " +
                                               std::to_string(max) +
                                               " octets, has a control character or is not UTF-8");
}

Status CheckHitReport(const HitReport& report) {
  if (report.holder.empty() || report.alert_retention <= std::chrono::seconds(0)) {
    return Fail(ErrorCode::kInvalidArgument, "a hit needs a holder and an alert retention");
  }
  if (!std::isfinite(report.threshold) || !std::isfinite(report.hit.similarity.value_or(0))) {
    return Fail(ErrorCode::kInvalidArgument, "threshold and similarity are finite numbers");
  }
  COMITY_RETURN_IF_ERROR(CheckText("reference", report.hit.reference, 64));
  COMITY_RETURN_IF_ERROR(CheckText("response_code", report.hit.response_code, 256));
  COMITY_RETURN_IF_ERROR(CheckText("capture_ref", report.frame.capture_ref, 128));
  COMITY_RETURN_IF_ERROR(CheckText("camera", report.frame.camera, 128));
  COMITY_RETURN_IF_ERROR(CheckText("exchange_id", report.frame.exchange_id, 128));
  COMITY_RETURN_IF_ERROR(CheckText("engine name", report.engine.name, 64));
  return CheckText("engine version", report.engine.version, 64);
}

}  // namespace comity::casework
