// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/holdings_service.h"

#include <optional>

#include "services/gateway/wire/convert_time.h"
#include "services/gateway/wire/respond.h"
#include "services/identity/act.h"
#include "services/identity/visible_text.h"
#include "services/oversight/holdings.h"
#include "services/oversight/receipt.h"
#include "services/transport/limits.h"

namespace comity::gateway {
namespace {

using oversight::Holder;

v1::EntryHolder ToProto(const Holder& holder, policy::Instant now) {
  const store::HoldingRecord& holding = holder.holding;
  v1::EntryHolder proto;
  proto.set_watchlist(holding.list.text());
  proto.set_partner(holding.partner.text());
  proto.set_agreement(holding.agreement.text());
  *proto.mutable_first_told_at() = gateway::ToProto(holding.first_told_at);
  *proto.mutable_told_at() = gateway::ToProto(holding.told_at);
  *proto.mutable_held_until() = gateway::ToProto(holding.held_until);
  proto.set_times(holding.times);
  proto.set_holds(holder.holds());
  proto.set_change(holding.change);
  if (!holder.sent_at) return proto;
  v1::PartnerAnswer& answer = *proto.mutable_answer();
  *answer.mutable_sent_at() = gateway::ToProto(*holder.sent_at);
  if (holder.due_by) *answer.mutable_due_by() = gateway::ToProto(*holder.due_by);
  if (holder.acknowledged_at) {
    *answer.mutable_acknowledged_at() = gateway::ToProto(*holder.acknowledged_at);
  }
  answer.set_overdue(!holder.acknowledged_at && holder.due_by && now >= *holder.due_by);
  answer.set_refused(holder.refused);
  answer.set_receipt(holder.receipt);
  return proto;
}

v1::Deletion ToProto(const oversight::DeletionView& view, policy::Instant now) {
  const store::DeletionRecord& deletion = view.deletion;
  v1::Deletion proto;
  proto.set_agreement(deletion.agreement.text());
  proto.set_version(deletion.version);
  proto.set_holder(deletion.holder.text());
  *proto.mutable_ordered_at() = gateway::ToProto(deletion.ordered_at);
  if (deletion.done_at) *proto.mutable_done_at() = gateway::ToProto(*deletion.done_at);
  proto.set_erased(deletion.erased);
  if (deletion.message == 0) return proto;
  v1::PartnerAnswer& answer = *proto.mutable_answer();
  *answer.mutable_sent_at() = gateway::ToProto(deletion.ordered_at);
  *answer.mutable_due_by() = gateway::ToProto(deletion.due_by);
  if (deletion.done_at) {
    *answer.mutable_acknowledged_at() = gateway::ToProto(*deletion.done_at);
  }
  answer.set_overdue(!deletion.done_at && now >= deletion.due_by);
  answer.set_refused(view.refused);
  answer.set_receipt(view.receipt);
  return proto;
}

}  // namespace

bool HoldingsService::IsVerified(const policy::AgencyId& partner, std::string_view receipt,
                                 policy::Instant at) const {
  if (receipt.empty()) return false;
  const auto keys = ports_.keys(partner, at);
  return oversight::OpenReceipt(receipt, keys).has_value();
}

grpc::Status HoldingsService::OfReference(grpc::ServerContext* context,
                                          const v1::HoldersRequest* request,
                                          v1::HoldersResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_RETURN_IF_ERROR(ports_.callers.Person(*context, identity::Act::kHoldingRead));
    COMITY_RETURN_IF_ERROR(identity::CheckVisibleText("reference", request->reference(),
                                                      transport::limits::kMaxIdLength));
    std::vector<Holder> holders;
    COMITY_RETURN_IF_ERROR(ports_.store.Read([&](const store::Transaction& transaction) -> Status {
      COMITY_ASSIGN_OR_RETURN(holders,
                              oversight::Holdings::HoldersOf(transaction, request->reference()));
      return {};
    }));
    for (const Holder& holder : holders) {
      v1::EntryHolder proto = ToProto(holder, ports_.clock.Now());
      if (holder.acknowledged_at) {
        proto.mutable_answer()->set_receipt_verified(
            IsVerified(holder.holding.partner, holder.receipt, *holder.acknowledged_at));
      }
      *response->add_holders() = std::move(proto);
    }
    return {};
  });
}

grpc::Status HoldingsService::Deletions(grpc::ServerContext* context,
                                        const v1::DeletionsRequest* request,
                                        v1::DeletionsResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_RETURN_IF_ERROR(ports_.callers.Person(*context, identity::Act::kAgreementRead));
    std::optional<policy::AgreementId> agreement;
    if (!request->agreement().empty()) {
      COMITY_ASSIGN_OR_RETURN(agreement, policy::AgreementId::Parse(request->agreement()));
    }
    COMITY_ASSIGN_OR_RETURN(const auto views, ports_.deletions.List(agreement));
    for (const oversight::DeletionView& view : views) {
      v1::Deletion proto = ToProto(view, ports_.clock.Now());
      if (view.deletion.done_at && view.deletion.message != 0) {
        proto.mutable_answer()->set_receipt_verified(
            IsVerified(view.deletion.holder, view.receipt, *view.deletion.done_at));
      }
      *response->add_deletions() = std::move(proto);
    }
    return {};
  });
}

}  // namespace comity::gateway
