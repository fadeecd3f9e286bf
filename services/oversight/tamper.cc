// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/tamper.h"

#include "services/audit/events.h"

namespace comity::oversight {
namespace {

using identity::Role;

// Whom it concerns that somebody writes to the database behind the gateway's back.
constexpr identity::RoleSet kAudience{Role::kSupervisor,    Role::kDpo,
                                      Role::kSignatory,     Role::kAuditor,
                                      Role::kAdministrator, Role::kKeyAdministrator};

constexpr std::size_t kMostOfFault = 300;  // octets

// Some of it are a database's words, which are whoever's who writes to it: they must not keep it
// from being told.
std::string Bounded(std::string_view fault) {
  std::string words;
  for (const char octet : fault.substr(0, kMostOfFault)) {
    words.push_back(octet >= ' ' && octet <= '~' ? octet : '?');
  }
  if (fault.size() > kMostOfFault) words += "...";
  return words;
}

}  // namespace

Status TellOfTamper(const TamperPorts& ports, const Tamper& tamper) {
  const std::string fault = Bounded(tamper.fault);
  ports.logger.Error("tamper-found",
                     {{"table", tamper.table}, {"reason", fault}, {"effect", tamper.effect}});
  audit::Event event;
  event.type = audit::kTamperFound;
  event.time = ports.clock.Now();
  event.parties = {ports.own};
  event.decision_code = tamper.table;
  event.committed = {{"reason", fault}};
  COMITY_RETURN_IF_ERROR(ports.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        COMITY_RETURN_IF_ERROR(recorder.Record(event));
        return ports.notices.Post(
            transaction, recorder,
            {identity::notice::kTamperFound, kAudience, "table " + tamper.table,
             "The database's table " + tamper.table + " is not to be trusted: " + fault + ". " +
                 "Until it is put right, " + tamper.effect +
                 ". Find out who writes to the database; then the newest backup is restored and "
                 "two people confirm it."});
      }));
  ports.notices.Announce();
  return {};
}

}  // namespace comity::oversight
