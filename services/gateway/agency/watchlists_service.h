// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>

#include "comity/v1/watchlists.grpc.pb.h"
#include "services/gateway/agency/gallery_loader.h"
#include "services/gateway/federation/sealed_desk.h"
#include "services/gateway/wire/callers.h"
#include "services/identity/approvals.h"
#include "services/matching/answer_barrier.h"
#include "services/watchlists/manifest.h"
#include "services/watchlists/register.h"

namespace comity::gateway {

// comity.v1.Watchlists at the agency port. Threads: thread-safe.
class WatchlistsService final : public v1::Watchlists::Service {
 public:
  struct Ports {
    AgencyCallers& callers;
    watchlists::Register& watchlists;
    watchlists::Manifests& manifests;
    identity::Approvals& approvals;
    GalleryLoader& galleries;
    SealedDesk& sealed;
    matching::AnswerBarrier& barrier;
    const runtime::Clock& clock;
    std::uint64_t max_entries;  // of one list
    std::uint64_t max_lists;    // that are not deleted
  };
  // All references must outlive the object.
  explicit WatchlistsService(Ports ports) : ports_(ports) {}

  grpc::Status Draft(grpc::ServerContext* context, const v1::DraftWatchlistRequest* request,
                     v1::DraftWatchlistResponse* response) override;
  grpc::Status Add(grpc::ServerContext* context, grpc::ServerReader<v1::AddEntriesRequest>* reader,
                   v1::AddEntriesResponse* response) override;
  grpc::Status Copy(grpc::ServerContext* context, const v1::CopyEntriesRequest* request,
                    v1::AddEntriesResponse* response) override;
  grpc::Status Submit(grpc::ServerContext* context, const v1::SubmitWatchlistRequest* request,
                      v1::PendingAct* response) override;
  grpc::Status Status(grpc::ServerContext* context, const v1::WatchlistStatusRequest* request,
                      v1::WatchlistStatusResponse* response) override;
  grpc::Status Show(grpc::ServerContext* context, const v1::ShowWatchlistRequest* request,
                    v1::ShowWatchlistResponse* response) override;
  grpc::Status ShowEntry(grpc::ServerContext* context, const v1::ShowEntryRequest* request,
                         v1::ShowEntryResponse* response) override;
  grpc::Status ApproveEntries(grpc::ServerContext* context,
                              const v1::ApproveEntriesRequest* request,
                              v1::PendingAct* response) override;
  grpc::Status Withdraw(grpc::ServerContext* context, const v1::WithdrawEntryRequest* request,
                        v1::WithdrawEntryResponse* response) override;
  grpc::Status Correct(grpc::ServerContext* context, const v1::CorrectEntryRequest* request,
                       v1::CorrectEntryResponse* response) override;
  grpc::Status Restrict(grpc::ServerContext* context, const v1::RestrictEntryRequest* request,
                        v1::RestrictEntryResponse* response) override;
  grpc::Status Unrestrict(grpc::ServerContext* context, const v1::UnrestrictEntryRequest* request,
                          v1::PendingAct* response) override;
  grpc::Status Close(grpc::ServerContext* context, const v1::CloseWatchlistRequest* request,
                     v1::CloseWatchlistResponse* response) override;
  grpc::Status Shred(grpc::ServerContext* context, const v1::ShredWatchlistRequest* request,
                     v1::ShredWatchlistResponse* response) override;
  grpc::Status Audit(grpc::ServerContext* context, const v1::AuditWatchlistRequest* request,
                     v1::AuditWatchlistResponse* response) override;
  grpc::Status Manifest(grpc::ServerContext* context, const v1::ManifestRequest* request,
                        grpc::ServerWriter<v1::ManifestPart>* writer) override;
  grpc::Status WasOn(grpc::ServerContext* context, const v1::WasOnRequest* request,
                     v1::WasOnResponse* response) override;

 private:
  v1::WatchlistSummary SummaryOf(const watchlists::ListStatus& status) const;
  Result<std::uint64_t> ActiveIn(const policy::WatchlistId& list) const;
  // An act on an entry came to this end: the entry matches no more, unless the act has certainly
  // not happened. Also of one that has ended already: an earlier attempt may have failed in
  // between. Returns `act`.
  comity::Status TakeOut(const policy::WatchlistId& list, const std::string& reference,
                         const comity::Status& act);
  comity::Status CheckRoom() const;

  std::mutex importing_;  // held by the one import under way: it may take 2 GiB
  std::mutex auditing_;   // held by the one audit under way: it may take minutes of a core
  Ports ports_;
};

}  // namespace comity::gateway
