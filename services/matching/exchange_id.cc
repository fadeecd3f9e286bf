// SPDX-License-Identifier: Apache-2.0
#include "services/matching/exchange_id.h"

#include <algorithm>
#include <array>

#include "crypto/base/check.h"

namespace comity::matching {
namespace {

constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::size_t kLength = 26;  // 128 bits at 5 a character; the last character holds 3

}  // namespace

std::string NewExchangeId(RandomSource& random) {
  std::array<std::uint8_t, 16> octets{};
  random.Fill(octets);
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (const std::uint8_t octet : octets) {
    bits = bits << 8 | octet;
    for (count += 8; count >= 5; count -= 5) text += kAlphabet[bits >> (count - 5) & 31];
  }
  text += kAlphabet[bits << (5 - count) & 31];
  return text;
}

policy::DeploymentId NewDeploymentId(RandomSource& random) {
  auto id = policy::DeploymentId::Parse("d-" + NewExchangeId(random));
  COMITY_CHECK(id.has_value());
  return *std::move(id);
}

std::string ProbeExchangeId(std::string_view session, std::uint64_t sequence) {
  return std::string(session) + "/" + std::to_string(sequence);
}

bool IsExchangeId(std::string_view text) {
  return text.size() == kLength && text.find_first_not_of(kAlphabet) == std::string_view::npos;
}

}  // namespace comity::matching
