// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/identify_request.h"

#include <array>
#include <optional>
#include <utility>

#include "crypto/base/bytes.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/matching/search_bounds.h"
#include "services/matching/template_check.h"
#include "services/transport/limits.h"

namespace comity::gateway {
namespace {

using matching::SearchAim;
using matching::SubjectStatus;
using matching::Wrong;

constexpr std::array kAims = {std::pair{v1::SEARCH_AIM_IDENTIFY, SearchAim::kIdentify},
                              std::pair{v1::SEARCH_AIM_MORE_DATA, SearchAim::kMoreData}};
constexpr std::array kStatuses = {
    std::pair{v1::SUBJECT_STATUS_SUSPECT, SubjectStatus::kSuspect},
    std::pair{v1::SUBJECT_STATUS_CONVICTED, SubjectStatus::kConvicted},
    std::pair{v1::SUBJECT_STATUS_VICTIM, SubjectStatus::kVictim},
    std::pair{v1::SUBJECT_STATUS_MISSING, SubjectStatus::kMissing},
    std::pair{v1::SUBJECT_STATUS_REMAINS, SubjectStatus::kRemains}};

template <typename Table, typename Wire>
auto Find(const Table& table, Wire wire) -> std::optional<decltype(table.front().second)> {
  for (const auto& [known, term] : table) {
    if (known == wire) return term;
  }
  return std::nullopt;
}

template <typename Id, typename Texts>
Result<std::vector<Id>> ParseIds(std::string_view field, const Texts& texts) {
  std::vector<Id> ids;
  for (const std::string& text : texts) {
    auto id = Id::Parse(text);
    if (!id) return Wrong(field, "has one that is no id: " + id.error().detail);
    ids.push_back(*std::move(id));
  }
  return ids;
}

template <typename Value>
Result<Value> In(std::string_view field, Result<Value> value) {
  if (value) return value;
  return Wrong(field, "is wrong: " + value.error().detail);
}

Result<std::chrono::milliseconds> DeadlineOf(std::uint32_t milliseconds) {
  if (milliseconds == 0) return kDefaultIdentifyDeadline;
  const std::chrono::milliseconds deadline{milliseconds};
  if (deadline >= kShortestIdentifyDeadline && deadline <= kLongestIdentifyDeadline) {
    return deadline;
  }
  return Wrong("deadline_ms", "must be 0, or 100 to 10000");
}

Status ReadOrder(const v1::IdentifyRequest& request, matching::IdentifyOrder& order) {
  COMITY_ASSIGN_OR_RETURN(order.purpose,
                          In("purpose", policy::PurposeCode::Parse(request.purpose())));
  if (request.mode() != v1::SEARCH_MODE_UNSPECIFIED) {
    COMITY_ASSIGN_OR_RETURN(order.mode, FromProto(request.mode()));
  }
  if (static_cast<std::size_t>(request.list_categories_size()) > matching::kMaxSearchCategories) {
    return Wrong("list_categories", "must name 1 to 16 categories");
  }
  COMITY_ASSIGN_OR_RETURN(order.list_categories, ParseIds<policy::ListCategory>(
                                                     "list_categories", request.list_categories()));
  COMITY_ASSIGN_OR_RETURN(order.engine, FromProto(request.engine()));
  order.threshold = request.threshold();
  order.case_ref = request.case_ref();
  if (request.has_offence()) {
    order.offence =
        matching::Offence{request.offence().code(), request.offence().max_penalty_years()};
  }
  order.aim = Find(kAims, request.aim());
  order.subject_status = Find(kStatuses, request.subject_status());
  return {};
}

}  // namespace

Result<IdentifyAsked> ParseIdentify(const v1::IdentifyRequest& request, const policy::AgencyId& own,
                                    const identity::Caller& caller) {
  IdentifyAsked asked;
  asked.order.own = own;
  asked.order.operator_id = caller.person.text();
  if (static_cast<std::size_t>(request.agreements_size()) > matching::kMaxSearchAgreements) {
    return Wrong("agreements", "must name at most 32");
  }
  if (static_cast<std::size_t>(request.holders_size()) > matching::kMaxSearchHolders) {
    return Wrong("holders", "must name at most 32");
  }
  COMITY_ASSIGN_OR_RETURN(asked.agreements,
                          ParseIds<policy::AgreementId>("agreements", request.agreements()));
  COMITY_RETURN_IF_ERROR(matching::CheckAgreements(asked.agreements));
  COMITY_ASSIGN_OR_RETURN(asked.holders, ParseIds<policy::AgencyId>("holders", request.holders()));
  COMITY_RETURN_IF_ERROR(matching::CheckHolders(asked.holders));
  for (const policy::AgencyId& holder : asked.holders) {
    if (holder == own) return Wrong("holders", "must not name the own agency");
  }
  COMITY_RETURN_IF_ERROR(ReadOrder(request, asked.order));
  COMITY_RETURN_IF_ERROR(matching::CheckOrder(asked.order));
  COMITY_ASSIGN_OR_RETURN(asked.deadline, DeadlineOf(request.deadline_ms()));
  if (!request.capture_ref().empty()) {
    COMITY_RETURN_IF_ERROR(matching::CheckText("capture_ref", request.capture_ref(),
                                               transport::limits::kMaxCaptureRef));
  }
  asked.capture_ref = request.capture_ref();
  // The same check the holder makes; a broken template never leaves the agency.
  COMITY_RETURN_IF_ERROR(In("embedding", matching::ParseTemplate(AsBytes(request.embedding()),
                                                                 asked.order.engine.dimension)));
  asked.embedding = request.embedding();
  return asked;
}

}  // namespace comity::gateway
