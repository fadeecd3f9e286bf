// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <nlohmann/json.hpp>
#include <stop_token>

#include "comity/v1/notices.grpc.pb.h"
#include "services/cli/commands.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/wire_text.h"
#include "services/runtime/shutdown.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaxListed = 1000;
constexpr std::uint64_t kMaxNumber = std::uint64_t{1} << 62;

struct NoticeOptions {
  std::optional<std::uint64_t> number, after, limit;
  bool all = false;
};

Json NoticeJson(const v1::Notice& notice) {
  Json json = {{"number", notice.number()},   {"kind", notice.kind()},
               {"subject", notice.subject()}, {"words", notice.words()},
               {"at", TimeText(notice.at())}, {"audience", Json::array()}};
  for (const v1::NoticeAudience& audience : notice.audience()) {
    const bool done = !audience.acknowledged_by().empty();
    json["audience"].push_back(
        {{"role", audience.role()},
         {"acknowledged_by", done ? Json(audience.acknowledged_by()) : Json(nullptr)},
         {"acknowledged_at", done ? Json(TimeText(audience.acknowledged_at())) : Json(nullptr)}});
  }
  return json;
}

std::string NoticeLine(const v1::Notice& notice) {
  return std::to_string(notice.number()) + "  " + TimeText(notice.at()) + "  " +
         Clean(notice.kind()) + "  " + Clean(notice.subject()) + "  " + Clean(notice.words());
}

Result<ExitCode> List(const NoticeOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  v1::ListNoticesRequest request;
  request.set_after(options.after.value_or(0));
  request.set_all(options.all);
  request.set_limit(static_cast<std::uint32_t>(options.limit.value_or(0)));
  COMITY_ASSIGN_OR_RETURN(const v1::ListNoticesResponse response,
                          gateway.Call<v1::Notices>(&v1::Notices::Stub::List, request));
  Json json = Json::array();
  std::string text;
  for (const v1::Notice& notice : response.notices()) {
    json.push_back(NoticeJson(notice));
    text += NoticeLine(notice) + "\n";
  }
  if (session.json) {
    PrintJson(json);
  } else {
    Print(text.empty() ? "no notices\n" : text);
  }
  return ExitCode::kOk;
}

Result<ExitCode> Watch(const NoticeOptions& options, const Session& session) {
  // Before the channel: the threads that it starts must inherit the signal mask.
  const runtime::Shutdown shutdown;
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  const auto stub = v1::Notices::NewStub(gateway.channel());
  grpc::ClientContext context;
  const std::stop_callback on_signal(shutdown.token(), [&context] { context.TryCancel(); });
  v1::WatchNoticesRequest request;
  request.set_after(options.after.value_or(0));
  const auto reader = stub->Watch(&context, request);
  v1::Notice notice;
  while (reader->Read(&notice)) {
    Print((session.json ? NoticeJson(notice).dump(-1, ' ', false, Json::error_handler_t::replace)
                        : NoticeLine(notice)) +
          "\n");
    // Each notice is seen when it comes, also through a pipe; a closed pipe ends the watch.
    if (!FlushOutput()) context.TryCancel();
  }
  const grpc::Status status = reader->Finish();
  if (shutdown.token().stop_requested() || status.ok()) return ExitCode::kOk;
  return Fail(gateway.Describe(status));
}

Result<ExitCode> Acknowledge(const NoticeOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  v1::AcknowledgeNoticeRequest request;
  request.set_number(options.number.value_or(0));
  COMITY_RETURN_IF_ERROR(gateway.Call<v1::Notices>(&v1::Notices::Stub::Acknowledge, request));
  if (session.json) {
    PrintJson(Json{{"number", request.number()}});
  } else {
    Print("acknowledged\n");
  }
  return ExitCode::kOk;
}

}  // namespace

void AddNoticeCommands(CommandLine& line, Session& session) {
  line.Group("notice", "what your roles must get to know");
  auto options = std::make_shared<NoticeOptions>();
  line.Add({"notice list", "notices, oldest first",
            "Prints the notices for your roles that nobody of them has acknowledged.", "",
            "comity notice list --all --limit 20"},
           Asks::kGateway, [options, &session] { return List(*options, session); })
      .Add({"--all", "", "also those that are acknowledged", false}, options->all)
      .Add({"--after", "N", "only those with a higher number", false},
           CountTarget{options->after, 0, kMaxNumber})
      .Add({"--limit", "N", "how many, 1 to 1000; default 100", false},
           CountTarget{options->limit, 1, kMaxListed});
  options = std::make_shared<NoticeOptions>();
  line.Add({"notice watch", "each notice as it comes",
            "Prints one line for each notice for your roles, first those that nobody has "
            "acknowledged,\n"
            "until it is interrupted (Ctrl-C). With --json each line is one JSON object.",
            "", "comity notice watch"},
           Asks::kGateway, [options, &session] { return Watch(*options, session); })
      .Add({"--after", "N", "all with a higher number, acknowledged or not", false},
           CountTarget{options->after, 1, kMaxNumber});
  options = std::make_shared<NoticeOptions>();
  line.Add({"notice ack", "acknowledge a notice",
            "States for each of your roles that the notice is for that it was read.",
            "it is acknowledged already", "comity notice ack 17"},
           Asks::kGateway, [options, &session] { return Acknowledge(*options, session); })
      .Add({"number", "N", "the notice's number", true},
           CountTarget{options->number, 1, kMaxNumber});
}

}  // namespace comity::cli
