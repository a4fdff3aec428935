"""How work is cut into calls, and what is sent when: no thread, no waiting."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ._codec import CodecError, Message, Method
from ._generated.errors import ErrorCode
from ._generated.pose_solver import PoseSolver
from .effectors import EffectorPeople
from .errors import InvalidArgument, SinewError, failure
from .people import ITEMS_PER_CALL_MAX, People, PeopleFields, wrong_shape
from .poses import Poses, read_reply

#: Handed to the engine's thread; puts an answer where the consumer takes it.
Deliver = Callable[["Answered"], None]


class Answered(NamedTuple):
    """An answer and the call that it is for."""

    call_id: int
    answer: memoryview | SinewError


class Port(Protocol):
    """What sends calls."""

    def send(
        self, method: Method[Any, Any], request: Message, model: str, items: int, deadline: float | None, until: float | None,
        deliver: Deliver,
    ) -> int:
        """Sends a call and returns its id; ``until`` is of the monotonic clock, else ``deadline`` counts from now."""
        ...

    def cancel(self, call_id: int) -> None: ...


Source = People | EffectorPeople

#: What a model makes of tracks: nothing, each frame starts from the one before, or frames see later ones.
TrackUse = Literal["ignore", "chain", "whole"]
_TRACK_USES: dict[str, TrackUse] = {"niki-temporal": "whole", "learnable-smplify": "chain"}


def track_use(architecture: str | None) -> TrackUse:
    """What an architecture makes of tracks; one that is not known may make something of them."""
    return "chain" if architecture is None else _TRACK_USES.get(architecture, "ignore")


class ScenePart(NamedTuple):
    """A part of a scene that is solved: the rows of the request that it holds, and their poses."""

    rows: range
    poses: Poses


@dataclass(slots=True)
class _Stretch:
    """Neighbouring rows that are sent in one or several calls; of a chain, a call starts where the one before ended."""

    start: int
    stop: int
    is_chain: bool
    pose: npt.NDArray[np.float32] | None = None


def cut_stretches(count: int, tracks: list[range] | None, items_per_call: int) -> list[_Stretch]:
    """Without tracks the whole scene is one stretch, and its calls are under way together. With tracks a stretch is one long track,
    or several short ones that fit one call."""
    if tracks is None:
        return [_Stretch(0, count, False)]
    stretches: list[_Stretch] = []
    for track in tracks:
        last = stretches[-1] if stretches else None
        if last is not None and not last.is_chain and last.stop - last.start + len(track) <= items_per_call:
            last.stop = track.stop
        else:
            stretches.append(_Stretch(track.start, track.stop, len(track) > items_per_call))
    return stretches


def items_per_call_for(people: Source, tracks: list[range] | None, configured: int, whole_tracks: bool) -> int:
    """The most rows of one call. A track goes into one call whole where its frames see later ones, and where it is refined: the answer
    then holds the refined pose, and the next frame has to start from the model's own."""
    longest = max(map(len, tracks), default=0) if tracks else 0
    if not (people.refine or whole_tracks) or longest <= configured:
        return configured
    if longest > ITEMS_PER_CALL_MAX:
        why = "that is refined" if people.refine and not whole_tracks else "of a model that sees whole tracks"
        raise failure(
            ErrorCode.PAYLOAD_TOO_LARGE,
            f"a track of {longest} rows {why} has to go into one call, which holds at most {ITEMS_PER_CALL_MAX}; cut it into shorter "
            "ones" + (", or solve it without refine first" if people.refine else ""), "tracks")
    return longest


def check_model(model: str) -> None:
    """Refuses what is no model's name."""
    if not model or len(model.encode()) > 128:
        raise failure(
            ErrorCode.UNKNOWN_MODEL,
            f"“{model}” is no model name; say for example niki or niki/1 (client.models() lists what is ready)", "model")


def decode(method: Method[Any, Any], answer: memoryview | SinewError) -> Any:
    """The reply in an answer; raises the error that it is, or MALFORMED_REPLY."""
    if isinstance(answer, SinewError):
        raise answer
    try:
        return method.reply.decode(answer)
    except CodecError as error:
        raise failure(ErrorCode.MALFORMED_REPLY, f"the broker's answer cannot be read: {error}") from None


@dataclass(slots=True)
class SceneRun:
    """One pass over a request: sends its parts, a bounded number at a time, and reads their answers."""

    port: Port
    people: Source
    model: str
    in_flight_max: int
    items_per_call: int
    deliver: Deliver
    deadline: float | None
    until: float | None = None
    track_use: TrackUse = "ignore"
    _stretches: list[_Stretch] = field(default_factory=list)
    _ready: deque[int] = field(default_factory=deque)
    _under_way: dict[int, tuple[range, int]] = field(default_factory=dict)
    _betas: Any = None
    _genders: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        check_model(self.model)
        tracks = self.people.track_runs() if isinstance(self.people, People) and self.track_use != "ignore" else None
        self.items_per_call = items_per_call_for(self.people, tracks, self.items_per_call, self.track_use == "whole")
        self._stretches = cut_stretches(self.people.count, tracks, self.items_per_call)
        self._ready.extend(range(len(self._stretches)))
        self._betas, self._genders = self.people.betas_of(), self.people.genders_of()

    @property
    def method(self) -> Method[Any, Any]:
        return PoseSolver.SOLVE_POSES if isinstance(self.people, People) else PoseSolver.SOLVE_EFFECTORS

    @property
    def is_under_way(self) -> bool:
        """Whether an answer is still to come."""
        return bool(self._under_way)

    def send_what_may(self) -> None:
        while self._ready and len(self._under_way) < self.in_flight_max:
            place = self._ready[0]
            stretch = self._stretches[place]
            rows = range(stretch.start, min(stretch.stop, stretch.start + self.items_per_call))
            stretch.start = rows.stop
            if stretch.start == stretch.stop or stretch.is_chain:
                self._ready.popleft()
            request = self.people.message(rows, stretch.pose, self.track_use != "ignore")
            call_id = self.port.send(
                self.method, request, self.model, len(rows), self.deadline, self.until, self.deliver)
            self._under_way[call_id] = (rows, place)

    def take(self, answered: Answered) -> ScenePart:
        """The part of an answer; the next ones are sent before it is handed out."""
        rows, place = self._under_way.pop(answered.call_id)
        message = decode(self.method, answered.answer)
        poses = read_reply(message, rows, self._betas[rows.start : rows.stop], self._genders[rows.start : rows.stop])
        stretch = self._stretches[place]
        if stretch.is_chain and stretch.start < stretch.stop:
            solved = np.flatnonzero(poses.solved)
            if solved.size:
                stretch.pose = poses.theta[solved[-1]]
            self._ready.append(place)
        self.send_what_may()
        return ScenePart(rows, poses)

    def cancel(self) -> None:
        """Gives up everything that is under way."""
        for call_id in self._under_way:
            self.port.cancel(call_id)
        self._under_way.clear()
        self._ready.clear()


class MapResult(NamedTuple):
    """What a call of ``map`` brought: how many of ``in_flight_max`` it took, the places of its items, and the poses of each."""

    weight: int
    places: Sequence[int]
    poses: list[Poses]


class _MapCall(NamedTuple):
    """A call of ``map``: its place among the calls, the places of its items, and where the rows of each begin: a range where every
    item is one person."""

    number: int
    people: People
    places: Sequence[int]
    starts: Sequence[int]
    #: How many of ``in_flight_max`` it takes.
    weight: int

    def result(self, poses: Poses) -> MapResult:
        starts = self.starts
        if len(starts) == 1:
            return MapResult(self.weight, self.places, [poses])
        if isinstance(starts, range):
            return MapResult(self.weight, self.places, poses.singles())
        return MapResult(self.weight, self.places, list(map(poses.cut, starts, [*starts[1:], self.people.count])))


@dataclass(slots=True)
class MapRun:
    """One pass of ``map``: packs items into calls and hands out their results, in order or as they come."""

    port: Port
    items: Iterator[People | npt.ArrayLike]
    model: str
    in_flight_max: int
    items_per_call: int
    items_per_large_call: int
    deliver: Deliver
    deadline: float | None
    fields: PeopleFields
    in_order: bool
    _under_way: dict[int, _MapCall] = field(default_factory=dict)
    #: Results that wait for one before them, by the number of their call.
    _early: dict[int, MapResult] = field(default_factory=dict)
    #: Items that were taken and are in no call yet.
    _held: deque[People | npt.ArrayLike] = field(default_factory=deque)
    _item_count: int = 0
    _call_count: int = 0
    #: Of ``in_flight_max``; what waits for an earlier result counts: else one slow call would let the others pile up without end.
    _places_taken: int = 0
    #: The number of the result that comes next, which in order is that of its call.
    _due: int = 0
    _is_mixed: bool = False
    _is_at_end: bool = False

    def __post_init__(self) -> None:
        check_model(self.model)
        for name in self.fields:
            if name not in ("skeleton", "refine", "genders", "betas"):
                raise TypeError(f"map: {name} is each person's own; map over sinew.People instead of arrays")
        betas = self.fields.get("betas")
        if betas is not None and np.asarray(betas).shape != (10,):
            raise wrong_shape("map: betas for all are [10]; map over sinew.People to give each its own", "betas")
        if not isinstance(self.fields.get("genders", ""), str):
            raise wrong_shape("map: genders for all is one word; map over sinew.People to give each its own", "genders")

    @property
    def is_under_way(self) -> bool:
        return bool(self._under_way)

    def send_what_may(self) -> None:
        while not self._is_at_end:
            size, weight = self._next_size()
            if self._places_taken + weight > self.in_flight_max:
                return
            call = self._next_call(size, weight)
            if call is None:
                return
            people = call.people
            call_id = self.port.send(
                PoseSolver.SOLVE_POSES, people.message(range(people.count)), self.model, people.count, self.deadline, None,
                self.deliver)
            self._under_way[call_id] = call
            self._places_taken += weight

    def _next_size(self) -> tuple[int, int]:
        """How many people the next call takes, and how many of ``in_flight_max`` it counts as. With some calls under way the source
        is faster than the service, and nobody waits longer because a call is large; a slow source sends what it has."""
        if len(self._under_way) < _UNDER_WAY_BUSY or self.items_per_large_call == self.items_per_call:
            return self.items_per_call, 1
        weight = -(-self.items_per_large_call // self.items_per_call)
        if weight + _UNDER_WAY_BUSY > self.in_flight_max:
            return self.items_per_call, 1
        return self.items_per_large_call, weight

    def take(self, answered: Answered) -> Iterator[MapResult]:
        """What an answer lets be handed out; before each, the calls that its places are free for are sent. To be taken to the end."""
        call = self._under_way.pop(answered.call_id)
        message = decode(PoseSolver.SOLVE_POSES, answered.answer)
        people = call.people
        poses = read_reply(message, range(people.count), people.betas_of(), people.genders_of())
        place = call.number if self.in_order else self._due
        self._early[place] = call.result(poses)
        while self._due in self._early:
            result = self._early.pop(self._due)
            self._due += 1
            self._places_taken -= result.weight
            self.send_what_may()
            yield result

    def cancel(self) -> None:
        """Gives up everything that is under way."""
        for call_id in self._under_way:
            self.port.cancel(call_id)
        self._under_way.clear()
        self._is_at_end = True

    def _next_call(self, size: int, weight: int) -> _MapCall | None:
        """Arrays that follow each other share a call; a :class:`People` has one of its own."""
        people = self._next_persons(size)
        if people is not None:
            count = people.count
            return self._call(people, count, range(count), weight)
        return self._next_mixed(size, weight)

    def _call(self, people: People, item_count: int, starts: Sequence[int], weight: int) -> _MapCall:
        places = range(self._item_count, self._item_count + item_count)
        call = _MapCall(self._call_count, people, places, starts, weight)
        self._call_count += 1
        self._item_count += item_count
        return call

    def _next_persons(self, size: int) -> People | None:
        """A call's worth of items that all are arrays of one person: the common case, without a step of Python for each."""
        items = [] if self._held or self._is_mixed else list(islice(self.items, 1))
        if not items:
            return None
        first = items[0]
        if type(first) is np.ndarray and first.ndim == 2:
            items += islice(self.items, size - 1)
            if set(map(type, items)) == {np.ndarray}:
                arrays: list[npt.NDArray[Any]] = items  # type: ignore[assignment]
                shape = first.shape
                if set(map(_shape, arrays)) == {shape}:
                    return self._people(np.concatenate(arrays).reshape(len(arrays), *shape), len(arrays))
        # From here on one by one: items that hold many people each must not be taken before their turn.
        self._is_mixed = True
        self._held.extend(items)
        return None

    def _next_mixed(self, size: int, weight: int) -> _MapCall | None:
        blocks: list[npt.NDArray[Any]] = []
        starts: list[int] = []
        rows = 0
        joint_shape: tuple[int, ...] = ()
        while rows < size:
            if not self._held:
                self._held.extend(islice(self.items, 1))
            if not self._held:
                self._is_at_end = True
                break
            item = self._held[0]
            value = item if isinstance(item, (np.ndarray, People)) else np.asarray(item)
            self._check_size(value, self._item_count + len(blocks))
            if isinstance(value, People):
                if not blocks:
                    self._held.popleft()
                    return self._call(value, 1, (0,), weight)
                break
            shape = value.shape[-2:]
            count = 1 if value.ndim == 2 else len(value) if value.ndim == 3 else size
            if blocks and (rows + count > size or shape != joint_shape):
                break
            self._held.popleft()
            joint_shape = shape
            blocks.append(value)
            starts.append(rows)
            rows += count
        if not blocks:
            return None
        joints = blocks[0] if len(blocks) == 1 else np.concatenate([block.reshape(-1, *joint_shape) for block in blocks])
        return self._call(self._people(joints, len(blocks)), len(blocks), starts, weight)

    def _check_size(self, value: People | npt.NDArray[Any], place: int) -> None:
        rows = value.count if isinstance(value, People) else len(value) if value.ndim == 3 else 0
        if rows > ITEMS_PER_CALL_MAX:
            raise InvalidArgument(
                f"map: item {place} has {rows} people, a call holds at most {ITEMS_PER_CALL_MAX}; cut it, or use solve",
                ErrorCode.PAYLOAD_TOO_LARGE, "joints")

    def _people(self, joints: npt.NDArray[Any], item_count: int) -> People:
        try:
            return People(joints, **self.fields)
        except InvalidArgument as error:
            last = f"…{self._item_count + item_count - 1}" if item_count > 1 else ""
            raise InvalidArgument(
                f"map: item {self._item_count}{last}: {error.message}", error.code, error.field) from None


_shape = attrgetter("shape")
#: With so many calls under way, every worker of a small fleet has one and another waits.
_UNDER_WAY_BUSY = 4


def items_of(people: Iterable[People | npt.ArrayLike]) -> Iterator[People | npt.ArrayLike]:
    """The items of what ``map`` was given."""
    if isinstance(people, People):
        raise TypeError("map wants several items; for one People use solve or solve_scene")
    return iter(people)
