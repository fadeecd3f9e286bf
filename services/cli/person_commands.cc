// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <nlohmann/json.hpp>

#include "comity/v1/people.grpc.pb.h"
#include "services/cli/approval_text.h"
#include "services/cli/commands.h"
#include "services/cli/local_file.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/wire_text.h"
#include "services/identity/role.h"
#include "services/transport/person_card.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxCard = 64 * 1024;

struct PersonOptions {
  std::string person, card, post, reason;
  std::vector<std::string> roles;
};

std::string RoleHelp() {
  std::string help = "a role, repeatable:";
  for (std::uint8_t i = 0; i < identity::kRoleCount; ++i) {
    help += " " + std::string(identity::Name(static_cast<identity::Role>(i)));
  }
  return help;
}

Json PersonJson(const v1::Person& person) {
  Json json = {{"id", person.id()},
               {"post", person.post()},
               {"roles", Json::array()},
               {"state", person.state()},
               {"tls_key", HexText(person.tls_key())},
               {"signing_key", person.signing_key()},
               {"added_at", TimeText(person.added_at())},
               {"changed_at", TimeText(person.changed_at())}};
  for (const std::string& role : person.roles()) json["roles"].push_back(role);
  return json;
}

std::string RolesText(const v1::Person& person) {
  std::string text;
  for (const std::string& role : person.roles()) text += (text.empty() ? "" : ", ") + role;
  return text;
}

Result<ExitCode> List(const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(
      const v1::ListPeopleResponse response,
      gateway.Call<v1::People>(&v1::People::Stub::List, v1::ListPeopleRequest()));
  Table table({"PERSON", "POST", "ROLES", "STATE", "CHANGED"});
  Json json = Json::array();
  for (const v1::Person& person : response.people()) {
    json.push_back(PersonJson(person));
    table.Add({person.id(), person.post(), RolesText(person), person.state(),
               TimeText(person.changed_at())});
  }
  if (session.json) {
    PrintJson(json);
  } else {
    Print(table.empty() ? "no people\n" : table.Text());
  }
  return ExitCode::kOk;
}

Result<v1::PersonCard> ReadCard(const std::string& file) {
  COMITY_ASSIGN_OR_RETURN(const std::string text, ReadLocalText(file, kMaxCard));
  COMITY_ASSIGN_OR_RETURN(const transport::PersonCard card, transport::ParsePersonCard(text));
  v1::PersonCard proto;
  proto.set_id(card.id);
  proto.set_post(card.post);
  proto.set_certificate(card.certificate);
  proto.set_signing_key(card.signing_key);
  return proto;
}

Status CheckRoles(const std::vector<std::string>& names) {
  COMITY_ASSIGN_OR_RETURN(const identity::RoleSet roles, identity::RoleSet::Parse(names));
  return identity::CheckTogether(roles);
}

Result<ExitCode> Add(const PersonOptions& options, const Session& session) {
  COMITY_RETURN_IF_ERROR(CheckRoles(options.roles));
  v1::AddPersonRequest request;
  COMITY_ASSIGN_OR_RETURN(*request.mutable_card(), ReadCard(options.card));
  for (const std::string& role : options.roles) request.add_roles(role);
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::PendingAct act,
                          gateway.Call<v1::People>(&v1::People::Stub::Add, request));
  ReportPending(act, session.json);
  return ExitCode::kOk;
}

Result<ExitCode> Change(const PersonOptions& options, const Session& session) {
  if (options.roles.empty() && options.post.empty() && options.card.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "give what changes: --role, --post or --card");
  }
  v1::ChangePersonRequest request;
  request.set_id(options.person);
  request.set_post(options.post);
  if (!options.roles.empty()) COMITY_RETURN_IF_ERROR(CheckRoles(options.roles));
  for (const std::string& role : options.roles) request.add_roles(role);
  if (!options.card.empty()) {
    COMITY_ASSIGN_OR_RETURN(*request.mutable_card(), ReadCard(options.card));
  }
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::PendingAct act,
                          gateway.Call<v1::People>(&v1::People::Stub::Change, request));
  ReportPending(act, session.json);
  return ExitCode::kOk;
}

Result<ExitCode> Revoke(const PersonOptions& options, const Session& session) {
  v1::RevokePersonRequest request;
  request.set_id(options.person);
  request.set_reason(options.reason);
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::RevokePersonResponse response,
                          gateway.Call<v1::People>(&v1::People::Stub::Revoke, request));
  if (response.has_pending()) {
    ReportPending(response.pending(), session.json);
  } else if (session.json) {
    PrintJson(Json{{"id", options.person}, {"state", "revoked"}});
  } else {
    Print("The access of " + Clean(options.person) +
          " has ended. Revoke the certificate too: comity pki revoke\n");
  }
  return ExitCode::kOk;
}

}  // namespace

void AddPersonCommands(CommandLine& line, Session& session) {
  line.Group("person", "the agency's people and their roles");
  line.Add(
      {"person list", "people, their posts, roles and state",
       "Prints everybody who was ever registered at the own gateway.", "", "comity person list"},
      Asks::kGateway, [&session] { return List(session); });
  auto options = std::make_shared<PersonOptions>();
  line.Add(
          {"person add", "propose to add a person",
           "Takes the person's card, which 'comity pki issue --person' writes: their private keys\n"
           "stay with them. Another administrator approves. Nobody holds roles together that "
           "oversee\n"
           "and operate.",
           "the id or a key is another's, or it waits already",
           "comity person add j-smith.card.toml --role operator"},
          Asks::kGateway, [options, &session] { return Add(*options, session); })
      .Add({"card", "CARD", "the person's card", true}, options->card)
      .Add({"--role", "ROLE", RoleHelp(), true}, options->roles);
  options = std::make_shared<PersonOptions>();
  line.Add({"person role", "propose to change a person's roles, post or keys",
            "What is not given stays as it is; --role gives all roles that the person then has.\n"
            "Another administrator approves.",
            "nothing would change, or the person's access has ended",
            "comity person role j-smith --role supervisor --role operator"},
           Asks::kGateway, [options, &session] { return Change(*options, session); })
      .Add({"person", "PERSON", "the person's id", true}, options->person)
      .Add({"--role", "ROLE", RoleHelp(), false}, options->roles)
      .Add({"--post", "TEXT", "the new post", false}, options->post)
      .Add({"--card", "CARD", "a card with new keys", false}, options->card);
  options = std::make_shared<PersonOptions>();
  line.Add({"person revoke", "end a person's access",
            "Takes effect at the next call, and within two seconds in open streams. For a person "
            "with\n"
            "a privileged role (dpo, signatory, auditor, administrator, key-administrator) it "
            "waits\n"
            "for a second person.",
            "it has ended already, or it is the last administrator's",
            "comity person revoke j-smith --reason 'left the agency'"},
           Asks::kGateway, [options, &session] { return Revoke(*options, session); })
      .Add({"person", "PERSON", "the person's id", true}, options->person)
      .Add({"--reason", "TEXT", "why, up to 1000 octets", true}, options->reason);
}

}  // namespace comity::cli
