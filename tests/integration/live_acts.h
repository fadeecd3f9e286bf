// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "comity/v1/deployments.pb.h"
#include "tests/integration/live_agency.h"
#include "tests/support/watchlist_text.h"

// What the people of a live agency do before a search: acts that need two, done by two.
namespace comity::testing {

// Drafts the list, adds one entry a template with the references prefix0, prefix1 ..., and has a
// supervisor approve it. The test's process ends if the gateway refuses.
void FillList(LiveAgency& holder, const DefinitionText& definition,
              const std::vector<std::vector<float>>& templates, const std::string& prefix = "ref-");

// Waits until the gateway reaches all its partners, at most 20 seconds: a partner's trust anchor is
// taken up within a second, and a connection that failed before is tried again after a pause.
void AwaitPartners(LiveAgency& agency);

// Waits until so many agreements are in force there, at most 20 seconds.
void AwaitInForce(LiveAgency& agency, std::size_t agreements);

// The same with the entries (JSON Lines) and templates (float32) as they are.
void StartList(LiveAgency& holder, const DefinitionText& definition, const std::string& entries,
               const std::string& floats);

// Its parts, for a list that is too large for one import.
void DraftList(LiveAgency& holder, const DefinitionText& definition);
void AddEntries(LiveAgency& holder, const std::string& list, const std::string& entries,
                const std::string& floats);
void ApproveList(LiveAgency& holder, const std::string& list);

// Proposes the deployment as an operator and has a supervisor approve it; waits until it is active
// and its holders have been asked to validate their lists, at most ten seconds. Returns its id.
std::string StartDeployment(LiveAgency& requester, const v1::DeploymentDefinition& definition);

// Waits until each of its holders has validated its lists: one that was out of reach at first is
// asked again after seconds, and its faces are refused until then. The test's process ends if that
// takes longer than a minute.
void AwaitValidated(LiveAgency& requester, const std::string& deployment);

}  // namespace comity::testing
