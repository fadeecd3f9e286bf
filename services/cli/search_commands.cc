// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "comity/v1/recognition.grpc.pb.h"
#include "services/cli/commands.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/search_identify.h"
#include "services/cli/search_text.h"

namespace comity::cli {
namespace {

Result<ExitCode> Offers(const std::string& holder, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  v1::OffersRequest request;
  request.set_holder(holder);
  COMITY_ASSIGN_OR_RETURN(const v1::OffersResponse response,
                          gateway.Call<v1::Recognition>(&v1::Recognition::Stub::Offers, request));
  if (session.json) {
    PrintJson(OffersJson(response));
  } else {
    Print(OffersText(response));
  }
  const bool some = std::ranges::any_of(
      response.holders(), [](const v1::HolderOffers& one) { return !one.offers().empty(); });
  return some ? ExitCode::kOk : ExitCode::kNo;
}

}  // namespace

void AddSearchCommands(CommandLine& line, Session& session) {
  line.Group("search", "single searches for a case, and what partners offer");
  AddSearchIdentify(line, session);
  const auto holder = std::make_shared<std::string>();
  line.Add(
          {"search offers", "what partners let this agency search now",
           "Asks a partner, or all of them, what may be searched there at this moment: agreement,\n"
           "clause, purpose, categories with their number of entries, engine, floor, mode and how\n"
           "many probes are left today. No entries.",
           "nothing is offered", "comity search offers northshire-police"},
          Asks::kGateway, [holder, &session] { return Offers(*holder, session); })
      .Add({"holder", "AGENCY", "agency id; default: all partners", false}, *holder);
}

}  // namespace comity::cli
