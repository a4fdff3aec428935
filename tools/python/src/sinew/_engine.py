"""The thread that owns the sockets: carries out what ``CallMachine`` decides."""

from __future__ import annotations

import itertools
import os
import socket as stdlib_socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import zmq

from . import _head
from ._codec import BYTES_MAX, CodecError
from ._generated.error import ErrorDetail
from ._generated.errors import ErrorCode
from ._head import Head
from ._machine import Action, CallMachine, Complete, Fail, Ping, Send, SendCancel
from .errors import FailedPrecondition, SinewError, failure, reply_failure
from .keys import ClientKeys

#: Called once by the engine's thread, with the payload of the reply or why there is none. Must not block.
Answer = memoryview | SinewError
OnAnswer = Callable[[Answer], None]

_MESSAGES_PER_ROUND = 64
#: Long enough for the cancels of a closing client to leave; a dead broker must not hold up the exit.
_LINGER_MS = 100
#: After so many handshakes in a row that broke off, the other side does so on purpose.
_BROKEN_OFF_MAX = 3
_EVENTS = (
    zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL)
_EVENT = struct.Struct("=Hi")


@dataclass(slots=True)
class Call:
    """A call on its way from its caller to the engine's thread."""

    id: int
    method: str
    model: str
    items: int
    priority: int
    payload: bytes
    #: Of the monotonic clock.
    deadline: float
    #: How long the caller allowed, for the message when the time is up.
    allowed: float
    on_answer: OnAnswer


class Engine:
    """A connection to a broker. Any thread may post calls; only the engine's own touches libzmq."""

    def __init__(
        self, endpoint: str, keys: ClientKeys | None, tenant: str, in_flight_max: int, wait_for_ready: bool,
        metadata: bytes | None = None,
    ) -> None:
        self.pid = os.getpid()
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._commands: deque[Call | int | None] = deque()
        self._ended: SinewError | None = None
        self._woken = False
        self._wake_out, wake_in = stdlib_socket.socketpair()
        self._wake_out.setblocking(False)
        wake_in.setblocking(False)
        self._loop = _Loop(self, wake_in, endpoint, keys, tenant, CallMachine(in_flight_max, wait_for_ready), metadata)
        # A daemon: a forgotten client must not keep the process from ending.
        self._thread = threading.Thread(target=self._loop.run, name="sinew-client", daemon=True)
        self._thread.start()

    def next_id(self) -> int:
        """A call id that was not used before."""
        return next(self._ids)

    def post(self, call: Call) -> None:
        """Makes a call. One that comes after the end is answered here, with the reason."""
        self._check_process()
        self._hand_over(call)

    def cancel(self, call_id: int) -> None:
        """Gives a call up; it is answered with CANCELLED."""
        if self.pid == os.getpid():
            self._hand_over(call_id)

    def close(self, wait: bool = True) -> None:
        """Ends the connection: calls under way end with CANCELLED."""
        if self.pid != os.getpid():
            return
        self._hand_over(None)
        if wait and threading.current_thread() is not self._thread:
            self._thread.join()

    def _check_process(self) -> None:
        if self.pid != os.getpid():
            raise FailedPrecondition(
                f"this client belongs to process {self.pid}, and process {os.getpid()} was forked from it: sockets and threads do "
                "not survive a fork; make a client of its own in each process, after the fork")

    def _hand_over(self, command: Call | int | None) -> None:
        with self._lock:
            ended = self._ended
            if ended is None:
                self._commands.append(command)
                if not self._woken:
                    self._woken = True
                    self._wake()
        if ended is not None and isinstance(command, Call):
            command.on_answer(ended)

    def _wake(self) -> None:
        try:
            self._wake_out.send(b"\0")
        except BlockingIOError:
            pass  # There is a byte in the pipe already.

    # For the loop's thread

    def take(self) -> list[Call | int | None]:
        """What was handed over since."""
        with self._lock:
            self._woken = False
            commands = list(self._commands)
            self._commands.clear()
        return commands

    def end(self, reason: SinewError) -> list[Call]:
        """Refuses what comes from now on; returns the calls that nobody took."""
        with self._lock:
            self._ended = reason
            left = [command for command in self._commands if isinstance(command, Call)]
            self._commands.clear()
        return left


class _Loop:
    """What the thread owns and does."""

    def __init__(
        self, engine: Engine, wake: stdlib_socket.socket, endpoint: str, keys: ClientKeys | None, tenant: str,
        machine: CallMachine, metadata: bytes | None,
    ) -> None:
        self._engine = engine
        self._wake = wake
        self._wake_number = wake.fileno()
        self._endpoint = endpoint
        self._keys = keys
        self._tenant = tenant
        self._machine = machine
        #: Said beside each call; None: nothing is.
        self._metadata = metadata
        self._calls: dict[int, Call] = {}
        self._pings = 0
        self._wants_fresh_socket = False
        self._reply: Answer | None = None
        self._context = zmq.Context(1)
        self._context.set(zmq.MAX_SOCKETS, 64)
        self._open()

    def _open(self) -> None:
        self._heard_broker = False
        self._trouble: SinewError | None = None
        self._broken_off = 0
        socket = self._context.socket(zmq.DEALER)
        socket.linger = _LINGER_MS
        socket.maxmsgsize = BYTES_MAX
        # Bounded by the calls in flight.
        socket.sndhwm = socket.rcvhwm = 0
        if self._keys is not None:
            socket.curve_serverkey = self._keys.server
            socket.curve_publickey = self._keys.public
            socket.curve_secretkey = self._keys.secret
        monitor = socket.get_monitor_socket(_EVENTS)
        try:
            socket.connect(self._endpoint)
        except zmq.ZMQError as error:
            socket.disable_monitor()
            monitor.close(0)
            socket.close(0)
            self._context.term()
            raise failure(
                ErrorCode.NONE, f"endpoint “{self._endpoint}”: {error.strerror or error}; say for example tcp://127.0.0.1:7690",
                "endpoint") from None
        self._socket, self._monitor = socket, monitor
        self._poller = zmq.Poller()
        for each in (self._socket, self._monitor, self._wake):
            self._poller.register(each, zmq.POLLIN)

    def _close_socket(self) -> None:
        self._socket.disable_monitor()
        self._monitor.close(0)
        self._socket.close()

    # The thread

    def run(self) -> None:
        """Runs until the client is closed, or libzmq fails."""
        reason = failure(ErrorCode.CLIENT_CLOSED, "the client was closed")
        try:
            while self._round():
                pass
        except zmq.ZMQError as error:
            reason = failure(ErrorCode.BROKER_UNREACHABLE, f"the client's socket failed: {error}")
        finally:
            for call in self._engine.end(reason):
                call.on_answer(reason)
            for call in list(self._calls.values()):
                call.on_answer(reason)
            self._calls.clear()
            self._close_socket()
            self._wake.close()
            self._context.term()

    def _round(self) -> bool:
        due = self._machine.next_deadline
        # Rounded up, or the last millisecond would be spent in a busy loop.
        wait = None if due is None else max(0, int((due - time.monotonic()) * 1000) + 1)
        ready = [each for each, _ in self._poller.poll(wait)]
        if self._wake_number in ready and not self._take_commands():
            return False
        if self._socket in ready:
            self._take_messages()
        if self._monitor in ready:
            self._note_handshakes()
        self._end_for_keys()
        now = time.monotonic()
        if due is not None and now >= due:
            self._perform(self._machine.tick(now))
        return True

    def _take_commands(self) -> bool:
        self._wake.recv(4096)
        for command in self._engine.take():
            if command is None:
                self._perform(self._machine.close())
                return False
            if isinstance(command, Call):
                # libzmq does not try again by itself when it was refused; meanwhile the key may have been admitted.
                if self._trouble is not None and not self._calls:
                    self._reopen()
                self._calls[command.id] = command
                self._perform(self._machine.call(command.id, command.deadline, time.monotonic()))
            else:
                self._perform(self._machine.cancel(command, time.monotonic()))
        return True

    def _take_messages(self) -> None:
        for _ in range(_MESSAGES_PER_ROUND):
            socket = self._socket
            # Asked first: pyzmq's exception for an empty socket costs more than a message.
            if not int(socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
                return
            head = socket.recv(zmq.NOBLOCK)
            payload: memoryview | None = None
            while socket.getsockopt(zmq.RCVMORE):
                # The frame stays in libzmq's memory; arrays of the reply are views into it.
                payload = socket.recv(copy=False).buffer
            try:
                self._take(Head.decode(head), payload)
            except CodecError:
                continue  # What cannot be read answers nothing; the call has its deadline.

    def _take(self, head: Head, payload: memoryview | None) -> None:
        self._heard_broker = True
        now = time.monotonic()
        if head.kind == _head.REPLY:
            refusal = self._take_reply(head, payload)
            self._perform(refusal)
        elif head.kind == _head.PONG:
            self._perform(self._machine.pong(head.lease, now))
        elif head.kind == _head.GOING_AWAY:
            self._perform(self._machine.going_away(now))

    def _take_reply(self, head: Head, payload: memoryview | None) -> list[Action]:
        now = time.monotonic()
        if head.status == 0:
            self._reply = payload if payload is not None else failure(
                ErrorCode.MALFORMED_REPLY, "a reply with status OK and no payload")
            return self._machine.reply(head.call_id, head.attempt, None, None, now)
        detail: ErrorDetail | None = None
        if payload is not None:
            try:
                detail = ErrorDetail.decode(payload)
            except CodecError:
                detail = None  # The head says what counts.
        error = reply_failure(head.status, head.error, detail)
        self._reply = error
        refusal = "unavailable" if head.status == 14 else "overloaded" if head.status == 8 else None
        return self._machine.reply(
            head.call_id, head.attempt, refusal, error.retry_after, now)  # type: ignore[arg-type]

    # Actions

    def _perform(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, Send):
                self._send_call(action)
            elif isinstance(action, Complete):
                call, reply = self._calls.pop(action.call_id), self._reply
                assert reply is not None, "a call completed without a reply"
                call.on_answer(reply)
            elif isinstance(action, Fail):
                self._fail(action)
            elif isinstance(action, SendCancel):
                self._send([Head(_head.CANCEL, call_id=action.call_id).encode()])
            elif isinstance(action, Ping):
                self._pings += 1
                self._send([Head(_head.PING, call_id=self._pings).encode()])
        self._reply = None
        if self._wants_fresh_socket and not self._machine.call_count:
            self._reopen()

    def _send_call(self, action: Send) -> None:
        call = self._calls[action.call_id]
        left = max(0, int((action.deadline - time.monotonic()) * 1e6))
        head = Head(
            _head.CALL, call.method, call.model, call.id, left, 0, min(action.attempt, 255), call.priority, self._tenant, call.items)
        self._send([head.encode(), call.payload] if self._metadata is None else [head.encode(), self._metadata, call.payload])

    def _send(self, frames: list[bytes]) -> None:
        try:
            self._socket.send_multipart(frames, zmq.NOBLOCK)
        except zmq.Again:
            pass  # Lost like one on the network; the silence is noticed.

    def _fail(self, action: Fail) -> None:
        call = self._calls.pop(action.call_id)
        if action.failure == "silent":
            self._wants_fresh_socket = True
        call.on_answer(self._reason(action, call))

    def _reason(self, action: Fail, call: Call) -> SinewError:
        place = self._endpoint
        if self._trouble is not None and action.failure in ("deadline", "silent"):
            return self._trouble
        if action.failure == "deadline":
            return failure(
                ErrorCode.DEADLINE_EXCEEDED,
                f"no result within {_text(call.allowed)}; raise the deadline, or start more workers (sinew status shows the load)")
        if action.failure == "silent" and self._heard_broker:
            return failure(
                ErrorCode.BROKER_SILENT,
                f"the broker at {place} has not answered for {_text(action.silence)}; see whether it still runs: sinew status")
        if action.failure == "silent":
            return failure(
                ErrorCode.BROKER_UNREACHABLE,
                f"no broker answers at {place} (tried for {_text(action.silence)}); start one: sinew up")
        if action.failure == "restarted":
            return failure(
                ErrorCode.BROKER_SILENT, f"the broker at {place} was started anew and lost the call too often; try again")
        if action.failure == "too many":
            return failure(
                ErrorCode.CLIENT_LIMIT, "too many calls wait in this client; wait for some of them before making more")
        if action.failure == "closed":
            return failure(ErrorCode.CLIENT_CLOSED, "the client was closed while the call was under way")
        return failure(ErrorCode.CANCELLED, "the call was cancelled")

    def _reopen(self) -> None:
        """What libzmq still holds for a broker that is gone would reach the next one as calls that nobody waits for."""
        self._wants_fresh_socket = False
        self._close_socket()
        self._open()

    # Keys

    def _note_handshakes(self) -> None:
        while self._monitor.poll(0):
            # zmq.utils.monitor would load asyncio for everybody. A frame with the event's number and a value, and one with the endpoint.
            (event, _), _ = _EVENT.unpack(self._monitor.recv()), self._monitor.recv()
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self._trouble, self._broken_off = None, 0
            elif event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
                self._trouble = self._refused()
            elif event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
                self._trouble = self._incompatible()
            else:
                self._broken_off += 1
                if self._broken_off >= _BROKEN_OFF_MAX and self._trouble is None:
                    self._trouble = self._incompatible()

    def _end_for_keys(self) -> None:
        """When the keys do not open the door, nothing will come, and libzmq does not knock again: the calls end now."""
        trouble = self._trouble
        if trouble is None or self._machine.wait_for_ready or not self._calls:
            return
        for call_id in sorted(self._calls):
            # The caller hears of the keys; the machine only has to forget the call.
            self._calls[call_id].on_answer(trouble)
            self._calls[call_id].on_answer = _nobody
            self._perform(self._machine.cancel(call_id, time.monotonic()))

    def _refused(self) -> SinewError:
        public = self._keys.public.decode() if self._keys else ""
        return failure(
            ErrorCode.KEY_REFUSED,
            f"the broker at {self._endpoint} does not admit this key for clients: let its operator type: "
            f"sinew keys authorize '{public}' --role client")

    def _incompatible(self) -> SinewError:
        if self._keys is None:
            return failure(
                ErrorCode.KEYS_DO_NOT_MATCH,
                f"the broker at {self._endpoint} asks for a key: make one with sinew keys generate, and give key= and broker_key=")
        return failure(
            ErrorCode.KEYS_DO_NOT_MATCH,
            f"whoever listens at {self._endpoint} does not hold the broker key given, or has no key at all: compare it with what "
            "sinew keys show prints beside the broker")


def _nobody(_: Answer) -> None:
    """For a call that was answered already."""


def _text(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds // 100 / 10} s"
