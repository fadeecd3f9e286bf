// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/agreement_life_store.h"

#include <utility>

#include "services/store/sql/guarded_call.h"
#include "services/store/sql/row.h"

namespace comity::store {
namespace {

// The first three columns of each SELECT of this file.
Result<policy::AgreementRef> ReadAgreement(const Query& row) {
  policy::AgreementRef agreement;
  COMITY_ASSIGN_OR_RETURN(agreement.id, ReadId<policy::AgreementId>(row, 0));
  COMITY_ASSIGN_OR_RETURN(agreement.version, ReadUint32(row, 1));
  COMITY_ASSIGN_OR_RETURN(agreement.sha256, ReadDigest(row, 2));
  return agreement;
}

}  // namespace

Status SqlAgreementLifeStore::Mark(const AgreementMark& mark) {
  return GuardedStep(connection_, "mark the agreement", [&]() -> Status {
    const std::uint64_t added =
        Query(connection_,
              "INSERT INTO agreement_mark (agreement, version, sha256, mark, at)"
              " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
              mark.agreement.id.text(), mark.agreement.version, mark.agreement.sha256.view(),
              mark.mark, mark.at)
            .Run();
    return IfAdded(added, "the agreement's version has this mark already");
  });
}

Result<std::vector<AgreementMark>> SqlAgreementLifeStore::Marks() const {
  using Marks = std::vector<AgreementMark>;
  return GuardedStep(connection_, "read the marks of agreements", [&]() -> Result<Marks> {
    Query row(connection_,
              "SELECT agreement, version, sha256, mark, at FROM agreement_mark"
              " ORDER BY agreement, version, mark");
    Marks marks;
    while (row.Next()) {
      COMITY_ASSIGN_OR_RETURN(auto agreement, ReadAgreement(row));
      marks.push_back({std::move(agreement), row.Text(3), row.Time(4)});
    }
    return marks;
  });
}

Status SqlAgreementLifeStore::PutPeerStatus(const PeerStatusRecord& status) {
  return GuardedStep(connection_, "store the partner's status", [&]() -> Status {
    Query(connection_,
          "INSERT INTO agreement_peer_status (agreement, version, sha256, peer, status, at)"
          " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (agreement, version, peer) DO UPDATE SET"
          " sha256 = excluded.sha256, status = excluded.status, at = excluded.at",
          status.agreement.id.text(), status.agreement.version, status.agreement.sha256.view(),
          status.peer.text(), status.status, status.at)
        .Run();
    return {};
  });
}

Result<std::vector<PeerStatusRecord>> SqlAgreementLifeStore::PeerStatuses() const {
  using Statuses = std::vector<PeerStatusRecord>;
  return GuardedStep(connection_, "read the partners' statuses", [&]() -> Result<Statuses> {
    Query row(connection_,
              "SELECT agreement, version, sha256, peer, status, at FROM agreement_peer_status"
              " ORDER BY agreement, version, peer");
    Statuses statuses;
    while (row.Next()) {
      COMITY_ASSIGN_OR_RETURN(auto agreement, ReadAgreement(row));
      COMITY_ASSIGN_OR_RETURN(auto peer, ReadId<policy::AgencyId>(row, 3));
      statuses.push_back({std::move(agreement), std::move(peer), row.Text(4), row.Time(5)});
    }
    return statuses;
  });
}

}  // namespace comity::store
