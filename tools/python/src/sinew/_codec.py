"""How messages become bytes and bytes messages: what the generated classes stand on.

A message is a msgpack map from field names to values (proto/README.md, “Messages”). Reading is bounded: lengths are compared with
what is there before anything is allocated, unknown fields are skipped, a missing or nil field has its default.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import msgpack

if TYPE_CHECKING:
    from enum import IntEnum

#: Limits of the readers: elements of an array or map, bytes of a string, of a field's name, and of a binary or frame.
COUNT_MAX = 65_536
STRING_BYTES_MAX = 65_536
NAME_BYTES_MAX = 128
BYTES_MAX = 64 << 20

_NIL = 0xC0
_BOOLEANS: frozenset[type] = frozenset({bool})
_INTEGERS: frozenset[type] = frozenset({int})
_NUMBERS: frozenset[type] = frozenset({float, int})
_STRINGS: frozenset[type] = frozenset({str})
_BINARIES: frozenset[type] = frozenset({bytes})

M = TypeVar("M", bound="Message")
Request = TypeVar("Request", bound="Message")
Reply = TypeVar("Reply", bound="Message")
E = TypeVar("E", bound="IntEnum")


class CodecError(ValueError):
    """Bytes that are not the message they should be, or a value that has no place in its field."""


class Message:
    """What every message can do."""

    __slots__ = ()
    #: The message's full name, for errors.
    MESSAGE_NAME: ClassVar[str] = ""
    #: Whether floats are written with 32 bits, which is so unless a field of the message needs 64.
    SINGLE_FLOATS: ClassVar[bool] = True

    def to_wire(self) -> dict[str, object]:
        """The message as a dictionary of plain values, checked field by field.

        Raises :class:`CodecError` when a value does not fit its field.
        """
        raise NotImplementedError

    @classmethod
    def read(cls: type[M], reader: Reader) -> M:
        """Reads the message where the reader stands."""
        raise NotImplementedError

    def encode(self) -> bytes:
        """The message as msgpack. Tensors are copied once, into the bytes that are returned."""
        packers = _packers.of_thread
        packed: bytes = packers[self.SINGLE_FLOATS].pack(self.to_wire())
        return packed

    @classmethod
    def decode(cls: type[M], frame: bytes | bytearray | memoryview) -> M:
        """Reads a message; its tensors are views into ``frame``, which lives as long as they do.

        Raises :class:`CodecError` that names the message and the field.
        """
        reader = Reader(frame)
        try:
            message = cls.read(reader)
            reader.finish()
        except CodecError as error:
            raise CodecError(f"{cls.MESSAGE_NAME}: {error}") from None
        return message


class _Packers(threading.local):
    """A packer keeps its buffer from message to message, and belongs to one thread."""

    def __init__(self) -> None:
        self.of_thread = {single: msgpack.Packer(use_single_float=single) for single in (False, True)}


_packers = _Packers()


@dataclass(frozen=True)
class Method(Generic[Request, Reply]):
    """A method of a service: its name on the wire and its two messages."""

    name: str
    request: type[Request]
    reply: type[Reply]


class Reader:
    """Reads values one after the other. The position is msgpack's; the bytes of binaries stay where they are."""

    __slots__ = ("_frame", "_path", "_unpacker", "_tell", "_unpack")

    def __init__(self, frame: bytes | bytearray | memoryview) -> None:
        view = memoryview(frame)
        if view.nbytes > BYTES_MAX:
            raise CodecError(f"{view.nbytes} bytes, at most {BYTES_MAX} are read")
        self._frame = view.cast("B") if view.format != "B" or view.ndim != 1 else view
        self._path: list[str] = []
        self._unpacker = msgpack.Unpacker(
            read_size=4096, max_buffer_size=BYTES_MAX + 1, max_str_len=STRING_BYTES_MAX, max_bin_len=BYTES_MAX,
            max_array_len=COUNT_MAX, max_map_len=COUNT_MAX, max_ext_len=BYTES_MAX)
        self._unpacker.feed(self._frame)
        self._tell = self._unpacker.tell
        self._unpack = self._unpacker.unpack

    # Messages

    def fields(self) -> Iterator[str]:
        """The names of the fields of a message; the caller reads or skips the value behind each. Nil values are passed over."""
        try:
            count = self._unpacker.read_map_header()
        except Exception as error:
            raise self._error("a message (a map)", error) from None
        path, frame, tell, unpack = self._path, self._frame, self._tell, self._unpack
        end = len(frame)
        path.append("")
        for _ in range(count):
            path[-1] = ""
            try:
                name = unpack()
            except Exception as error:
                raise self._error("a field's name", error) from None
            if type(name) is not str or len(name) > NAME_BYTES_MAX:
                raise self._error("a field's name of at most 128 bytes")
            path[-1] = name
            at = tell()
            if at < end and frame[at] == _NIL:
                unpack()
            else:
                yield name
        path.pop()

    def skip(self) -> None:
        """Passes over a value of any kind."""
        try:
            self._unpacker.skip()
        except Exception as error:
            raise self._error("a value", error) from None

    def finish(self) -> None:
        """Refuses bytes behind the message."""
        if self._tell() != len(self._frame):
            raise CodecError(f"{len(self._frame) - self._tell()} bytes are left over behind the message")

    def messages(self, kind: type[M]) -> list[M]:
        """A repeated message."""
        try:
            count = self._unpacker.read_array_header()
        except Exception as error:
            raise self._error("an array", error) from None
        return [kind.read(self) for _ in range(count)]

    # Scalars

    def boolean(self) -> bool:
        value = self._value("true or false")
        if type(value) is not bool:
            raise self._error("true or false")
        return value

    def uint32(self) -> int:
        return self._integer(0, 0xFFFF_FFFF, "an integer from 0 to 2^32 - 1")

    def uint64(self) -> int:
        return self._integer(0, 0xFFFF_FFFF_FFFF_FFFF, "an integer from 0 to 2^64 - 1")

    def int32(self) -> int:
        return self._integer(-0x8000_0000, 0x7FFF_FFFF, "an integer of 32 bits")

    def int64(self) -> int:
        return self._integer(-(1 << 63), (1 << 63) - 1, "an integer of 64 bits")

    def float32(self) -> float:
        value = self._value("a number")
        if type(value) is not float and type(value) is not int:
            raise self._error("a number")
        return float(value)

    float64 = float32

    def string(self) -> str:
        value = self._value("a string of at most 64 KiB of UTF-8")
        if type(value) is not str:
            raise self._error("a string")
        return value

    def blob(self) -> bytes:
        return bytes(self.view())

    def view(self) -> memoryview:
        """A binary as a view into the frame, without a copy."""
        start = self._tell()
        tag = self._frame[start] if start < len(self._frame) else _NIL
        if not 0xC4 <= tag <= 0xC6:
            raise self._error("a binary")
        self.skip()
        return self._frame[start + 1 + (1 << (tag - 0xC4)) : self._tell()]

    # Arrays

    def booleans(self) -> list[bool]:
        return self._array(_BOOLEANS, "an array of truth values")

    def uint32s(self) -> list[int]:
        return self._integers(0, 0xFFFF_FFFF, "an array of integers from 0 to 2^32 - 1")

    def uint64s(self) -> list[int]:
        return self._integers(0, 0xFFFF_FFFF_FFFF_FFFF, "an array of integers from 0 to 2^64 - 1")

    def int32s(self) -> list[int]:
        return self._integers(-0x8000_0000, 0x7FFF_FFFF, "an array of integers of 32 bits")

    def int64s(self) -> list[int]:
        return self._integers(-(1 << 63), (1 << 63) - 1, "an array of integers of 64 bits")

    def float32s(self) -> list[float]:
        return self._array(_NUMBERS, "an array of numbers")

    float64s = float32s

    def strings(self) -> list[str]:
        return self._array(_STRINGS, "an array of strings")

    def blobs(self) -> list[bytes]:
        return self._array(_BINARIES, "an array of binaries")

    # Helpers

    def _value(self, expected: str) -> Any:
        try:
            return self._unpack()
        except Exception as error:
            raise self._error(expected, error) from None

    def _integer(self, least: int, most: int, expected: str) -> int:
        value = self._value(expected)
        if type(value) is not int or not least <= value <= most:
            raise self._error(expected)
        return value

    def _array(self, kinds: frozenset[type], expected: str) -> list[Any]:
        values = self._value(expected)
        if type(values) is not list or not kinds.issuperset(map(type, values)):
            raise self._error(expected)
        return values

    def _integers(self, least: int, most: int, expected: str) -> list[int]:
        values: list[int] = self._array(_INTEGERS, expected)
        if values and (min(values) < least or max(values) > most):
            raise self._error(expected)
        return values

    def _error(self, expected: str, error: Exception | None = None) -> CodecError:
        place = ".".join(self._path) or "the message"
        if isinstance(error, msgpack.OutOfData):
            return CodecError(f"{place}: the bytes end within {expected}")
        reason = f" ({error})" if error is not None and str(error) else ""
        return CodecError(f"{place}: {expected} was expected at byte {self._tell()}{reason}")


def unrecognized(enumeration: type[E], value: object) -> E | None:
    """A member for a number that a later version may know; None, which enum turns into ValueError, for anything else."""
    if type(value) is not int or not -0x8000_0000 <= value <= 0x7FFF_FFFF:
        return None
    member = int.__new__(enumeration, value)
    member._name_ = f"UNRECOGNIZED_{value}"
    member._value_ = value
    return member


# What a field may hold, checked before it is written. `place` names message and field.


def boolean(value: bool, place: str) -> bool:
    if not isinstance(value, bool):
        raise CodecError(f"{place}: {value!r} is neither True nor False")
    return value


def _integer(value: int, least: int, most: int, place: str) -> int:
    try:
        number = value.__index__()
    except AttributeError:
        raise CodecError(f"{place}: {value!r} is no integer") from None
    if not least <= number <= most:
        raise CodecError(f"{place}: {number} is outside {least}…{most}")
    return number


def uint32(value: int, place: str) -> int:
    return _integer(value, 0, 0xFFFF_FFFF, place)


def uint64(value: int, place: str) -> int:
    return _integer(value, 0, 0xFFFF_FFFF_FFFF_FFFF, place)


def int32(value: int, place: str) -> int:
    return _integer(value, -0x8000_0000, 0x7FFF_FFFF, place)


def int64(value: int, place: str) -> int:
    return _integer(value, -(1 << 63), (1 << 63) - 1, place)


def float32(value: float, place: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise CodecError(f"{place}: {value!r} is no number") from None


float64 = float32


def string(value: str, place: str) -> str:
    if not isinstance(value, str):
        raise CodecError(f"{place}: {value!r} is no string")
    return value


def blob(value: bytes, place: str) -> bytes:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise CodecError(f"{place}: {type(value).__name__} is not bytes")
    return value


def booleans(values: Sequence[bool], place: str) -> list[bool]:
    return [boolean(value, place) for value in values]


def uint32s(values: Sequence[int], place: str) -> list[int]:
    return [uint32(value, place) for value in values]


def uint64s(values: Sequence[int], place: str) -> list[int]:
    return [uint64(value, place) for value in values]


def int32s(values: Sequence[int], place: str) -> list[int]:
    return [int32(value, place) for value in values]


def int64s(values: Sequence[int], place: str) -> list[int]:
    return [int64(value, place) for value in values]


def float32s(values: Sequence[float], place: str) -> list[float]:
    return [float32(value, place) for value in values]


float64s = float32s


def strings(values: Sequence[str], place: str) -> list[str]:
    return [string(value, place) for value in values]


def blobs(values: Sequence[bytes], place: str) -> list[bytes]:
    return [blob(value, place) for value in values]
