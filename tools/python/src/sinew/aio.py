"""The client for asyncio: the same names, awaited."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy.typing as npt

from ._base import Base
from ._codec import Message, Method
from ._collect import Collection
from ._correct import REFINE, Corrected
from ._engine import Answer
from ._generated.fleet import (
    DrainWorkerRequest, Fleet, FleetStatusReply, FleetStatusRequest, ListModelsRequest, ModelAvailability,
)
from ._generated.health import Health, HealthCheckRequest, ServingStatus
from ._jobs import (
    PAGE_WAIT, JobOptions, JobPlan, JobResult, JobStatus, Patience, Step, Steps, cancel_steps, clips_of, has_ended, job_id, list_steps,
    not_ended, page_steps, replay_steps, status_steps, submit_steps,
)
from ._plan import Answered, MapResult, MapRun, ScenePart, SceneRun, Source, TrackUse, decode, items_of, track_use
from .client import with_tracks
from .effectors import Effector, EffectorPeople
from .errors import SinewError
from .jobs import only_clip
from .people import People, PeopleFields, as_people
from .poses import Poses, fill, settle, zeroed

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")


class AsyncClient(Base):
    """As :class:`sinew.Client`, for asyncio. Cancelling a task cancels its calls at the broker.

    >>> async with sinew.AsyncClient() as client:
    ...     poses = await client.solve(joints, model="niki")
    """

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connection. Calls under way end with :class:`sinew.Cancelled`, and so does every later one."""
        await asyncio.to_thread(self._engine.close)

    # Solving

    async def solve(
        self, joints: People | npt.ArrayLike, model: str = "niki", *, deadline: float | None = None, **fields: Unpack[PeopleFields]
    ) -> Poses:
        """As :meth:`sinew.Client.solve`."""
        return await self._collect(as_people(joints, fields), model, deadline)

    def solve_scene(
        self, joints: People | npt.ArrayLike, model: str = "niki", *, deadline: float | None = None, **fields: Unpack[PeopleFields]
    ) -> AsyncIterator[ScenePart]:
        """As :meth:`sinew.Client.solve_scene`."""
        return self._parts(as_people(joints, fields), model, deadline, None)

    async def solve_effectors(
        self, people: Sequence[Sequence[Effector]], model: str = "smpl-ik", *, betas: npt.ArrayLike | None = None,
        genders: str | Sequence[str] = (), refine: int = 0, deadline: float | None = None,
    ) -> Poses:
        """As :meth:`sinew.Client.solve_effectors`."""
        return await self._collect(EffectorPeople(people, betas, genders, refine), model, deadline)

    async def correct(
        self, result: Poses, frame: int, moved: Mapping[str | int, npt.ArrayLike], *, model: str = "smpl-ik", refine: int = REFINE,
        deadline: float | None = None,
    ) -> Poses:
        """As :meth:`sinew.Client.correct`."""
        corrected = Corrected(result, frame, moved)
        return corrected.result(await self._collect(corrected.request(refine), model, deadline))

    async def map(
        self, people: Iterable[People | npt.ArrayLike], model: str = "niki", *, in_flight_max: int | None = None,
        deadline: float | None = None, **fields: Unpack[PeopleFields],
    ) -> AsyncIterator[Poses]:
        """As :meth:`sinew.Client.map`."""
        results = self._map(people, model, in_flight_max, deadline, fields, True)
        async with aclosing(results):
            async for result in results:
                for poses in result.poses:
                    yield poses

    async def map_unordered(
        self, people: Iterable[People | npt.ArrayLike], model: str = "niki", *, in_flight_max: int | None = None,
        deadline: float | None = None, **fields: Unpack[PeopleFields],
    ) -> AsyncIterator[tuple[int, Poses]]:
        """As :meth:`sinew.Client.map_unordered`."""
        results = self._map(people, model, in_flight_max, deadline, fields, False)
        async with aclosing(results):
            async for result in results:
                for item in zip(result.places, result.poses):
                    yield item

    async def _map(
        self, people: Iterable[People | npt.ArrayLike], model: str, in_flight_max: int | None, deadline: float | None,
        fields: PeopleFields, in_order: bool,
    ) -> AsyncGenerator[MapResult, None]:
        answers, deliver = _mailbox()
        run = MapRun(
            self, items_of(people), model, in_flight_max or 2 * self.calls_in_flight_max, self.items_per_call,
            self.items_per_large_call, deliver, deadline, fields, in_order)
        try:
            run.send_what_may()
            while run.is_under_way:
                for result in run.take(await answers.get()):
                    yield result
        finally:
            run.cancel()

    # The fleet

    async def status(self, *, deadline: float | None = None) -> FleetStatusReply:
        """The broker's counters and its workers."""
        return await self.call(Fleet.STATUS, FleetStatusRequest(), deadline=deadline)

    async def models(self, *, deadline: float | None = None) -> list[ModelAvailability]:
        """The models that at least one worker has ready."""
        return self._remember((await self.call(Fleet.LIST_MODELS, ListModelsRequest(), deadline=deadline)).models)

    async def health(self, service: str = "", *, deadline: float | None = None) -> ServingStatus:
        """Whether a service can be called now: ``sinew.v1.PoseSolver``, or empty for the broker itself."""
        return (await self.call(Health.CHECK, HealthCheckRequest(service), deadline=deadline)).status

    async def drain_worker(self, name: str, *, deadline: float | None = None) -> int:
        """Lets the workers of a name finish and leave; returns how many have it."""
        return (await self.call(Fleet.DRAIN_WORKER, DrainWorkerRequest(name), deadline=deadline)).workers

    # Calls

    async def call(
        self, method: Method[Any, T], request: Message, model: str = "", *, items: int = 0, deadline: float | None = None,  # type: ignore[type-var]
        priority: int | None = None,
    ) -> T:
        """Makes one call of any method and awaits its reply."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()

        def finish(value: Answer) -> None:
            if not answer.done():
                answer.set_result(value)

        call_id = self._engine.next_id()
        self.post(
            method, request, model, items, deadline, None, self.priority if priority is None else priority, call_id,
            lambda value: _in_loop(loop, finish, value))
        try:
            reply: T = decode(method, await answer)
        except asyncio.CancelledError:
            self.cancel(call_id)
            raise
        return reply

    async def _parts(
        self, people: Source, model: str, deadline: float | None, until: float | None
    ) -> AsyncIterator[ScenePart]:
        answers, deliver = _mailbox()
        run = SceneRun(
            self, people, model, self.calls_in_flight_max, self.items_per_call, deliver, deadline, until,
            await self._track_use(people, model, deadline))
        try:
            run.send_what_may()
            while run.is_under_way:
                yield run.take(await answers.get())
        finally:
            run.cancel()

    async def _collect(self, people: Source, model: str, deadline: float | None) -> Poses:
        until = time.monotonic() + (self.deadline if deadline is None else deadline)
        whole: Poses | None = None
        parts = self._parts(people, model, deadline, until)
        try:
            async for rows, poses in parts:
                if len(rows) == people.count:
                    whole = poses  # Nothing to put together: the arrays stay views into the frame.
                else:
                    whole = zeroed(people.count) if whole is None else whole
                    fill(whole, rows, poses)
        finally:
            await parts.aclose()  # type: ignore[attr-defined]
        assert whole is not None, "a request without parts"
        return settle(with_tracks(whole, people))

    async def _track_use(self, people: Source, model: str, deadline: float | None) -> TrackUse:
        if not isinstance(people, People) or people.tracks is None:
            return "ignore"
        if model not in self._architectures:
            await self.models(deadline=deadline)
        return track_use(self._architectures.get(model))

    # Jobs

    async def submit(
        self, clips: People | npt.ArrayLike | Mapping[str, People], model: str = "niki", *, fps: float | None = None,
        name: str = "clip", label: str = "", id: str | uuid.UUID | None = None, idempotency_key: str | None = None,
        time_to_live: float | None = None, retention: float | None = None, priority: int | None = None, items_per_task: int = 64,
        progress: Callable[[int], object] | None = None, deadline: float | None = None, **fields: Unpack[PeopleFields],
    ) -> AsyncJob:
        """As :meth:`sinew.Client.submit`."""
        work = clips_of(clips, name, fields)
        use = {name: await self._track_use(people, model, None) for name, people in work.items()}
        plan = JobPlan(work, model, use, items_per_task, fps)
        options = JobOptions(label, id, idempotency_key, time_to_live, retention, self.priority if priority is None else priority)
        return AsyncJob(self, await self._run(submit_steps(plan, options, progress), deadline))

    def job(self, id: str | uuid.UUID) -> AsyncJob:
        """A job that was submitted before, by whatever process; nothing is asked."""
        return AsyncJob(self, job_id(id))

    async def jobs(
        self, *, count_max: int = 100, older_than: str | uuid.UUID | None = None, deadline: float | None = None
    ) -> list[JobStatus]:
        """The tenant's jobs, newest first."""
        return await self._run(list_steps(count_max, older_than), self.deadline if deadline is None else deadline)

    async def _run(self, steps: Steps[T], deadline: float | None) -> T:
        step = next(steps)
        try:
            while True:
                step = steps.send(await self._durable(step, deadline))
        except StopIteration as end:
            result: T = end.value
            return result

    async def _durable(self, step: Step, deadline: float | None) -> Any:
        patience = Patience(self.job_deadline if deadline is None else deadline)
        while True:
            try:
                return await self.call(
                    step.method, step.request, step.model, deadline=patience.allowed(step.wait), priority=step.priority)
            except SinewError as error:
                await asyncio.sleep(patience.pause(error))


class AsyncJob:
    """As :class:`sinew.Job`, for asyncio; awaiting it gives the poses of its one clip once it has ended."""

    def __init__(self, client: AsyncClient, id: uuid.UUID) -> None:
        self.id = id
        self._client = client

    def __repr__(self) -> str:
        return f"AsyncJob({str(self.id)!r})"

    def __aiter__(self) -> AsyncIterator[JobResult]:
        return self.results()

    def __await__(self) -> Generator[Any, None, Poses]:
        return self.poses().__await__()

    async def results(
        self, after: int = 0, *, failures_only: bool = False, on_page: Callable[[int], object] | None = None
    ) -> AsyncIterator[JobResult]:
        """As :meth:`sinew.Job.results`."""
        cursor = after
        while True:
            page = await self._client._run(page_steps(self.id, cursor, PAGE_WAIT, failures_only), None)
            for result in page.results:
                yield JobResult.of(result)
            cursor = page.next_cursor
            if on_page is not None:
                on_page(cursor)
            if page.complete:
                return

    async def status(self, *, deadline: float | None = None) -> JobStatus:
        """How far the job is."""
        return await self._client._run(status_steps(self.id), deadline)

    async def wait(self, *, deadline: float | None = None) -> JobStatus:
        """As :meth:`sinew.Job.wait`."""
        until = None if deadline is None else time.monotonic() + deadline
        while True:
            held = PAGE_WAIT if until is None else max(0.0, min(PAGE_WAIT, until - time.monotonic()))
            status = await self._client._run(status_steps(self.id, held), None)
            if has_ended(status):
                return status
            if until is not None and time.monotonic() >= until:
                raise not_ended(self.id, status)

    async def collect(self) -> dict[str, Poses]:
        """As :meth:`sinew.Job.collect`."""
        collection = Collection()
        async for result in self:
            collection.add(result)
        return collection.finish()

    async def poses(self) -> Poses:
        """:meth:`collect` of a job of one clip."""
        return only_clip(await self.collect())

    async def cancel(self, *, deadline: float | None = None) -> JobStatus:
        """Gives up what is not finished; results that are there stay."""
        return await self._client._run(cancel_steps(self.id), deadline)

    async def replay(self, indexes: Sequence[int] = (), *, deadline: float | None = None) -> int:
        """As :meth:`sinew.Job.replay`."""
        return await self._client._run(replay_steps(self.id, list(indexes)), deadline)


def _in_loop(loop: asyncio.AbstractEventLoop, function: Callable[[Any], object], value: Any) -> None:
    try:
        loop.call_soon_threadsafe(function, value)
    except RuntimeError:
        pass  # The loop is closed, and nobody waits any more.


def _mailbox() -> tuple[asyncio.Queue[Answered], Callable[[Answered], None]]:
    """A queue, and what puts an answer of the engine's thread into it."""
    loop = asyncio.get_running_loop()
    answers: asyncio.Queue[Answered] = asyncio.Queue()
    return answers, lambda answered: _in_loop(loop, answers.put_nowait, answered)
