// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/key_change.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "crypto/base/canonical_json.h"
#include "services/gateway/federation/peer_terms.h"
#include "services/identity/json_fields.h"
#include "services/oversight/partner_content.h"
#include "services/transport/fingerprint.h"

namespace comity::gateway {
namespace {

using identity::Role;

constexpr identity::RoleSet kTold{Role::kAdministrator, Role::kKeyAdministrator, Role::kDpo};

identity::Notice NoticeOf(const policy::AgencyId& sender, const Digest& fingerprint,
                          const KeyChange& change) {
  std::string words = sender.text() + " announced its next keys. Card fingerprint: " +
                      transport::EncodeFingerprint(fingerprint) + ".";
  if (change.compromised_since) {
    words += " It says that its present key may be in other hands since " +
             policy::EncodeInstant(*change.compromised_since) +
             ": consider 'comity peer suspend' until the keys are changed.";
  }
  words += " Nothing changes until two people approve: 'comity peer rekey --announced " +
           sender.text() + "'.";
  return {identity::notice::kPeerKeys, kTold, sender.text(), std::move(words)};
}

}  // namespace

std::string EncodeKeyChange(const KeyChange& change) {
  nlohmann::json object = {{"card", change.card}};
  if (change.compromised_since) {
    object["compromised_since"] = policy::EncodeInstant(*change.compromised_since);
  }
  return EncodeCanonicalJson(object);
}

Result<KeyChange> ParseKeyChange(std::string_view content) {
  COMITY_ASSIGN_OR_RETURN(
      auto fields, identity::JsonFields::Parse(content, oversight::kMaxContent, "key change"));
  KeyChange change;
  COMITY_ASSIGN_OR_RETURN(change.card, fields.Text("card"));
  if (fields.Has("compromised_since")) {
    COMITY_ASSIGN_OR_RETURN(change.compromised_since,
                            fields.Parsed("compromised_since", policy::ParseInstant));
  }
  COMITY_RETURN_IF_ERROR(fields.Finish());
  if (EncodeKeyChange(change) == content) return change;
  return Fail(ErrorCode::kInvalidArgument, "key change: an instant is not in UTC form");
}

Result<PartnerMessageHandler::Taken> KeyChangeHandler::Receive(store::Transaction& transaction,
                                                               audit::Recorder& recorder,
                                                               const policy::AgencyId& sender,
                                                               std::string_view content) {
  const auto refuse = [](const Error& error) {
    return Fail(ErrorCode::kInvalidArgument, error.detail);
  };
  const auto change = ParseKeyChange(content);
  if (!change) return refuse(change.error());
  const auto card = transport::ParsePeerCard(change->card);
  if (!card) return refuse(card.error());
  const auto terms = TermsOf(*card);
  if (!terms) return refuse(terms.error());
  COMITY_ASSIGN_OR_RETURN(const auto keys, ports_.peers.SpeakingKeys(sender));
  const bool vouched = std::ranges::any_of(keys, [&](const sign::PublicKey& key) {
    return sign::EncodePublicKey(key) == card->former_key;
  });
  if (terms->agency != sender || !vouched) {
    return refuse({ErrorCode::kInvalidArgument, "the announced card is not one of " +
                                                    sender.text() +
                                                    " that one of its present keys signed too"});
  }
  const identity::PeerAnnouncement announcement{change->card, terms->fingerprint,
                                                change->compromised_since, ports_.clock.Now()};
  COMITY_RETURN_IF_ERROR(ports_.peers.Announce(transaction, recorder, sender, announcement));
  COMITY_RETURN_IF_ERROR(
      ports_.notices.Post(transaction, recorder, NoticeOf(sender, terms->fingerprint, *change)));
  Taken taken;
  taken.after = [this] {
    // The announcement is stored; a failure to read it again shows at the next change.
    (void)ports_.peers.Refresh();
    ports_.notices.Announce();
  };
  return taken;
}

}  // namespace comity::gateway
