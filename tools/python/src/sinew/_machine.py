"""What a client does about its calls: send, wait, try again, give up. No socket, clock or thread.

A call is *waiting* (for one of ``in_flight_max`` places), *in flight*, or *backing off* before its next attempt. Each ends by exactly one
``complete`` or ``fail``, at its deadline at the latest. The same decisions as ``ClientStateMachine`` of the Swift client.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ._retry import ATTEMPTS_MAX, RetryBudget

PING_INTERVAL = 1.0
BROKER_SILENCE_MAX = 3.0
CALLS_WAITING_MAX = 1_048_576

#: Why a call ended without a reply.
Failure = Literal["deadline", "silent", "restarted", "too many", "cancelled", "closed"]
State = Literal["waiting", "in flight", "backing off"]


class Send(NamedTuple):
    """Send the call; what is left until ``deadline`` goes into the head."""

    call_id: int
    attempt: int
    deadline: float


class SendCancel(NamedTuple):
    """Tell the broker that nobody waits any more."""

    call_id: int


class Ping(NamedTuple):
    """Ask the broker whether it lives."""


class Complete(NamedTuple):
    """Hand the reply that just arrived to whoever waits."""

    call_id: int


class Fail(NamedTuple):
    """The call ends without a reply; ``silence`` says for how long nothing was heard, where that is why."""

    call_id: int
    failure: Failure
    silence: float = 0.0


Action = Send | SendCancel | Ping | Complete | Fail


@dataclass(slots=True)
class _Call:
    deadline: float
    state: State = "waiting"
    attempts: int = 0
    #: When the next attempt is due, while backing off.
    due: float = 0.0


@dataclass(slots=True)
class CallMachine:
    """All times are seconds of one monotonic clock. Every method returns what is to be done, in order."""

    in_flight_max: int
    wait_for_ready: bool = False
    budget: RetryBudget = field(default_factory=RetryBudget)
    _calls: dict[int, _Call] = field(default_factory=dict)
    _waiting: deque[int] = field(default_factory=deque)
    _waiting_count: int = 0
    _in_flight: int = 0
    _deadlines: list[tuple[float, int]] = field(default_factory=list)
    _retries: list[tuple[float, int]] = field(default_factory=list)
    _heard: float | None = None
    _expecting_since: float | None = None
    _pinged: float | None = None
    _incarnation: int | None = None
    _closed: bool = False

    @property
    def call_count(self) -> int:
        """Calls that have not ended."""
        return len(self._calls)

    @property
    def next_deadline(self) -> float | None:
        """When :meth:`tick` has something to do next; None when only an event can."""
        self._drop_stale()
        times = [self._deadlines[0][0]] if self._deadlines else []
        if self._retries and self._in_flight < self.in_flight_max:
            times.append(self._retries[0][0])
        times += [due for due in (self._ping_due(), self._silence_due()) if due is not None]
        return min(times, default=None)

    # Events

    def call(self, call_id: int, deadline: float, now: float) -> list[Action]:
        actions: list[Action] = []
        if self._closed:
            return [Fail(call_id, "closed")]
        if self._waiting_count >= CALLS_WAITING_MAX:
            return [Fail(call_id, "too many")]
        self._calls[call_id] = _Call(deadline)
        self._waiting.append(call_id)
        self._waiting_count += 1
        heapq.heappush(self._deadlines, (deadline, call_id))
        return self._settled(now, actions)

    def cancel(self, call_id: int, now: float) -> list[Action]:
        call = self._calls.get(call_id)
        actions: list[Action] = []
        if call is not None:
            if call.attempts:
                actions.append(SendCancel(call_id))
            self._end(call_id, Fail(call_id, "cancelled"), actions)
        return self._settled(now, actions)

    def reply(
        self, call_id: int, attempt: int, refusal: Literal["unavailable", "overloaded"] | None, retry_after: float | None,
        now: float,
    ) -> list[Action]:
        """A reply; ``refusal`` is None for one that a second attempt would only repeat."""
        self._hear(now)
        actions: list[Action] = []
        call = self._calls.get(call_id)
        # A call that ended is answered late; one that waits was never sent, so this answers something else.
        if call is None or call.state == "waiting":
            return self._settled(now, actions)
        if refusal is None:
            self.budget.note_success()
            self._end(call_id, Complete(call_id), actions)
        elif attempt == call.attempts and call.state == "in flight":
            # A refusal of an earlier attempt says nothing about the one that is under way.
            self.budget.note_failure()
            unlimited = self.wait_for_ready and refusal == "unavailable"
            wait = self.budget.backoff(call.attempts, retry_after)
            may = unlimited or (call.attempts < ATTEMPTS_MAX and self.budget.allows_retry)
            if may and now + wait < call.deadline:
                self._back_off(call_id, call, now + wait)
            else:
                self._end(call_id, Complete(call_id), actions)
        return self._settled(now, actions)

    def pong(self, incarnation: int, now: float) -> list[Action]:
        """Another incarnation means that every call in flight was lost with the old broker."""
        self._hear(now)
        actions: list[Action] = []
        known, self._incarnation = self._incarnation, incarnation
        if known is not None and known != incarnation:
            for call_id, call in list(self._calls.items()):
                if call.state != "in flight":
                    continue
                self.budget.note_failure()
                if self.wait_for_ready or (call.attempts < ATTEMPTS_MAX and self.budget.allows_retry):
                    self._back_off(call_id, call, now)
                else:
                    self._end(call_id, Fail(call_id, "restarted"), actions)
        return self._settled(now, actions)

    def going_away(self, now: float) -> list[Action]:
        """The broker drains; calls in flight may still be answered."""
        self._hear(now)
        return self._settled(now, [])

    def tick(self, now: float) -> list[Action]:
        return self._settled(now, [])

    def close(self) -> list[Action]:
        actions: list[Action] = []
        self._closed = True
        for call_id, call in list(self._calls.items()):
            if call.attempts:
                actions.append(SendCancel(call_id))
            self._end(call_id, Fail(call_id, "closed"), actions)
        return actions

    # Time

    def _settled(self, now: float, actions: list[Action]) -> list[Action]:
        self._expire(now, actions)
        silent_since = self._silence_due()
        if silent_since is not None and silent_since <= now:
            failure = self._silence(now)
            for call_id in list(self._calls):
                self._end(call_id, Fail(call_id, "silent", failure), actions)
        self._send_what_may(now, actions)
        due = self._ping_due()
        if due is not None and due <= now:
            self._pinged = now
            actions.append(Ping())
        return actions

    def _drop_stale(self) -> None:
        while self._deadlines and self._deadlines[0][1] not in self._calls:
            heapq.heappop(self._deadlines)
        while self._retries:
            due, call_id = self._retries[0]
            call = self._calls.get(call_id)
            if call is not None and call.state == "backing off" and call.due == due:
                return
            heapq.heappop(self._retries)

    def _expire(self, now: float, actions: list[Action]) -> None:
        while self._deadlines and self._deadlines[0][0] <= now:
            call_id = heapq.heappop(self._deadlines)[1]
            call = self._calls.get(call_id)
            if call is None:
                continue
            if call.state == "in flight":
                actions.append(SendCancel(call_id))
            # A call that ends at its deadline while a ping is unanswered ends because of the broker.
            silent = self._pinged is not None and (self._heard is None or self._pinged > self._heard)
            fail = Fail(call_id, "silent", self._silence(now)) if silent else Fail(call_id, "deadline")
            self._end(call_id, fail, actions)

    def _send_what_may(self, now: float, actions: list[Action]) -> None:
        """Fills the free places: retries that are due first, they have waited longest."""
        while self._in_flight < self.in_flight_max:
            self._drop_stale()
            if self._retries and self._retries[0][0] <= now:
                self._send(heapq.heappop(self._retries)[1], now, actions)
                continue
            while self._waiting and not self._is_waiting(self._waiting[0]):
                self._waiting.popleft()
            if not self._waiting:
                return
            self._waiting_count -= 1
            self._send(self._waiting.popleft(), now, actions)

    def _is_waiting(self, call_id: int) -> bool:
        call = self._calls.get(call_id)
        return call is not None and call.state == "waiting"

    def _send(self, call_id: int, now: float, actions: list[Action]) -> None:
        call = self._calls[call_id]
        call.attempts = min(call.attempts + 1, 255)
        call.state = "in flight"
        self._in_flight += 1
        actions.append(Send(call_id, call.attempts, call.deadline))
        if self._expecting_since is None:
            self._expecting_since = now

    def _back_off(self, call_id: int, call: _Call, due: float) -> None:
        call.state, call.due = "backing off", due
        heapq.heappush(self._retries, (due, call_id))
        self._leave_flight()

    def _end(self, call_id: int, action: Action, actions: list[Action]) -> None:
        """The one way out of the machine, so that a call ends once."""
        call = self._calls.pop(call_id)
        if call.state == "waiting":
            self._waiting_count -= 1
            if len(self._waiting) > 2 * self._waiting_count + 64:
                self._waiting = deque(other for other in self._waiting if self._is_waiting(other))
        elif call.state == "in flight":
            self._leave_flight()
        # A long deadline must not keep what ended long ago.
        if len(self._deadlines) > 2 * len(self._calls) + 1024:
            self._deadlines = [entry for entry in self._deadlines if entry[1] in self._calls]
            heapq.heapify(self._deadlines)
        actions.append(action)

    def _leave_flight(self) -> None:
        self._in_flight -= 1
        if self._in_flight == 0:
            self._expecting_since = None

    # Liveness

    def _hear(self, now: float) -> None:
        self._heard = now
        self._expecting_since = now if self._in_flight else None

    def _ping_due(self) -> float | None:
        """Nothing heard for an interval while something is expected: ask. The first call after a silence asks at once, so that a call
        with a short deadline still learns whether it was the broker that did not answer."""
        if self._expecting_since is None:
            return None
        due = self._expecting_since
        if self._heard is not None:
            due = max(due, self._heard + PING_INTERVAL)
        return due if self._pinged is None else max(due, self._pinged + PING_INTERVAL)

    def _silence_due(self) -> float | None:
        if self._expecting_since is None or self.wait_for_ready:
            return None
        return self._expecting_since + BROKER_SILENCE_MAX

    def _silence(self, now: float) -> float:
        return BROKER_SILENCE_MAX if self._expecting_since is None else now - self._expecting_since
