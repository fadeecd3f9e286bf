// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/runtime/guarded.h"
#include "tests/e2e/gateway_process.h"
#include "tests/integration/live_agency.h"

namespace comity::testing {

// Agencies whose `comityd` are killed at random moments of a life, and their people, who carry it
// out all the same: whoever does not learn the outcome of an act repeats it.
//
// COMITY_CRASH_KILLS: how many kills; COMITY_CRASH_SEED: repeats a run, as far as its threads let
// it.
//
// Threads: one carries out the life; another one calls Try and engine() beside it.
class KilledGateways {
 public:
  // In: agencies  each to outlive the object; usual  kills when the environment says nothing
  KilledGateways(const std::vector<LiveAgency*>& agencies, int usual);

  // Ends the agencies' own gateways and starts their processes.
  void Start();
  // One step of the life. Now and then a gateway, or all of them, are killed during it or shortly
  // after it, perhaps once more while they start; on return all run again.
  void Step(const std::string& name, const std::function<void()>& acts);
  bool has_kills_left() const { return kills_left_ > 0; }
  // Ends all processes as their operators would, and waits for it.
  void Stop();
  // As GatewayProcess says it, of one agency's.
  void RunUnder(const LiveAgency& agency, std::vector<std::string> before,
                std::vector<std::string> after = {}) {
    Find(agency).process.RunUnder(std::move(before), std::move(after));
  }
  // Ends one process, which may have ended by itself, and starts it; the second fails the test if
  // it does not listen.
  std::optional<int> End(const LiveAgency& agency) {
    return Find(agency).process.Stop(kStopPatience);
  }
  void StartAgain(const LiveAgency& agency) { StartAgain({&Find(agency)}); }
  std::string log(const LiveAgency& agency) const { return Find(agency).process.log(); }
  // For what is done to a folder while its gateway does not run.
  void WhileStopped(const LiveAgency& agency, const std::function<void()>& act);

  using Call =
      std::function<grpc::Status(const std::shared_ptr<grpc::Channel>&, grpc::ClientContext&)>;
  // The agency port as it is now, as one of Staff().
  std::shared_ptr<grpc::Channel> ChannelOf(const LiveAgency& agency,
                                           const std::string& person) const;
  EngineSettings engine(const LiveAgency& agency) const;
  grpc::Status Try(const LiveAgency& agency, const std::string& person, const Call& call) const;

  // An act is carried out, once: either somebody was told so, or the outcome of an earlier attempt
  // was not known and a repeat is refused because there is nothing left to do.
  enum class Outcome { kDone, kDoneBefore, kRefused };
  struct How {
    // Asked before a repeat, for acts that could be done twice.
    std::function<bool()> is_done = {};
    // What the act needs comes from the other agency: as long as it is not there, one waits.
    bool waits = false;
  };
  // kRefused fails the test.
  Outcome Do(const LiveAgency& agency, const std::string& person, const Call& call,
             const How& how) const;
  Outcome Do(const LiveAgency& agency, const std::string& person, const Call& call) const {
    return Do(agency, person, call, How());
  }

  // In: subject  as the gateway writes it; empty: any. reason  what the approver signs
  struct TwoPeopleAct {
    std::string_view act;
    std::string subject;
    std::string proposer;
    std::string approver;
    std::string reason = "as agreed";
  };
  using Propose = std::function<grpc::Status(const std::shared_ptr<grpc::Channel>&,
                                             grpc::ClientContext&, v1::PendingAct*)>;
  // The pending act; the proposer looks for it when they do not know whether they proposed it.
  v1::PendingAct Proposed(const LiveAgency& agency, const TwoPeopleAct& two,
                          const Propose& propose) const;
  void Approve(const LiveAgency& agency, const TwoPeopleAct& two, const v1::PendingAct& act) const;

  // All gateways run: nothing waits for a partner any more, and every log is exported, verified and
  // compared with the others, as an auditor does it.
  void ExpectSettled() const;
  // Waits until it holds, at most twenty seconds; else fails the test.
  bool Await(const std::string& what, const std::function<bool()>& holds) const;

 private:
  struct Served {
    explicit Served(LiveAgency& of) : agency(&of), process(of) {}
    LiveAgency* agency;
    GatewayProcess process;
    runtime::Guarded<EngineSettings> engine;  // as of the last start
  };
  static constexpr std::chrono::seconds kStopPatience{20};
  struct Plan {
    std::vector<Served*> victims;
    std::chrono::microseconds before, down;
    std::chrono::microseconds starting{};  // 0: it is let start
  };
  Plan NextPlan();
  void Carry(const Plan& plan);
  void StartAgain(const std::vector<Served*>& victims);
  Served& Find(const LiveAgency& agency) const;
  std::uint64_t CountWaiting(const LiveAgency& agency) const;
  std::vector<v1::PendingAct> Pending(const LiveAgency& agency, const TwoPeopleAct& two) const;

  std::vector<std::unique_ptr<Served>> served_;
  int kills_left_;
  std::mt19937_64 random_;
  using Line = std::pair<std::string, std::shared_ptr<grpc::Channel>>;  // port and channel
  mutable runtime::Guarded<std::map<std::string, Line>> lines_;         // by agency and person
};

}  // namespace comity::testing
