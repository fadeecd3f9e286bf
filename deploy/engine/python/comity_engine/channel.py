# SPDX-License-Identifier: Apache-2.0
"""A gRPC channel to the own gateway, over mutual TLS 1.3."""
import socket
import ssl
from dataclasses import dataclass

import grpc

from .errors import BadProfile, CannotConnect
from .profile import split_address

_MAX_PEM = 16 * 1024 * 1024
_MAX_MESSAGE = 1024 * 1024 + 64 * 1024  # as the gateway's agency port
_KEEPALIVE_MS = 30_000                  # the gateway bears one every 20 s
_KEEPALIVE_TIMEOUT_MS = 10_000


@dataclass(frozen=True)
class _Files:
    identity: bytes
    roots: bytes


def _read(path, key):
    try:
        with open(path, "rb") as file:
            content = file.read(_MAX_PEM)
    except OSError as fault:
        raise BadProfile(f"{key}: {path}: {fault.strerror}") from None
    if b"-----BEGIN CERTIFICATE-----" not in content:
        raise BadProfile(f"{key}: {path}: no PEM certificate in it")
    return content


def _tls_context(profile, roots):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False  # the SPIFFE id says who it is
    context.set_alpn_protocols(["h2"])
    try:
        context.load_verify_locations(cadata=roots.decode("ascii"))
        context.load_cert_chain(profile.identity)
    except (ssl.SSLError, UnicodeDecodeError) as fault:
        raise BadProfile(f"identity or roots cannot be used: {fault}") from None
    return context


def _certificate_of(profile, context, timeout):
    address = split_address(profile.gateway)
    try:
        with socket.create_connection(address, timeout) as raw:
            with context.wrap_socket(raw, server_hostname=None) as stream:
                certificate = stream.getpeercert()
                # The gateway speaks first; with TLS 1.3 its view of our certificate shows here.
                if not stream.recv(1):
                    raise CannotConnect(f"{profile.gateway} does not take the certificate in "
                                        f"{profile.identity}")
                return certificate
    except CannotConnect:
        raise
    except ssl.SSLCertVerificationError as fault:
        raise CannotConnect(
            f"{profile.gateway}: its certificate is not of the CA in {profile.roots}: "
            f"{fault.verify_message}") from None
    except (OSError, ValueError) as fault:
        raise CannotConnect(f"{profile.gateway}: {fault}") from None


def _names(certificate, kind):
    return [value for key, value in certificate.get("subjectAltName", ()) if key == kind]


def _target_name(certificate, host):
    """A name that this certificate has: gRPC for Python can compare nothing else."""
    names = _names(certificate, "DNS") + _names(certificate, "IP Address")
    return host if host in names or not names else names[0]


def open_channel(profile, timeout=10.0):
    """A channel to the gateway of `profile`. Raises BadProfile, CannotConnect.

    gRPC for Python compares host names and cannot compare SPIFFE ids. Therefore one connection is
    made first, whose certificate must carry the profile's SPIFFE id; the channel then takes only
    certificates of the same CA with a host name of that one. Whoever runs the CA must not give the
    gateway's host name to anything else.
    """
    files = _Files(_read(profile.identity, "identity"), _read(profile.roots, "roots"))
    certificate = _certificate_of(profile, _tls_context(profile, files.roots), timeout)
    shown = _names(certificate, "URI")
    if shown != [profile.spiffe_id]:
        raise CannotConnect(
            f"{profile.gateway} shows {', '.join(shown) or 'no identity'} "
            f"and not {profile.spiffe_id}")
    host, _ = split_address(profile.gateway)
    credentials = grpc.ssl_channel_credentials(files.roots, files.identity, files.identity)
    return grpc.secure_channel(profile.gateway, credentials, options=[
        ("grpc.ssl_target_name_override", _target_name(certificate, host)),
        ("grpc.max_receive_message_length", _MAX_MESSAGE),
        ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
        ("grpc.enable_retries", 0),  # a face is sent once
        ("grpc.use_local_subchannel_pool", 1),  # a new channel is a new connection
    ])
