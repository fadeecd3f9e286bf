// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <vector>

#include "policy/model/instant.h"
#include "services/cli/doctor_checks.h"
#include "services/transport/own_anchor.h"
#include "services/transport/peer_identity.h"
#include "services/transport/validity.h"

namespace comity::cli {
namespace {

constexpr std::chrono::days kCrlSoon{2};  // of the 7 that a list lives

std::string Until(runtime::Instant instant) {
  return policy::EncodeInstant(std::chrono::floor<std::chrono::seconds>(instant));
}

void CheckList(const std::filesystem::path& file, runtime::Instant now, Findings& findings) {
  const std::string what = "revocation list of " + file.stem().string();
  const auto validity = transport::ValidityOfRevocationLists(file);
  if (!validity) {
    findings.Wrong(what, validity.error().detail + "; the partner is refused");
  } else if (now >= validity->until) {
    findings.Wrong(what, "expired at " + Until(validity->until) +
                             "; the partner is refused: install its fresh crl.pem");
  } else if (now + kCrlSoon > validity->until) {
    findings.Warn(what, "expires at " + Until(validity->until) +
                            "; then the partner is refused: install its fresh crl.pem");
  } else {
    findings.Ok(what, "valid until " + Until(validity->until));
  }
}

}  // namespace

void CheckOwnCard(const runtime::Config& config, runtime::Instant now, Findings& findings) {
  const auto anchor = transport::OwnAnchor(config.keys.tls, config.keys.roots, now);
  if (anchor) {
    findings.Ok("peer card", "'comity peer invite' can make it");
  } else {
    findings.Warn("peer card", "partners could not enrol this agency: " + anchor.error().detail);
  }
}

void CheckRevocationFolder(const runtime::Config& config, runtime::Instant now,
                           Findings& findings) {
  if (!config.peers.crl_folder) return;
  std::error_code fault;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(*config.peers.crl_folder, fault)) {
    const bool names_agency =
        entry.path().extension() == ".pem" && transport::IsPeerName(entry.path().stem().string());
    if (names_agency) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  for (const std::filesystem::path& file : files) CheckList(file, now, findings);
  if (!files.empty()) return;
  findings.Warn("peers.crl_folder",
                "it holds no AGENCY.pem: with it every partner needs one, else it is refused");
}

}  // namespace comity::cli
