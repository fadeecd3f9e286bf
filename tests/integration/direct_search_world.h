// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "policy/model/decision.h"
#include "services/runtime/clock.h"
#include "tests/integration/live_agency.h"

namespace comity::testing {

inline constexpr std::uint32_t kDimension = 128;
using Template = std::vector<float>;

// A unit vector of no particular direction.
Template RandomTemplate(std::mt19937_64& random, std::uint32_t dimension = kDimension);

// Two agencies with live gateways over loopback mutual TLS: the council asks, the police hold a
// list.
class DirectSearchWorld : public ::testing::Test {
 protected:
  // Both gateways run and pin each other; `text_` is filled and may be changed before Agree(). Its
  // dimension is that of the entries and searches.
  void SetUp() override;
  // Whom the police have enrolled besides the council.
  virtual std::vector<const LiveAgency*> further_partners() const { return {}; }
  // `text_` becomes a document that both agencies have signed; `ref_` names it.
  void Agree();
  // Fills the police's list with `count` entries ref-0, ref-1 ...; their templates are `entries_`.
  void ImportEntries(std::size_t count);

  // A deployment that the agreement covers, from a minute ago for an hour.
  v1::DeploymentDefinition Definition() const;
  // Proposed and approved, unless it was refused.
  v1::ProposeDeploymentResponse StartDeployment(const v1::DeploymentDefinition& definition);
  v1::ProposeDeploymentResponse StartDeployment(const std::string& purpose);
  // An open stream of the council's engine; in a deployment of its own by default.
  std::unique_ptr<EngineClient> Watch(std::string deployment = {});
  // Sends one face and waits for its answer.
  v1::WatchAnswer Ask(EngineClient& engine, std::uint64_t sequence, const Template& values);

  std::unique_ptr<UncheckedRequester> Unchecked();
  // What Definition() asks for, as a holder is told.
  policy::SearchRequest Terms() const;
  // The police's data protection officer suspends the agreement.
  void Suspend();

  policy::Instant Now() const { return std::chrono::floor<std::chrono::seconds>(clock_.Now()); }

  runtime::SystemClock clock_;
  std::mt19937_64 random_{20261125};
  LiveAgency police_{"northshire-police"};
  LiveAgency council_{"eastvale-council"};
  AgreementText text_;
  std::string yaml_;
  policy::AgreementRef ref_;
  std::vector<Template> entries_;
};

}  // namespace comity::testing
