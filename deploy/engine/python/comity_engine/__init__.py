# SPDX-License-Identifier: Apache-2.0
"""Connects a face-recognition engine to its agency's Comity gateway.

    watch = Watch(Profile.load("cameras.toml"), "d-...", on_answer=handle)
    with watch:
        watch.send(Face(template, capture_ref="frame-17", camera="north"))

See docs/engine_guide.md. Identify, for people and their tools, asks once for a case.
"""
from .answers import Alert, Answer, Answered, Opened, Refused, Unanswered
from .errors import BadFace, BadProfile, BadSearch, CannotConnect, ComityError, GatewayRefused
from .face import Face, check_template
from .identify import HolderResult, Search, SearchResult, identify
from .profile import Profile
from .watch import Watch

__all__ = [
    "Alert", "Answer", "Answered", "BadFace", "BadProfile", "BadSearch", "CannotConnect",
    "ComityError", "Face", "GatewayRefused", "HolderResult", "Opened", "Profile", "Refused",
    "Search", "SearchResult", "Unanswered", "Watch", "check_template", "identify",
]
