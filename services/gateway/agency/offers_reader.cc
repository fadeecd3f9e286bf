// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/offers_reader.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "services/audit/events.h"
#include "services/gateway/federation/offer_list.h"

namespace comity::gateway {
namespace {

constexpr std::size_t kMaxProblem = 500;
constexpr int kMaxTerms = 16;  // categories, roles and uses of one offer

}  // namespace

Status CheckOffers(const v1::ListOffersReply& reply) {
  const auto is_wrong = [](const v1::Offer& offer) {
    return offer.categories_size() > kMaxTerms || offer.roles_size() > kMaxTerms ||
           offer.uses_size() > kMaxTerms ||
           std::ranges::any_of(offer.categories(), [](const v1::OfferedCategory& category) {
             return category.entries() > kMaxOfferedEntries;
           });
  };
  bool wrong = static_cast<std::size_t>(reply.offers_size()) > kMaxOffers;
  for (const v1::Offer& offer : reply.offers()) wrong = wrong || is_wrong(offer);
  if (!wrong) return {};
  return Fail(ErrorCode::kInvalidArgument, "the partner's offers are out of bounds");
}

Status OffersReader::Record(const policy::AgencyId& holder, const policy::PersonId& person,
                            const PeerLinks::Offered& offered) const {
  audit::Event event;
  event.type = audit::kOffersRead;
  event.time = ports_.clock.Now();
  event.exchange = offered.exchange;
  event.parties = {ports_.self, holder};
  event.committed = {{"operator", person.text()}};
  event.messages = {{"request", offered.request}, {"reply", offered.answer}};
  event.counts = {{"offers", offered.reply.offers_size()}};
  return ports_.journal.Record(event);
}

v1::HolderOffers OffersReader::ReadOne(const policy::AgencyId& holder,
                                       const policy::PersonId& person) const {
  v1::HolderOffers offers;
  offers.set_holder(holder.text());
  auto offered = ports_.peers.ListOffers(holder);
  Status status = offered ? CheckOffers(offered->reply) : Status(Fail(offered.error()));
  if (status) status = Record(holder, person, *offered);
  if (!status) {
    offers.set_problem(status.error().detail.substr(0, kMaxProblem));
    return offers;
  }
  offers.set_reached(true);
  *offers.mutable_offers() = std::move(*offered->reply.mutable_offers());
  offers.set_more(offered->reply.more());
  return offers;
}

Result<v1::OffersResponse> OffersReader::Read(const std::string& holder,
                                              const policy::PersonId& person) const {
  std::vector<policy::AgencyId> holders;
  if (holder.empty()) {
    for (const auto& [agency, link] : ports_.peers.all()) holders.push_back(agency);
  } else {
    COMITY_ASSIGN_OR_RETURN(policy::AgencyId agency, policy::AgencyId::Parse(holder));
    COMITY_RETURN_IF_ERROR(ports_.peers.Find(agency));
    holders.push_back(std::move(agency));
  }
  std::vector<v1::HolderOffers> answers(holders.size());
  {
    std::vector<std::jthread> readers;
    for (std::size_t i = 0; i < holders.size(); ++i) {
      readers.emplace_back([&, i] { answers[i] = ReadOne(holders[i], person); });
    }
  }
  v1::OffersResponse response;
  for (v1::HolderOffers& answer : answers) *response.add_holders() = std::move(answer);
  return response;
}

}  // namespace comity::gateway
