"""How work is cut into calls, and what is sent when: no thread, no waiting."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ._codec import CodecError, Message, Method
from ._generated.errors import ErrorCode
from ._generated.pose_solver import PoseSolver
from .effectors import EffectorPeople
from .errors import InvalidArgument, SinewError, failure
from .people import ITEMS_PER_CALL_MAX, People, PeopleFields, as_people, wrong_shape
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


class _MapCall(NamedTuple):
    """A call of ``map``: the places of its items, and where the rows of each begin."""

    people: People
    places: list[int]
    starts: list[int]


@dataclass(slots=True)
class MapRun:
    """One pass of ``map``: packs items into calls and hands out their results one by one."""

    port: Port
    items: Iterator[People | npt.ArrayLike]
    model: str
    in_flight_max: int
    items_per_call: int
    deliver: Deliver
    deadline: float | None
    fields: PeopleFields
    _under_way: dict[int, _MapCall] = field(default_factory=dict)
    _held: tuple[int, People | npt.NDArray[Any]] | None = None
    _count: int = 0
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
        while not self._is_at_end and len(self._under_way) < self.in_flight_max:
            call = self._next_call()
            if call is None:
                return
            people = call.people
            call_id = self.port.send(
                PoseSolver.SOLVE_POSES, people.message(range(people.count)), self.model, people.count, self.deadline, None,
                self.deliver)
            self._under_way[call_id] = call

    def take(self, answered: Answered) -> list[tuple[int, Poses]]:
        """The items of an answer; the next calls are sent before they are handed out."""
        people, places, starts = self._under_way.pop(answered.call_id)
        message = decode(PoseSolver.SOLVE_POSES, answered.answer)
        poses = read_reply(message, range(people.count), people.betas_of(), people.genders_of())
        self.send_what_may()
        if len(places) == 1:
            return [(places[0], poses)]
        return list(zip(places, map(poses.cut, starts, [*starts[1:], people.count])))

    def cancel(self) -> None:
        """Gives up everything that is under way."""
        for call_id in self._under_way:
            self.port.cancel(call_id)
        self._under_way.clear()
        self._is_at_end = True

    def _next_item(self) -> tuple[int, People | npt.NDArray[Any]] | None:
        held, self._held = self._held, None
        if held is not None:
            return held
        for item in self.items:
            place = self._count
            self._count = place + 1
            value = item if type(item) is np.ndarray or isinstance(item, People) else np.asarray(item)
            if isinstance(value, People) or value.ndim != 2:
                rows = value.count if isinstance(value, People) else len(value) if value.ndim == 3 else 0
                if rows > ITEMS_PER_CALL_MAX:
                    raise InvalidArgument(
                        f"map: item {place} has {rows} people, a call holds at most {ITEMS_PER_CALL_MAX}; cut it, or use solve",
                        ErrorCode.PAYLOAD_TOO_LARGE, "joints")
            return place, value
        self._is_at_end = True
        return None

    def _next_call(self) -> _MapCall | None:
        """Arrays that follow each other share a call; a :class:`People` has one of its own."""
        blocks: list[npt.NDArray[Any]] = []
        places: list[int] = []
        starts: list[int] = []
        rows, joint_shape = 0, ()
        while rows < self.items_per_call:
            item = self._next_item()
            if item is None:
                break
            place, value = item
            if isinstance(value, People):
                if not blocks:
                    return _MapCall(as_people(value, {}), [place], [0])
                self._held = item
                break
            shape = value.shape[-2:]
            count = 1 if value.ndim == 2 else len(value) if value.ndim == 3 else self.items_per_call
            if blocks and (rows + count > self.items_per_call or shape != joint_shape):
                self._held = item
                break
            joint_shape = shape
            blocks.append(value)
            places.append(place)
            starts.append(rows)
            rows += count
        if not blocks:
            return None
        if len(blocks) == 1:
            joints = blocks[0]
        elif all(block.ndim == 2 for block in blocks):
            joints = np.concatenate(blocks).reshape(len(blocks), *joint_shape)
        else:
            joints = np.concatenate([block.reshape(-1, *joint_shape) for block in blocks])
        try:
            return _MapCall(People(joints, **self.fields), places, starts)
        except InvalidArgument as error:
            last = f"…{places[-1]}" if len(places) > 1 else ""
            raise InvalidArgument(f"map: item {places[0]}{last}: {error.message}", error.code, error.field) from None


def items_of(people: Iterable[People | npt.ArrayLike]) -> Iterator[People | npt.ArrayLike]:
    """The items of what ``map`` was given."""
    if isinstance(people, People):
        raise TypeError("map wants several items; for one People use solve or solve_scene")
    return iter(people)
