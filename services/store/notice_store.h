// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"

namespace comity::store {

// A role that must get to know, and who of it has.
struct AudienceRecord {
  std::string role;
  std::optional<policy::PersonId> acknowledged_by;
  policy::Instant acknowledged_at{};
};

// Something that people of certain roles must get to know.
struct NoticeRecord {
  std::uint64_t number = 0;              // from 1, in the order of storing
  std::string kind;                      // a name of services/identity/notices.h
  std::vector<AudienceRecord> audience;  // by role name
  std::string subject;                   // what it is about, 1..128
  std::string words;                     // 1..4000
  policy::Instant at{};
};

class NoticeStore {
 public:
  virtual ~NoticeStore() = default;
  // Stores it under the next number, which is returned; `notice.number` is ignored.
  virtual Result<std::uint64_t> Add(const NoticeRecord& notice) = 0;
  // For each of these roles that the notice is for and nobody of which has acknowledged it.
  // Errors: kNotFound  no such notice, or for none of these roles
  //         kConflict  acknowledged already for all of them
  virtual Status Acknowledge(std::uint64_t number, const std::vector<std::string>& roles,
                             const policy::PersonId& by, policy::Instant at) = 0;
  // Those for one of these roles, above `after`, oldest first, at most `limit`; `open`: only those
  // that one of these roles has not acknowledged.
  virtual Result<std::vector<NoticeRecord>> List(const std::vector<std::string>& roles,
                                                 std::uint64_t after, bool open,
                                                 std::uint32_t limit) const = 0;
};

}  // namespace comity::store
