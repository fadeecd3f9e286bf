// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "services/cli/findings.h"
#include "services/cli/session.h"
#include "services/identity/peer.h"
#include "services/runtime/clock.h"
#include "services/runtime/config.h"

namespace comity::cli {

// The checks of `comity doctor`. Each adds what it finds and never fails itself.

// Own certificate, roots, revocation list and key files.
void CheckKeys(const runtime::Config& config, runtime::Instant now, Findings& findings);

// What the machine gives: open files, huge pages, swap, a clock that is kept.
void CheckMachine(Findings& findings);

// The data folder: its owner, mode, file system and room; and the ledger beside it. Returns whether
// the database in it may be looked at.
bool CheckDataFolder(const runtime::Config& config, Findings& findings);

// The database and the published log: whether they are sound, of this program and by these keys.
// Returns the partners that are enrolled, suspended ones too.
std::vector<identity::Peer> CheckData(const runtime::Config& config, Findings& findings);

// The three ports. In: is_running  whether this gateway runs now
void CheckPorts(const runtime::Config& config, bool is_running, Findings& findings);

// Whether the partners can be reached, are who was enrolled, and admit this gateway. Contacts them
// from here, beside each other, for at most some seconds.
struct PartnerCheck {
  const runtime::Config& config;
  const std::vector<identity::Peer>& partners;
  runtime::Instant now;
};
void CheckPartners(const PartnerCheck& check, Findings& findings);

// What the running gateway says of its partners, their clocks above all. Nothing without a profile.
void CheckContacts(const Session& session, Findings& findings);

// The two administrators of the configuration: whether the agency port would let them in.
void CheckAdministrators(const runtime::Config& config, runtime::Instant now, Findings& findings);

// Whether partners could enrol this agency.
void CheckOwnCard(const runtime::Config& config, runtime::Instant now, Findings& findings);

// The partners' revocation lists, if the configuration names a folder of them.
void CheckRevocationFolder(const runtime::Config& config, runtime::Instant now, Findings& findings);

}  // namespace comity::cli
