// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/lockout.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "services/identity/act.h"

namespace comity::oversight {
namespace {

using identity::Act;
using identity::ActRule;
using identity::Person;

// The acts by which two people lead back.
constexpr std::array kWaysBack{Act::kCertificateReinstate, Act::kPersonRole};

bool IsNeeded(const Person& person) {
  return person.active && std::ranges::any_of(kWaysBack, [&](Act act) {
           const ActRule& rule = identity::RuleOf(act);
           return person.roles.Meets(rule.roles) || person.roles.Meets(rule.approvers);
         });
}

// Whether one of `people` can propose and another one approve.
bool CanDo(const ActRule& rule, const std::vector<const Person*>& people) {
  std::size_t proposers = 0;
  std::size_t approvers = 0;
  std::size_t either = 0;
  for (const Person* person : people) {
    const bool proposes = person->roles.Meets(rule.roles);
    const bool approves = person->roles.Meets(rule.approvers);
    if (proposes) ++proposers;
    if (approves) ++approvers;
    if (proposes || approves) ++either;
  }
  return proposers > 0 && approvers > 0 && either > 1;
}

}  // namespace

Status CheckLockout(const std::vector<Person>& people, const RevocationTable& table,
                    const CertificateRevocation& next) {
  if (next.scope != RevocationScope::kKey) return {};
  const bool concerns = std::ranges::any_of(people, [&](const Person& person) {
    return person.tls_key == next.sha256 && IsNeeded(person);
  });
  if (!concerns) return {};
  std::set<Digest> barred{next.sha256};
  std::set<Digest> by_the_same;
  for (const CertificateRevocation& one : table.revocations) {
    if (!one.stands() || one.scope != RevocationScope::kKey) continue;
    barred.insert(one.sha256);
    if (one.set_by == next.set_by) by_the_same.insert(one.sha256);
  }
  const bool is_first = std::ranges::none_of(people, [&](const Person& person) {
    return IsNeeded(person) && by_the_same.contains(person.tls_key);
  });
  std::vector<const Person*> left;
  for (const Person& person : people) {
    const bool counts = is_first || person.id.text() != next.set_by;
    if (person.active && counts && !barred.contains(person.tls_key)) left.push_back(&person);
  }
  if (std::ranges::any_of(kWaysBack, [&](Act act) { return CanDo(identity::RuleOf(act), left); })) {
    return {};
  }
  return Fail(
      ErrorCode::kConflict,
      std::string("nobody could lift it: ") +
          (is_first ? "" : "besides " + next.set_by + ", who revoked such a key already, ") +
          "neither a signatory and another who may propose it nor two administrators "
          "would remain whose keys this gateway takes. Let another person revoke it, or "
          "its authority (comity pki revoke), or have two administrators add people first");
}

Status CheckShare(const RevocationTable& table, const CertificateRevocation& next) {
  const auto own = std::ranges::count_if(table.revocations, [&](const auto& one) {
    return one.stands() && one.set_by == next.set_by;
  });
  if (static_cast<std::size_t>(own) < RevocationTable::kMostOfOne) return {};
  return Fail(ErrorCode::kExhausted,
              std::to_string(own) + " certificates and keys that " + next.set_by +
                  " revoked stand; let another person revoke it, suspend the partner, or have "
                  "what stands no more for anything reinstated");
}

}  // namespace comity::oversight
