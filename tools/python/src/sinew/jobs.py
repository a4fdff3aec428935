"""A durable job and what becomes of it, for the blocking client."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ._collect import Collection
from ._generated.errors import ErrorCode
from ._generated.jobs import JobStatus
from ._jobs import (
    PAGE_WAIT, JobResult, cancel_steps, has_ended, not_ended, page_steps, replay_steps, status_steps,
)
from .errors import failure
from .poses import Poses

if TYPE_CHECKING:
    from .client import Client


class Job:
    """A durable job at the broker. Iterating hands out its results as its tasks end; iterating again reads them again.

    Everything may be asked again, from this process or another, and is sent again while the broker is away.
    """

    def __init__(self, client: Client, id: uuid.UUID) -> None:
        #: The id to come back with: ``client.job(id)``.
        self.id = id
        self._client = client

    def __repr__(self) -> str:
        return f"Job({str(self.id)!r})"

    def __iter__(self) -> Iterator[JobResult]:
        return self.results()

    def results(self, after: int = 0, *, failures_only: bool = False, on_page: Callable[[int], object] | None = None) -> Iterator[JobResult]:
        """Results from a cursor on, until the job has ended.

        ``on_page`` is told the cursor behind which everything was handed out: the place to go on from, in whatever process.
        """
        cursor = after
        while True:
            page = self._client._run(page_steps(self.id, cursor, PAGE_WAIT, failures_only), None)
            for result in page.results:
                yield JobResult.of(result)
            cursor = page.next_cursor
            if on_page is not None:
                on_page(cursor)
            if page.complete:
                return

    def status(self, *, deadline: float | None = None) -> JobStatus:
        """How far the job is."""
        return self._client._run(status_steps(self.id), deadline)

    def wait(self, *, deadline: float | None = None) -> JobStatus:
        """Waits for the job's end; giving up the wait does nothing to it.

        Raises :class:`sinew.DeadlineExceeded` when it has not ended within ``deadline`` seconds.
        """
        until = None if deadline is None else time.monotonic() + deadline
        while True:
            held = PAGE_WAIT if until is None else max(0.0, min(PAGE_WAIT, until - time.monotonic()))
            status = self._client._run(status_steps(self.id, held), None)
            if has_ended(status):
                return status
            if until is not None and time.monotonic() >= until:
                raise not_ended(self.id, status)

    def collect(self) -> dict[str, Poses]:
        """Waits for the end and puts the poses of each clip together, in the order of its rows.

        Rows that were not solved are zero and entries of ``item_errors``.
        """
        collection = Collection()
        for result in self:
            collection.add(result)
        return collection.finish()

    def poses(self) -> Poses:
        """:meth:`collect` of a job of one clip."""
        return only_clip(self.collect())

    def cancel(self, *, deadline: float | None = None) -> JobStatus:
        """Gives up what is not finished; results that are there stay."""
        return self._client._run(cancel_steps(self.id), deadline)

    def replay(self, indexes: Sequence[int] = (), *, deadline: float | None = None) -> int:
        """Queues tasks anew that failed or were given up; none stands for all that are dead. Returns how many are tried again."""
        return self._client._run(replay_steps(self.id, list(indexes)), deadline)


def only_clip(clips: dict[str, Poses]) -> Poses:
    """The one clip of a job."""
    if len(clips) != 1:
        raise failure(
            ErrorCode.NONE, f"the job holds {len(clips)} clips ({', '.join(list(clips)[:5])}): use collect()")
    return next(iter(clips.values()))
