# SPDX-License-Identifier: Apache-2.0
"""One Recognition.Watch call."""
import threading

import grpc

from .answers import read_answer, read_opened
from .channel import open_channel
from .errors import CannotConnect, GatewayRefused
from .wire import recognition_pb2, recognition_pb2_grpc

# The gateway's last word: the same would be said again.
FINAL = frozenset((
    grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNIMPLEMENTED))


def error_of(status):
    """A grpc.RpcError as one of this package's."""
    code, detail = status.code(), status.details() or "no reason was given"
    if code in FINAL:
        return GatewayRefused(code.name, detail)
    return CannotConnect(f"{code.name}: {detail}")


class Stream:
    """An open stream. Threads: read() in one; messages are taken from `probes` in one of gRPC's;
    cancel() anywhere."""

    def __init__(self, profile, deployment, probes, patience):
        """probes  called with this object once it is open: yields WatchProbe messages; when it
        ends, the stream is half closed. Raises BadProfile, CannotConnect, GatewayRefused."""
        self._opened = threading.Event()
        self._over = threading.Event()
        self._probes = probes
        self._deployment = deployment
        self.opened = None
        self._channel = open_channel(profile, patience)
        self._call = recognition_pb2_grpc.RecognitionStub(self._channel).Watch(self._requests())
        self._await_opened(patience)

    def _await_opened(self, patience):
        timer = threading.Timer(patience, self._call.cancel)
        timer.daemon = True
        timer.start()
        try:
            self.opened = read_opened(next(self._call).opened)
        except grpc.RpcError as status:
            self.end()
            raise error_of(status) from None
        except StopIteration:
            self.end()
            raise CannotConnect("the gateway ended the stream before it opened") from None
        finally:
            timer.cancel()
        self._opened.set()

    def _requests(self):
        yield recognition_pb2.WatchRequest(
            open=recognition_pb2.WatchOpen(deployment=self._deployment))
        self._opened.wait()
        if self.is_over():
            return
        for probe in self._probes(self):
            yield recognition_pb2.WatchRequest(probe=probe)

    def is_over(self):
        return self._over.is_set()

    def read(self):
        """Yields answers until the stream ends. Raises CannotConnect or GatewayRefused if it does
        not end well."""
        try:
            for response in self._call:
                if response.WhichOneof("kind") == "answer":
                    yield read_answer(response.answer)
        except grpc.RpcError as status:
            raise error_of(status) from None

    def cancel(self):
        self._call.cancel()

    def end(self):
        """Gives back what the stream holds."""
        self._over.set()
        self._opened.set()
        self._call.cancel()
        self._channel.close()
