"""The blocking client."""

from __future__ import annotations

import queue
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy.typing as npt

from ._base import Base
from ._codec import Message, Method
from ._correct import REFINE, Corrected
from ._engine import Answer
from ._generated.fleet import (
    DrainWorkerRequest, Fleet, FleetStatusReply, FleetStatusRequest, ListModelsRequest, ModelAvailability,
)
from ._generated.health import Health, HealthCheckRequest, ServingStatus
from ._generated.jobs import JobStatus
from ._jobs import (
    JobOptions, JobPlan, Patience, Step, Steps, clips_of, job_id, list_steps, submit_steps,
)
from ._plan import Answered, MapResult, MapRun, ScenePart, SceneRun, Source, TrackUse, decode, items_of, track_use
from .effectors import Effector, EffectorPeople
from .errors import SinewError
from .jobs import Job
from .people import People, PeopleFields, as_people
from .poses import Poses, fill, settle, zeroed

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")


class Client(Base):
    """A connection to a broker: turns observed joints into body poses on whatever workers it has.

    >>> with sinew.Client() as client:
    ...     poses = client.solve(joints, model="niki", deadline=1.0)
    ...     print(poses.theta.shape)

    Every call ends by its deadline; a broker that is gone shows as :class:`sinew.Unavailable`, about three seconds after it fell silent.
    """

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection. Calls under way end with :class:`sinew.Cancelled`, and so does every later one."""
        self._engine.close()

    # Solving

    def solve(
        self, joints: People | npt.ArrayLike, model: str = "niki", *, deadline: float | None = None, **fields: Unpack[PeopleFields]
    ) -> Poses:
        """Solves people and returns their poses in the order of the request.

        :param joints: [n, J, 3] metres, model frame, y up, or :class:`sinew.People`, which says what the keywords are.
        :param model: ``name`` for any version or ``name/version``.
        :param deadline: seconds for the whole request.
        Raises :class:`sinew.SinewError` when a call fails as a whole. A person that cannot be solved is an entry of
        ``item_errors``, not an exception (``poses.raise_for_errors()`` makes one of it).
        """
        people = as_people(joints, fields)
        return self._collect(people, model, deadline)

    def solve_scene(
        self, joints: People | npt.ArrayLike, model: str = "niki", *, deadline: float | None = None, **fields: Unpack[PeopleFields]
    ) -> Iterator[ScenePart]:
        """Solves a scene or clip and hands out its parts as they finish, in whatever order that is.

        At most ``calls_in_flight_max`` parts are under way or wait to be taken: memory stays bounded for a clip of any length. Leaving
        the loop cancels what is under way. ``deadline`` is for each part, from when it is sent.
        """
        people = as_people(joints, fields)
        return self._parts(people, model, deadline, None)

    def solve_effectors(
        self, people: Sequence[Sequence[Effector]], model: str = "smpl-ik", *, betas: npt.ArrayLike | None = None,
        genders: str | Sequence[str] = (), refine: int = 0, deadline: float | None = None,
    ) -> Poses:
        """Solves people from sparse effectors, at least one place for each."""
        return self._collect(EffectorPeople(people, betas, genders, refine), model, deadline)

    def correct(
        self, result: Poses, frame: int, moved: Mapping[str | int, npt.ArrayLike], *, model: str = "smpl-ik", refine: int = REFINE,
        deadline: float | None = None,
    ) -> Poses:
        """Solves a frame again whose joints somebody moved, in one call, and returns all poses with it in its place, as a new result.

        Moved joints land on their places, their limbs follow, hands and feet go along, and every other joint is held by its place
        (2 cm) and its turn (0.1 rad). What was moved in an earlier correction of the frame stays. ``corrections`` of the new result
        tells what was moved and by what model, and so do its files.

        :param frame: the row in ``result``, as ``result.worst()`` names it.
        :param moved: places [3] in metres, y up, by name or number of SMPL's 24 joints.
        :param model: one that takes effectors.
        :param refine: Gauss-Newton steps after the model; without them joints land only nearby.
        Raises ValueError for a frame without a pose, and what :meth:`solve_effectors` raises. Copies the arrays of ``result``.
        """
        corrected = Corrected(result, frame, moved)
        return corrected.result(self._collect(corrected.request(refine), model, deadline))

    def map(
        self, people: Iterable[People | npt.ArrayLike], model: str = "niki", *, in_flight_max: int | None = None,
        deadline: float | None = None, **fields: Unpack[PeopleFields],
    ) -> Iterator[Poses]:
        """Solves item after item of any number and hands out their poses in the order of the items.

        An item is one person [J, 3], some people [n, J, 3], or :class:`sinew.People`. Arrays that follow each other share calls, of
        ``items_per_call`` people; at most ``in_flight_max`` calls (default: twice ``calls_in_flight_max``) are begun and not handed out, so
        memory stays bounded. While the service is slower than the source, calls grow fourfold and count as four, unless the client was
        given ``items_per_call``. ``deadline`` is for each call. Leaving the loop cancels what is under way.
        """
        for result in self._map(people, model, in_flight_max, deadline, fields, True):
            yield from result.poses

    def map_unordered(
        self, people: Iterable[People | npt.ArrayLike], model: str = "niki", *, in_flight_max: int | None = None,
        deadline: float | None = None, **fields: Unpack[PeopleFields],
    ) -> Iterator[tuple[int, Poses]]:
        """As :meth:`map`, in the order in which they finish, each with its item's place."""
        for result in self._map(people, model, in_flight_max, deadline, fields, False):
            yield from zip(result.places, result.poses)

    def _map(
        self, people: Iterable[People | npt.ArrayLike], model: str, in_flight_max: int | None, deadline: float | None,
        fields: PeopleFields, in_order: bool,
    ) -> Iterator[MapResult]:
        answers: queue.SimpleQueue[Answered] = queue.SimpleQueue()
        run = MapRun(
            self, items_of(people), model, in_flight_max or 2 * self.calls_in_flight_max, self.items_per_call,
            self.items_per_large_call, answers.put, deadline, fields, in_order)
        try:
            run.send_what_may()
            while run.is_under_way:
                yield from run.take(answers.get())
        finally:
            run.cancel()

    # The fleet

    def status(self, *, deadline: float | None = None) -> FleetStatusReply:
        """The broker's counters and its workers."""
        return self.call(Fleet.STATUS, FleetStatusRequest(), deadline=deadline)

    def models(self, *, deadline: float | None = None) -> list[ModelAvailability]:
        """The models that at least one worker has ready."""
        return self._remember(self.call(Fleet.LIST_MODELS, ListModelsRequest(), deadline=deadline).models)

    def health(self, service: str = "", *, deadline: float | None = None) -> ServingStatus:
        """Whether a service can be called now: ``sinew.v1.PoseSolver``, or empty for the broker itself."""
        return self.call(Health.CHECK, HealthCheckRequest(service), deadline=deadline).status

    def drain_worker(self, name: str, *, deadline: float | None = None) -> int:
        """Lets the workers of a name finish and leave; returns how many have it."""
        return self.call(Fleet.DRAIN_WORKER, DrainWorkerRequest(name), deadline=deadline).workers

    # Calls

    def call(
        self, method: Method[Any, T], request: Message, model: str = "", *, items: int = 0, deadline: float | None = None,  # type: ignore[type-var]
        priority: int | None = None,
    ) -> T:
        """Makes one call of any method and waits for its reply; Ctrl-C cancels it."""
        answer: Future[Answer] = Future()
        call_id = self._engine.next_id()
        self.post(
            method, request, model, items, deadline, None, self.priority if priority is None else priority, call_id,
            answer.set_result)
        try:
            reply: T = decode(method, answer.result())
        except BaseException:
            if not answer.done():
                self.cancel(call_id)
            raise
        return reply

    def _parts(self, people: Source, model: str, deadline: float | None, until: float | None) -> Iterator[ScenePart]:
        answers: queue.SimpleQueue[Answered] = queue.SimpleQueue()
        run = SceneRun(
            self, people, model, self.calls_in_flight_max, self.items_per_call, answers.put, deadline, until,
            self._track_use(people, model, deadline))
        try:
            run.send_what_may()
            while run.is_under_way:
                yield run.take(answers.get())
        finally:
            run.cancel()

    def _collect(self, people: Source, model: str, deadline: float | None) -> Poses:
        until = time.monotonic() + (self.deadline if deadline is None else deadline)
        whole: Poses | None = None
        for rows, poses in self._parts(people, model, deadline, until):
            if len(rows) == people.count:
                whole = poses  # Nothing to put together: the arrays stay views into the frame.
            else:
                whole = zeroed(people.count) if whole is None else whole
                fill(whole, rows, poses)
        assert whole is not None, "a request without parts"
        return settle(with_tracks(whole, people))

    def _track_use(self, people: Source, model: str, deadline: float | None) -> TrackUse:
        """What the model makes of tracks; asked once, and only for requests with tracks."""
        if not isinstance(people, People) or people.tracks is None:
            return "ignore"
        if model not in self._architectures:
            self.models(deadline=deadline)
        return track_use(self._architectures.get(model))

    # Jobs

    def submit(
        self, clips: People | npt.ArrayLike | Mapping[str, People], model: str = "niki", *, fps: float | None = None,
        name: str = "clip", label: str = "", id: str | uuid.UUID | None = None, idempotency_key: str | None = None,
        time_to_live: float | None = None, retention: float | None = None, priority: int | None = None, items_per_task: int = 64,
        progress: Callable[[int], object] | None = None, deadline: float | None = None, **fields: Unpack[PeopleFields],
    ) -> Job:
        """Submits a durable job: when this returns, all of it is on the broker's disk and outlives every process.

        The same content submitted again is the same job, whatever happened in between: a submit that was cut off goes on where it was.
        So does one with the same ``idempotency_key``, or the same ``id`` (a UUID of version 7).

        :param clips: what to solve: joints [n, J, 3], :class:`sinew.People`, or several by name (``sinew get`` makes a file of each).
        :param label: for people, at most 256 bytes.
        :param time_to_live: seconds after which what is not done is given up; None is the broker's default.
        :param retention: seconds for which results are kept after the end; None is the broker's default.
        :param items_per_task: people who are solved together, and fail or succeed together; whole tracks for models that see them.
        :param progress: told how many tasks are on the broker's disk, after each message.
        :param deadline: seconds for each message over all its attempts; None is ``job_deadline``. A broker that is restarted or full
            meanwhile is waited for.
        """
        work = clips_of(clips, name, fields)
        use = {name: self._track_use(people, model, None) for name, people in work.items()}
        plan = JobPlan(work, model, use, items_per_task, fps)
        options = JobOptions(label, id, idempotency_key, time_to_live, retention, self.priority if priority is None else priority)
        return Job(self, self._run(submit_steps(plan, options, progress), deadline))

    def job(self, id: str | uuid.UUID) -> Job:
        """A job that was submitted before, by whatever process; nothing is asked."""
        return Job(self, job_id(id))

    def jobs(self, *, count_max: int = 100, older_than: str | uuid.UUID | None = None, deadline: float | None = None) -> list[JobStatus]:
        """The tenant's jobs, newest first."""
        return self._run(list_steps(count_max, older_than), self.deadline if deadline is None else deadline)

    def _run(self, steps: Steps[T], deadline: float | None) -> T:
        """Makes the calls that a job's step asks for, each again and again until it is answered or its time is up."""
        step = next(steps)
        try:
            while True:
                step = steps.send(self._durable(step, deadline))
        except StopIteration as end:
            result: T = end.value
            return result

    def _durable(self, step: Step, deadline: float | None) -> Any:
        patience = Patience(self.job_deadline if deadline is None else deadline)
        while True:
            try:
                return self.call(
                    step.method, step.request, step.model, deadline=patience.allowed(step.wait), priority=step.priority)
            except SinewError as error:
                time.sleep(patience.pause(error))


def with_tracks(whole: Poses, people: Source) -> Poses:
    """Poses that remember which track each row is of."""
    if isinstance(people, People) and people.tracks is not None:
        import numpy as np

        tracks = np.asarray(people.tracks)
        whole.tracks = tracks
        runs = people.track_runs() or []
        whole.frames = np.concatenate([np.arange(len(run), dtype=np.int64) for run in runs])
    return whole
