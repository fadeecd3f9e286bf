// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "comity/v1/approvals.grpc.pb.h"
#include "crypto/sign/ed25519.h"
#include "services/identity/approval_decision.h"
#include "services/identity/role.h"
#include "services/runtime/clock.h"
#include "services/runtime/config.h"

// The people of an agency that a test or the demo runs: one or two of each role.
namespace comity::testing {

struct StaffMember {
  std::string id;
  std::string post;
  identity::RoleSet roles;
};
// admin-1, admin-2, operator, supervisor-1, supervisor-2, adjudicator, release, dpo, siro, chief
// (both signatories), auditor, keys-1.
const std::vector<StaffMember>& Staff();

// Certificates and signing keys of all of them in a `comity pki` folder. Those that exist stay.
void IssueStaff(const std::filesystem::path& pki, runtime::Instant now);
// The [[administrator]] part of a configuration: admin-1 and admin-2. In: pki  as the configuration
// names the folder
std::string AdministratorsToml(const std::string& pki);
// Puts everybody else into the agency's store as the gateway would find them, with log entries.
// Before the gateway of `config` starts; those who are known stay as they are.
void SeedStaff(const runtime::Config& config, const std::filesystem::path& pki,
               const runtime::Clock& clock);

sign::SigningKey StaffKey(const std::filesystem::path& pki, const std::string& person);
// What `person` signs about a pending act.
std::string SignedDecision(const std::filesystem::path& pki, const std::string& person,
                           const v1::PendingAct& act, identity::DecisionKind kind,
                           const std::string& reason = "as agreed");
// Decides over a channel to the agency port that is `person`'s.
grpc::Status Decide(const std::shared_ptr<grpc::Channel>& channel, const std::filesystem::path& pki,
                    const std::string& person, v1::PendingAct& act,
                    identity::DecisionKind kind = identity::DecisionKind::kApprove);

}  // namespace comity::testing
