"""What ``solve`` returns: poses, how good they are, and the files they go into."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ._codec import Message
from ._generated.error import ItemError
from ._generated.errors import ErrorCode
from ._generated.pose_solver import SolvePosesReply
from ._tensor import Tensor
from .errors import Internal, SinewError, failure, reply_failure

if TYPE_CHECKING:
    import pyarrow

    from ._correct import Correction
    from ._triage import Criterion, Doubt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

#: Joints with a position: SMPL's 24 and five leaves.
POSITIONS = 29
#: The numbers of a row, by field: what is cut, filled and written together.
ROW_FIELDS: dict[str, tuple[tuple[int, ...], type]] = {
    "theta": ((24, 3), np.float32), "translation": ((3,), np.float32), "joints": ((POSITIONS, 3), np.float32),
    "latent_norm": ((), np.float32), "joint_residual_mm": ((), np.float32), "orientation_residual_rad": ((), np.float32),
    "bone_length_change": ((), np.float32), "unobserved_joints": ((), np.int32), "outcome": ((), np.int32),
    "betas": ((10,), np.float32),
}
#: Everything that has an entry for each row.
_ROW_NAMES = frozenset((*ROW_FIELDS, "genders", "tracks", "frames"))


@dataclass(frozen=True, slots=True)
class Part:
    """One call's share of a result."""

    #: The people it holds, as rows of the request.
    rows: range
    worker: str
    #: How many people were solved together, other callers' included.
    batch_size: int
    #: Seconds that they waited in the worker, and that their batch was computed.
    queue_seconds: float
    compute_seconds: float
    model_version: str
    #: SHA-256 of the weights in hexadecimal; empty for solvers without weights.
    weights_sha256: str


@dataclass(slots=True)
class Poses:
    """The poses of a request, row by row in its order.

    Frame: the request's, metres. Forward kinematics of ``theta`` on the body of ``betas`` and gender, plus ``translation``, gives
    ``joints``. The arrays of a single call are read-only views into what came over the network; copy what you want to change.
    """

    #: Parent-relative axis-angle, [n, 24, 3], radians; joint 0 is the global orientation.
    theta: Floats
    #: SMPL ``transl``, [n, 3], metres.
    translation: Floats
    #: The joints of the solved pose, [n, 29, 3], metres.
    joints: Floats
    #: Norm of the latent error code, [n]; 0 for solvers without one.
    latent_norm: Floats
    #: Mean distance of observed and solved joints after pelvis alignment, [n], millimetres; after effectors the weighted mean
    #: distance of the places from their joints, without alignment.
    joint_residual_mm: Floats
    #: Weighted mean angle by which rotation and look-at effectors are missed, [n], radians.
    orientation_residual_rad: Floats
    #: Largest relative difference between an observed bone's length and the body's, [n].
    bone_length_change: Floats
    #: How many of the 29 joints were not observed, [n].
    unobserved_joints: Ints
    #: 0 the pose is the solver's answer, 1 it is the start pose, which fits better, 2 the person was lost and begun anew; [n].
    outcome: Ints
    #: Shape coefficients, [n, 10], and gender of each row, as the request said.
    betas: Floats
    genders: list[str]
    #: The people that were not solved, in ascending order; their rows are zero. ``item`` is a row.
    item_errors: list[ItemError] = field(default_factory=list)
    #: The model that answered.
    model: str = ""
    #: The calls that this was put together from, in row order.
    parts: list[Part] = field(default_factory=list)
    #: Which track each row is of, [n], and its frame there; None when nobody said.
    tracks: npt.NDArray[np.int64] | None = None
    frames: npt.NDArray[np.int64] | None = None
    #: Names of tracks by their number, for files.
    track_names: dict[int, str] = field(default_factory=dict)
    #: Frames per second, where known.
    fps: float | None = None
    #: What was corrected by hand, by row (:meth:`sinew.Client.correct`).
    corrections: dict[int, Correction] = field(default_factory=dict)
    #: Rows of another whose fields are cut out when they are first looked at: `map` hands out many people one by one.
    _whole: Poses | None = field(default=None, init=False, repr=False, compare=False)
    _rows: slice = field(default_factory=lambda: slice(0, 0), init=False, repr=False, compare=False)

    def __getattr__(self, name: str) -> Any:
        # Only for fields that have no value yet.
        if name.startswith("_") or self._whole is None:
            raise AttributeError(f"Poses has no attribute “{name}”")
        whole, rows = self._whole, self._rows
        value: Any = getattr(whole, name)
        if name in _ROW_NAMES:
            if value is not None:
                value = value[rows]
        elif name == "item_errors":
            value = [
                ItemError(each.item - rows.start, each.status, each.code, each.field, each.message)
                for each in value if rows.start <= each.item < rows.stop] if value else []
        elif name == "corrections":
            value = {row - rows.start: each for row, each in value.items() if rows.start <= row < rows.stop}
        setattr(self, name, value)
        return value

    def __len__(self) -> int:
        if self._whole is None:
            return len(self.theta)
        length: int = self._rows.stop - self._rows.start
        return length

    def __getitem__(self, rows: int | slice) -> Poses:
        """Some rows, as views."""
        if isinstance(rows, int):
            rows = slice(rows, rows + 1) if rows >= 0 else slice(len(self) + rows, len(self) + rows + 1)
        start, stop, step = rows.indices(len(self))
        if step != 1:
            raise ValueError("rows are cut without a step; index the arrays instead")
        return self.cut(start, max(start, stop))

    def __iter__(self) -> Iterator[Poses]:
        return iter(self.singles())

    def cut(self, start: int, stop: int) -> Poses:
        """Rows start…stop - 1, as views."""
        rows = object.__new__(Poses)
        rows._whole, rows._rows = self, slice(start, stop)
        return rows

    def singles(self) -> list[Poses]:
        """Each row by itself, as views."""
        make = object.__new__
        rows = [make(Poses) for _ in range(len(self))]
        is_clean = not self.item_errors
        for row, single in enumerate(rows):
            single._whole = self
            single._rows = slice(row, row + 1)
            if is_clean:
                single.item_errors = []  # What nearly everybody asks for.
        return rows

    @property
    def solved(self) -> npt.NDArray[np.bool_]:
        """Whether each row was solved, [n]."""
        mask = np.ones(len(self), bool)
        for error in self.item_errors:
            mask[error.item] = False
        return mask

    def raise_for_errors(self) -> None:
        """Raises the exception of the first person that was not solved, if there is one."""
        if self.item_errors:
            raise self.error_of(self.item_errors[0], len(self.item_errors))

    @staticmethod
    def error_of(error: ItemError, count: int = 1) -> SinewError:
        """The exception that an entry of :attr:`item_errors` stands for."""
        more = f" (and {count - 1} more)" if count > 1 else ""
        found = reply_failure(error.status, error.code, None)
        return type(found)(f"person {error.item}: {error.message}{more}", found.code, error.field, error.item)

    def worst(self, n: int = 20, *, by: Criterion = "score", grouped: bool = True) -> list[Doubt]:
        """The frames that somebody should look at first, ranked as ``sinew triage`` ranks them: rows without a pose, then the highest
        ``score``, the root of the sum of squares of joint residual / 50 mm, orientation residual / 0.35 rad, bone-length change, latent
        norm / 20, unobserved joints / 10, and 0.5 where the start pose was kept or 1 where the person was lost.

        :param by: ``score``, or one measure: ``residual``, ``orientation``, ``bones``, ``latent``, ``unobserved``.
        :param grouped: neighbouring frames of one bad stretch (half as bad again as the median, a fifth as bad as the worst) are one
            entry.
        """
        from ._triage import worst

        return worst(self, n, by, grouped)

    # Files and views

    def to_amass(self, path: str | os.PathLike[str], *, fps: float | None = None) -> list[Path]:
        """Writes AMASS's ``.npz`` layout with the quality of every row beside it; several tracks give one file each.

        Returns the paths. A file appears complete or not at all.
        """
        from ._export import write_amass

        return write_amass(self, path, fps)

    def to_bvh(self, path: str | os.PathLike[str], *, fps: float | None = None) -> list[Path]:
        """Writes BVH in metres with the subject's own bone lengths; several tracks give one file each.

        Raises ValueError when the rows of a track are not of one body, or one was not solved.
        """
        from ._export import write_bvh

        return write_bvh(self, path, fps)

    def to_arrow(self) -> pyarrow.Table:
        """A row per person, as a pyarrow table. Raises ImportError that says what to install."""
        from ._export import arrow_table

        return arrow_table(self)

    def to_parquet(self, path: str | os.PathLike[str]) -> Path:
        """Writes :meth:`to_arrow` as Parquet."""
        from ._export import write_parquet

        return write_parquet(self, path)

    def to_csv(self, path: str | os.PathLike[str]) -> Path:
        """Writes a line per person, each number in a column of its own."""
        from ._export import write_csv

        return write_csv(self, path)

    def to_html(self) -> str:
        """A page that stands alone: the skeletons, to turn and to play."""
        from ._view import page

        return page(self)

    def _repr_html_(self) -> str:
        from ._view import frame

        return frame(self)

    def show(self) -> Any:
        """The view of a notebook; outside one, opens the page in a browser."""
        from ._view import show

        return show(self)


def zeroed(count: int) -> Poses:
    """Poses to be filled."""
    arrays: dict[str, Any] = {name: np.zeros((count, *shape), dtype) for name, (shape, dtype) in ROW_FIELDS.items()}
    return Poses(**arrays, genders=["neutral"] * count)


def fill(whole: Poses, rows: range, part: Poses) -> None:
    """Puts the rows of a part where they belong."""
    cut = slice(rows.start, rows.stop)
    for name in ROW_FIELDS:
        getattr(whole, name)[cut] = getattr(part, name)
    whole.genders[cut] = part.genders
    whole.item_errors += [
        ItemError(each.item + rows.start, each.status, each.code, each.field, each.message) for each in part.item_errors]
    whole.model = part.model
    whole.parts += part.parts


def settle(whole: Poses) -> Poses:
    """Puts errors and parts into row order once every part is there."""
    whole.item_errors.sort(key=lambda error: error.item)
    whole.parts.sort(key=lambda part: part.rows.start)
    return whole


def read_reply(message: Message, rows: range, betas: Floats, genders: list[str]) -> Poses:
    """The poses of one call. The broker forwards results unread, so a worker that lies is found out here.

    Raises :class:`Internal`, MALFORMED_REPLY, that names the worker.
    """
    assert isinstance(message, SolvePosesReply)
    count, worker, quality = len(rows), message.worker, message.quality

    def entries(values: list[Any], name: str, dtype: type, may_miss: bool = False) -> Any:
        if not values and may_miss:
            return np.zeros(count, dtype)
        if len(values) != count:
            raise malformed(f"quality.{name} came with {len(values)} entries for {count} people", worker)
        return np.fromiter(values, dtype, count)

    for error in message.item_errors:
        if error.item >= count:
            raise malformed(f"an item error about person {error.item} of {count}", worker)
    return Poses(
        _floats(message.theta, (count, 24, 3), "theta", worker), _floats(message.translation, (count, 3), "translation", worker),
        _floats(message.joints, (count, POSITIONS, 3), "joints", worker),
        entries(quality.latent_norm, "latent_norm", np.float32),
        entries(quality.joint_residual_mm, "joint_residual_mm", np.float32),
        entries(quality.orientation_residual_rad, "orientation_residual_rad", np.float32, may_miss=True),
        entries(quality.bone_length_change, "bone_length_change", np.float32),
        entries(quality.unobserved_joints, "unobserved_joints", np.int32),
        entries(quality.outcome, "outcome", np.int32, may_miss=True), betas, genders, message.item_errors, message.model,
        [Part(
            rows, worker, message.batch_size, message.queue_us / 1e6, message.compute_us / 1e6, message.model_version,
            message.weights_sha256)])


def malformed(what: str, worker: str) -> SinewError:
    """A reply that is none."""
    return failure(ErrorCode.MALFORMED_REPLY, f"{what}; worker {worker}")


def _floats(tensor: Tensor, shape: tuple[int, ...], name: str, worker: str) -> Floats:
    array = tensor.array
    if array.shape != shape or array.dtype.kind != "f":
        raise malformed(f"{name} came as {tensor.type_and_shape}, float32 {list(shape)} was expected", worker)
    if array.dtype != np.float32:
        array = array.astype(np.float32)
    if not np.isfinite(array).all():
        person = int(np.argwhere(~np.isfinite(array.reshape(len(array), -1)).all(1))[0, 0])
        raise malformed(f"{name} of person {person} came with a NaN or an infinity, which is no pose", worker)
    return array


__all__ = ["Internal", "ItemError", "Part", "Poses"]
