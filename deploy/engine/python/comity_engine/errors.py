# SPDX-License-Identifier: Apache-2.0
"""What goes wrong. An answer that is "no" is never an exception: it is an Answer."""


class ComityError(Exception):
    """Everything that this package raises."""


class BadProfile(ComityError, ValueError):
    """The profile or a file that it names cannot be used; the text names file and key."""


class BadFace(ComityError, ValueError):
    """A face that the gateway would not take; nothing was sent.

    place  which part: "template", "template[17]", "capture_ref", "camera", "track", "captured_at"
    """

    def __init__(self, place, rule):
        super().__init__(f"{place}: {rule}")
        self.place = place


class BadSearch(ComityError, ValueError):
    """A single search that the gateway would not take; nothing was sent.

    place  the field of Search
    """

    def __init__(self, place, rule):
        super().__init__(f"{place}: {rule}")
        self.place = place


class CannotConnect(ComityError, ConnectionError):
    """No gateway could be reached, or what answered is not the own gateway."""


class GatewayRefused(ComityError):
    """The gateway ended the call for good; repeating it as it is will not help.

    code  the gRPC code in words: "NOT_FOUND", "FAILED_PRECONDITION", "INVALID_ARGUMENT",
          "PERMISSION_DENIED", "UNAUTHENTICATED" ...
    """

    def __init__(self, code, detail):
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
