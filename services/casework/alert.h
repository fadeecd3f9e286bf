// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/decision.h"
#include "policy/model/engine_profile.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/casework/hit_opening.h"
#include "services/store/records.h"

namespace comity::casework {

// What a verifying person first says about an alert (domain schema B7).
enum class Outcome { kTrueMatch, kNotAMatch, kCannotSay };

std::string_view Name(Outcome outcome);  // true-match, not-a-match, cannot-say
// Errors: kInvalidArgument
Result<Outcome> ParseOutcome(std::string_view text);

// One capture that hit. The opaque reference is the engine's own; the picture stays with it.
struct Frame {
  std::string capture_ref;  // <= 128
  std::string camera;       // <= 128
  policy::Instant captured_at{};
  std::string exchange_id;
  bool operator==(const Frame&) const = default;
};

// What the holder released about the entry; what it did not release is absent. Never an identity.
struct ReleasedHit {
  std::string reference;  // empty: not released
  std::optional<policy::ListCategory> category;
  std::string response_code;  // empty: not released
  std::optional<float> similarity;
  bool operator==(const ReleasedHit&) const = default;
};

// What of `hit` people in these roles may see; the rest is absent (AG-9).
ReleasedHit VisibleTo(policy::TermSet<policy::ReceiverRole> roles, const ReleasedHit& hit,
                      const std::vector<policy::Release>& releases);

struct Acknowledgement {
  Outcome outcome{};
  std::string note;  // <= 1000
  std::string by;
  policy::Instant at{};
  bool operator==(const Acknowledgement&) const = default;
};

// What the holder last said about the entry since the hit.
struct EntryNote {
  std::string change;    // withdrawn, expired, corrected, restricted, unrestricted
  policy::Instant at{};  // by the holder's clock
  bool operator==(const EntryNote&) const = default;
};

// An alert at the requester: an investigative lead, not an identification. Plain value; fields as
// in proto/comity/v1/alerts.proto.
struct Alert {
  static constexpr std::size_t kMaxFrames = 16;  // the last ones are kept, all are counted
  std::string id;                                // a-<26 characters>
  store::AlertState state = store::AlertState::kNew;
  policy::DeploymentId deployment;  // empty: a retrospective search
  policy::AgencyId holder;
  ReleasedHit hit;  // similarity: the highest of all frames
  // Who may see which item: the decisions' releases, of all frames the narrowest.
  std::vector<policy::Release> releases;
  double threshold = 0;
  policy::EngineProfile engine;
  std::string exchange_id;  // of the first frame, at both agencies
  policy::AgreementRef agreement;
  std::vector<Frame> frames;
  std::uint32_t frame_count = 0;
  policy::Instant first_seen{};
  policy::Instant last_seen{};
  policy::Instant expires_at{};
  std::optional<Acknowledgement> acknowledgement;
  std::optional<EntryNote> entry_note;
  // Of the frames that are kept, those whose probes were sealed. For nobody but an auditor.
  std::vector<SealedOpening> openings;
  bool operator==(const Alert&) const = default;
};

std::string_view Name(store::AlertState state);  // new, acknowledged, withdrawn

// Canonical JSON of what was released; similarity as below.
std::string EncodeHit(const ReleasedHit& hit);

// Canonical JSON of an alert: what is sealed at rest. Numbers with a fraction are decimal text, the
// shortest that reads back to the same value.
std::string EncodeAlert(const Alert& alert);
// Errors: kCorrupt  not such a text
Result<Alert> ParseAlert(std::string_view text);

}  // namespace comity::casework
