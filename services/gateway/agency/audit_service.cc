// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/audit_service.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "services/audit/events.h"
#include "services/audit/export.h"
#include "services/audit/prove.h"
#include "services/gateway/wire/convert_approval.h"
#include "services/gateway/wire/respond.h"

namespace comity::gateway {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{256} << 10;  // as audit.proto states

Status WriteFile(grpc::ServerWriter<v1::ExportedChunk>& writer, std::string_view path,
                 ByteView content) {
  v1::ExportedChunk chunk;
  chunk.set_path(std::string(path));
  do {
    const ByteView part = content.first(std::min(kChunkBytes, content.size()));
    content = content.subspan(part.size());
    chunk.set_data(part.data(), part.size());
    chunk.set_last(content.empty());
    if (!writer.Write(chunk)) return Fail(ErrorCode::kUnavailable, "the reader went away");
  } while (!content.empty());
  return {};
}

Result<std::vector<audit::EntryProof>> Prove(audit::Log& log,
                                             const v1::ProveAuditRequest& request) {
  switch (request.selector_case()) {
    case v1::ProveAuditRequest::kIndex: {
      COMITY_ASSIGN_OR_RETURN(audit::EntryProof proof, audit::ProveIndex(log, request.index()));
      return std::vector<audit::EntryProof>{std::move(proof)};
    }
    case v1::ProveAuditRequest::kExchangeId:
      return audit::ProveExchange(log, request.exchange_id());
    case v1::ProveAuditRequest::SELECTOR_NOT_SET:
      break;
  }
  return Fail(ErrorCode::kInvalidArgument, "name an index or an exchange id");
}

std::string SelectorText(const v1::ProveAuditRequest& request) {
  return request.selector_case() == v1::ProveAuditRequest::kIndex
             ? "index " + std::to_string(request.index())
             : "exchange " + request.exchange_id().substr(0, 128);
}

}  // namespace

audit::Event AuditService::EventOf(std::string_view type, const identity::Caller& caller) const {
  audit::Event event;
  event.type = type;
  event.time = ports_.clock.Now();
  event.parties = {ports_.self};
  event.committed = {{"operator", caller.person.text()}};
  return event;
}

grpc::Status AuditService::Export(grpc::ServerContext* context,
                                  const v1::ExportAuditRequest* /*request*/,
                                  grpc::ServerWriter<v1::ExportedChunk>* writer) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, identity::Act::kAuditExport));
    // Recorded first, so that the export holds the act of exporting.
    audit::Event event = EventOf(audit::kAuditExported, caller);
    event.counts = {{"size", static_cast<std::int64_t>(ports_.log.Latest().size)}};
    COMITY_RETURN_IF_ERROR(ports_.log.Commit(
        [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
          COMITY_RETURN_IF_ERROR(recorder.Record(event));
          return ports_.lone_acts.Tell(transaction, recorder,
                                       {identity::Act::kAuditExport, "the audit log",
                                        "the audit log was exported", caller.person.text()});
        }));
    ports_.lone_acts.Announce();
    COMITY_ASSIGN_OR_RETURN(const audit::Checkpoint exported,
                            audit::Export(ports_.log, [&](std::string_view path, ByteView content) {
                              return WriteFile(*writer, path, content);
                            }));
    return {};
  });
}

grpc::Status AuditService::Prove(grpc::ServerContext* context, const v1::ProveAuditRequest* request,
                                 v1::ProveAuditResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, identity::Act::kAuditProve));
    COMITY_ASSIGN_OR_RETURN(const auto proofs, gateway::Prove(ports_.log, *request));
    audit::Event event = EventOf(audit::kAuditProved, caller);
    event.committed["selector"] = SelectorText(*request);
    event.counts = {{"proofs", static_cast<std::int64_t>(proofs.size())}};
    COMITY_RETURN_IF_ERROR(ports_.log.Record(event));
    for (const audit::EntryProof& proof : proofs) {
      v1::EntryProof& entry = *response->add_proofs();
      entry.set_index(proof.index);
      entry.set_entry(proof.entry.data(), proof.entry.size());
      entry.set_proof(proof.proof);
    }
    return {};
  });
}

grpc::Status AuditService::RequestOpening(grpc::ServerContext* context,
                                          const v1::RequestOpeningRequest* request,
                                          v1::PendingAct* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, identity::Act::kAuditOpen));
    const OpeningOrder order{{request->entries().begin(), request->entries().end()},
                             {request->days().begin(), request->days().end()},
                             request->order(),
                             request->reason()};
    COMITY_ASSIGN_OR_RETURN(const auto act, ports_.opening.Propose(order, caller));
    *response = ToProto(act);
    return {};
  });
}

grpc::Status AuditService::Open(grpc::ServerContext* context,
                                const v1::OpenPayloadsRequest* request,
                                grpc::ServerWriter<v1::OpenedEntry>* writer) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, identity::Act::kAuditOpen));
    COMITY_ASSIGN_OR_RETURN(const OpeningOrder order,
                            ports_.opening.Begin(request->approval(), caller));
    for (const std::uint64_t index : order.entries) {
      COMITY_ASSIGN_OR_RETURN(const v1::OpenedEntry entry, ports_.opening.Open(index, order.days));
      if (!writer->Write(entry)) return Fail(ErrorCode::kUnavailable, "the reader went away");
    }
    return {};
  });
}

}  // namespace comity::gateway
