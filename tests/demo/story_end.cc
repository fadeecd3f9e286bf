// SPDX-License-Identifier: Apache-2.0
// What ends: an entry that is withdrawn while it is searched for, and an operation with all it had.
#include "tests/demo/ask_until.h"
#include "tests/demo/live_stream.h"
#include "tests/demo/story.h"
#include "tests/demo/tell.h"

namespace comity::demo {
namespace {

using namespace std::chrono_literals;

bool Names(const v1::WatchAnswer& answer, const std::string& reference) {
  const auto& alerts = answer.answered().alerts();
  return std::ranges::any_of(
      alerts, [&](const v1::AlertRef& alert) { return alert.hit().reference() == reference; });
}

}  // namespace

Status Story::WithdrawDuringSearch() {
  Chapter("An entry is withdrawn while the search runs");
  COMITY_ASSIGN_OR_RETURN(const auto engine,
                          testing::EngineClient::Open(council_->engine(), deployment_, clock_));
  // The first face that finds its own entry.
  std::uint64_t sequence = 0;
  std::string reference;
  FaceSet::Face face;
  for (const FaceSet::Face& mated : faces_.mated) {
    face = mated;
    reference = ReferenceOf(face.identity);
    if (!engine->Send({++sequence, "withdrawal", "camera-1", faces_.Row(face.row)})) break;
    COMITY_ASSIGN_OR_RETURN(const v1::WatchAnswer answer, engine->Receive());
    if (Names(answer, reference)) break;
    reference.clear();
  }
  if (reference.empty()) return Fail(ErrorCode::kInternal, "no face finds its own entry");
  const policy::Instant before = clock_.Now();
  COMITY_RETURN_IF_ERROR(police_->cli().Run({"watchlist", "withdraw", "lantern", reference,
                                             "--reason", "The court has lifted the warrant."}));
  v1::WatchAnswer answer;
  for (int i = 0; i < 50 && !answer.has_answered(); ++i) {
    if (!engine->Send({++sequence, "withdrawal", "camera-1", faces_.Row(face.row)})) {
      return Fail(ErrorCode::kUnavailable, "the stream has ended");
    }
    COMITY_ASSIGN_OR_RETURN(answer, engine->Receive());
  }
  if (!answer.has_answered() || Names(answer, reference)) {
    return Fail(ErrorCode::kInternal, reference + " still hits after its withdrawal");
  }
  COMITY_ASSIGN_OR_RETURN(
      const auto holders,
      AskUntil(
          5s, [&] { return police_->cli().Ask({"watchlist", "holders", reference}); },
          [](const nlohmann::json& rows) {
            return !rows.empty() && rows[0]["answer"].is_object() &&
                   rows[0]["answer"]["acknowledged_at"].is_string();
          }));
  const auto& receipt = holders[0]["answer"];
  COMITY_ASSIGN_OR_RETURN(const policy::Instant acknowledged,
                          policy::ParseInstant(receipt["acknowledged_at"].get<std::string>()));
  report_.withdrawal_ms = std::chrono::duration<double, std::milli>(acknowledged - before).count();
  Tell(fmt::format("  {} no longer hits in the same stream; {}'s signed receipt after {:.0f} ms",
                   reference, council_->name(), report_.withdrawal_ms));
  if (!receipt.value("receipt_verified", false)) {
    return Fail(ErrorCode::kCorrupt, "the receipt does not verify: " + receipt.dump());
  }
  return {};
}

Status Story::EndOperation() {
  Chapter("The operation ends");
  for (const std::string& deployment : {deployment_, short_deployment_}) {
    COMITY_RETURN_IF_ERROR(
        council_->cli().Run({"deployment", "stop", deployment, "--reason", "The market is over."}));
  }
  COMITY_RETURN_IF_ERROR(
      police_->cli("supervisor-1")
          .Run({"watchlist", "close", "lantern", "--reason", "The operation is over."}));
  COMITY_RETURN_IF_ERROR(AskUntil(
      40s, [&] { return police_->cli().Ask({"watchlist", "status", "lantern"}); },
      [](const nlohmann::json& lists) {
        return lists.dump().find("\"deleted\"") != std::string::npos;
      }));
  const std::string reference = ReferenceOf(faces_.enrolled.front().identity);
  const std::string day = policy::EncodeInstant(clock_.Now()).substr(0, 10);
  COMITY_ASSIGN_OR_RETURN(
      const auto found, police_->cli("dpo").Ask({"watchlist", "was-on", reference, "--day", day}));
  COMITY_RETURN_IF_ERROR(AskUntil(
      60s, [&] { return council_->cli().Ask({"deployment", "show", short_deployment_}); },
      [](const nlohmann::json& shown) { return shown.value("state", "") == "closed"; }));
  Tell(fmt::format(
      "  deployment stopped; its alerts go when their time has come: {} is closed, with "
      "nothing left of it but its counts",
      short_deployment_));
  Tell(
      fmt::format("  lantern closed, its faces and key destroyed; was {} on a "
                  "list on {}? {}",
                  reference, day, found.empty() ? "no" : "yes, without a face"));
  return {};
}

}  // namespace comity::demo
