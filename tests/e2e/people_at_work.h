// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "services/runtime/guarded.h"
#include "tests/e2e/exported_log.h"
#include "tests/integration/live_agency.h"

namespace comity::testing {

// People of one agency who act without a pause while their gateway, or its database, fails: one
// stops a list, two lift the stop, again and again. They note what was acknowledged. Whoever does
// not learn the outcome of an act looks at what stands and goes on from there.
//
// Threads: thread-safe; Start and Stop by one.
class PeopleAtWork {
 public:
  // What the gateway acknowledged, by the stop's id.
  struct Told {
    std::set<std::string> set;
    std::set<std::string> lifted;
    std::uint64_t unknown = 0;  // acts whose outcome nobody was told
    std::string last_refusal;   // for people
  };
  // In: gateway  host:port of the agency port as it is now
  //     list     of the agency; nobody else stops it
  PeopleAtWork(const LiveAgency& agency, std::function<std::string()> gateway, std::string list)
      : agency_(agency), gateway_(std::move(gateway)), list_(std::move(list)) {}
  ~PeopleAtWork() { Stop(); }

  void Start();
  void Stop();
  Told told() const {
    return told_.With([](const Told& told) { return told; });
  }
  // Waits until so many further acts were acknowledged; false: they were not in that time.
  bool AwaitActs(std::size_t further, std::chrono::seconds patience) const;

  // One person's stop of a partner, and its lifting by two, each one attempt. Noted as the others.
  // The stop's id; nothing: it was not acknowledged.
  std::optional<std::string> StopPartner(const std::string& partner);
  bool Lift(const std::string& stop);

  // Fails the test unless all that was acknowledged is so at the agency's own gateway, which runs,
  // and in its `log` once.
  void Check(const WholeLog& log) const;

 private:
  using Call =
      std::function<grpc::Status(const std::shared_ptr<grpc::Channel>&, grpc::ClientContext&)>;
  bool Try(const std::string& person, const Call& call);
  void Run(const std::stop_token& stop);
  std::optional<std::string> Set(const std::string& person, const v1::SetStopRequest& request);
  bool Standing(std::optional<std::string>& stop);
  bool PendingLift(const std::string& stop, v1::PendingAct& act);

  const LiveAgency& agency_;
  const std::function<std::string()> gateway_;
  const std::string list_;
  runtime::Guarded<Told> told_;
  using Line = std::pair<std::string, std::shared_ptr<grpc::Channel>>;  // port and channel
  runtime::Guarded<std::map<std::string, Line>> lines_;                 // by person
  std::jthread thread_;                                                 // last: it uses the others
};

}  // namespace comity::testing
