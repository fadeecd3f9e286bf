# SPDX-License-Identifier: Apache-2.0
"""Which gateway, and as whom: the TOML file that `comity pki issue` writes."""
import tomllib
from dataclasses import dataclass
from pathlib import Path

from .errors import BadProfile

_KEYS = ("gateway", "spiffe_id", "identity", "roots")
_OPTIONAL = ("signing_key",)  # of people; this package signs nothing
_MAX_FILE = 64 * 1024


@dataclass(frozen=True)
class Profile:
    """gateway    HOST:PORT of the agency port
    spiffe_id  the gateway's identity: spiffe://<trust domain>/gateway
    identity   PEM file: own private key and certificate chain
    roots      PEM file: CA certificates that may certify the gateway

    The files are read anew for each connection, so that a renewed certificate is taken up.
    """

    gateway: str
    spiffe_id: str
    identity: Path
    roots: Path

    @classmethod
    def load(cls, path):
        """Reads a profile; its paths are relative to it. Raises BadProfile."""
        path = Path(path)
        values = _read_toml(path)
        for key in values:
            if key not in _KEYS + _OPTIONAL:
                raise BadProfile(f"{path}: unknown key {key!r}")
        for key in _KEYS:
            if not isinstance(values.get(key), str) or not values[key]:
                raise BadProfile(f"{path}: {key} is missing or no text")
        spiffe_id = values["spiffe_id"]
        if not (spiffe_id.startswith("spiffe://") and spiffe_id.endswith("/gateway")):
            raise BadProfile(f"{path}: spiffe_id: it must be spiffe://<trust domain>/gateway")
        try:
            split_address(values["gateway"])
        except ValueError as fault:
            raise BadProfile(f"{path}: gateway: {fault}") from None
        return cls(values["gateway"], spiffe_id, path.parent / values["identity"],
                   path.parent / values["roots"])


def _read_toml(path):
    try:
        with open(path, "rb") as file:
            text = file.read(_MAX_FILE + 1)
        if len(text) > _MAX_FILE:
            raise BadProfile(f"{path}: more than 64 KiB: no profile")
        return tomllib.loads(text.decode("utf-8"))
    except OSError as fault:
        raise BadProfile(f"{path}: {fault.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise BadProfile(f"{path}: not TOML: {fault}") from None


def split_address(text):
    """("host", 7444) of host:port; an IPv6 address stands in brackets. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("an IPv6 address stands in brackets")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{text!r} is not host:port")
    return host, int(port)
