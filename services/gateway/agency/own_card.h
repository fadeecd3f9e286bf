// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "services/runtime/clock.h"
#include "services/transport/peer_card.h"

namespace comity::gateway {

// Makes the card by which partners enrol this agency.
//
// Threads: thread-safe.
class OwnCard {
 public:
  struct Setup {
    std::string agency;
    std::string name;  // for people
    std::string trust_domain;
    std::filesystem::path identity_file;
    std::filesystem::path roots_file;
    const sign::SigningKey& agency_key;
    sign::PublicKey log_key;
    const runtime::Clock& clock;
  };
  explicit OwnCard(Setup setup) : setup_(std::move(setup)) {}

  // In:     address  host:port at which partners reach the federation port
  // Errors: kInvalidArgument  the address, or no CA certificate of the roots speaks for the gateway
  Result<transport::PeerCard> Make(const std::string& address) const;

 private:
  const Setup setup_;
};

}  // namespace comity::gateway
