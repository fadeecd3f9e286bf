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

}  // namespace

Status TellOfTamper(const TamperPorts& ports, const Tamper& tamper) {
  ports.logger.Error(
      "tamper-found",
      {{"table", tamper.table}, {"reason", tamper.fault}, {"effect", tamper.effect}});
  audit::Event event;
  event.type = audit::kTamperFound;
  event.time = ports.clock.Now();
  event.parties = {ports.own};
  event.decision_code = tamper.table;
  event.committed = {{"reason", tamper.fault}};
  COMITY_RETURN_IF_ERROR(ports.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        COMITY_RETURN_IF_ERROR(recorder.Record(event));
        return ports.notices.Post(
            transaction, recorder,
            {identity::notice::kTamperFound, kAudience, "table " + tamper.table,
             "The database's table " + tamper.table + " is not to be trusted: " + tamper.fault +
                 ". " + "Until it is put right, " + tamper.effect +
                 ". Find out who writes to the database; then the newest backup is restored and "
                 "two people confirm it."});
      }));
  ports.notices.Announce();
  return {};
}

}  // namespace comity::oversight
