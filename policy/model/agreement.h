// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "policy/model/engine_profile.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "policy/model/term_set.h"
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
  bool caldicott = false;  // guards the confidentiality of patients' or clients' data (PU-4)
};
struct Party {
  AgencyId agency;
  std::string name;
  LegalRole legal_role{};
  std::vector<Regime> regimes;
  std::string contact_point;  // address for what concerns the agreement
  KeyText agency_key;         // signs messages and countersigns this party's people
  Dpo dpo;
  std::vector<Signatory> signatories;  // at least two: lifting a suspension takes two people
};

// Domain schema B2, the part that decides.
struct Purpose {
  PurposeCode code;
  std::string label;
  Regime regime{};
  PurposeTerm parent{};
  std::string legal_power;  // statute and section
  std::string condition;    // e.g. Schedule 8 paragraph
  // The least grave offence for which a search is made (PU-8); absent: none need be stated.
  std::optional<OffenceClass> offence_floor;
  TermSet<SubjectCategory> subject_categories;  // entries of others never match (PU-6)
  bool requires_case_reference = true;          // PU-7; live: the deployment's case
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

// How long each class of records is kept; the law's and the originator's shorter periods go before
// (RD-1).
struct Retention {
  std::chrono::seconds alert{};           // an alert's life at the requester
  std::chrono::seconds match_evidence{};  // what shows that a person confirmed a match
  std::chrono::seconds audit{};           // payloads of audit entries, both sides
  std::chrono::seconds justification{};   // why a search was made
  std::chrono::seconds list_after_end{};  // a received list after its deployment or the agreement
  std::chrono::seconds receipts{};        // withdrawal and deletion receipts
};

// How much of the holder's lists a requester may search in a UTC day of the counting gateway
// (SM-5).
struct Capacity {
  std::uint64_t probes_per_day = 0;       // by the requester as a whole
  std::uint64_t per_officer_per_day = 0;  // for one officer (live: who answers for the deployment)
  std::uint64_t per_case_per_day = 0;     // for one case
  auto operator<=>(const Capacity&) const = default;
};

// What looks like harvesting and suspends (SM-11).
struct Alarms {
  double hit_rate_percent = 0;               // hits in 100 probes, above which the alarm goes
  std::chrono::seconds hit_rate_window{};    // over which the rate is taken
  std::uint32_t repeated_hits_of_entry = 0;  // hits of one entry at which the alarm goes
  std::chrono::seconds repeated_hits_window{};
};

// What a list must keep to be searched under a permission (WL-5, WL-6).
struct ListBounds {
  std::uint32_t max_entries = 0;
  std::chrono::seconds max_age{};  // since it was built or re-validated; live: at most 24 h
};

// One item of a hit, and who at the requester may see it (AG-9).
struct Release {
  ReleaseItem item{};
  TermSet<ReceiverRole> roles;
  bool operator==(const Release&) const = default;
};

// What follows the end of an agreement (AG-10). Data are always deleted.
struct TerminationTerms {
  std::chrono::seconds notice{};  // from one party's second termination statement on
};

// One permission: who may search whom, for what, and within which bounds. Everything is mandatory.
struct SearchPermission {
  std::string id;  // clause id, e.g. p1
  AgencyId requester;
  AgencyId holder;
  // The law by which data of law enforcement go to a requester outside it (PU-3).
  std::optional<std::string> authorised_by;
  std::vector<RequesterRole> roles;
  std::vector<UseMode> uses;
  std::vector<PurposeCode> purposes;
  std::vector<ListCategory> list_categories;
  SearchMode mode{};
  EngineProfile engine;
  double threshold_floor = 1.0;  // cosine, in (0, 1]
  std::uint32_t hit_cap = 0;     // most entries one probe may release, 1..100
  Capacity capacity;
  Alarms alarms;
  ListBounds lists;
  std::vector<Release> releases;  // no item twice
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
  Digest sha256;                                 // of the document's bytes
  std::vector<Party> parties;                    // exactly two
  std::string data_subject_contact;              // the one contact point for people (AG-6)
  std::optional<std::string> joint_arrangement;  // joint controllers: who does what (AG-6)
  std::vector<Purpose> purposes;
  std::vector<Attachment> attachments;
  std::vector<SearchPermission> permissions;
  std::vector<Prohibition> prohibitions;
  Retention retention;
  OnwardSharing onward_sharing{};
  HandlingCode handling_code{};
  std::optional<std::string> handling_conditions;  // exactly with code C
  TerminationTerms termination;
  Instant effective_from{};
  Instant effective_until{};
  Instant review_by{};                     // past it nothing is permitted (AG-2)
  std::chrono::seconds review_reminder{};  // so long before review_by people are told (AG-5)

  const Party* FindParty(const AgencyId& agency) const;
  const Purpose* FindPurpose(const PurposeCode& code) const;
  const SearchPermission* FindPermission(std::string_view clause) const;
};

// Kinds that the regime of a purpose demands and that are not attached at all: DPIA for every
// regime (UK GDPR Art 35, DPA s.64, LED Art 27), with an appropriate policy document (APD) for
// sensitive processing by law enforcement (DPA s.35(4)-(5), s.42; LED Art 10).
std::vector<AttachmentKind> MissingAttachments(const Agreement& agreement);

}  // namespace comity::policy
