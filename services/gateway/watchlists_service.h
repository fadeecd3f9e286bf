// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>

#include "comity/v1/watchlists.grpc.pb.h"
#include "services/gateway/callers.h"
#include "services/gateway/gallery_loader.h"
#include "services/watchlists/import.h"
#include "services/watchlists/register.h"

namespace comity::gateway {

// comity.v1.Watchlists at the agency port. Threads: thread-safe.
class WatchlistsService final : public v1::Watchlists::Service {
 public:
  struct Ports {
    AgencyCallers& callers;
    watchlists::Register& watchlists;
    GalleryLoader& galleries;
    const runtime::Clock& clock;
    std::uint64_t max_entries;  // of one list
    std::uint64_t max_lists;
  };
  // All references must outlive the object.
  explicit WatchlistsService(Ports ports) : ports_(ports) {}

  grpc::Status Import(grpc::ServerContext* context,
                      grpc::ServerReader<v1::ImportWatchlistRequest>* reader,
                      v1::ImportWatchlistResponse* response) override;
  grpc::Status Status(grpc::ServerContext* context, const v1::WatchlistStatusRequest* request,
                      v1::WatchlistStatusResponse* response) override;
  grpc::Status Withdraw(grpc::ServerContext* context, const v1::WithdrawEntryRequest* request,
                        v1::WithdrawEntryResponse* response) override;

 private:
  std::mutex importing_;  // held by the one import under way: it may take 2 GiB
  Ports ports_;
};

}  // namespace comity::gateway
