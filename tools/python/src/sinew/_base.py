"""What ``Client`` and ``AsyncClient`` share: settings, checks, and sending."""

from __future__ import annotations

import os
import time
from typing import Any

from . import _head
from ._codec import Message, Method
from ._engine import Answer, Call, Engine
from ._generated.errors import ErrorCode
from ._generated.fleet import ModelAvailability
from ._plan import Answered, Deliver
from ._trace import metadata_frame, traceparent_or_new
from .errors import InvalidArgument, Unauthenticated
from .keys import leaves_this_machine, load_keys

#: People in one call, where the client says nothing else: few enough that a scene's parts spread over workers and come soon.
ITEMS_PER_CALL = 64
#: People in one call of ``map`` while the service is busy anyway: a call costs this client, the broker and the worker the same, whatever
#: it holds.
MAP_ITEMS_PER_CALL = 256


class Base:
    """Connects in the background; a broker need not be there yet. Any thread may use a client."""

    def __init__(
        self, endpoint: str = "tcp://127.0.0.1:7690", *, key: str | os.PathLike[str] | None = None,
        broker_key: str | os.PathLike[str] | None = None, insecure: bool = False, deadline: float = 30.0,
        items_per_call: int | None = None, calls_in_flight_max: int = 16, priority: int = 0, tenant: str = "", wait_for_ready: bool = False,
        job_deadline: float = 3600.0, traceparent: str | None = None,
    ) -> None:
        """Where the broker is and how calls are made.

        :param endpoint: the broker's endpoint for clients.
        :param key: the file of this client's key (``sinew keys generate``); None for a broker on this machine that asks for none.
        :param broker_key: the broker's public key: a ``.pub`` file, or 40 characters of Z85.
        :param insecure: use a broker outside this machine without keys; whoever is on the way can read and change everything.
        :param deadline: seconds that a call may take when it says nothing else.
        :param items_per_call: the most people in one call; a larger request is split. None: 64, and up to 256 in ``map`` while the
            service is what it waits for.
        :param calls_in_flight_max: the most calls of this client that are under way; further ones wait in the client.
        :param priority: larger is sooner among this tenant's calls, 0…255 (jobs: 0…7).
        :param tenant: on whose account the work goes; a broker with keys takes the key's.
        :param wait_for_ready: wait for a broker and a worker until the deadline, instead of failing once neither is found.
        :param job_deadline: seconds for which a call about a job goes on, over a broker's restarts and full disks.
        :param traceparent: the W3C trace context that all calls and jobs of this client belong to: broker and worker write its trace id
            into their logs. A malformed one is replaced by a new one. None: calls belong to no trace and carry no further bytes.
        """
        at_most = ITEMS_PER_CALL if items_per_call is None else items_per_call
        if at_most < 1 or calls_in_flight_max < 1:
            raise InvalidArgument(
                f"items_per_call {at_most} and calls_in_flight_max {calls_in_flight_max}: both must be at least 1")
        if not 0 <= priority <= 255:
            raise InvalidArgument(f"priority {priority} is outside 0…255", field="priority")
        if len(tenant.encode()) > _head.TENANT_BYTES_MAX:
            raise InvalidArgument(
                f"the tenant's name has {len(tenant.encode())} bytes, at most {_head.TENANT_BYTES_MAX} are sent", field="tenant")
        if (key is None) != (broker_key is None):
            raise InvalidArgument("key and broker_key go together: one proves who you are, the other who the broker is", field="key")
        keys = None if key is None or broker_key is None else load_keys(key, broker_key)
        if keys is None and not insecure and leaves_this_machine(endpoint):
            raise Unauthenticated(
                f"{endpoint} leaves this machine and there are no keys: give key= and broker_key=, or insecure=True on a network you "
                "trust", ErrorCode.NONE, "endpoint")
        self.endpoint = endpoint
        self.deadline = deadline
        self.items_per_call = at_most
        self.items_per_large_call = MAP_ITEMS_PER_CALL if items_per_call is None else items_per_call
        self.calls_in_flight_max = calls_in_flight_max
        self.priority = priority
        self.job_deadline = job_deadline
        #: The trace context that is sent, or None.
        self.traceparent = None if traceparent is None else traceparent_or_new(traceparent)
        self._architectures: dict[str, str] = {}
        self._engine = Engine(
            endpoint, keys, tenant, calls_in_flight_max, wait_for_ready, metadata_frame(self.traceparent))

    def __reduce__(self) -> Any:
        raise TypeError("a client has sockets and a thread and cannot be pickled; make one in each process")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.endpoint!r})"

    def __del__(self) -> None:
        engine = getattr(self, "_engine", None)
        if engine is not None:
            engine.close(wait=False)

    # Sending

    def send(
        self, method: Method[Any, Any], request: Message, model: str, items: int, deadline: float | None, until: float | None,
        deliver: Deliver,
    ) -> int:
        """Sends a call; its answer is handed to ``deliver`` by the engine's thread."""
        call_id = self._engine.next_id()
        self.post(method, request, model, items, deadline, until, self.priority, call_id,
                  lambda answer: deliver(Answered(call_id, answer)))
        return call_id

    def post(
        self, method: Method[Any, Any], request: Message, model: str, items: int, deadline: float | None, until: float | None,
        priority: int, call_id: int, on_answer: Any,
    ) -> None:
        """Hands a call to the engine."""
        payload = request.encode()
        now = time.monotonic()
        allowed = (self.deadline if deadline is None else deadline) if until is None else until - now
        answer: Any = on_answer
        self._engine.post(Call(
            call_id, method.name, model, items, priority, payload, now + allowed, self.deadline if deadline is None else deadline,
            answer))

    def cancel(self, call_id: int) -> None:
        """Gives a call up."""
        self._engine.cancel(call_id)

    def _remember(self, models: list[ModelAvailability]) -> list[ModelAvailability]:
        for each in models:
            self._architectures[each.model.name] = each.model.architecture
            self._architectures[f"{each.model.name}/{each.model.version}"] = each.model.architecture
        return models


__all__ = ["Answer", "Base"]
