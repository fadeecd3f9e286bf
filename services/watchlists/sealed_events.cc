// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/sealed_events.h"

#include <string>

#include "crypto/sealed/sealed_block.h"
#include "policy/model/decision.h"
#include "services/audit/events.h"

namespace comity::watchlists {
namespace {

std::int64_t Count(std::uint64_t number) {
  return static_cast<std::int64_t>(number);
}

audit::Event AboutList(std::string_view type, const policy::AgencyId& own,
                       const sealed::ListHeader& header, policy::Instant now) {
  audit::Event event;
  event.type = type;
  event.time = now;
  event.parties = {own};
  const auto holder = policy::AgencyId::Parse(header.holder);
  if (holder) event.parties.push_back(*holder);
  const auto agreement = policy::AgreementId::Parse(header.agreement);
  if (agreement) {
    event.agreement = policy::AgreementRef{
        .id = *agreement, .version = header.agreement_version, .sha256 = header.agreement_sha256};
  }
  event.committed = {{"list", header.list}, {"purpose", header.purpose}};
  event.messages = {{"header", sealed::HeaderDigest(header)}};
  event.counts = {{"epoch", Count(header.epoch)}};
  return event;
}

}  // namespace

audit::Event SealedListReceived(const policy::AgencyId& own, const sealed::ListView& view,
                                policy::Instant now) {
  audit::Event event = AboutList(audit::kSealedListReceived, own, view.header(), now);
  event.messages["state"] = view.state_digest();
  std::uint64_t octets = 0;
  for (const sealed::ListedBlock& block : view.state().blocks) {
    octets += sealed::EncodedBlockBytes(block.count, view.profile().dimension());
  }
  event.counts["sequence"] = Count(view.state().sequence);
  event.counts["blocks"] = Count(view.state().blocks.size());
  event.counts["entries"] = Count(view.slot_count());
  event.counts["octets"] = Count(octets);
  return event;
}

audit::Event SealedListErased(const policy::AgencyId& own, const ErasedCopy& copy,
                              policy::Instant now) {
  audit::Event event = AboutList(audit::kSealedListErased, own, copy.header, now);
  event.messages["state"] = copy.state;
  event.committed["reason"] = std::string(copy.reason);
  event.counts["sequence"] = Count(copy.sequence);
  return event;
}

}  // namespace comity::watchlists
