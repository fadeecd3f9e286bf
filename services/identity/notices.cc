// SPDX-License-Identifier: Apache-2.0
#include "services/identity/notices.h"

#include <utility>

#include "crypto/base/utf8.h"
#include "services/audit/events.h"
#include "services/runtime/guarded.h"

namespace comity::identity {
namespace {

constexpr std::size_t kMaxSubject = 128;
constexpr std::size_t kMaxWords = 4000;

// A notice is of our own making, though parts of its words may come from outside.
Status CheckNotice(const Notice& notice) {
  const auto fits = [](std::string_view text, std::size_t most) {
    return !text.empty() && text.size() <= most && IsUtf8(text);
  };
  if (!notice.audience.empty() && fits(notice.subject, kMaxSubject) &&
      fits(notice.words, kMaxWords)) {
    return {};
  }
  return Fail(ErrorCode::kInternal, "a notice of kind " + std::string(notice.kind) +
                                        " has no audience, or text outside its bounds");
}

store::NoticeRecord ToRecord(const Notice& notice, policy::Instant now) {
  store::NoticeRecord record;
  record.kind = notice.kind;
  record.subject = notice.subject;
  record.words = notice.words;
  record.at = now;
  for (std::string& role : notice.audience.Names()) {
    record.audience.push_back({std::move(role), std::nullopt, {}});
  }
  return record;
}

std::string Join(const std::vector<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : " ") + name;
  return joined;
}

}  // namespace

struct Notices::State {
  explicit State(Setup given) : setup(std::move(given)) {}
  Setup setup;
  runtime::Watched<std::uint64_t> announced;
};

Notices::Notices(Setup setup) : state_(std::make_unique<State>(std::move(setup))) {}
Notices::~Notices() = default;

Status Notices::Post(store::Transaction& transaction, audit::Recorder& recorder,
                     const Notice& notice) const {
  COMITY_RETURN_IF_ERROR(CheckNotice(notice));
  const policy::Instant now = state_->setup.clock.Now();
  COMITY_ASSIGN_OR_RETURN(const std::uint64_t number,
                          transaction.notices().Add(ToRecord(notice, now)));
  audit::Event event;
  event.type = audit::kNoticePosted;
  event.time = now;
  event.parties = {state_->setup.own};
  event.decision_code = std::string(notice.kind);
  event.committed = {{"audience", Join(notice.audience.Names())},
                     {"subject", notice.subject},
                     {"words", notice.words}};
  event.counts = {{"number", static_cast<std::int64_t>(number)}};
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  return {};
}

Status Notices::Post(const Notice& notice) {
  COMITY_RETURN_IF_ERROR(
      state_->setup.journal.Commit([&](store::Transaction& transaction, audit::Recorder& recorder) {
        return Post(transaction, recorder, notice);
      }));
  Announce();
  return {};
}

void Notices::Announce() {
  state_->announced.With([](std::uint64_t& count) { ++count; });
}

std::uint64_t Notices::announced() const {
  return std::as_const(state_->announced).With([](std::uint64_t count) { return count; });
}

std::uint64_t Notices::AwaitAnnouncement(std::uint64_t seen,
                                         std::chrono::milliseconds patience) const {
  std::uint64_t now = seen;
  const auto newer = [&](std::uint64_t count) { return count > seen; };
  state_->announced.WaitUntil({}, std::chrono::steady_clock::now() + patience, newer,
                              [&](std::uint64_t count) { now = count; });
  return now;
}

Result<std::vector<StoredNotice>> Notices::List(RoleSet roles, std::uint64_t after, bool open,
                                                std::uint32_t limit) const {
  std::vector<StoredNotice> notices;
  COMITY_RETURN_IF_ERROR(
      state_->setup.store.Read([&](const store::Transaction& transaction) -> Status {
        COMITY_ASSIGN_OR_RETURN(notices,
                                transaction.notices().List(roles.Names(), after, open, limit));
        return {};
      }));
  return notices;
}

Status Notices::Acknowledge(std::uint64_t number, const Caller& caller) {
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    const policy::Instant now = state_->setup.clock.Now();
    const auto roles = caller.roles.Names();
    COMITY_RETURN_IF_ERROR(transaction.notices().Acknowledge(number, roles, caller.person, now));
    audit::Event event;
    event.type = audit::kNoticeAcknowledged;
    event.time = now;
    event.parties = {state_->setup.own};
    event.committed = {{"operator", caller.person.text()}, {"roles", Join(roles)}};
    event.counts = {{"number", static_cast<std::int64_t>(number)}};
    COMITY_RETURN_IF_ERROR(recorder.Record(event));
    return {};
  };
  return state_->setup.journal.Commit(work);
}

}  // namespace comity::identity
