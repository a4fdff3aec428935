"""What was seen of some people: the request of ``solve``, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import numpy.typing as npt

from ._generated.errors import ErrorCode
from ._generated.pose_solver import SolvePosesRequest
from ._tensor import Tensor
from .errors import InvalidArgument
from .skeletons import SKELETONS

if TYPE_CHECKING:
    Floats = npt.NDArray[np.float32]

GENDERS = ("neutral", "female", "male")
REFINE_STEPS_MAX = 64
ITEMS_PER_CALL_MAX = 4096


class PeopleFields(TypedDict, total=False):
    """What may be given beside the joints, by keyword; :class:`People` says what each is."""

    skeleton: str
    sigma: npt.ArrayLike | None
    observed: npt.ArrayLike | None
    twists: npt.ArrayLike | None
    betas: npt.ArrayLike | None
    genders: str | Sequence[str]
    start_theta: npt.ArrayLike | None
    tracks: npt.ArrayLike | None
    refine: int


def wrong_shape(message: str, field: str) -> InvalidArgument:
    """The error of an array that has no place in a request."""
    return InvalidArgument(message, ErrorCode.WRONG_SHAPE, field)


def numbers(values: npt.ArrayLike, name: str, skeleton: str) -> npt.NDArray[Any]:
    """``values`` as an array of float32 numbers; None of any other kind slips through."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiu" or array.dtype.itemsize > 8:
        raise wrong_shape(f"{name} of {skeleton}: dtype {array.dtype} holds no real numbers; give float32", name)
    return np.ascontiguousarray(array, np.float32)


def _known() -> str:
    return ", ".join(f"{each.name} ({each.joint_count} joints)" for each in SKELETONS.values())


@dataclass(slots=True)
class People:
    """What was seen of ``n`` people, or of one over ``n`` frames; one row each.

    Frame: model frame, metres, y up; any translation. Raises :class:`InvalidArgument` that names the field, the skeleton and the
    shape that was expected.
    """

    #: Joint positions, [n, J, 3], metres, J as the skeleton says. One person may be given as [J, 3].
    joints: npt.ArrayLike
    #: Which joints they are: ``smpl-29`` or ``smpl-24``; empty: whichever has J joints.
    skeleton: str = ""
    #: Uncertainty of each joint, [n, J], metres, 0…0.4; None is 0.02 everywhere.
    sigma: npt.ArrayLike | None = None
    #: Whether each joint was seen, [n, J]; None means that all were.
    observed: npt.ArrayLike | None = None
    #: Twist angles of joints 1…23 about their rest bones, [n, 23], radians.
    twists: npt.ArrayLike | None = None
    #: Shape coefficients, [n, 10], or [10] for all; None is the mean shape.
    betas: npt.ArrayLike | None = None
    #: ``neutral``, ``female`` or ``male``: none (all neutral), one for all, or one per person.
    genders: str | Sequence[str] = ()
    #: Start poses [n, 24, 3], radians, for models that start from one; a row of NaN alone has none.
    start_theta: npt.ArrayLike | None = None
    #: A number per row: rows with the same number are consecutive frames of one person, one after the other.
    tracks: npt.ArrayLike | None = None
    #: Gauss-Newton steps on the residual after the model, 0…64.
    refine: int = 0
    #: The number of rows.
    count: int = field(init=False)

    def __post_init__(self) -> None:
        label = self.skeleton or "the joints"
        joints = numbers(self.joints, "joints", label)
        if joints.ndim == 2:
            joints = joints[np.newaxis]
        if joints.ndim != 3 or joints.shape[2] != 3 or joints.shape[0] < 1:
            raise wrong_shape(
                f"joints of {label}: shape {list(np.shape(self.joints))}, expected [n, J, 3] with n ≥ 1 and J = "
                + " or ".join(f"{each.joint_count} ({each.name})" for each in SKELETONS.values()), "joints")
        if not self.skeleton:
            self.skeleton = next((each.name for each in SKELETONS.values() if each.joint_count == joints.shape[1]), "")
        skeleton = SKELETONS.get(self.skeleton)
        if skeleton is None:
            what = f"skeleton “{self.skeleton}” is not known" if self.skeleton else f"no skeleton has {joints.shape[1]} joints"
            raise InvalidArgument(f"{what}; known are {_known()}", ErrorCode.UNKNOWN_SKELETON, "skeleton")
        if joints.shape[1] != skeleton.joint_count:
            raise wrong_shape(
                f"joints: shape {list(joints.shape)}, but {skeleton.name} has {skeleton.joint_count} joints: expected "
                f"[{joints.shape[0]}, {skeleton.joint_count}, 3]; known are {_known()}", "joints")
        self.joints = joints
        self.count = count = joints.shape[0]
        width = skeleton.joint_count
        self.sigma = self._field("sigma", self.sigma, (count, width))
        self.twists = self._field("twists", self.twists, (count, 23))
        self.start_theta = self._field("start_theta", self.start_theta, (count, 24, 3))
        if self.betas is not None and np.shape(self.betas) == (10,):
            self.betas = numbers(self.betas, "betas", self.skeleton)
        else:
            self.betas = self._field("betas", self.betas, (count, 10), "[10] for all or ")
        self._check_observed((count, width))
        self._check_genders()
        self._check_tracks()
        if not isinstance(self.refine, int) or not 0 <= self.refine <= REFINE_STEPS_MAX:
            raise InvalidArgument(
                f"refine is {self.refine!r}, outside 0…{REFINE_STEPS_MAX} steps; 20 suffice even far from the solution",
                ErrorCode.OUT_OF_RANGE, "refine")

    def _field(
        self, name: str, values: npt.ArrayLike | None, shape: tuple[int, ...], also: str = ""
    ) -> Floats | None:
        if values is None:
            return None
        array = numbers(values, name, self.skeleton)
        if array.shape == shape[1:] and shape[0] == 1:
            array = array[np.newaxis]
        if array.shape != shape:
            raise wrong_shape(
                f"{name}: shape {list(array.shape)}, expected {also}{list(shape)} for {shape[0]} people of {self.skeleton}", name)
        return array

    def _check_observed(self, shape: tuple[int, int]) -> None:
        if self.observed is None:
            return
        array = np.asarray(self.observed)
        if array.shape == shape[1:] and shape[0] == 1:
            array = array[np.newaxis]
        if array.shape != shape:
            raise wrong_shape(
                f"observed: shape {list(array.shape)}, expected {list(shape)} for {shape[0]} people of {self.skeleton}", "observed")
        if array.dtype != bool and not np.isin(array, (0, 1)).all():
            raise wrong_shape(f"observed of {self.skeleton}: values other than 0 and 1; compare a confidence with a threshold first", "observed")
        self.observed = np.ascontiguousarray(array, np.uint8)

    def _check_genders(self) -> None:
        genders = [self.genders] if isinstance(self.genders, str) else [str(each) for each in self.genders]
        if len(genders) not in (0, 1, self.count):
            raise wrong_shape(
                f"{len(genders)} genders for {self.count} people; give none, one for all, or one each", "genders")
        for gender in dict.fromkeys(genders):
            if gender not in GENDERS:
                raise InvalidArgument(
                    f"gender “{gender}” is not one of {', '.join(GENDERS)}", ErrorCode.UNKNOWN_GENDER, "genders")
        self.genders = genders

    def _check_tracks(self) -> None:
        if self.tracks is None:
            return
        array = np.asarray(self.tracks)
        if array.shape != (self.count,) or array.dtype.kind not in "iu" or (array < 0).any() or (array >> 32).any():
            raise wrong_shape(
                f"tracks: {array.dtype} {list(array.shape)}, expected {self.count} whole numbers from 0 to 2³² - 1", "tracks")
        self.tracks = np.ascontiguousarray(array, np.int64)
        self.track_runs()

    def track_runs(self) -> list[range] | None:
        """The rows of each track, which must be one after the other; None without tracks."""
        if self.tracks is None:
            return None
        tracks = np.asarray(self.tracks)
        starts = np.flatnonzero(np.r_[True, tracks[1:] != tracks[:-1]])
        names = tracks[starts]
        first = dict[int, int]()
        for start, name in zip(starts.tolist(), names.tolist()):
            if name in first:
                raise wrong_shape(
                    f"track {name} goes on at row {start} after another track; put the rows of a track one after the other", "tracks")
            first[name] = start
        ends = [*starts[1:].tolist(), self.count]
        return [range(start, end) for start, end in zip(starts.tolist(), ends)]

    def message(self, rows: range, start: Floats | None = None, with_tracks: bool = True) -> SolvePosesRequest:
        """The message with some neighbouring rows; ``start`` [24, 3] is where the first begins when it has no pose of its own."""
        cut = slice(rows.start, rows.stop)

        def part(values: Any) -> Tensor | None:
            return None if values is None else Tensor(values[cut])

        poses = None if self.start_theta is None else np.asarray(self.start_theta)[cut]
        if start is not None and (poses is None or np.isnan(poses[0]).all()):
            poses = np.full((len(rows), 24, 3), np.nan, np.float32) if poses is None else poses.copy()
            poses[0] = start
        betas = self.betas
        if betas is not None and np.ndim(betas) == 1:
            shape: Tensor | None = Tensor(betas)
        else:
            shape = part(betas)
        genders = list(self.genders)
        return SolvePosesRequest(
            joints=Tensor(np.asarray(self.joints)[cut]), skeleton=self.skeleton, sigma=part(self.sigma), observed=part(self.observed),
            twists=part(self.twists), betas=shape, genders=genders[cut] if len(genders) == self.count else genders,
            start_theta=None if poses is None else Tensor(poses),
            tracks=[] if self.tracks is None or not with_tracks else np.asarray(self.tracks)[cut].tolist(), refine=self.refine or None)

    def betas_of(self) -> Floats:
        """Each row's shape coefficients, [n, 10]."""
        if self.betas is None:
            return np.zeros((self.count, 10), np.float32)
        return np.broadcast_to(np.asarray(self.betas, np.float32), (self.count, 10))

    def genders_of(self) -> list[str]:
        """Each row's gender."""
        genders = list(self.genders) or ["neutral"]
        return genders * self.count if len(genders) == 1 else genders


def as_people(joints: People | npt.ArrayLike, fields: PeopleFields) -> People:
    """A request out of what a caller of ``solve`` gave."""
    if not isinstance(joints, People):
        return People(joints, **fields)
    if fields:
        raise TypeError(f"People holds everything; {', '.join(fields)} cannot be given beside it")
    return joints
