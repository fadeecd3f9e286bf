// SPDX-License-Identifier: Apache-2.0
#include "services/audit/events.h"

#include <algorithm>

namespace comity::audit {
namespace {

bool Matches(std::string_view declared, std::string_view name) {
  if (!declared.ends_with('*')) return declared == name;
  declared.remove_suffix(1);
  return name.size() > declared.size() && name.starts_with(declared);
}

bool Declares(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(' '), list.size());
    if (Matches(list.substr(0, end), name)) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

template <typename Value>
Status CheckNames(std::string_view type, std::string_view list,
                  const std::map<std::string, Value>& fields) {
  for (const auto& [name, value] : fields) {
    if (Declares(list, name)) continue;
    return Fail(ErrorCode::kInternal, "audit event '" + std::string(type) +
                                          "' does not declare the field '" + name +
                                          "': add it to services/audit/events.h");
  }
  return {};
}

}  // namespace

const EventType* FindEventType(std::string_view name) {
  const auto found = std::ranges::find(kEventTypes, name, &EventType::name);
  return found == kEventTypes.end() ? nullptr : &*found;
}

Status CheckEvent(const Event& event) {
  const EventType* type = FindEventType(event.type);
  if (type == nullptr) {
    return Fail(ErrorCode::kInternal, "no audit event is called '" + std::string(event.type) +
                                          "': add it to services/audit/events.h");
  }
  COMITY_RETURN_IF_ERROR(CheckNames(type->name, type->committed, event.committed));
  COMITY_RETURN_IF_ERROR(CheckNames(type->name, type->messages, event.messages));
  return CheckNames(type->name, type->counts, event.counts);
}

}  // namespace comity::audit
