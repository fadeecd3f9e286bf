// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "services/casework/alert_seal.h"
#include "services/casework/alerts.h"

// The inside of an AlertDesk, for the files that implement it.
namespace comity::casework {

using policy::Instant;

// A place in the order of changes for one unit of work, given back whatever happens to it.
class Turn {
 public:
  explicit Turn(ChangeFeed& feed) : feed_(feed) {}
  ~Turn() { Finish({}); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  // At the start of the unit of work; a repeated run takes a later place.
  void Take() {
    Finish({});
    ticket_ = feed_.Take();
  }
  void Finish(std::vector<Alert> changes) {
    if (ticket_) feed_.Finish(*ticket_, std::move(changes));
    ticket_.reset();
  }

 private:
  ChangeFeed& feed_;
  std::optional<ChangeFeed::Ticket> ticket_;
};

struct AlertDesk::State {
  explicit State(AlertDeskSetup given) : setup(std::move(given)) {}

  // The alert that `report` merges into, if there is one.
  Result<std::optional<Alert>> FindOpen(const store::AlertStore& alerts, const HitReport& report,
                                        Instant now) const;
  // Whether the holder has said since its answer that nothing may rest on the entry.
  Result<bool> IsWithdrawn(const store::Transaction& transaction, const HitReport& report) const;
  Result<Raised> RaiseOne(store::AlertStore& alerts, const HitReport& report, Instant now);
  // Ends the alert: key and content go, unless a hold keeps them as evidence. Then too nobody sees,
  // acknowledges or merges into it any more, and it goes when the hold is released.
  Result<store::AlertRecord> End(store::Transaction& transaction, const store::AlertRecord& record,
                                 const EntryNote& note) const;
  // What one unit of work has read of the alerts on entries, by holder and reference or answer:
  // each once, however many changes name it. What it changes since stands in TouchedAlerts.
  using ReadAlerts = std::map<std::vector<std::string>, std::vector<store::AlertRecord>>;
  // Alerts of an old schema, of which no answer is stored, under the answers in their content.
  Result<ReadAlerts> ReadOldUnnamed(const store::AlertStore& alerts,
                                    std::span<const HolderChange> changes) const;
  // The alerts that rest on the entry, as stored; they live in `read`.
  static Result<std::vector<const store::AlertRecord*>> Concerned(const store::AlertStore& alerts,
                                                                  const HolderChange& change,
                                                                  ReadAlerts& old,
                                                                  ReadAlerts& read);
  // What one unit of work did to each alert, by its id: opened once and sealed once, however many
  // changes name its entry.
  struct Touched {
    Alert alert;
    bool erased = false;
  };
  using TouchedAlerts = std::map<std::string, Touched>;
  // Whether the change changed anything; it does not if the alert knew of a later one.
  Result<bool> ApplyTo(store::Transaction& transaction, const store::AlertRecord& record,
                       const HolderChange& change, TouchedAlerts& touched) const;
  // An alert that people may still work with.
  // Errors: kNotFound  no such alert, or it has expired or was withdrawn; kCorrupt
  Result<Alert> GetOpen(const store::AlertStore& alerts, const std::string& id, Instant now) const;
  // Records `order` in `alert`; false if the same outcome stands already.
  Result<bool> Decide(const AcknowledgeOrder& order, Instant now, Alert& alert) const;
  Status Save(store::AlertStore& alerts, const Alert& alert) {
    return alerts.Put(SealAlert(alert, setup.kek, setup.random));
  }

  AlertDeskSetup setup;
  ChangeFeed feed;
};

}  // namespace comity::casework
