# SPDX-License-Identifier: Apache-2.0
"""What the gateway says, as plain values."""
from dataclasses import dataclass
from datetime import datetime, timezone

from . import wire


@dataclass(frozen=True, slots=True)
class Opened:
    """The deployment's terms: an engine needs no configuration of its own.

    threshold  cosine, at or above which an entry hits
    engine     name/version/dimension: which templates the gateway takes
    holders    agencies that are asked; each face is answered once by each of them
    """

    exchange_id: str
    threshold: float
    engine: str
    dimension: int
    holders: tuple[str, ...]
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Alert:
    """What a hit became: a lead for a person to look at, never an identification.

    Empty and None: the agreement does not release it to an engine.
    merged  a further frame of an alert that existed
    """

    id: str
    merged: bool
    reference: str = ""
    category: str = ""
    response_code: str = ""
    similarity: float | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The holder searched. No alerts: no entry at or above the threshold."""

    alerts: tuple[Alert, ...]
    entries: int


@dataclass(frozen=True, slots=True)
class Refused:
    """No search, by decision. `by` is the agency whose gateway refused."""

    code: str
    by: str
    agreement: str = ""
    clauses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer can be had; the face is not repeated.

    reason  of the gateway: holder-unreachable, deadline, holder-fault, holder-busy, track-spent,
            template-unfit; of this package: stream-lost (the stream broke after the face had
            gone: it may have been searched), not-sent (it waited until it was 30 s old, or until
            the watch ended: it was not searched)
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One holder's answer to one face, or the end of waiting for it.

    holder       agency id; empty if nobody was to be asked
    exchange_id  names the search in both agencies' logs; empty if there is none
    mode         direct or sealed; empty if not known
    """

    sequence: int
    capture_ref: str
    holder: str
    outcome: Answered | Refused | Unanswered
    exchange_id: str = ""
    mode: str = ""

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Those of an answered face; empty when there are none, or no answer."""
        return self.outcome.alerts if isinstance(self.outcome, Answered) else ()


def read_opened(message):
    return Opened(message.exchange_id, message.threshold, wire.engine_text(message.engine),
                  message.engine.dimension, tuple(message.holders),
                  message.ends_at.ToDatetime(timezone.utc))


def read_outcome(message):
    """The outcome of a WatchAnswer or a HolderResult."""
    kind = message.WhichOneof("outcome")
    if kind == "answered":
        return Answered(tuple(_read_alert(alert) for alert in message.answered.alerts),
                        message.answered.entries)
    if kind == "refused":
        return read_refused(message.refused, message.refused_by)
    if kind == "unanswered":
        return Unanswered(wire.reason_text(message.unanswered.reason))
    return Unanswered("unspecified")  # of a gateway that is newer: no answer is no hit


def read_refused(decision, by=""):
    agreement = decision.agreement
    name = f"{agreement.id}@{agreement.version}" if agreement.id else ""
    return Refused(wire.code_text(decision.code), by, name, tuple(decision.clauses))


def read_answer(message):
    return Answer(message.sequence, message.capture_ref, message.holder, read_outcome(message),
                  message.exchange_id, wire.mode_text(message.mode))


def _read_alert(message):
    hit = message.hit
    similarity = hit.similarity if hit.HasField("similarity") else None
    return Alert(message.alert, message.merged, hit.reference, hit.category, hit.response_code,
                 similarity)
