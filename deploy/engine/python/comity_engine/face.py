# SPDX-License-Identifier: Apache-2.0
"""A face as an engine shows it, and the checks that the gateway makes too."""
import math
import struct
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from .errors import BadFace

MAX_CAPTURE_REF = 128
MAX_CAMERA = 64
MAX_TRACK = 64
NORM_TOLERANCE = 1e-3
MAX_AGE = timedelta(seconds=30)
MAX_AHEAD = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Face:
    """One face.

    template     what the engine made of it: `dimension` float32 of L2 norm 1 (a list, an array, a
                 numpy array of float32 or float64, or little-endian octets). Biometric.
    capture_ref  1..128 octets, opaque: finds the picture in the engine's own system
    camera       1..64 octets
    track        at most 64 octets, opaque: the same for all faces of one appearance of a person
    captured_at  when, with its time zone; None: now
    """

    template: object
    capture_ref: str
    camera: str
    track: bytes | str = b""
    captured_at: datetime | None = None


def _pack(values, place):
    if isinstance(values, (bytes, bytearray)):
        return bytes(values)
    try:
        view = memoryview(values)
    except TypeError:
        view = None
    if view is not None and view.ndim != 1:
        raise BadFace(place, f"{view.ndim} dimensions instead of one")
    if view is not None and view.format in ("f", "<f") and sys.byteorder == "little":
        return view.tobytes()
    try:
        floats = [float(value) for value in values]
        return struct.pack(f"<{len(floats)}f", *floats)
    except (TypeError, ValueError):
        raise BadFace(place, "not a row of numbers") from None
    except OverflowError:
        at = next(i for i, value in enumerate(floats) if abs(value) > 3.4028235e38)
        raise BadFace(f"{place}[{at}]", f"{floats[at]} does not fit into a float32") from None


def check_template(values, dimension, place="template"):
    """`values` as octets of `dimension` x float32 little-endian.

    Raises BadFace, which names the place. Whatever is not finite, or not of unit length within
    0.001, is refused, as the gateway does.
    """
    octets = _pack(values, place)
    if len(octets) != 4 * dimension:
        raise BadFace(place, f"{len(octets)} octets ({len(octets) / 4:g} float32); the engine "
                             f"profile has {dimension} float32")
    floats = struct.unpack(f"<{dimension}f", octets)
    for at, value in enumerate(floats):
        if not math.isfinite(value):
            raise BadFace(f"{place}[{at}]", f"{value} is not a finite number")
    norm = math.sqrt(sum(value * value for value in floats))
    if not abs(norm - 1) <= NORM_TOLERANCE:
        raise BadFace(place, f"its L2 norm is {norm:.6g}; scale it to unit length (1 +- 0.001)")
    return octets


def check_label(place, text, limit):
    """1 to `limit` octets of UTF-8 without control characters. Raises BadFace."""
    if not isinstance(text, str):
        raise BadFace(place, f"{type(text).__name__} instead of text")
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise BadFace(place, "it is no UTF-8") from None
    if not 1 <= size <= limit:
        raise BadFace(place, f"{size} octets; it has 1 to {limit}")
    for at, character in enumerate(text):
        if character < " " or character == "\x7f":
            raise BadFace(f"{place}[{at}]", "a control character")
    return text


def check_track(track):
    """The octets of a track. Raises BadFace."""
    if isinstance(track, str):
        track = track.encode("utf-8", "surrogatepass")
    if not isinstance(track, (bytes, bytearray)):
        raise BadFace("track", f"{type(track).__name__} instead of octets or text")
    if len(track) > MAX_TRACK:
        raise BadFace("track", f"{len(track)} octets; it has at most {MAX_TRACK}")
    return bytes(track)


def check_time(captured_at, now=None):
    """The time of capture, in UTC. Raises BadFace if it is ahead of this machine's clock."""
    now = now or datetime.now(timezone.utc)
    if captured_at is None:
        return now
    if not isinstance(captured_at, datetime) or captured_at.tzinfo is None:
        raise BadFace("captured_at", "it must be a datetime with its time zone")
    if captured_at > now + MAX_AHEAD:
        raise BadFace("captured_at", f"{captured_at.isoformat()} is more than 60 s ahead of this "
                                     "machine's clock")
    return captured_at.astimezone(timezone.utc)
