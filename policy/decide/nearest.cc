// SPDX-License-Identifier: Apache-2.0
#include "policy/decide/nearest.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "policy/agreement/clauses.h"
#include "policy/decide/bounds.h"
#include "policy/decide/standing.h"

namespace comity::policy {
namespace {

template <typename T>
bool Contains(const std::vector<T>& values, const T& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

std::string Text(const std::optional<PurposeCode>& code) {
  return code && !code->empty() ? code->text() : "none";
}
template <typename Term>
std::string Text(const std::optional<Term>& term) {
  return term ? std::string(Name(*term)) : "none";
}
std::string Text(const std::vector<ListCategory>& categories) {
  std::string text;
  for (const ListCategory& category : categories) {
    text += (text.empty() ? "" : ", ") + category.text();
  }
  return text.empty() ? "none" : text;
}
std::string Text(const EngineProfile& engine) {
  return engine.name + " " + engine.version + " with " + std::to_string(engine.dimension) +
         " elements";
}

// Makes the fewest changes that bring a request within one permission for one purpose.
class Fitting {
 public:
  Fitting(const AgreementVersion& version, const SearchPermission& permission,
          const SearchRequest& request)
      : version_(version), permission_(permission), asked_(request) {
    found_.agreement = version.ref;
    found_.permission = permission.id;
    found_.request = request;
  }

  // Absent: for this purpose everything is forbidden.
  std::optional<Nearest> For(const Purpose& purpose) && {
    FitWhere();
    FitPurpose(purpose);
    if (!FitCategories(purpose)) return std::nullopt;
    FitHow();
    return std::move(found_);
  }

 private:
  void Change(std::string field, std::string words) {
    found_.changes.push_back({std::move(field), std::move(words)});
  }
  template <typename T>
  void Set(std::string field, std::optional<T>& value, const T& wanted) {
    Change(std::move(field), Text(std::optional(wanted)) + " instead of " + Text(value));
    value = wanted;
  }

  void FitWhere() {
    SearchRequest& request = found_.request;
    if (request.holder != permission_.holder) {
      Change("holder", permission_.holder.text() + " instead of " +
                           (request.holder.empty() ? "none" : request.holder.text()));
      request.holder = permission_.holder;
    }
    if (request.agreement == version_.ref) return;
    Change("agreement", version_.ref.id.text() + " version " +
                            std::to_string(version_.ref.version) + ", which is in force");
    request.agreement = version_.ref;
  }

  void FitPurpose(const Purpose& purpose) {
    SearchRequest& request = found_.request;
    if (request.purpose != purpose.code) Set("purpose", request.purpose, purpose.code);
    if (!Keeps(permission_, &purpose, request, Bound::kCase)) {
      Change("has_case_reference", "a case, which " + purpose.code.text() + " demands");
      request.has_case_reference = true;
    }
    const bool known = !request.offence_class || Name(*request.offence_class) != "unknown";
    if (known && Keeps(permission_, &purpose, request, Bound::kOffence)) return;
    Change("offence_class", purpose.offence_floor
                                ? std::string(Name(*purpose.offence_floor)) +
                                      " or graver instead of " + Text(request.offence_class)
                                : "none, which is enough for " + purpose.code.text());
    request.offence_class = purpose.offence_floor;
  }

  // False: no category may be searched for this purpose.
  bool FitCategories(const Purpose& purpose) {
    std::vector<ListCategory> allowed = permission_.list_categories;
    for (const Prohibition& prohibition : version_.agreement.prohibitions) {
      if (!IsFor(prohibition, purpose)) continue;
      if (prohibition.list_categories.empty()) return false;
      std::erase_if(allowed, [&](const ListCategory& category) {
        return Contains(prohibition.list_categories, category);
      });
    }
    if (allowed.empty()) return false;
    std::vector<ListCategory> kept = asked_.list_categories;
    std::erase_if(kept, [&](const ListCategory& category) { return !Contains(allowed, category); });
    constexpr std::size_t kMaxCategories = 16;  // of a request; there are fewer
    if (kept.size() > kMaxCategories) kept.clear();
    if (kept.empty()) kept = allowed;
    if (kept == asked_.list_categories) return true;
    Change("list_categories", Text(kept) + " instead of " + Text(asked_.list_categories));
    found_.request.list_categories = std::move(kept);
    return true;
  }
  bool IsFor(const Prohibition& prohibition, const Purpose& purpose) const {
    return (prohibition.requesters.empty() || Contains(prohibition.requesters, asked_.requester)) &&
           (prohibition.purposes.empty() || Contains(prohibition.purposes, purpose.code));
  }

  void FitHow() {
    SearchRequest& request = found_.request;
    if (!request.role || !Contains(permission_.roles, *request.role)) {
      Set("role", request.role, permission_.roles.front());
    }
    if (!request.use || !Contains(permission_.uses, *request.use)) {
      Set("use", request.use, permission_.uses.front());
    }
    if (request.mode != permission_.mode) Set("mode", request.mode, permission_.mode);
    if (request.engine != permission_.engine) {
      Change("engine", Text(permission_.engine) + " instead of " +
                           (request.engine ? Text(*request.engine) : "none"));
      request.engine = permission_.engine;
    }
    const double floor = permission_.threshold_floor;
    if (request.threshold && *request.threshold >= floor && *request.threshold <= 1.0) return;
    Change("threshold", DecimalText(floor) + " or more (at most 1) instead of " +
                            (request.threshold ? DecimalText(*request.threshold) : "none"));
    request.threshold = floor;
  }

  const AgreementVersion& version_;
  const SearchPermission& permission_;
  const SearchRequest& asked_;
  Nearest found_;
};

void Consider(const AgreementVersion& version, const SearchRequest& request,
              std::optional<Nearest>& best) {
  for (const SearchPermission& permission : version.agreement.permissions) {
    if (permission.requester != request.requester || permission.holder == request.requester ||
        permission.roles.empty() || permission.uses.empty() ||
        !(permission.threshold_floor <= 1.0)) {
      continue;
    }
    for (const PurposeCode& code : permission.purposes) {
      const Purpose* const purpose = version.agreement.FindPurpose(code);
      if (purpose == nullptr) continue;
      auto found = Fitting(version, permission, request).For(*purpose);
      if (!found || (best && best->changes.size() <= found->changes.size())) continue;
      best = std::move(found);
    }
  }
}

}  // namespace

std::optional<Nearest> FindNearest(const AgreementSet& set, const SearchRequest& request,
                                   Instant now) {
  std::optional<Nearest> best;
  if (request.requester.empty()) return best;
  const auto consider = [&](const AgreementId& id) {
    const AgreementVersion* const current = set.FindCurrent(id, now);
    if (current != nullptr && IsUsable(*current, now)) Consider(*current, request, best);
  };
  if (request.agreement) consider(request.agreement->id);  // of equals, the one that was named
  for (const AgreementId& id : set.ids()) consider(id);
  return best;
}

}  // namespace comity::policy
