"""CURVE keys: the files that ``sinew keys generate`` makes, and which endpoints need them."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from ._generated.errors import ErrorCode
from .errors import InvalidArgument, PermissionDenied

_Z85 = re.compile(r"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")
_FILE_BYTES_MAX = 4096


@dataclass(frozen=True, slots=True)
class ClientKeys:
    """What a client proves itself with, and whose broker it talks to; all in Z85."""

    public: bytes
    secret: bytes
    server: bytes

    def __repr__(self) -> str:
        return f"ClientKeys(public={self.public.decode()!r}, server={self.server.decode()!r})"


def load_keys(key: str | os.PathLike[str], broker_key: str | os.PathLike[str]) -> ClientKeys:
    """Reads the key of this client and the public key of its broker.

    ``key`` is the file that ``sinew keys generate FILE`` made, readable by its owner alone; ``broker_key`` a ``.pub`` file or 40
    characters of Z85. Raises :class:`InvalidArgument` or :class:`PermissionDenied` that says what is wrong with which file.
    """
    path = Path(key)
    lines = _read(path, "key")
    if "secret" not in lines:
        raise InvalidArgument(
            f"key '{path}' has no line “secret KEY”: it wants the file of the key itself, and not what is handed out",
            ErrorCode.NONE, "key")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise PermissionDenied(f"key '{path}' can be read by others on this machine: chmod 600 '{path}'", field="key")
    secret = lines["secret"].encode()
    public = _public_of(secret, path)
    if "public" in lines and lines["public"].encode() != public:
        raise InvalidArgument(
            f"key '{path}': the secret key is not the other half of the public one; make a new key with sinew keys generate",
            field="key")
    text = os.fspath(broker_key)
    if _Z85.fullmatch(text):
        return ClientKeys(public, secret, text.encode())
    if not os.path.exists(text):
        raise InvalidArgument(
            f"broker_key '{text}' is neither a public key (40 characters of Z85) nor a file with one", field="broker_key")
    server = _read(Path(text), "broker_key").get("public")
    if server is None:
        raise InvalidArgument(f"broker_key '{text}' has no line “public KEY”", field="broker_key")
    return ClientKeys(public, secret, server.encode())


def _public_of(secret: bytes, path: Path) -> bytes:
    import zmq

    if not zmq.has("curve"):
        raise InvalidArgument("this libzmq knows no CURVE; install a pyzmq that does: pip install -U pyzmq", field="key")
    try:
        public: bytes = zmq.curve_public(secret)
    except (zmq.ZMQError, ValueError):
        raise InvalidArgument(
            f"key '{path}': the secret key is no Z85; make a new key with sinew keys generate", field="key") from None
    return public


def _read(path: Path, argument: str) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            data = file.read(_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise InvalidArgument(f"{argument} '{path}' cannot be read: {error.strerror}", field=argument) from None
    lines: dict[str, str] = {}
    try:
        if len(data) > _FILE_BYTES_MAX:
            raise ValueError
        for line in data.decode().splitlines():
            words = line.split()
            if not words or line.startswith("#"):
                continue
            if len(words) != 2 or words[0] not in ("public", "secret") or not _Z85.fullmatch(words[1]):
                raise ValueError
            lines[words[0]] = words[1]
    except ValueError:
        raise InvalidArgument(
            f"{argument} '{path}' is no key file: each line is “public KEY” or “secret KEY”", field=argument) from None
    return lines


def leaves_this_machine(endpoint: str) -> bool:
    """Whether what is sent through an endpoint may be seen outside this machine: all but loopback, ``ipc`` and ``inproc``.

    A name other than ``localhost`` counts as outside: who resolves it decides where it leads.
    """
    scheme, separator, address = endpoint.partition("://")
    if not separator or scheme in ("inproc", "ipc"):
        return False
    host = address.rpartition(":")[0] or address
    if host in ("localhost", "[::1]"):
        return False
    parts = host.split(".")
    is_number = all(part.isascii() and part.isdigit() and int(part) < 256 for part in parts)
    return not (len(parts) == 4 and parts[0] == "127" and is_number)
