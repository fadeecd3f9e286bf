// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "comity/v1/certificates.grpc.pb.h"
#include "comity/v1/peers.grpc.pb.h"
#include "policy/model/instant.h"
#include "services/cli/approval_text.h"
#include "services/cli/commands.h"
#include "services/cli/local_file.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/peer_text.h"
#include "services/cli/wire_text.h"
#include "services/transport/fingerprint.h"
#include "services/transport/peer_card.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaxOverlapHours = 90 * 24;
constexpr std::uint64_t kDefaultOverlapHours = 14 * 24;

struct PeerOptions {
  std::string card, address, out, agency, reason, announced, compromised_since;
  std::optional<std::uint64_t> overlap_hours;
};

Result<ExitCode> Invite(const PeerOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  v1::InvitePeerRequest request;
  request.set_address(options.address);
  COMITY_ASSIGN_OR_RETURN(const v1::InvitePeerResponse response,
                          gateway.Call<v1::Peers>(&v1::Peers::Stub::Invite, request));
  if (!options.out.empty()) COMITY_RETURN_IF_ERROR(WriteNewFile(options.out, response.card()));
  if (session.json) {
    PrintJson(TermsJson(response.terms()));
  } else if (options.out.empty()) {
    Print(response.card());
    PrintError(TermsText(response.terms()));
  } else {
    Print(TermsText(response.terms()) +
          "Give the card to the partner. When its people call you on a number known before, read "
          "the\ncard fingerprint to them.\n");
  }
  return ExitCode::kOk;
}

// What is shown before the gateway is asked: whoever accepts a card sees what it is.
Result<std::string> ReadCard(const std::string& file, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(std::string text, ReadLocalText(file, transport::kMaxPeerCard));
  COMITY_ASSIGN_OR_RETURN(const transport::PeerCard card, transport::ParsePeerCard(text));
  if (!session.json) {
    PrintError("card of " + card.agency + " (" + Clean(card.name) + ") at " + card.address +
               ", fingerprint " + transport::EncodeFingerprint(transport::CardFingerprint(card)));
  }
  return text;
}

Result<ExitCode> Accept(const PeerOptions& options, const Session& session) {
  v1::AcceptPeerRequest request;
  COMITY_ASSIGN_OR_RETURN(*request.mutable_card(), ReadCard(options.card, session));
  request.set_address(options.address);
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::PendingAct act,
                          gateway.Call<v1::Peers>(&v1::Peers::Stub::Accept, request));
  ReportPending(act, session.json);
  return ExitCode::kOk;
}

Result<v1::RekeyPeerRequest> RekeyRequest(const PeerOptions& options, const Session& session) {
  v1::RekeyPeerRequest request;
  if (options.card.empty() == options.announced.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "give one of CARD and --announced");
  }
  request.set_announced(options.announced);
  if (!options.card.empty()) {
    COMITY_ASSIGN_OR_RETURN(*request.mutable_card(), ReadCard(options.card, session));
  }
  request.set_address(options.address);
  if (options.compromised_since.empty()) {
    request.set_overlap_hours(
        static_cast<std::uint32_t>(options.overlap_hours.value_or(kDefaultOverlapHours)));
    return request;
  }
  if (options.overlap_hours) {
    return Fail(ErrorCode::kInvalidArgument, "compromised keys have no --overlap-hours");
  }
  COMITY_ASSIGN_OR_RETURN(const policy::Instant since,
                          policy::ParseInstant(options.compromised_since));
  *request.mutable_compromised_since() = ToTimestamp(since);
  return request;
}

Result<ExitCode> Rekey(const PeerOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const v1::RekeyPeerRequest request, RekeyRequest(options, session));
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::PendingAct act,
                          gateway.Call<v1::Peers>(&v1::Peers::Stub::Rekey, request));
  ReportPending(act, session.json);
  return ExitCode::kOk;
}

// What this gateway bars of partners' gateways, as whoever revoked it said whose it is.
std::vector<v1::CertificateRevocation> RevokedOf(
    const v1::ListPeersResponse& peers, const v1::ListCertificateRevocationsResponse& revocations) {
  std::vector<v1::CertificateRevocation> revoked;
  for (const v1::CertificateRevocation& one : revocations.revocations()) {
    const bool is_partners = std::ranges::any_of(peers.peers(), [&](const v1::Peer& peer) {
      return peer.terms().spiffe_id() == one.subject();
    });
    if (is_partners) revoked.push_back(one);
  }
  return revoked;
}

Result<ExitCode> List(const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::ListPeersResponse response,
                          gateway.Call<v1::Peers>(&v1::Peers::Stub::List, v1::ListPeersRequest()));
  COMITY_ASSIGN_OR_RETURN(const v1::ListCertificateRevocationsResponse revocations,
                          gateway.Call<v1::Certificates>(&v1::Certificates::Stub::List,
                                                         v1::ListCertificateRevocationsRequest()));
  Json json = PeersJson(response);
  json["revocations"] = Json::array();
  std::string text = PeersText(response);
  for (const v1::CertificateRevocation& one : RevokedOf(response, revocations)) {
    json["revocations"].push_back({{"revocation", one.revocation()}, {"subject", one.subject()}});
    text += "revoked here  " + Clean(one.revocation()) + ": a " +
            (one.scope() == v1::REVOCATION_SCOPE_KEY ? "key" : "certificate") + " of " +
            Clean(one.subject()) + ", by " + Clean(one.set_by()) + ": " + Clean(one.reason()) +
            "\n";
  }
  if (session.json) {
    PrintJson(json);
  } else {
    Print(text);
  }
  return ExitCode::kOk;
}

Result<ExitCode> Suspend(const PeerOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  v1::SuspendPeerRequest request;
  request.set_agency(options.agency);
  request.set_reason(options.reason);
  COMITY_ASSIGN_OR_RETURN(const v1::Peer peer,
                          gateway.Call<v1::Peers>(&v1::Peers::Stub::Suspend, request));
  if (session.json) {
    PrintJson(Json{{"agency", peer.terms().agency()}, {"state", peer.state()}});
  } else {
    Print(Clean(peer.terms().agency()) +
          " is suspended; its calls are refused, and open ones end within a second\n");
  }
  return ExitCode::kOk;
}

template <typename Request>
Result<ExitCode> Propose(grpc::Status (v1::Peers::Stub::*method)(grpc::ClientContext*,
                                                                 const Request&, v1::PendingAct*),
                         const PeerOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  Request request;
  request.set_agency(options.agency);
  request.set_reason(options.reason);
  COMITY_ASSIGN_OR_RETURN(const v1::PendingAct act, gateway.Call<v1::Peers>(method, request));
  ReportPending(act, session.json);
  return ExitCode::kOk;
}

const OptionText kAddress = {"--address", "HOST:PORT", "another address than the card's", false};

void AddEnrolment(CommandLine& line, Session& session) {
  auto options = std::make_shared<PeerOptions>();
  line.Add({"peer invite", "the card by which a partner enrols this agency",
            "Writes this agency's card: id, address, keys, CA certificate, signed by the agency "
            "key. It\n"
            "holds no secret. Read its fingerprint to the partner's people when they call you; "
            "they\n"
            "need it to approve.",
            "FILE exists already",
            "comity peer invite --address gw.northshire.example:7443 --out northshire.card.toml"},
           Asks::kGateway, [options, &session] { return Invite(*options, session); })
      .Add({"--address", "HOST:PORT",
            "where partners reach this gateway; default: listen.federation", false},
           options->address)
      .Add({"--out", "FILE", "file to write; default: standard output", false}, options->out);
  options = std::make_shared<PeerOptions>();
  line.Add(
          {"peer accept", "enrol a partner agency",
           "Proposes to enrol the agency of a card. A second person calls the partner on a number\n"
           "known before and approves with the fingerprint that is read out there. The partner\n"
           "does the same with this agency's card; 'comity peer list' shows both sides.",
           "it is enrolled, or its id, domain or keys are or were another agency's",
           "comity peer accept eastvale.card.toml"},
          Asks::kGateway, [options, &session] { return Accept(*options, session); })
      .Add({"card", "CARD", "the partner's card", true}, options->card)
      .Add(kAddress, options->address);
}

void AddRekey(CommandLine& line, Session& session) {
  const auto options = std::make_shared<PeerOptions>();
  line.Add({"peer rekey", "replace a partner's keys or address",
            "Proposes to take over a partner's new card: keys, CA certificate, address. The old "
            "keys\n"
            "are accepted for a while beside the new ones, unless they were compromised: then\n"
            "nothing they signed since counts. With the own next card ('comity pki rotate-key'):\n"
            "announces it to all partners.",
            "the card changes nothing, or its keys are or were another agency's",
            "comity peer rekey eastvale.card.toml --compromised-since 2026-11-20T00:00:00Z"},
           Asks::kGateway, [options, &session] { return Rekey(*options, session); })
      .Add({"card", "CARD", "the new card", false}, options->card)
      .Add({"--announced", "AGENCY", "instead: the card that this partner announced", false},
           options->announced)
      .Add(kAddress, options->address)
      .Add({"--overlap-hours", "N", "how long the old keys are accepted, 0 to 2160; default 336",
            false},
           CountTarget{options->overlap_hours, 0, kMaxOverlapHours})
      .Add({"--compromised-since", "INSTANT", "the old keys count for nothing since", false},
           options->compromised_since);
}

void AddStates(CommandLine& line, Session& session) {
  line.Add({"peer list", "partner agencies",
            "Prints every partner: state here and there, whether it answers, address, protocol,\n"
            "clock, messages it has not acknowledged, all keys it ever had, and what this gateway\n"
            "has revoked of it.",
            "", "comity peer list"},
           Asks::kGateway, [&session] { return List(session); });
  const OptionText agency = {"agency", "AGENCY", "id of the partner", true};
  const OptionText reason = {"--reason", "TEXT", "why, up to 1000 octets", true};
  auto options = std::make_shared<PeerOptions>();
  line.Add({"peer suspend", "suspend a partner at once",
            "One person is enough. Open searches between the two end within a second, new calls\n"
            "are refused on both sides.",
            "it is not active", "comity peer suspend eastvale-council --reason 'key lost'"},
           Asks::kGateway, [options, &session] { return Suspend(*options, session); })
      .Add(agency, options->agency)
      .Add(reason, options->reason);
  options = std::make_shared<PeerOptions>();
  line.Add({"peer resume", "resume a suspended partner", "Proposes it; a second person approves.",
            "it is not suspended", "comity peer resume eastvale-council --reason 'key replaced'"},
           Asks::kGateway,
           [options, &session] { return Propose(&v1::Peers::Stub::Resume, *options, session); })
      .Add(agency, options->agency)
      .Add(reason, options->reason);
  options = std::make_shared<PeerOptions>();
  line.Add({"peer remove", "remove a partner",
            "Proposes it; a second person approves. Its keys stay for checking what it signed.",
            "it is removed already", "comity peer remove eastvale-council --reason 'merged'"},
           Asks::kGateway,
           [options, &session] { return Propose(&v1::Peers::Stub::Remove, *options, session); })
      .Add(agency, options->agency)
      .Add(reason, options->reason);
}

}  // namespace

void AddPeerCommands(CommandLine& line, Session& session) {
  line.Group("peer", "partner agencies");
  AddEnrolment(line, session);
  AddRekey(line, session);
  AddStates(line, session);
}

}  // namespace comity::cli
