// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "crypto/base/bytes.h"
#include "policy/model/ids.h"
#include "services/casework/alerts.h"
#include "services/gateway/federation/partner_message.h"
#include "services/gateway/wire/call_rate.h"
#include "services/identity/notices.h"
#include "services/oversight/deletions.h"
#include "services/oversight/partner_notices.h"
#include "services/runtime/clock.h"
#include "services/runtime/guarded.h"

// What each kind of message between partners does; docs/formats/partner_messages.md.
namespace comity::gateway {

// entry-change: alerts that rest on the entry are withdrawn, corrected or marked, and people who
// may have acted on them are told: a notice for each message, up to 20 and then 20 an hour of one
// sender; what is beyond is gathered into one notice, later. The alerts themselves show each change
// at once.
//
// Threads: thread-safe.
class EntryChangeHandler final : public PartnerMessageHandler {
 public:
  EntryChangeHandler(casework::AlertDesk& alerts, identity::Notices& notices,
                     const runtime::Clock& clock)
      : alerts_(alerts), notices_(notices), clock_(clock) {}
  // Errors: those of every handler; kInvalidArgument  also: a change lies in the future by more
  //         than clocks may differ
  Result<Taken> Receive(store::Transaction& transaction, audit::Recorder& recorder,
                        const policy::AgencyId& sender, std::string_view content) override;
  // Posts the notices that were gathered, where there is room again. To be called every second or
  // so. Errors: those of the journal; what was not posted stays
  Status PostGathered() { return Post(/*is_last=*/false); }
  // The same whether there is room or not, at most one for each sender: at the end, when what was
  // gathered would be forgotten.
  Status PostRest() { return Post(/*is_last=*/true); }

 private:
  Status Post(bool is_last);
  struct Counts {
    std::uint64_t alerts = 0;
    std::uint64_t acknowledged = 0;
  };
  static identity::Notice ChangedNotice(const policy::AgencyId& sender, const Counts& counts);

  casework::AlertDesk& alerts_;
  identity::Notices& notices_;
  const runtime::Clock& clock_;
  CallRate rate_{20.0 / 3600, 20};
  runtime::Guarded<std::map<policy::AgencyId, Counts>> gathered_;
};

// deletion-order: what is the sender's is erased. Threads: thread-safe.
class DeletionOrderHandler final : public PartnerMessageHandler {
 public:
  explicit DeletionOrderHandler(const oversight::Deletions& deletions) : deletions_(deletions) {}
  Result<Taken> Receive(store::Transaction& transaction, audit::Recorder& recorder,
                        const policy::AgencyId& sender, std::string_view content) override;
  Status Acknowledged(store::Transaction& transaction, audit::Recorder& recorder,
                      const store::OutboxRecord& message,
                      const oversight::Receipt& receipt) override;

 private:
  const oversight::Deletions& deletions_;
};

// peer-notice: becomes a notice to own people. Threads: thread-safe.
class PeerNoticeHandler final : public PartnerMessageHandler {
 public:
  PeerNoticeHandler(const oversight::PartnerNotices& partner_notices, identity::Notices& notices)
      : partner_notices_(partner_notices), notices_(notices) {}
  Result<Taken> Receive(store::Transaction& transaction, audit::Recorder& recorder,
                        const policy::AgencyId& sender, std::string_view content) override;

 private:
  const oversight::PartnerNotices& partner_notices_;
  identity::Notices& notices_;
};

// sealed-held: the partner has a sealed list of ours as it stands in a state.
//
// Threads: thread-safe if `Note` is.
class SealedHeldHandler final : public PartnerMessageHandler {
 public:
  // Takes down what `partner` holds, in the unit of work.
  // Errors: kNotFound          no such list is known: the word came late and means nothing
  //         kPermissionDenied, kInvalidArgument  it can never be true: refused for good
  using Note =
      std::function<Status(store::Transaction&, audit::Recorder&, const policy::AgencyId& partner,
                           const Digest& header, std::uint64_t sequence)>;
  explicit SealedHeldHandler(Note note) : note_(std::move(note)) {}
  Result<Taken> Receive(store::Transaction& transaction, audit::Recorder& recorder,
                        const policy::AgencyId& sender, std::string_view content) override;

 private:
  const Note note_;
};

// sealed-erased: the partner has erased its copy of a sealed list of ours.
//
// Threads: thread-safe if `Note` is.
class SealedErasedHandler final : public PartnerMessageHandler {
 public:
  // Errors: as above
  using Note = std::function<Status(store::Transaction&, audit::Recorder&,
                                    const policy::AgencyId& partner, const Digest& header)>;
  explicit SealedErasedHandler(Note note) : note_(std::move(note)) {}
  Result<Taken> Receive(store::Transaction& transaction, audit::Recorder& recorder,
                        const policy::AgencyId& sender, std::string_view content) override;

 private:
  const Note note_;
};

}  // namespace comity::gateway
