// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "services/cli/node_text.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

Json PeerJson(const v1::PeerStatus& peer, bool contacted) {
  Json json = {{"agency", peer.agency()}, {"address", peer.address()}};
  json["reachable"] = contacted ? Json(peer.reachable()) : Json(nullptr);
  json["fault"] = peer.fault().empty() ? Json(nullptr) : Json(peer.fault());
  json["clock_skew_ms"] = peer.reachable() ? Json(peer.clock_skew_ms()) : Json(nullptr);
  json["protocol"] = peer.reachable() ? Json(peer.protocol()) : Json(nullptr);
  json["certificate_expires_at"] =
      peer.reachable() ? Json(TimeText(peer.certificate_expires_at())) : Json(nullptr);
  return json;
}

template <typename Rows, typename ToRow>
Json RowsOf(const Rows& rows, ToRow to_row) {
  Json json = Json::array();
  for (const auto& row : rows) json.push_back(to_row(row));
  return json;
}

void AddExchange(const v1::NodeHealth& health, Json& json) {
  json["partners"] = RowsOf(health.partners(), [](const v1::PartnerHealth& partner) {
    return Json{{"agency", partner.agency()},     {"state", partner.state()},
                {"presence", partner.presence()}, {"last_seen", TimeText(partner.last_seen())},
                {"waiting", partner.waiting()},   {"oldest", TimeText(partner.oldest())},
                {"refused", partner.refused()}};
  });
  json["agreements"] = RowsOf(health.agreements(), [](const v1::AgreementHealth& agreement) {
    return Json{
        {"agreement", agreement.agreement()},   {"status", agreement.status()},
        {"until", TimeText(agreement.until())}, {"review_by", TimeText(agreement.review_by())},
        {"reviewed", agreement.reviewed()},     {"differs", agreement.differs()}};
  });
  json["capacities"] = RowsOf(health.capacities(), [](const v1::CapacityHealth& row) {
    return Json{{"agreement", row.agreement()}, {"clause", row.clause()},
                {"requester", row.requester()}, {"holder", row.holder()},
                {"used", row.used()},           {"limit", row.limit()}};
  });
}

void AddLists(const v1::NodeHealth& health, Json& json) {
  json["lists"] = RowsOf(health.lists(), [](const v1::ListHealth& list) {
    return Json{{"list", list.list()},
                {"state", list.state()},
                {"searchable", list.searchable()},
                {"active", list.active()},
                {"stale", list.stale()},
                {"delete_by", TimeText(list.delete_by())}};
  });
  json["copies"] = RowsOf(health.copies(), [](const v1::CopyHealth& copy) {
    return Json{
        {"holder", copy.holder()}, {"lists", copy.lists()}, {"oldest", TimeText(copy.oldest())}};
  });
}

void AddDecisions(const v1::NodeHealth& health, Json& json) {
  json["certificates"] = RowsOf(health.certificates(), [](const v1::CertificateHealth& one) {
    return Json{{"what", one.what()}, {"expires_at", TimeText(one.expires_at())}};
  });
  json["stops"] = RowsOf(health.stops(), [](const v1::StopHealth& stop) {
    return Json{{"stop", stop.stop()},
                {"scope", stop.scope()},
                {"reference", stop.reference()},
                {"set_by", stop.set_by()},
                {"set_at", TimeText(stop.set_at())}};
  });
  json["revocations"] = RowsOf(health.revocations(), [](const v1::RevocationHealth& one) {
    return Json{{"revocation", one.revocation()},
                {"scope", one.scope()},
                {"subject", one.subject()},
                {"set_by", one.set_by()},
                {"set_at", TimeText(one.set_at())}};
  });
  json["approvals"] = RowsOf(health.approvals(), [](const v1::ApprovalHealth& approval) {
    return Json{{"approval", approval.approval()},
                {"act", approval.act()},
                {"subject", approval.subject()},
                {"expires_at", TimeText(approval.expires_at())}};
  });
  json["notices"] = health.notices();
}

Json HealthJson(const v1::NodeHealth& health) {
  Json json = {
      {"withheld", health.withheld()},     {"cut", health.cut()},
      {"schema", health.schema()},         {"disk_free", health.disk_free()},
      {"disk_size", health.disk_size()},   {"checkpoint_at", TimeText(health.checkpoint_at())},
      {"publishing", health.publishing()}, {"log_problem", health.log_problem()}};
  AddExchange(health, json);
  AddLists(health, json);
  AddDecisions(health, json);
  return json;
}

}  // namespace

Json NodeJson(const NodeReport& report) {
  const v1::NodeStatusResponse& status = report.status;
  Json json = {{"agency", status.agency()},
               {"version", status.version()},
               {"now", TimeText(status.now())},
               {"started_at", TimeText(status.started_at())},
               {"log_size", status.log_size()},
               {"checkpoint_size", status.checkpoint_size()},
               {"certificate_expires_at", TimeText(status.certificate_expires_at())},
               {"configuration", HexText(status.configuration())},
               {"configuration_acknowledged", status.configuration_acknowledged()}};
  json["attention"] = RowsOf(report.concerns, [](const Concern& concern) {
    return Json{{"words", concern.words}, {"remedy", concern.remedy}};
  });
  json["peers"] = RowsOf(
      status.peers(), [&](const v1::PeerStatus& peer) { return PeerJson(peer, report.contacted); });
  json["health"] = status.has_health() ? HealthJson(status.health()) : Json(nullptr);
  return json;
}

}  // namespace comity::cli
