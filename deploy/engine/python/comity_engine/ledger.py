# SPDX-License-Identifier: Apache-2.0
"""Which faces wait, which have gone, and who has still to answer them. Each face is settled exactly
once by each holder. Not thread-safe: Watch guards it."""
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import datetime

from .answers import Answer, Unanswered
from .face import MAX_AGE


@dataclass(slots=True)
class Entry:
    """One face that is not settled. `octets` is given up as soon as the face has gone."""

    sequence: int
    capture_ref: str
    camera: str
    track: bytes
    captured_at: datetime
    octets: bytes | None
    holders: set  # who has still to answer
    heard: bool = False  # somebody has answered
    gone_at: float = 0.0  # monotonic


class Ledger:
    """Faces in two stages: waiting for a stream to take them, and gone."""

    def __init__(self, window):
        self._window = window
        self._last = 0
        self._waiting = deque()
        self._gone = OrderedDict()
        self._unheard = 0

    def has_room(self):
        """Whether fewer faces than the window are without any answer: the fastest holder counts."""
        return self._unheard < self._window

    def is_empty(self):
        return not self._waiting and not self._gone

    def has_waiting(self):
        return bool(self._waiting)

    def add(self, holders, **face):
        self._last += 1
        self._waiting.append(Entry(self._last, holders=set(holders), **face))
        self._unheard += 1
        return self._last

    def take(self, holders, now, monotonic):
        """The next face for a stream whose holders these are, with the answers of those that have
        become too old and do not go at all: (entry or None, answers)."""
        answers = self.expire(now)
        if not self._waiting:
            return None, answers
        entry = self._waiting.popleft()
        entry.holders, entry.gone_at = set(holders), monotonic
        if entry.holders:
            self._gone[entry.sequence] = entry
        else:
            self._hear(entry)  # nobody will answer
        return entry, answers

    def settle(self, answer):
        """False: nobody waits for this answer."""
        entry = self._gone.get(answer.sequence)
        if entry is None or answer.holder not in entry.holders:
            return False
        entry.holders.remove(answer.holder)
        self._hear(entry)
        if not entry.holders:
            del self._gone[answer.sequence]
        return True

    def expire(self, now):
        """Answers of waiting faces that the gateway would not search any more."""
        old = [entry for entry in self._waiting if entry.captured_at < now - MAX_AGE]
        for entry in old:
            self._waiting.remove(entry)
        return self._give_up(old, "not-sent")

    def lose(self):
        """Answers of faces that had gone into a stream that broke: none is sent again."""
        lost = list(self._gone.values())
        self._gone.clear()
        return self._give_up(lost, "stream-lost")

    def drop(self):
        """Answers of faces that will never go."""
        dropped = list(self._waiting)
        self._waiting.clear()
        return self._give_up(dropped, "not-sent")

    def oldest(self):
        """When the face went that waits longest for an answer, monotonic; None: none waits."""
        for entry in self._gone.values():
            return entry.gone_at
        return None

    def _hear(self, entry):
        if not entry.heard:
            entry.heard = True
            self._unheard -= 1

    def _give_up(self, entries, reason):
        answers = []
        for entry in entries:
            self._hear(entry)
            answers += [Answer(entry.sequence, entry.capture_ref, holder, Unanswered(reason))
                        for holder in sorted(entry.holders) or [""]]
        return answers
