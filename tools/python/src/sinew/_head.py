"""The head: the first frame of every message (proto/README.md, “The head”)."""

from __future__ import annotations

from typing import NamedTuple

import msgpack

from ._codec import CodecError

VERSION = 1
BYTES_MAX = 1024
METHOD_BYTES_MAX = 128
MODEL_BYTES_MAX = 128
TENANT_BYTES_MAX = 64

CALL, CANCEL, PING, REPLY, PONG, GOING_AWAY = 1, 2, 3, 5, 6, 7
_KINDS = frozenset((1, 2, 3, 5, 6, 7, 10, 11, 12, 13, 14, 20, 21, 22, 23, 24))
_ELEMENTS = 13
_MOST = {4: 1 << 64, 6: 1 << 64, 7: 256, 8: 256, 10: 1 << 32, 12: 1 << 16}


class Head(NamedTuple):
    """What a message is, in thirteen elements; the defaults are those of a message that does not need them."""

    kind: int
    method: str = ""
    model: str = ""
    call_id: int = 0
    timeout_us: int | None = None
    lease: int = 0
    attempt: int = 1
    priority: int = 0
    tenant: str = ""
    items: int = 0
    status: int = 0
    error: int = 0

    def encode(self) -> bytes:
        """The head as msgpack."""
        packed: bytes = msgpack.packb((VERSION, *self))
        return packed

    @classmethod
    def decode(cls, frame: bytes) -> Head:
        """Reads a head.

        Raises :class:`CodecError` for another version, an unknown kind or status, or anything that is no head.
        """
        if len(frame) > BYTES_MAX:
            raise CodecError(f"head: {len(frame)} bytes, at most {BYTES_MAX} are accepted")
        try:
            values = msgpack.unpackb(frame)
        except Exception as error:
            raise CodecError(f"head: no msgpack: {error}") from None
        if type(values) is not list or not values or type(values[0]) is not int:
            raise CodecError("head: no array that begins with a version")
        if values[0] != VERSION:
            raise CodecError(
                f"head: protocol version {values[0]}, this side speaks version {VERSION}; update the older side")
        if len(values) < _ELEMENTS:
            raise CodecError(f"head: {len(values)} elements, version {VERSION} has {_ELEMENTS}")
        _, kind, method, model, call_id, timeout_us, lease, attempt, priority, tenant, items, status, code = values[:13]
        for index, below in _MOST.items():
            number = values[index]
            if type(number) is not int or not 0 <= number < below:
                raise CodecError(f"head: element {index} is {number!r}")
        for index, bytes_max in ((2, METHOD_BYTES_MAX), (3, MODEL_BYTES_MAX), (9, TENANT_BYTES_MAX)):
            text = values[index]
            if type(text) is not str or len(text.encode()) > bytes_max:
                raise CodecError(f"head: element {index} is no string of at most {bytes_max} bytes")
        if timeout_us is not None and (type(timeout_us) is not int or not 0 <= timeout_us < 1 << 64):
            raise CodecError(f"head: the time left is {timeout_us!r}")
        if type(kind) is not int or kind not in _KINDS:
            raise CodecError(f"head: kind {kind!r} is not known in version {VERSION}")
        if type(status) is not int or not 0 <= status <= 16:
            raise CodecError(f"head: status {status!r} is not one of 0…16")
        return cls(kind, method, model, call_id, timeout_us, lease, attempt, priority, tenant, items, status, code)
