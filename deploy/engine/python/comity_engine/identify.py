# SPDX-License-Identifier: Apache-2.0
"""One search by a person, for a case, at several holders."""
from dataclasses import dataclass

import grpc

from . import wire
from .answers import Alert, Answered, Refused, Unanswered, read_outcome, read_refused
from .channel import open_channel
from .errors import BadFace, BadSearch
from .face import MAX_CAPTURE_REF, check_label, check_template
from .stream import error_of
from .wire import recognition_pb2, types_pb2

_MAX_CASE = 64
_MAX_NAMED = 32  # agreements, holders
_MAX_CATEGORIES = 16
_MODES = {"any": types_pb2.SEARCH_MODE_UNSPECIFIED, "direct": types_pb2.SEARCH_MODE_DIRECT,
          "sealed": types_pb2.SEARCH_MODE_SEALED}
_AIMS = {"identify": recognition_pb2.SEARCH_AIM_IDENTIFY,
         "more-data": recognition_pb2.SEARCH_AIM_MORE_DATA}
_SUBJECTS = {name: getattr(recognition_pb2, f"SUBJECT_STATUS_{name.upper()}")
             for name in ("suspect", "convicted", "victim", "missing", "remains")}
_GRACE = 10.0  # the log is written before and after


@dataclass(frozen=True, slots=True)
class Search:
    """The reason for a search and its terms; the log of both sides keeps it.

    engine       name/version/dimension of the engine that made `template`
    threshold    cosine, above 0, at most 1, at or above the agreements' floor
    categories   who is looked for, 1..16 list categories
    aim          identify or more-data
    subject      suspect, convicted, victim, missing or remains
    offence      (code, longest sentence in years), or None
    mode         direct, sealed, or any: what each holder's agreement says, sealed before direct
    deadline_ms  100..10000
    """

    template: object
    engine: str
    purpose: str
    case_ref: str
    threshold: float
    categories: tuple[str, ...]
    aim: str
    subject: str
    offence: tuple[str, int] | None = None
    mode: str = "any"
    agreements: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    deadline_ms: int = 5000
    capture_ref: str = ""


@dataclass(frozen=True, slots=True)
class HolderResult:
    holder: str
    outcome: Answered | Refused | Unanswered
    exchange_id: str
    mode: str
    ms: int

    @property
    def alerts(self) -> tuple[Alert, ...]:
        return self.outcome.alerts if isinstance(self.outcome, Answered) else ()


@dataclass(frozen=True, slots=True)
class SearchResult:
    """`refused` is set, and there are no holders, when no agreement covers the search at all."""

    search: str
    holders: tuple[HolderResult, ...]
    refused: Refused | None
    ms: int


def _term(place, terms, text):
    if text not in terms:
        raise BadSearch(place, f"{text!r} is none of {', '.join(terms)}")
    return terms[text]


def _engine(text):
    name, _, rest = text.partition("/")
    version, _, dimension = rest.rpartition("/")
    if not name or not version or not dimension.isdigit():
        raise BadSearch("engine", f"{text!r} is not name/version/dimension")
    return types_pb2.EngineProfile(name=name, version=version, dimension=int(dimension))


def _named(place, values, least, most):
    values = [values] if isinstance(values, str) else list(values)
    if not least <= len(values) <= most or len(set(values)) != len(values):
        raise BadSearch(place, f"{least} to {most}, no two equal")
    return values


def build_request(search):
    """The message of a search. Raises BadSearch, which names the field."""
    engine = _engine(search.engine)
    if not 0 < search.threshold <= 1:
        raise BadSearch("threshold", f"{search.threshold} is not above 0 and at most 1")
    if not 100 <= search.deadline_ms <= 10_000:
        raise BadSearch("deadline_ms", f"{search.deadline_ms} is not 100 to 10000")
    try:
        octets = check_template(search.template, engine.dimension)
        check_label("case_ref", search.case_ref, _MAX_CASE)
        if search.capture_ref:
            check_label("capture_ref", search.capture_ref, MAX_CAPTURE_REF)
    except BadFace as fault:
        raise BadSearch(*str(fault).split(": ", 1)) from None
    request = recognition_pb2.IdentifyRequest(
        agreements=_named("agreements", search.agreements, 0, _MAX_NAMED),
        purpose=search.purpose, case_ref=search.case_ref, aim=_term("aim", _AIMS, search.aim),
        subject_status=_term("subject", _SUBJECTS, search.subject), engine=engine,
        embedding=octets, threshold=search.threshold,
        list_categories=_named("categories", search.categories, 1, _MAX_CATEGORIES),
        holders=_named("holders", search.holders, 0, _MAX_NAMED),
        deadline_ms=search.deadline_ms, mode=_term("mode", _MODES, search.mode),
        capture_ref=search.capture_ref)
    if search.offence is not None:
        request.offence.code, request.offence.max_penalty_years = search.offence
    return request


def identify(profile, search):
    """Searches once; `profile` is a person's. Returns when every holder has answered, or at the
    deadline. Raises BadSearch, BadProfile, CannotConnect, GatewayRefused."""
    request = build_request(search)
    channel = open_channel(profile)
    try:
        response = wire.recognition_pb2_grpc.RecognitionStub(channel).Identify(
            request, timeout=search.deadline_ms / 1000 + _GRACE)
    except grpc.RpcError as status:
        raise error_of(status) from None
    finally:
        channel.close()
    holders = tuple(
        HolderResult(one.holder, read_outcome(one), one.exchange_id, wire.mode_text(one.mode),
                     one.ms) for one in response.holders)
    refused = read_refused(response.refused) if response.HasField("refused") else None
    return SearchResult(response.search, holders, refused, response.ms)
