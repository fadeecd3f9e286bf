# SPDX-License-Identifier: Apache-2.0
"""The generated stubs, and their terms as this package writes them."""
try:
    from comity.v1 import recognition_pb2, recognition_pb2_grpc, types_pb2
except ImportError as fault:
    raise ImportError(
        "the stubs comity.v1 are not there: run deploy/engine/python/install.py FOLDER and name "
        f"FOLDER in PYTHONPATH ({fault})") from fault

__all__ = ["code_text", "engine_text", "mode_text", "reason_text", "recognition_pb2",
           "recognition_pb2_grpc", "types_pb2"]


def _term(enum, prefix, number):
    """LIST_NOT_COVERED of DECISION_CODE_LIST_NOT_COVERED: list-not-covered."""
    value = enum.DESCRIPTOR.values_by_number.get(number)
    if value is None:
        return f"unknown-{number}"  # of a gateway that is newer
    return value.name.removeprefix(prefix).lower().replace("_", "-")


def code_text(number):
    return _term(types_pb2.DecisionCode, "DECISION_CODE_", number)


def reason_text(number):
    return _term(recognition_pb2.Unanswered.Reason, "REASON_", number)


def mode_text(number):
    """direct or sealed; empty: none was said."""
    return "" if number == 0 else _term(types_pb2.SearchMode, "SEARCH_MODE_", number)


def engine_text(engine):
    return f"{engine.name}/{engine.version}/{engine.dimension}"
