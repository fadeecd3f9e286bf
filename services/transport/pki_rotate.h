// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "crypto/base/result.h"
#include "services/transport/peer_card.h"

namespace comity::transport {

// The agency's next signing key, in the folder of `comity pki init`:
//
//   DIR/keys/agency-signing.next.key    made by MakeNextKey                        0600
//   DIR/keys/agency-signing.former.key  what SwitchKey replaced; to be destroyed   0600

// Makes the next key and the card that announces it: the present card with the next key, signed by
// both.
// In:     present  the card that the gateway gives out now
// Errors: kInvalidArgument  `present` is not signed by the key in the folder; kNotFound  no such
//         folder; kConflict  a next key is there already; kUnavailable  the disk fails: there is
//         no next key
Result<PeerCard> MakeNextKey(const std::filesystem::path& pki_folder, PeerCard present);

// The next key becomes the present one; the gateway works with it after a restart. At every moment
// one of the two is the present one. Repeating it after a crash ends what was begun.
// Errors: kNotFound  there is no next key; kConflict  a former key is there still
//         kUnavailable  the disk fails: the switch did not happen, or happened and is not durable,
//                       which `detail` says
Status SwitchKey(const std::filesystem::path& pki_folder);

}  // namespace comity::transport
