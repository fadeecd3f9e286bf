// SPDX-License-Identifier: Apache-2.0
#include "services/identity/visible_text.h"

#include <algorithm>
#include <string>

#include "crypto/base/utf8.h"

namespace comity::identity {
namespace {

// Of well-formed UTF-8: the two or three octets at the front are an invisible character.
bool BeginsInvisible(std::string_view rest) {
  const auto octet = [&](std::size_t i) {
    return i < rest.size() ? static_cast<unsigned char>(rest[i]) : 0U;
  };
  const auto within = [](unsigned value, unsigned least, unsigned most) {
    return value >= least && value <= most;
  };
  if (octet(0) == 0xc2) return octet(1) < 0xa0 || octet(1) == 0xad;  // C1 controls, soft hyphen
  if (octet(0) == 0xe2 && octet(1) == 0x80) {
    return within(octet(2), 0x8b, 0x8f) || within(octet(2), 0xa8, 0xae);
  }
  if (octet(0) == 0xe2 && octet(1) == 0x81) return within(octet(2), 0xa0, 0xaf);
  return octet(0) == 0xef && octet(1) == 0xbb && octet(2) == 0xbf;
}

}  // namespace

bool IsVisibleText(std::string_view text, bool lines) {
  if (!IsUtf8(text)) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    if (octet == 0x7f || (octet < 0x20 && !(lines && octet == '\n'))) return false;
    if (BeginsInvisible(text.substr(i))) return false;
  }
  return true;
}

Status CheckVisibleText(std::string_view what, std::string_view text, std::size_t most) {
  if (!text.empty() && text.size() <= most && IsVisibleText(text)) return {};
  return Fail(ErrorCode::kInvalidArgument, std::string(what) + " has 1 to " + std::to_string(most) +
                                               " octets on one line, no invisible characters");
}

}  // namespace comity::identity
