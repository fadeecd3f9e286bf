# SPDX-License-Identifier: Apache-2.0
"""The documents of the sandbox: agreements, a list's definition, its entries, templates."""
import json
import math
import random
import struct
from datetime import datetime, timedelta, timezone

PURPOSE = "court-order-arrest"
CATEGORY = "wanted-by-courts"
ENGINE, ENGINE_VERSION, DIMENSION = "sample-engine", "1", 128
THRESHOLD = 0.5


def instant(**from_now):
    moment = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(**from_now)
    return moment.isoformat().replace("+00:00", "Z")


def unit(values):
    norm = math.sqrt(sum(value * value for value in values))
    return [value / norm for value in values]


def faces(count, seed, dimension=DIMENSION):
    """Unit vectors of no particular direction: no two are alike."""
    rng = random.Random(seed)
    return [unit([rng.gauss(0, 1) for _ in range(dimension)]) for _ in range(count)]


def another_frame(face, seed):
    """The same face once more: a cosine of about 0.9 to the first."""
    rng = random.Random(seed)
    return unit([value + rng.gauss(0, 0.48 / math.sqrt(len(face))) for value in face])


def octets(rows):
    return b"".join(struct.pack(f"<{len(row)}f", *row) for row in rows)


def npy(rows):
    """The same as NumPy's numpy.save writes a two-dimensional float32 array."""
    header = (f"{{'descr': '<f4', 'fortran_order': False, "
              f"'shape': ({len(rows)}, {len(rows[0])}), }}")
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + octets(rows)


def _party(party):
    return f"""  - agency: {party.name}
    name: Agency {party.name}
    legal_role: controller
    regimes: [UK-P3]
    contact_point: information-sharing@{party.name}.example
    agency_key: {party.agency_key}
    dpo:
      post: Data Protection Officer
      contact: dpo@{party.name}.example
      key: {party.signing_keys["dpo"]}
    signatories:
      - post: Senior Information Risk Owner
        key: {party.signing_keys["siro"]}
        caldicott: false
      - post: Chief Officer
        key: {party.signing_keys["chief"]}
        caldicott: false
"""


def _attachment(kind, digit):
    return f"""  - id: {kind}-1
    kind: {kind}
    reference: {kind} of the sandbox
    sha256: {digit * 64}
    valid_from: {instant(days=-300)}
    valid_until: {instant(days=30)}
"""


def agreement(name, mode, requester, holder):
    """May `requester` search `holder`'s list, live and for a case? In `mode`."""
    release = "roles: [engine, operator, adjudicator, supervisor]"
    return f"""schema: comity/agreement/1
id: {name}
version: 1
title: Finding people wanted by courts
parties:
{_party(requester)}{_party(holder)}data_subject_contact: privacy@{holder.name}.example
joint_arrangement: none
purposes:
  - code: {PURPOSE}
    label: Arrest of people whom a court has ordered to be arrested
    parent: court-order-compliance
    regime: UK-P3
    legal_power: common law
    condition: DPA 2018 Schedule 8 paragraph 1
    offence_floor: none
    subject_categories: [suspect, convicted]
    requires_case_reference: true
attachments:
{_attachment("dpia", "a")}{_attachment("apd", "b")}permissions:
  - id: p1
    action: search
    requester: {requester.name}
    holder: {holder.name}
    authorised_by: none
    roles: [engine, operator]
    uses: [live, retrospective]
    purposes: [{PURPOSE}]
    list_categories: [{CATEGORY}]
    mode: {mode}
    engine:
      name: {ENGINE}
      version: "{ENGINE_VERSION}"
      dimension: {DIMENSION}
      metric: cosine
    threshold_floor: {THRESHOLD}
    hit_cap: 100
    capacity:
      probes_per_day: 1000000
      per_officer_per_day: 1000000
      per_case_per_day: 1000000
    alarms:
      hit_rate_percent: 100
      hit_rate_window: PT1H
      repeated_hits_of_entry: 1000000
      repeated_hits_window: PT1H
    lists:
      max_entries: 1000000
      max_age: PT24H
    releases:
      - item: reference-number
        {release}
      - item: category
        {release}
      - item: response-code
        {release}
prohibitions: []
retention:
  alert: PT24H
  match_evidence: P31D
  audit: P365D
  justification: P365D
  list_after_end: PT24H
  receipts: P365D
onward_sharing: none
handling_code: P
handling_conditions: none
termination:
  notice: PT1S
  data_return: delete
effective_from: {instant(days=-1)}
effective_until: {instant(days=30)}
review_by: {instant(days=30)}
review_reminder: PT1M
"""


def definition(name, agreements):
    return f"""schema: comity/watchlist/1
reference: {name}
operation_ref: OP-2026-17
objective: find people whom a court wants
use_case: court-order
purpose: {PURPOSE}
agreements: [{", ".join(agreements)}]
places: [Old Bridge]
starts_at: {instant(hours=-1)}
ends_at: {instant(hours=23)}
criteria: open warrants of the crown court
intelligence_case_ref: IC-7
categories:
  - category: {CATEGORY}
    added_value: likely to pass the bridge
engine:
  name: {ENGINE}
  version: "{ENGINE_VERSION}"
  dimension: {DIMENSION}
  metric: cosine
  threshold: {THRESHOLD}
  test_report: laboratory report 12
  false_match_rate: 0.000001
expected_faces: 100000
false_alert_budget: 1000
size_cap: 1000000
quality:
  metric: ofiq
  minimum: 50
information_max_age: P30D
includes_under_18: false
grounds: []
"""


def entry(reference):
    """One line of a list."""
    return json.dumps({
        "reference": reference, "category": CATEGORY, "subject_category": "suspect",
        "identified": True, "under_18": False, "vulnerable": False,
        "image": {"source_kind": "custody", "acquisition_legal_basis": "PACE 1984 s.64A",
                  "captured_on": instant(days=-30)[:10], "third_party_sensitive": False,
                  "disposition": "convicted", "quality": {"metric": "ofiq", "value": 87}},
        "rationale": {"necessity": "Warrant; not at the known address.",
                      "proportionality": "Other enquiries have failed.",
                      "by": "Detective Inspector", "at": instant(hours=-1)},
        "fact_or_assessment": "fact",
        "reliability": {"as_of": instant(hours=-1), "grade": "1A", "completeness": "complete"},
        "response": {"priority": "amber", "text": "speak to the person"}, "handling_code": "P",
        "valid_from": instant(minutes=-1), "expires_at": instant(hours=23),
        "review_by": instant(hours=23)}) + "\n"
