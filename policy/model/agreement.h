// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "policy/model/engine_profile.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "policy/model/terms.h"

namespace comity::policy {

// A public key as it stands in the document: `ed25519:<base64>`. Checked for form where the
// document is parsed; turned into a key where a signature is verified (policy/agreement).
using KeyText = std::string;

struct Dpo {
  std::string post;     // e.g. Data Protection Officer
  std::string contact;  // address of the post, not of a person
  KeyText key;
};
struct Signatory {
  std::string post;  // e.g. Senior Information Risk Owner
  KeyText key;
};
struct Party {
  AgencyId agency;
  std::string name;
  LegalRole legal_role{};
  std::vector<Regime> regimes;
  KeyText agency_key;  // signs messages and countersigns this party's people
  Dpo dpo;
  std::vector<Signatory> signatories;  // at least two: lifting a suspension takes two people
};

// Domain schema B2, the part that decides.
struct Purpose {
  PurposeCode code;
  std::string label;
  Regime regime{};
  std::string legal_power;  // statute and section
  std::string condition;    // e.g. Schedule 8 paragraph
};

// A document on which the agreement rests; outside [valid_from, valid_until) nothing is permitted.
struct Attachment {
  std::string id;  // clause id part, an Id form
  AttachmentKind kind{};
  std::string reference;
  Digest sha256;
  Instant valid_from{};
  Instant valid_until{};
};

struct Retention {
  std::chrono::seconds alert{};  // an alert's life at the requester
  std::chrono::seconds audit{};  // payloads of audit entries, both sides
};

// One permission: who may search whom, for what, and within which bounds. Everything is mandatory.
struct SearchPermission {
  std::string id;  // clause id, e.g. p1
  AgencyId requester;
  AgencyId holder;
  std::vector<RequesterRole> roles;
  std::vector<UseMode> uses;
  std::vector<PurposeCode> purposes;
  std::vector<ListCategory> list_categories;
  SearchMode mode{};
  EngineProfile engine;
  double threshold_floor = 1.0;      // cosine, in (0, 1]
  std::uint32_t hit_cap = 0;         // most entries one probe may release, 1..100
  std::uint64_t probes_per_day = 0;  // by the requester, UTC day of the holder
  std::vector<ReleaseItem> releases;
};

// Wins over every permission. Empty selector: matches all.
struct Prohibition {
  std::string id;  // clause id, e.g. x1
  std::vector<AgencyId> requesters;
  std::vector<PurposeCode> purposes;
  std::vector<ListCategory> list_categories;
  std::string reason;
};

// One version of an agreement, as read from its document (docs/formats/agreement.md).
struct Agreement {
  AgreementId id;
  std::uint32_t version = 0;  // from 1; a higher one supersedes
  std::string title;
  Digest sha256;               // of the document's bytes
  std::vector<Party> parties;  // exactly two
  std::vector<Purpose> purposes;
  std::vector<Attachment> attachments;
  std::vector<SearchPermission> permissions;
  std::vector<Prohibition> prohibitions;
  Retention retention;
  Instant effective_from{};
  Instant effective_until{};
  Instant review_by{};  // past it nothing is permitted (AG-2)

  const Party* FindParty(const AgencyId& agency) const;
  const Purpose* FindPurpose(const PurposeCode& code) const;
};

// Kinds that the regime of a purpose demands and that are not attached at all: DPIA for every
// regime (UK GDPR Art 35, DPA s.64, LED Art 27), with an appropriate policy document (APD) for
// sensitive processing by law enforcement (DPA s.35(4)-(5), s.42; LED Art 10).
std::vector<AttachmentKind> MissingAttachments(const Agreement& agreement);

}  // namespace comity::policy
