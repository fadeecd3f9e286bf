// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/notices_service.h"

#include <algorithm>

#include "services/gateway/wire/convert_time.h"
#include "services/gateway/wire/respond.h"

namespace comity::gateway {
namespace {

using identity::Act;

constexpr std::uint32_t kDefaultListed = 100;
constexpr std::uint32_t kMaxListed = 1000;
constexpr std::uint32_t kPage = 100;
// How long a quiet stream waits before it looks whether its reader is still there and may still
// read.
constexpr std::chrono::milliseconds kLookAround{500};

v1::Notice ToProto(const identity::StoredNotice& notice) {
  v1::Notice proto;
  proto.set_number(notice.number);
  proto.set_kind(notice.kind);
  proto.set_subject(notice.subject);
  proto.set_words(notice.words);
  *proto.mutable_at() = gateway::ToProto(notice.at);
  for (const store::AudienceRecord& audience : notice.audience) {
    v1::NoticeAudience& entry = *proto.add_audience();
    entry.set_role(audience.role);
    if (!audience.acknowledged_by) continue;
    entry.set_acknowledged_by(audience.acknowledged_by->text());
    *entry.mutable_acknowledged_at() = gateway::ToProto(audience.acknowledged_at);
  }
  return proto;
}

}  // namespace

grpc::Status NoticesService::List(grpc::ServerContext* context,
                                  const v1::ListNoticesRequest* request,
                                  v1::ListNoticesResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller, ports_.callers.Person(*context, Act::kNoticeRead));
    const std::uint32_t limit =
        request->limit() == 0 ? kDefaultListed : std::min(request->limit(), kMaxListed);
    COMITY_ASSIGN_OR_RETURN(const auto notices, ports_.notices.List(caller.roles, request->after(),
                                                                    !request->all(), limit));
    for (const identity::StoredNotice& notice : notices) {
      *response->add_notices() = ToProto(notice);
    }
    return {};
  });
}

grpc::Status NoticesService::Watch(grpc::ServerContext* context,
                                   const v1::WatchNoticesRequest* request,
                                   grpc::ServerWriter<v1::Notice>* writer) {
  return RespondLocally([&]() -> Status {
    const bool open = request->after() == 0;
    std::uint64_t after = request->after();
    while (!ports_.stop.stop_requested() && !context->IsCancelled()) {
      // Asked at each turn: whose access has ended reads no further.
      COMITY_ASSIGN_OR_RETURN(const auto caller, ports_.callers.Person(*context, Act::kNoticeRead));
      // Counted before the reading, so that what is posted meanwhile is read at the next turn.
      const std::uint64_t seen = ports_.notices.announced();
      COMITY_ASSIGN_OR_RETURN(const auto notices,
                              ports_.notices.List(caller.roles, after, open, kPage));
      for (const identity::StoredNotice& notice : notices) {
        if (!writer->Write(ToProto(notice))) return {};
        after = notice.number;
      }
      if (notices.size() < kPage) ports_.notices.AwaitAnnouncement(seen, kLookAround);
    }
    return {};
  });
}

grpc::Status NoticesService::Acknowledge(grpc::ServerContext* context,
                                         const v1::AcknowledgeNoticeRequest* request,
                                         v1::AcknowledgeNoticeResponse* /*response*/) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller, ports_.callers.Person(*context, Act::kNoticeRead));
    return ports_.notices.Acknowledge(request->number(), caller);
  });
}

}  // namespace comity::gateway
