// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "comity/v1/peers.grpc.pb.h"
#include "services/runtime/clock.h"
#include "services/runtime/config.h"
#include "services/transport/peer_card.h"

// Partner agencies for tests with real gateways.
namespace comity::testing {

// An agency whose keys lie in a `comity pki` folder.
struct AgencyFiles {
  std::string agency;
  std::filesystem::path pki;
  std::string address;  // of its federation port
};

// The agency's public signing key: ed25519:<base64>.
std::string AgencyKey(const std::filesystem::path& pki);
// The agency's card, as its gateway would make it.
transport::PeerCard CardOf(const AgencyFiles& files, const runtime::Clock& clock);

// Enrols the agencies of the cards in the store of `config`, as the approval of two people would.
// Before the gateway starts; those who are enrolled stay as they are.
void SeedPartners(const runtime::Config& config, const std::vector<transport::PeerCard>& cards,
                  const runtime::Clock& clock);

// The agency port of a live gateway, as two of its people.
struct TwoPeople {
  std::filesystem::path pki;
  std::shared_ptr<grpc::Channel> first_channel, second_channel;
  std::string second = "admin-2";
};
// Approves a pending act that takes a card, with the fingerprint that was read out.
grpc::Status ApproveCard(const TwoPeople& people, const v1::PendingAct& act,
                         const std::string& fingerprint);
// Accepts the card and approves it, at run time. The test's process ends if the gateway refuses.
void Enrol(const TwoPeople& people, const transport::PeerCard& card);

}  // namespace comity::testing
