# SPDX-License-Identifier: Apache-2.0
"""Live search inside a deployment: faces go out, answers come in."""
import logging
import random
import threading
import time
from datetime import datetime, timezone

from google.protobuf.timestamp_pb2 import Timestamp

from .errors import ComityError, GatewayRefused
from .face import MAX_CAMERA, MAX_CAPTURE_REF, check_label, check_template, check_time, check_track
from .ledger import Ledger
from .stream import Stream
from .wire import recognition_pb2

_LOG = logging.getLogger("comity_engine")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
_OPENING = 10.0
_ENDING = 2.0  # for the gateway to end a stream in good order once all is answered
_GATEWAYS_WINDOW = 64
_TICK = 0.25


def _message(entry):
    captured_at = Timestamp()
    captured_at.FromDatetime(entry.captured_at.replace(tzinfo=None))
    return recognition_pb2.WatchProbe(
        sequence=entry.sequence, capture_ref=entry.capture_ref, camera=entry.camera,
        captured_at=captured_at, embedding=entry.octets, track=entry.track)


class Watch:
    """The faces of one engine in one deployment, over one stream at a time.

    Each face that send() took is settled exactly once by each holder: `on_answer` gets an Answer,
    also when none can be had any more. A stream that breaks is opened again; a face that had gone
    into the old one is never sent again, and one that had not yet gone waits for the new one.

    on_answer      called with each Answer by threads of this object, one at a time. It must return
                   soon: while it runs, no further answer is read. It may call send() with a
                   timeout of 0.
    window         how many faces may be without any holder's answer, 1..64: beyond 64 the gateway
                   reads no further, and faces would grow old on the way. send() waits for room.
    answer_within  seconds; the gateway answers a face after at most 5. A stream on which one is
                   later than this is taken for broken.
    give_up_after  seconds without a stream after which the watch ends

    Threads: thread-safe.
    """

    def __init__(self, profile, deployment, on_answer, *, window=_GATEWAYS_WINDOW,
                 answer_within=10.0, give_up_after=60.0):
        if not 1 <= window <= _GATEWAYS_WINDOW:
            raise ValueError(f"window: 1 to {_GATEWAYS_WINDOW}")
        self._profile = profile
        self._deployment = deployment
        self._on_answer = on_answer
        self._answer_within = answer_within
        self._give_up_after = give_up_after
        self._ledger = Ledger(window)
        self._changed = threading.Condition()
        self._delivering = threading.RLock()
        self._stream = None
        self._opened = None
        self._closing = False
        self._ended = None  # the error that ended the watch
        self._threads = []
        self._done = threading.Event()

    # -- for the engine ------------------------------------------------------------------------

    def open(self):
        """Connects and opens the stream; returns the deployment's terms.

        Raises BadProfile, CannotConnect, or GatewayRefused: NOT_FOUND (no such deployment, or it is
        another engine's), FAILED_PRECONDITION (not yet begun, stopped or over), ...
        """
        if self._threads:
            raise RuntimeError("a Watch is opened once")
        self._take_up(Stream(self._profile, self._deployment, self._probes, _OPENING))
        for run in (self._read_streams, self._keep_time):
            self._threads.append(threading.Thread(target=run, name="comity-watch", daemon=True))
        for thread in self._threads:
            thread.start()
        return self._opened

    @property
    def opened(self):
        """The terms as the last stream opened with them; None before open()."""
        return self._opened

    @property
    def ended(self):
        """The error that ended the watch for good; None while it goes on."""
        return self._ended

    def send(self, face, timeout=None):
        """Takes a face over; returns its sequence number, or None if there was no room in time.

        timeout  seconds to wait for room; None: as long as it takes. A live engine gives 0 or
                 little: a face that waits is a person who has passed.
        Raises BadFace (nothing is sent; the watch goes on), or what ended the watch.
        """
        if self._opened is None:
            raise RuntimeError("open() comes before send()")
        checked = {
            "octets": check_template(face.template, self._opened.dimension),
            "capture_ref": check_label("capture_ref", face.capture_ref, MAX_CAPTURE_REF),
            "camera": check_label("camera", face.camera, MAX_CAMERA),
            "track": check_track(face.track),
            "captured_at": check_time(face.captured_at),
        }
        with self._changed:
            is_free = self._changed.wait_for(
                lambda: self._ended or self._closing or self._ledger.has_room(), timeout)
            if self._ended:
                raise self._ended
            if self._closing:
                raise RuntimeError("the watch is closed")
            if not is_free:
                return None
            sequence = self._ledger.add(self._opened.holders, **checked)
            self._changed.notify_all()
            return sequence

    def drain(self, timeout=None):
        """Waits until every face is settled; False: not in time."""
        with self._changed:
            return self._changed.wait_for(self._ledger.is_empty, timeout)

    def close(self):
        """Sends what waits, reads the answers that come within `answer_within`, settles the
        rest."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self.drain(self._answer_within)
        if self._threads:
            self._threads[0].join(_ENDING)
        self._done.set()
        with self._changed:
            stream = self._stream
            self._changed.notify_all()
        if stream:
            stream.cancel()
        for thread in self._threads:
            thread.join()

    def __enter__(self):
        self.open()
        return self

    def __exit__(self, *fault):
        self.close()

    # -- streams -------------------------------------------------------------------------------

    def _take_up(self, stream):
        with self._changed:
            self._stream = stream
            self._opened = stream.opened
            self._changed.notify_all()

    def _probes(self, stream):
        """What goes into `stream`, in a thread of gRPC's that asks for the next message only when
        the one before is out."""
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: stream.is_over() or self._closing or self._ledger.has_waiting())
                if stream.is_over():
                    return
                entry, expired = self._ledger.take(
                    stream.opened.holders, datetime.now(timezone.utc), time.monotonic())
                if expired or entry:
                    self._changed.notify_all()
                is_last = entry is None and self._closing
            self._deliver(expired)
            if is_last:
                return
            if entry:
                message = _message(entry)
                entry.octets = None
                yield message

    def _read_streams(self):
        stream = self._stream
        while stream:
            fault = self._read(stream)
            with self._changed:
                lost = self._ledger.lose()
                self._stream = None
                stream.end()
                self._changed.notify_all()
            self._deliver(lost)
            if isinstance(fault, GatewayRefused):
                return self._end(fault)
            if self._closing:
                return self._end(None)
            _LOG.warning("the stream is lost: %s", fault or "the gateway ended it")
            stream = self._reopen()

    def _read(self, stream):
        """Until the stream ends; returns what it ended with."""
        try:
            for answer in stream.read():
                with self._changed:
                    is_awaited = self._ledger.settle(answer)
                    self._changed.notify_all()
                if is_awaited:
                    self._deliver([answer])
        except ComityError as fault:
            return fault
        return None

    def _reopen(self):
        """A new stream, or None when the watch is closed or ends."""
        pause, until = _FIRST_PAUSE, time.monotonic() + self._give_up_after
        while not self._closing:
            try:
                stream = Stream(self._profile, self._deployment, self._probes, _OPENING)
                self._take_up(stream)
                return stream
            except ComityError as fault:
                # A profile that cannot be read this moment may be one that is being renewed.
                if isinstance(fault, GatewayRefused) or time.monotonic() > until:
                    return self._end(fault)
            self._done.wait(pause * random.uniform(0.5, 1))
            pause = min(2 * pause, _LONGEST_PAUSE)
        return self._end(None)

    def _end(self, fault):
        with self._changed:
            self._ended = fault
            dropped = self._ledger.drop()
            self._changed.notify_all()
        self._done.set()
        self._deliver(dropped)

    # -- time and answers ----------------------------------------------------------------------

    def _keep_time(self):
        while not self._done.wait(_TICK):
            with self._changed:
                expired = self._ledger.expire(datetime.now(timezone.utc))
                if expired:
                    self._changed.notify_all()
                oldest, stream = self._ledger.oldest(), self._stream
            self._deliver(expired)
            if stream and oldest and time.monotonic() - oldest > self._answer_within:
                _LOG.warning("no answer within %.1f s: the stream is taken for broken",
                             self._answer_within)
                stream.cancel()

    def _deliver(self, answers):
        if not answers:
            return
        with self._delivering:
            for answer in answers:
                try:
                    self._on_answer(answer)
                except Exception:  # a fault of the engine's own must not stop the other answers
                    _LOG.exception("on_answer failed at the answer to %s", answer.capture_ref)
