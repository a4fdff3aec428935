"""Durable jobs without waiting: ids, tasks and labels, and what is asked of the broker one step after the other."""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from ._codec import CodecError, Message, Method
from ._generated.error import ErrorDetail
from ._generated.errors import ErrorCode
from ._generated.jobs import (
    AppendTasksRequest, CancelJobRequest, JobResultsReply, JobResultsRequest, JobState, JobStatus, JobStatusRequest, Jobs,
    ListJobsRequest, ReplayJobRequest, SealJobRequest, SubmitJobRequest, TaskBlock, TaskOutcome, TaskResult,
)
from ._generated.pose_solver import PoseSolver, SolvePosesReply
from ._plan import TrackUse, check_model
from ._retry import RetryBudget
from .errors import (
    DeadlineExceeded, InvalidArgument, ResourceExhausted, SinewError, Unavailable, failure, reply_failure,
)
from .people import ITEMS_PER_CALL_MAX, People, PeopleFields, as_people
from .poses import Poses, read_reply

T = TypeVar("T")
__all__ = ["JobResult", "JobState", "JobStatus", "TaskOutcome"]
JOB_LABEL_BYTES_MAX = 256
TASK_LABEL_BYTES_MAX = 1024
#: How long the broker holds an answer back while there is nothing to say.
PAGE_WAIT = 10.0
#: How much longer than its hold the broker may take over one attempt.
_ATTEMPT_SECONDS = 30.0
#: A message of this size keeps the broker's group commits full.
_MESSAGE_BYTES_MAX = 1 << 20
_MESSAGE_TASKS_MAX = 256


class Step(NamedTuple):
    """A call that is made again until it is answered: every method of jobs may be sent twice without harm."""

    method: Method[Any, Any]
    request: Message
    model: str = ""
    priority: int | None = None
    #: Seconds for which the broker may hold the answer back, as the request says.
    wait: float = 0.0


#: What a driver carries out: it makes the call of each step and sends the reply back in.
Steps = Generator[Step, Any, T]


class Patience:
    """How long and how often a step is tried."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._budget = RetryBudget()
        self._attempts = 0

    def allowed(self, wait: float) -> float:
        """Seconds for the next attempt."""
        return max(0.0, min(self._until - time.monotonic(), wait + _ATTEMPT_SECONDS))

    def pause(self, error: SinewError) -> float:
        """Seconds before the next attempt; raises the error when another one is of no use or comes too late."""
        self._attempts += 1
        pause = self._budget.backoff(self._attempts, error.retry_after)
        is_worth_it = isinstance(error, (Unavailable, ResourceExhausted, DeadlineExceeded)) or error.code == ErrorCode.HASH_MISMATCH
        if not is_worth_it or time.monotonic() + pause >= self._until:
            raise error
        return pause


# Ids


def new_job_id() -> uuid.UUID:
    """A UUID of version 7: milliseconds since 1970, 12 bits of the fraction of the millisecond, 62 random bits.

    Source: RFC 9562, section 5.7, with method 3 of section 6.2.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    high = (milliseconds & 0xFFFF_FFFF_FFFF) << 16 | 0x7000 | rest * 4096 // 1_000_000
    low = 1 << 63 | int.from_bytes(os.urandom(8), "big") & 0x3FFF_FFFF_FFFF_FFFF
    return uuid.UUID(int=high << 64 | low)


def job_id(value: str | uuid.UUID | bytes) -> uuid.UUID:
    """The id in any of its forms; raises :class:`InvalidArgument` when it is no UUID of version 7."""
    try:
        found = value if isinstance(value, uuid.UUID) else uuid.UUID(bytes=value) if isinstance(value, bytes) else uuid.UUID(value)
    except (ValueError, AttributeError):
        raise InvalidArgument(f"“{value!r}” is no job id; client.jobs() lists those that stand", field="id") from None
    if found.version != 7:
        raise InvalidArgument(f"{found} is a UUID of version {found.version}; jobs have version 7", field="id")
    return found


# Tasks


def clips_of(clips: People | npt.ArrayLike | Mapping[str, People], name: str, fields: PeopleFields) -> dict[str, People]:
    """What ``submit`` was given, by name."""
    if isinstance(clips, Mapping):
        if fields or not clips:
            raise TypeError("several clips by name are given as sinew.People each, at least one, without further keywords")
        return {str(key): as_people(value, {}) for key, value in clips.items()}
    return {name: as_people(clips, fields)}


@dataclass
class JobPlan:
    """What makes a job what it is. The same plan always gives the same tasks, byte for byte."""

    clips: Mapping[str, People]
    model: str
    track_use: Mapping[str, TrackUse]
    items_per_task: int
    fps: float | None

    def __post_init__(self) -> None:
        check_model(self.model)
        if not 1 <= self.items_per_task <= ITEMS_PER_CALL_MAX:
            raise InvalidArgument(
                f"items_per_task {self.items_per_task} is outside 1…{ITEMS_PER_CALL_MAX}", ErrorCode.JOB_LIMIT, "items")
        if self.fps is not None and not (np.isfinite(self.fps) and self.fps > 0):
            raise InvalidArgument(f"fps {self.fps} is no frame rate", field="fps")
        for name in self.clips:
            parts = name.split("/")
            if len(name.encode()) > 300 or not name.isprintable() or any(part in ("", ".", "..") for part in parts):
                raise InvalidArgument(f"“{name}” cannot name a clip: it becomes a file's name below a folder", field="name")

    def content_hash(self) -> bytes:
        """SHA-256 over method, model, and every task with its label."""
        digest = hashlib.sha256(f"sinew python 1\n{PoseSolver.SOLVE_POSES.name}\n{self.model}\n".encode())
        for task in self.tasks():
            digest.update(task.sha256)
            digest.update(hashlib.sha256(task.label.encode()).digest())
        return digest.digest()

    def tasks(self, first: int = 0) -> Iterator[TaskBlock]:
        """The tasks from one on; what comes before is counted and not made."""
        index = 0
        for name, people in self.clips.items():
            for rows, label in self._pieces(name, people):
                if index >= first:
                    payload = people.message(rows, with_tracks=self.track_use[name] != "ignore").encode()
                    yield TaskBlock(index, len(rows), hashlib.sha256(payload).digest(), payload, label)
                index += 1

    def _pieces(self, name: str, people: People) -> Iterator[tuple[range, str]]:
        use = self.track_use[name]
        runs = (people.track_runs() if use != "ignore" else None) or []
        units: list[range] = []
        if runs:
            # Whole tracks, because a task starts where nothing was before; short ones share a task.
            for run in runs:
                if len(run) > ITEMS_PER_CALL_MAX:
                    raise failure(
                        ErrorCode.JOB_LIMIT,
                        f"{name}: a track of {len(run)} rows for a model that sees whole tracks, and a task holds at most "
                        f"{ITEMS_PER_CALL_MAX}; cut it into shorter tracks", "tracks")
                if units and len(units[-1]) + len(run) <= self.items_per_task:
                    units[-1] = range(units[-1].start, run.stop)
                else:
                    units.append(run)
        else:
            step = self.items_per_task
            units = [range(start, min(start + step, people.count)) for start in range(0, people.count, step)]
        labels = _Labels(name, len(self.clips), people, self.fps)
        for unit in units:
            yield from labels.fit(unit, {run.start for run in runs})


class _Labels:
    """Labels as ``sinew submit`` writes them, so that ``sinew get`` makes files of a job of any client."""

    def __init__(self, name: str, files: int, people: People, fps: float | None) -> None:
        self._head: dict[str, Any] = {"file": name, **({"files": files} if files != 1 else {}), "rows": people.count}
        if fps is not None:
            self._head["fps"] = fps
        runs = people.track_runs() or [range(people.count)]
        names = [0] if people.tracks is None else [int(np.asarray(people.tracks)[run.start]) for run in runs]
        self._tracks = list(zip(runs, names))
        self._betas, self._genders = people.betas_of(), people.genders_of()

    def fit(self, rows: range, cuts: set[int]) -> Iterator[tuple[range, str]]:
        """One task, or several where the label would be too long for one; cut between tracks where there are any."""
        text = self._text(rows)
        if len(text.encode()) <= TASK_LABEL_BYTES_MAX:
            yield rows, text
            return
        middles = [row for row in rows[1:] if not cuts or row in cuts]
        if not middles:
            raise failure(
                ErrorCode.JOB_LIMIT,
                f"{self._head['file']}: the shapes or genders of rows {rows.start}…{rows.stop - 1} change too often to be noted beside "
                f"the task ({TASK_LABEL_BYTES_MAX} bytes are kept); give a track one shape and one gender", "label")
        middle = middles[len(middles) // 2]
        yield from self.fit(range(rows.start, middle), cuts)
        yield from self.fit(range(middle, rows.stop), cuts)

    def _text(self, rows: range) -> str:
        runs: list[dict[str, Any]] = []
        for place, (track, name) in enumerate(self._tracks):
            start, stop = max(track.start, rows.start), min(track.stop, rows.stop)
            while start < stop:
                end = start + 1
                same = self._betas[start]
                while end < stop and self._genders[end] == self._genders[start] and np.array_equal(self._betas[end], same):
                    end += 1
                run: dict[str, Any] = {
                    "at": start, "n": end - start, "t": place, "of": str(name), "frame": start - track.start}
                if self._genders[start] != "neutral":
                    run["g"] = self._genders[start]
                if same.any():
                    # The shortest text that reads back as the same 32-bit float.
                    run["betas"] = [float(str(beta)) for beta in same[: int(np.flatnonzero(same)[-1]) + 1]]
                runs.append(run)
                start = end
        return json.dumps({**self._head, "runs": runs}, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


# Steps


class JobOptions(NamedTuple):
    """What ``submit`` may say about a job."""

    label: str
    id: str | uuid.UUID | None
    idempotency_key: str | None
    time_to_live: float | None
    retention: float | None
    priority: int


def submit_steps(plan: JobPlan, options: JobOptions, progress: Callable[[int], object] | None = None) -> Steps[uuid.UUID]:
    """Makes or finds the job, appends what is not there, and seals it; ``progress`` is told how many tasks are on the broker's disk."""
    if len(options.label.encode()) > JOB_LABEL_BYTES_MAX:
        raise failure(
            ErrorCode.JOB_LIMIT,
            f"the job's label has {len(options.label.encode())} bytes, at most {JOB_LABEL_BYTES_MAX} are kept", "label")
    if options.id is not None:
        content = b""
    elif options.idempotency_key is not None:
        content = hashlib.sha256(b"sinew idempotency key\0" + options.idempotency_key.encode()).digest()
    else:
        content = plan.content_hash()
    request = SubmitJobRequest(
        (new_job_id() if options.id is None else job_id(options.id)).bytes, PoseSolver.SOLVE_POSES.name, plan.model,
        options.label or _label(plan), content, _microseconds(options.time_to_live), _microseconds(options.retention))
    reply = yield Step(Jobs.SUBMIT, request, plan.model, options.priority)
    found = job_id(reply.job.id)
    if reply.job.state != JobState.OPEN:
        return found
    count = reply.job.next_index
    for tasks in _messages(plan.tasks(count)):
        yield Step(Jobs.APPEND, AppendTasksRequest(found.bytes, tasks))
        count = tasks[-1].index + 1
        if progress is not None:
            progress(count)
    yield Step(Jobs.SEAL, SealJobRequest(found.bytes, count))
    return found


def _label(plan: JobPlan) -> str:
    names = list(plan.clips)
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    name = names[0]
    while len((name + more).encode()) > JOB_LABEL_BYTES_MAX:
        name = name[:-1]
    return name + more


def _messages(tasks: Iterator[TaskBlock]) -> Iterator[list[TaskBlock]]:
    message: list[TaskBlock] = []
    size = 0
    for task in tasks:
        bytes_more = len(task.payload) + len(task.label.encode()) + 128
        if message and (size + bytes_more > _MESSAGE_BYTES_MAX or len(message) == _MESSAGE_TASKS_MAX):
            yield message
            message, size = [], 0
        message.append(task)
        size += bytes_more
    if message:
        yield message


def list_steps(count_max: int, older_than: str | uuid.UUID | None) -> Steps[list[JobStatus]]:
    before = b"" if older_than is None else job_id(older_than).bytes
    reply = yield Step(Jobs.LIST, ListJobsRequest(max(1, count_max), before))
    jobs: list[JobStatus] = reply.jobs
    return jobs


def status_steps(job: uuid.UUID, wait: float | None = None) -> Steps[JobStatus]:
    status = yield Step(Jobs.STATUS, JobStatusRequest(job.bytes, _microseconds(wait)), wait=wait or 0.0)
    assert isinstance(status, JobStatus)
    return status


def cancel_steps(job: uuid.UUID) -> Steps[JobStatus]:
    status = yield Step(Jobs.CANCEL, CancelJobRequest(job.bytes))
    assert isinstance(status, JobStatus)
    return status


def replay_steps(job: uuid.UUID, indexes: list[int]) -> Steps[int]:
    reply = yield Step(Jobs.REPLAY, ReplayJobRequest(job.bytes, indexes))
    replayed: int = reply.replayed
    return replayed


def page_steps(job: uuid.UUID, cursor: int, wait: float, failures_only: bool) -> Steps[JobResultsReply]:
    request = JobResultsRequest(job.bytes, cursor, 0, _microseconds(wait) if wait else None, failures_only)
    reply = yield Step(Jobs.RESULTS, request, wait=wait)
    assert isinstance(reply, JobResultsReply)
    if reply.next_cursor < cursor or (reply.results and reply.next_cursor == cursor):
        raise failure(
            ErrorCode.MALFORMED_REPLY, f"results behind cursor {cursor} came with the next cursor {reply.next_cursor}")
    return reply


def has_ended(status: JobStatus) -> bool:
    """Whether nothing of the job is still to be done."""
    return status.state in (JobState.FINISHED, JobState.CANCELLED, JobState.EXPIRED)


def not_ended(job: uuid.UUID, status: JobStatus) -> SinewError:
    """The error of a wait that is over before the job is."""
    return failure(
        ErrorCode.DEADLINE_EXCEEDED,
        f"job {job} has not ended: {status.queued + status.leased} of {status.tasks} tasks are left; it goes on, wait again")


def _microseconds(seconds: float | None) -> int | None:
    return None if seconds is None else max(0, int(seconds * 1e6))


# Results


@dataclass(frozen=True)
class JobResult:
    """A task of a job that has ended."""

    #: Its place in the job.
    index: int
    outcome: TaskOutcome
    #: The label it was appended with.
    label: str
    #: How many people it holds, and how often it was given to a worker.
    items: int
    attempts: int
    status: int
    payload: bytes

    @classmethod
    def of(cls, result: TaskResult) -> JobResult:
        """Raises MALFORMED_REPLY for a result that this version does not know what to make of."""
        if result.outcome not in (TaskOutcome.DONE, TaskOutcome.FAILED, TaskOutcome.DEAD, TaskOutcome.CANCELLED):
            raise failure(
                ErrorCode.MALFORMED_REPLY,
                f"task {result.index} ended with outcome {int(result.outcome)}, which this version does not know")
        if result.items > ITEMS_PER_CALL_MAX:
            raise failure(ErrorCode.MALFORMED_REPLY, f"a result of task {result.index} with {result.items} people is none of ours")
        return cls(
            result.index, result.outcome, result.label, result.items, result.attempts, result.status, result.payload)

    @property
    def error(self) -> SinewError | None:
        """Why it was not solved; None when it was."""
        if self.outcome == TaskOutcome.DONE:
            return None
        if self.outcome == TaskOutcome.CANCELLED:
            return failure(ErrorCode.CANCELLED, "the task was given up with its job")
        try:
            detail: ErrorDetail | None = ErrorDetail.decode(self.payload)
        except CodecError:
            detail = None
        return reply_failure(self.status, detail.code if detail else 0, detail)

    def poses(self) -> Poses:
        """The poses in the order of the task's people; raises :attr:`error` when it was not solved."""
        if self.error is not None:
            raise self.error
        try:
            message = SolvePosesReply.decode(self.payload)
        except CodecError as error:
            raise failure(ErrorCode.MALFORMED_REPLY, f"the result of task {self.index} cannot be read: {error}") from None
        betas = np.zeros((self.items, 10), np.float32)
        return read_reply(message, range(self.items), betas, ["neutral"] * self.items)
