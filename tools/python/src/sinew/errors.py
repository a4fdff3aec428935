"""Exceptions: one class per gRPC status, each with the reason and what to do next."""

from __future__ import annotations

from typing import Any

from ._generated.error import ErrorDetail
from ._generated.errors import ENTRIES, ErrorCode

__all__ = [
    "SinewError", "Cancelled", "UnknownFailure", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists",
    "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented", "Internal",
    "Unavailable", "DataLoss", "Unauthenticated", "ErrorCode",
]


class SinewError(Exception):
    """Why a call failed as a whole. The subclasses say its status.

    ``message`` says what, where, why and what to type next; ``code`` is a stable number of ``proto/errors.json``; ``field`` is the
    field that is wrong and ``item`` the person, where it is one; ``retry_after`` is the broker's pushback in seconds.
    """

    #: The gRPC status as a number and as a name.
    status: int = 2
    status_name: str = "UNKNOWN"

    def __init__(
        self, message: str, code: ErrorCode = ErrorCode.NONE, field: str = "", item: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.field = field
        self.item = item
        self.retry_after = retry_after

    def __str__(self) -> str:
        code = "" if self.code == ErrorCode.NONE else f" ({self.code.name})"
        return f"{self.status_name}{code}: {self.message}"

    def __reduce__(self) -> Any:
        return type(self), (self.message, self.code, self.field, self.item, self.retry_after)


class Cancelled(SinewError):
    """The caller no longer wanted the result, or the client was closed."""

    status, status_name = 1, "CANCELLED"


class UnknownFailure(SinewError):
    """A failure that says nothing about itself."""


class InvalidArgument(SinewError, ValueError):
    """The request is wrong; trying again does not help."""

    status, status_name = 3, "INVALID_ARGUMENT"


class DeadlineExceeded(SinewError, TimeoutError):
    """No result within the time that was allowed; the broker lives."""

    status, status_name = 4, "DEADLINE_EXCEEDED"


class NotFound(SinewError, LookupError):
    """No such model, worker or job."""

    status, status_name = 5, "NOT_FOUND"


class AlreadyExists(SinewError):
    """Something else stands under this id."""

    status, status_name = 6, "ALREADY_EXISTS"


class PermissionDenied(SinewError, PermissionError):
    """This key may not do that."""

    status, status_name = 7, "PERMISSION_DENIED"


class ResourceExhausted(SinewError):
    """A limit was hit; wait ``retry_after`` seconds and try again."""

    status, status_name = 8, "RESOURCE_EXHAUSTED"


class FailedPrecondition(SinewError):
    """Something has to be done first; the message says what."""

    status, status_name = 9, "FAILED_PRECONDITION"


class Aborted(SinewError):
    """Given up after too many tries."""

    status, status_name = 10, "ABORTED"


class OutOfRange(SinewError, ValueError):
    """A number beyond what the field holds."""

    status, status_name = 11, "OUT_OF_RANGE"


class Unimplemented(SinewError):
    """The broker does not know the method; it is older than this client."""

    status, status_name = 12, "UNIMPLEMENTED"


class Internal(SinewError):
    """A bug on one of the sides."""

    status, status_name = 13, "INTERNAL"


class Unavailable(SinewError, ConnectionError):
    """No broker or no worker answers; trying again later may help."""

    status, status_name = 14, "UNAVAILABLE"


class DataLoss(SinewError):
    """Bytes were damaged on their way or on disk."""

    status, status_name = 15, "DATA_LOSS"


class Unauthenticated(SinewError):
    """The keys do not open the door."""

    status, status_name = 16, "UNAUTHENTICATED"


_CLASSES: dict[str, type[SinewError]] = {
    kind.status_name: kind for kind in (
        Cancelled, UnknownFailure, InvalidArgument, DeadlineExceeded, NotFound, AlreadyExists, PermissionDenied,
        ResourceExhausted, FailedPrecondition, Aborted, OutOfRange, Unimplemented, Internal, Unavailable, DataLoss,
        Unauthenticated)
}
_BY_STATUS = {kind.status: kind for kind in _CLASSES.values()}


def failure(code: ErrorCode, message: str, field: str = "", item: int | None = None) -> SinewError:
    """The exception of a code of the catalogue, which decides its class."""
    entry = ENTRIES.get(int(code))
    kind = _CLASSES[entry[0]] if entry else UnknownFailure
    return kind(message, code, field, item)


def reply_failure(status: int, number: int, detail: ErrorDetail | None) -> SinewError:
    """The exception of a reply, from its head and its payload."""
    code = ErrorCode(number)
    entry = ENTRIES.get(number)
    said = detail.message if detail else ""
    message = said or (entry[2] if entry else "") or "the broker gave no reason"
    kind = _BY_STATUS.get(status, UnknownFailure)
    return kind(
        message, code, detail.field if detail else "", detail.item if detail else None,
        detail.retry_after_us / 1e6 if detail and detail.retry_after_us is not None else None)
