// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "services/agreements/admission.h"
#include "services/agreements/catalogue.h"
#include "services/agreements/life.h"
#include "services/agreements/loading.h"
#include "services/agreements/register.h"
#include "services/runtime/guarded.h"

namespace comity::agreements {

// Catalogue, peers' words and the set made from them, always replaced together.
struct Published {
  std::shared_ptr<const Catalogue> catalogue = std::make_shared<const Catalogue>();
  std::shared_ptr<const PeerStatuses> peers = std::make_shared<const PeerStatuses>();
  std::shared_ptr<const policy::AgreementSet> set = std::make_shared<const policy::AgreementSet>();
};

// What a Register does, one submission at a time, so that each is judged by what the one before it
// left. The lock is held across the commit: people make submissions, and readers never wait for it.
//
// Threads: thread-safe.
class Register::State {
 public:
  explicit State(RegisterSetup given) : setup_(std::move(given)) {}

  const RegisterSetup& setup() const { return setup_; }
  Published Now() const {
    return published_.With([](const Published& now) { return now; });
  }
  TrustedKeys Keys() const { return {setup_.own, setup_.keys()}; }

  Status Load();
  Result<Submitted> AddDocument(HeldVersion version, const Source& source);
  Result<Submitted> AddStatement(const sign::DsseEnvelope& envelope, const Source& source);
  Status LearnPeerStatus(const policy::AgencyId& peer, const policy::AgreementRef& agreement,
                         std::string_view status);
  Status Housekeep();

 private:
  // One change: what is written and recorded, what people are told, and how the world looks then.
  struct Change {
    audit::Event event;
    std::function<Status(store::Transaction&)> write;
    std::vector<identity::Notice> notices;
    Published next;
  };
  // Makes a change durable, then lets everyone see it.
  Status Commit(Change change);
  audit::Event NewEvent(std::string_view type, const HeldVersion& version,
                        const Source& source) const;
  // The statement as it is kept: verified, and countersigned by its party's agency.
  Result<HeldStatement> Admit(const sign::DsseEnvelope& envelope, const HeldVersion& version,
                              const Source& source) const;
  Result<Submitted> Keep(const HeldVersion& version, HeldStatement held, const Source& source);
  Status DoMark(const DueMark& due);
  std::vector<identity::Notice> SettledDifferences(policy::Instant now);

  const RegisterSetup setup_;
  std::mutex submission_;
  runtime::Guarded<Published> published_;
  // Both under `submission_`.
  Marks marks_;
  struct Seen {
    std::string words;  // the two statuses
    policy::Instant since{};
    bool told = false;
  };
  std::map<policy::AgreementRef, Seen> differences_;
};

}  // namespace comity::agreements
