// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/store/notice_store.h"
#include "services/store/sql/connection.h"

namespace comity::store {

// Threads: thread-compatible, like the connection.
class SqlNoticeStore final : public NoticeStore {
 public:
  explicit SqlNoticeStore(Connection& connection) : connection_(connection) {}
  Result<std::uint64_t> Add(const NoticeRecord& notice) override;
  Status Acknowledge(std::uint64_t number, const std::vector<std::string>& roles,
                     const policy::PersonId& by, policy::Instant at) override;
  Result<std::vector<NoticeRecord>> List(const std::vector<std::string>& roles, std::uint64_t after,
                                         bool open, std::uint32_t limit) const override;

 private:
  Connection& connection_;
};

}  // namespace comity::store
