// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/watchlists_service.h"

#include <algorithm>
#include <utility>

#include "services/gateway/agency/convert_watchlist.h"
#include "services/gateway/agency/watchlist_upload.h"
#include "services/gateway/wire/convert_approval.h"
#include "services/gateway/wire/convert_time.h"
#include "services/gateway/wire/respond.h"
#include "services/watchlists/acts.h"

namespace comity::gateway {
namespace {

using identity::Act;
using policy::WatchlistId;

constexpr std::uint32_t kManifestPage = 1000;  // rows in one part: at most about 250 KiB

// Whether an act that failed so has certainly not happened.
bool NothingHappened(const comity::Status& status) {
  return !status && (status.error().code == ErrorCode::kNotFound ||
                     status.error().code == ErrorCode::kInvalidArgument);
}

// Whose work it is reads an entry as a matter of course; who samples says why.
comity::Status CheckReading(const identity::Caller& caller, const std::string& reason) {
  constexpr identity::RoleSet kKeepers{identity::Role::kOperator, identity::Role::kSupervisor};
  if (!reason.empty() || caller.roles.Meets(kKeepers)) return {};
  return Fail(ErrorCode::kInvalidArgument, "a data protection officer or auditor gives a reason");
}

}  // namespace

comity::Status WatchlistsService::TakeOut(const WatchlistId& list, const std::string& reference,
                                          const comity::Status& act) {
  if (!NothingHappened(act)) ports_.galleries.Withdraw(list, std::span(&reference, 1));
  return act;
}

Result<std::uint64_t> WatchlistsService::ActiveIn(const WatchlistId& list) const {
  COMITY_ASSIGN_OR_RETURN(const auto lists, ports_.watchlists.StatusOf(list, ports_.clock.Now()));
  return lists.front().counts.active;
}

comity::Status WatchlistsService::CheckRoom() const {
  COMITY_ASSIGN_OR_RETURN(const auto lists,
                          ports_.watchlists.StatusOf(std::nullopt, ports_.clock.Now()));
  const auto held = std::count_if(lists.begin(), lists.end(), [](const auto& list) {
    return list.state != store::ListState::kDeleted;
  });
  if (static_cast<std::uint64_t>(held) < ports_.max_lists) return {};
  return Fail(ErrorCode::kExhausted, "this gateway holds " + std::to_string(held) +
                                         " watchlists, as many as limits.max_lists allows");
}

v1::WatchlistSummary WatchlistsService::SummaryOf(const watchlists::ListStatus& status) const {
  v1::WatchlistSummary summary = ToProto(status);
  if (status.state == store::ListState::kApproved && ports_.galleries.IsHalted(status.list)) {
    summary.set_state("suspended");
    summary.set_searchable(false);
  }
  return summary;
}

grpc::Status WatchlistsService::Draft(grpc::ServerContext* context,
                                      const v1::DraftWatchlistRequest* request,
                                      v1::DraftWatchlistResponse* response) {
  return RespondLocally([&]() -> comity::Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, Act::kWatchlistDraft));
    COMITY_RETURN_IF_ERROR(CheckRoom());
    const watchlists::ParsedDefinition parsed = watchlists::ParseDefinition(request->definition());
    for (const policy::Issue& issue : parsed.issues) {
      v1::DefinitionIssue& fault = *response->add_faults();
      fault.set_line(static_cast<std::uint32_t>(issue.line));
      fault.set_column(static_cast<std::uint32_t>(issue.column));
      fault.set_path(issue.path);
      fault.set_message(issue.message);
    }
    if (!parsed.definition) return {};
    COMITY_RETURN_IF_ERROR(
        ports_.watchlists.Draft(*parsed.definition, request->definition(), caller.person));
    response->set_watchlist(parsed.definition->reference.text());
    return {};
  });
}

grpc::Status WatchlistsService::Add(grpc::ServerContext* context,
                                    grpc::ServerReader<v1::AddEntriesRequest>* reader,
                                    v1::AddEntriesResponse* response) {
  return RespondLocally([&]() -> comity::Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, Act::kWatchlistDraft));
    const std::unique_lock only(importing_, std::try_to_lock);
    if (!only) return Fail(ErrorCode::kUnavailable, "another import is under way; try again later");
    std::optional<UploadCall> call(std::in_place, *context, *reader);
    COMITY_ASSIGN_OR_RETURN(const v1::AddBegin begin, ReceiveBegin(*call));
    COMITY_ASSIGN_OR_RETURN(const WatchlistId list, WatchlistId::Parse(begin.watchlist()));
    COMITY_ASSIGN_OR_RETURN(watchlists::ImportOptions options, ports_.watchlists.OptionsFor(list));
    COMITY_ASSIGN_OR_RETURN(options.format, FormatOf(begin.format()));
    options.limits.max_entries = std::min(options.limits.max_entries, ports_.max_entries);
    COMITY_ASSIGN_OR_RETURN(const Upload upload, ReceiveChunks(*call, options));
    call.reset();  // what follows takes the gateway's time, not the sender's
    const watchlists::ParsedImport parsed =
        watchlists::ParseImport(upload.entries, AsBytes(upload.templates), options);
    FillImport(parsed, *response);
    if (!parsed.ok()) return {};
    COMITY_RETURN_IF_ERROR(ports_.watchlists.Add(list, parsed, caller.person, "file"));
    response->set_entries(parsed.entries.size());
    return {};
  });
}

grpc::Status WatchlistsService::Copy(grpc::ServerContext* context,
                                     const v1::CopyEntriesRequest* request,
                                     v1::AddEntriesResponse* response) {
  return RespondLocally([&]() -> comity::Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, Act::kWatchlistDraft));
    const std::unique_lock only(importing_, std::try_to_lock);
    if (!only) return Fail(ErrorCode::kUnavailable, "another import is under way; try again later");
    COMITY_ASSIGN_OR_RETURN(const WatchlistId from, WatchlistId::Parse(request->from()));
    COMITY_ASSIGN_OR_RETURN(const WatchlistId to, WatchlistId::Parse(request->to()));
    COMITY_ASSIGN_OR_RETURN(const watchlists::ParsedImport copy,
                            ports_.watchlists.CopyFor(from, to));
    FillImport(copy, *response);
    if (!copy.ok()) return {};
    COMITY_RETURN_IF_ERROR(ports_.watchlists.Add(to, copy, caller.person, "list " + from.text()));
    response->set_entries(copy.entries.size());
    return {};
  });
}

grpc::Status WatchlistsService::Submit(grpc::ServerContext* context,
                                       const v1::SubmitWatchlistRequest* request,
                                       v1::PendingAct* response) {
  return RespondLocally([&]() -> comity::Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, Act::kWatchlistApprove));
    COMITY_ASSIGN_OR_RETURN(const WatchlistId list, WatchlistId::Parse(request->watchlist()));
    COMITY_ASSIGN_OR_RETURN(const std::string content,
                            watchlists::ContentToApprove(ports_.watchlists, list));
    COMITY_ASSIGN_OR_RETURN(const auto act,
                            ports_.approvals.Propose(Act::kWatchlistApprove, content,
                                                     "watchlist " + list.text(), caller));
    *response = ToProto(act);
    return {};
  });
}

grpc::Status WatchlistsService::Status(grpc::ServerContext* context,
                                       const v1::WatchlistStatusRequest* request,
                                       v1::WatchlistStatusResponse* response) {
  return RespondLocally([&]() -> comity::Status {
    COMITY_RETURN_IF_ERROR(ports_.callers.Person(*context, Act::kWatchlistRead));
    std::optional<WatchlistId> list;
    if (!request->watchlist().empty()) {
      COMITY_ASSIGN_OR_RETURN(list, WatchlistId::Parse(request->watchlist()));
    }
    COMITY_ASSIGN_OR_RETURN(const auto lists, ports_.watchlists.StatusOf(list, ports_.clock.Now()));
    for (const auto& status : lists) *response->add_watchlists() = SummaryOf(status);
    return {};
  });
}

grpc::Status WatchlistsService::Show(grpc::ServerContext* context,
                                     const v1::ShowWatchlistRequest* request,
                                     v1::ShowWatchlistResponse* response) {
  return RespondLocally([&]() -> comity::Status {
    COMITY_RETURN_IF_ERROR(ports_.callers.Person(*context, Act::kWatchlistRead));
    COMITY_ASSIGN_OR_RETURN(const WatchlistId list, WatchlistId::Parse(request->watchlist()));
    COMITY_ASSIGN_OR_RETURN(const auto lists, ports_.watchlists.StatusOf(list, ports_.clock.Now()));
    COMITY_ASSIGN_OR_RETURN(*response->mutable_definition(), ports_.watchlists.DefinitionOf(list));
    const auto& status = lists.front();
    *response->mutable_summary() = SummaryOf(status);
    response->set_sha256(std::string(AsText(status.definition->sha256.view())));
    response->set_words(watchlists::WordsOf(status));
    return {};
  });
}

grpc::Status WatchlistsService::ShowEntry(grpc::ServerContext* context,
                                          const v1::ShowEntryRequest* request,
                                          v1::ShowEntryResponse* response) {
  return RespondLocally([&]() -> comity::Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, Act::kEntryRead));
    COMITY_RETURN_IF_ERROR(CheckReading(caller, request->reason()));
    COMITY_ASSIGN_OR_RETURN(const WatchlistId list, WatchlistId::Parse(request->watchlist()));
    COMITY_ASSIGN_OR_RETURN(
        const auto views,
        ports_.watchlists.Read(
            {list, {request->reference()}, request->reason(), caller.person.text()}));
    *response->mutable_entry() = ToProto(views.front().record);
    response->set_fields(views.front().fields);
    return {};
  });
}

grpc::Status WatchlistsService::ApproveEntries(grpc::ServerContext* context,
                                               const v1::ApproveEntriesRequest* request,
                                               v1::PendingAct* response) {
  return RespondLocally([&]() -> comity::Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, Act::kEntryApprove));
    COMITY_ASSIGN_OR_RETURN(const WatchlistId list, WatchlistId::Parse(request->watchlist()));
    const std::vector<std::string> references(request->references().begin(),
                                              request->references().end());
    COMITY_ASSIGN_OR_RETURN(const std::string content,
                            watchlists::ContentToClear(ports_.watchlists, list, references));
    COMITY_ASSIGN_OR_RETURN(
        const auto act,
        ports_.approvals.Propose(Act::kEntryApprove, content, "watchlist " + list.text(), caller));
    *response = ToProto(act);
    return {};
  });
}

grpc::Status WatchlistsService::Withdraw(grpc::ServerContext* context,
                                         const v1::WithdrawEntryRequest* request,
                                         v1::WithdrawEntryResponse* response) {
  return RespondLocally([&]() -> comity::Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, Act::kEntryWithdraw));
    COMITY_ASSIGN_OR_RETURN(const WatchlistId list, WatchlistId::Parse(request->watchlist()));
    const comity::Status withdrawn = ports_.watchlists.Withdraw(
        {list, request->reference(), request->reason(), caller.person.text()});
    COMITY_RETURN_IF_ERROR(TakeOut(list, request->reference(), withdrawn));
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t active, ActiveIn(list));
    response->set_active(active);
    return {};
  });
}

grpc::Status WatchlistsService::Correct(grpc::ServerContext* context,
                                        const v1::CorrectEntryRequest* request,
                                        v1::CorrectEntryResponse* response) {
  return RespondLocally([&]() -> comity::Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, Act::kEntryCorrect));
    COMITY_ASSIGN_OR_RETURN(const WatchlistId list, WatchlistId::Parse(request->watchlist()));
    const auto corrected = ports_.watchlists.Correct(
        {list, request->reference(), request->entry(), request->reason(), caller.person.text()});
    if (corrected && !corrected->faults.empty()) {
      for (const std::string& fault : corrected->faults) response->add_faults(fault);
      return {};
    }
    // What stood there matches no more, whether or not the corrected entry can be loaded.
    COMITY_RETURN_IF_ERROR(TakeOut(list, request->reference(),
                                   corrected ? comity::Status() : Fail(corrected.error())));
    response->set_awaits_approval(corrected->awaits_approval);
    return ports_.galleries.Load(list);
  });
}

grpc::Status WatchlistsService::Restrict(grpc::ServerContext* context,
                                         const v1::RestrictEntryRequest* request,
                                         v1::RestrictEntryResponse* response) {
  return RespondLocally([&]() -> comity::Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, Act::kEntryRestrict));
    COMITY_ASSIGN_OR_RETURN(const WatchlistId list, WatchlistId::Parse(request->watchlist()));
    const comity::Status restricted =
        ports_.watchlists.Restrict({list, request->reference(), request->contested(),
                                    request->reason(), caller.person.text()});
    COMITY_RETURN_IF_ERROR(TakeOut(list, request->reference(), restricted));
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t active, ActiveIn(list));
    response->set_active(active);
    return {};
  });
}

grpc::Status WatchlistsService::Unrestrict(grpc::ServerContext* context,
                                           const v1::UnrestrictEntryRequest* request,
                                           v1::PendingAct* response) {
  return RespondLocally([&]() -> comity::Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, Act::kEntryUnrestrict));
    COMITY_ASSIGN_OR_RETURN(const WatchlistId list, WatchlistId::Parse(request->watchlist()));
    COMITY_ASSIGN_OR_RETURN(const std::string content,
                            watchlists::ContentToUnrestrict(
                                ports_.watchlists, list, request->reference(), request->reason()));
    COMITY_ASSIGN_OR_RETURN(const auto act,
                            ports_.approvals.Propose(Act::kEntryUnrestrict, content,
                                                     "entry " + request->reference(), caller));
    *response = ToProto(act);
    return {};
  });
}

grpc::Status WatchlistsService::Close(grpc::ServerContext* context,
                                      const v1::CloseWatchlistRequest* request,
                                      v1::CloseWatchlistResponse* response) {
  return RespondLocally([&]() -> comity::Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, Act::kWatchlistClose));
    COMITY_ASSIGN_OR_RETURN(const WatchlistId list, WatchlistId::Parse(request->watchlist()));
    const auto delete_by = ports_.watchlists.Close(list, request->reason(), caller.person.text());
    const comity::Status closed = delete_by ? comity::Status() : Fail(delete_by.error());
    if (NothingHappened(closed)) return closed;
    ports_.galleries.Drop(list);
    COMITY_RETURN_IF_ERROR(closed);
    *response->mutable_delete_by() = ToProto(*delete_by);
    return {};
  });
}

grpc::Status WatchlistsService::Shred(grpc::ServerContext* context,
                                      const v1::ShredWatchlistRequest* request,
                                      v1::ShredWatchlistResponse* response) {
  return RespondLocally([&]() -> comity::Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, Act::kWatchlistShred));
    COMITY_ASSIGN_OR_RETURN(const WatchlistId list, WatchlistId::Parse(request->watchlist()));
    COMITY_RETURN_IF_ERROR(ports_.watchlists.StatusOf(list, ports_.clock.Now()));
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t destroyed,
                            ports_.sealed.Shred(list, request->reason(), caller.person.text()));
    ports_.barrier.Drain();
    response->set_destroyed(destroyed);
    return {};
  });
}

grpc::Status WatchlistsService::Audit(grpc::ServerContext* context,
                                      const v1::AuditWatchlistRequest* request,
                                      v1::AuditWatchlistResponse* response) {
  return RespondLocally([&]() -> comity::Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, Act::kWatchlistAudit));
    const std::unique_lock only(auditing_, std::try_to_lock);
    if (!only) return Fail(ErrorCode::kExhausted, "another audit is under way; try again later");
    COMITY_ASSIGN_OR_RETURN(const WatchlistId list, WatchlistId::Parse(request->watchlist()));
    COMITY_RETURN_IF_ERROR(ports_.watchlists.StatusOf(list, ports_.clock.Now()));
    COMITY_ASSIGN_OR_RETURN(const auto audited, ports_.sealed.publications().AuditLists(
                                                    list, caller.person.text(),
                                                    [&] { return context->IsCancelled(); }));
    for (const auto& one : audited) *response->add_lists() = ToProto(one);
    return {};
  });
}

grpc::Status WatchlistsService::Manifest(grpc::ServerContext* context,
                                         const v1::ManifestRequest* request,
                                         grpc::ServerWriter<v1::ManifestPart>* writer) {
  return RespondLocally([&]() -> comity::Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, Act::kManifestRead));
    COMITY_ASSIGN_OR_RETURN(const WatchlistId list, WatchlistId::Parse(request->watchlist()));
    v1::ManifestPart part;
    COMITY_ASSIGN_OR_RETURN(*part.mutable_head(),
                            ports_.manifests.Head(list, caller.person.text()));
    watchlists::Manifests::Rows rows{.lines = {}, .last = 0, .more = true};
    while (writer->Write(part) && rows.more) {
      COMITY_ASSIGN_OR_RETURN(rows, ports_.manifests.RowsAfter(list, rows.last, kManifestPage));
      part.set_rows(rows.lines);
    }
    return {};
  });
}

grpc::Status WatchlistsService::WasOn(grpc::ServerContext* context, const v1::WasOnRequest* request,
                                      v1::WasOnResponse* response) {
  return RespondLocally([&]() -> comity::Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, Act::kManifestRead));
    COMITY_ASSIGN_OR_RETURN(
        const auto listings,
        ports_.manifests.WasOn(request->reference(), request->day(), caller.person.text()));
    for (const auto& listing : listings) *response->add_listings() = ToProto(listing);
    return {};
  });
}

}  // namespace comity::gateway
