"""The HTTP side of an ML backend: bounded bodies, bounded requests at a time, answers in JSON."""

from __future__ import annotations

import base64
import hmac
import http.server
import json
import pathlib
import sys
import threading
from collections.abc import Callable
from typing import Any, Protocol

import sinew
from cameras import AdapterError

#: A larger body is refused before it is read: Label Studio sends tasks by the hundred at most, a few KiB each.
BODY_BYTES_MAX = 32 << 20
#: Requests at a time; further ones are told to come again.
REQUESTS_MAX = 8
#: How long a connection may be silent, seconds.
SILENCE_MAX = 30.0
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


class BackendProtocol(Protocol):
    """The requests of Label Studio's ML backend protocol."""

    def health(self) -> dict[str, Any]: ...
    def setup(self, body: dict[str, Any]) -> dict[str, Any]: ...
    def predict(self, body: dict[str, Any]) -> dict[str, Any]: ...
    def webhook(self, body: dict[str, Any]) -> dict[str, Any]: ...


class Refused(Exception):
    """A request that is answered with an error before it reaches the backend."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = SILENCE_MAX
    server: Server

    def do_GET(self) -> None:
        if self.path in ("/", "/health"):
            self._admit(200, lambda: self.server.backend.health())
        else:
            self._send(404, {"error": f"there is no {self.path}"})

    def do_POST(self) -> None:
        actions = {
            "/setup": (200, self.server.backend.setup), "/predict": (200, self.server.backend.predict),
            "/webhook": (201, self.server.backend.webhook)}
        if self.path in actions:
            status, action = actions[self.path]
            self._admit(status, lambda: action(self._body()))
        else:
            self._refuse(404, f"there is no {self.path}")

    def _admit(self, status: int, action: Callable[[], dict[str, Any]]) -> None:
        """Lets a request in, whose body is not read before."""
        if not self._is_admitted():
            self._refuse(401, "user or password are wrong or missing", {"WWW-Authenticate": 'Basic realm="sinew"'})
            return
        if not self.server.places.acquire(blocking=False):
            self._refuse(503, f"{REQUESTS_MAX} requests are under way; come again", {"Retry-After": "1"})
            return
        try:
            answer = action()
        except Refused as refusal:
            self._refuse(refusal.status, str(refusal))
        except (AdapterError, sinew.InvalidArgument) as error:
            self._send(400, {"error": str(error)})
        except sinew.SinewError as error:
            self._send(503, {"error": str(error)})
        else:
            self._send(status, answer)
        finally:
            self.server.places.release()

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            raise Refused(411, "a request without Content-Length")
        if int(length) > BODY_BYTES_MAX:
            raise Refused(413, f"{length} bytes; at most {BODY_BYTES_MAX} are read: ask for fewer tasks at a time")
        try:
            body = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise Refused(400, "the body is no JSON object")
        return body

    def _refuse(self, status: int, why: str, headers: dict[str, str] | None = None) -> None:
        # What was not read of the body would be taken for the next request.
        self.close_connection = True
        self._send(status, {"error": why}, {"Connection": "close", **(headers or {})})

    def _is_admitted(self) -> bool:
        wanted = self.server.credentials
        if wanted is None:
            return True
        given = self.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), b"Basic " + base64.b64encode(wanted))

    def _send(self, status: int, answer: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        # Refusals only: a line per request would bury them.
        if len(arguments) > 1 and str(arguments[1])[:1] in "45":
            super().log_message(format, *arguments)


class Server(http.server.ThreadingHTTPServer):
    """Serves one backend until it is shut down."""

    daemon_threads = True

    def __init__(self, backend: BackendProtocol, address: tuple[str, int], credentials: bytes | None) -> None:
        self.backend = backend
        self.credentials = credentials
        self.places = threading.BoundedSemaphore(REQUESTS_MAX)
        super().__init__(address, _Handler)


def serve(backend: BackendProtocol, listen: str, credentials: pathlib.Path | None) -> None:
    """Serves until it is interrupted; prints a line of JSON with the address once it listens."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal():
        raise AdapterError(f"--listen is {listen!r}; say for example 127.0.0.1:9090")
    if host not in LOOPBACK and credentials is None:
        raise AdapterError(f"{listen} can be reached from other machines: give --credentials FILE with USER:PASSWORD")
    secret = credentials.read_bytes().strip() if credentials else None
    with Server(backend, (host.strip("[]"), int(port)), secret) as server:
        print(json.dumps({"address": f"http://{host}:{server.server_port}"}), flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("label_studio.py: stopped", file=sys.stderr)
