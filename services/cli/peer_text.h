// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "comity/v1/peers.pb.h"

// Partner agencies as people and scripts read them.
namespace comity::cli {

nlohmann::ordered_json TermsJson(const v1::PeerTerms& terms);
// What both sides compare, several lines.
std::string TermsText(const v1::PeerTerms& terms);

// {"peers": [...], "own_keys": [...]}
nlohmann::ordered_json PeersJson(const v1::ListPeersResponse& response);
// A table, and below it every partner's keys and what is to be done.
std::string PeersText(const v1::ListPeersResponse& response);

}  // namespace comity::cli
