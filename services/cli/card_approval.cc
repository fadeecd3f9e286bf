// SPDX-License-Identifier: Apache-2.0
#include "services/cli/card_approval.h"

#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "crypto/base/canonical_json.h"
#include "services/cli/output.h"
#include "services/transport/fingerprint.h"
#include "services/transport/peer_card.h"

namespace comity::cli {
namespace {

constexpr std::size_t kMaxContent = std::size_t{256} << 10;

// The card itself, not what the gateway says about it.
Result<transport::PeerCard> CardOf(const v1::PendingAct& act) {
  COMITY_ASSIGN_OR_RETURN(const auto content, ParseCanonicalJson(act.content(), kMaxContent));
  if (!content.is_object() || !content.contains("card") || !content.at("card").is_string()) {
    return Fail(ErrorCode::kCorrupt, "the act holds no card");
  }
  return transport::ParsePeerCard(content.at("card").get<std::string>());
}

Result<std::string> AskFor(const v1::PendingAct& act) {
  if (isatty(STDIN_FILENO) == 0) {
    return Fail(ErrorCode::kInvalidArgument,
                "give --fingerprint: what the partner read out over another way");
  }
  PrintError(Clean(act.words(), Lines::kKeep));
  std::cerr << "Card fingerprint that the partner read out: " << std::flush;
  std::string line;
  std::getline(std::cin, line);
  return line;
}

}  // namespace

bool TakesCard(const v1::PendingAct& act) {
  return act.act() == "peer-enrol" || act.act() == "peer-rekey";
}

Result<std::string> ComparedFingerprint(const v1::PendingAct& act, std::string typed) {
  COMITY_ASSIGN_OR_RETURN(const transport::PeerCard card, CardOf(act));
  if (typed.empty()) {
    COMITY_ASSIGN_OR_RETURN(typed, AskFor(act));
  }
  COMITY_ASSIGN_OR_RETURN(const Digest told, transport::ParseFingerprint(typed));
  if (told == transport::CardFingerprint(card)) return transport::EncodeFingerprint(told);
  return Fail(ErrorCode::kConflict,
              "the fingerprint that was read out is not that of the card: the card is not the "
              "agency's, or was changed on its way; reject it: comity approvals reject " +
                  act.approval());
}

}  // namespace comity::cli
