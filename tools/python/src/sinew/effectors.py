"""Sparse goals: places, orientations and look-at targets of some joints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ._generated.errors import ErrorCode
from ._generated.pose_solver import SolveEffectorsRequest
from ._tensor import Tensor
from .errors import InvalidArgument
from .people import GENDERS, REFINE_STEPS_MAX, wrong_shape
from .skeletons import SMPL24

EFFECTORS_PER_PERSON_MAX = 128
_POSITION, _ROTATION, _LOOK_AT = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Effector:
    """One goal for one of SMPL's 24 joints; at least one of a person's must be a place. Metres and radians, model frame, y up.

    Made by :meth:`position`, :meth:`rotation` and :meth:`look_at`.
    """

    #: 0 position, 1 rotation, 2 look-at.
    kind: int
    joint: int
    #: Position: the place and three zeros. Rotation: the first two rows of the matrix. Look-at: the target and the direction.
    values: tuple[float, ...]
    #: Standard deviation of what is asked, metres or radians, 0…1.
    tolerance: float = 0.0
    #: How much it counts beside the others: 0 or 0.001…1000.
    weight: float = 1.0

    @classmethod
    def position(
        cls, joint: str | int, at: npt.ArrayLike, *, tolerance: float = 0.0, weight: float = 1.0
    ) -> Effector:
        """A joint is to be at a place [3]."""
        return cls(_POSITION, _joint(joint), (*_vector(at, "at"), 0.0, 0.0, 0.0), tolerance, weight)

    @classmethod
    def rotation(
        cls, joint: str | int, matrix: npt.ArrayLike, *, tolerance: float = 0.0, weight: float = 1.0
    ) -> Effector:
        """A joint is to have an orientation in the model frame, [3, 3]; the identity is the rest pose."""
        rows = np.asarray(matrix, np.float64)
        if rows.shape != (3, 3):
            raise wrong_shape(f"matrix: shape {list(rows.shape)}, a rotation matrix is [3, 3]", "values")
        return cls(_ROTATION, _joint(joint), tuple(rows[:2].reshape(6).tolist()), tolerance, weight)

    @classmethod
    def look_at(
        cls, joint: str | int, target: npt.ArrayLike, direction: npt.ArrayLike = (0.0, 0.0, 1.0), *, tolerance: float = 0.0,
        weight: float = 1.0,
    ) -> Effector:
        """A direction of a joint's own frame is to point at a place; +z is where the rest pose faces."""
        values = (*_vector(target, "target"), *_vector(direction, "direction"))
        return cls(_LOOK_AT, _joint(joint), values, tolerance, weight)


def _joint(joint: str | int) -> int:
    try:
        return SMPL24.index(joint)
    except ValueError as error:
        raise InvalidArgument(str(error), ErrorCode.OUT_OF_RANGE, "joints") from None


def _vector(values: npt.ArrayLike, name: str) -> tuple[float, float, float]:
    array = np.asarray(values, np.float64)
    if array.shape != (3,):
        raise wrong_shape(f"{name}: shape {list(array.shape)}, three numbers were expected", "values")
    x, y, z = array.tolist()
    return x, y, z


class EffectorPeople:
    """Some people's effectors, checked, as the client sends them."""

    def __init__(
        self, people: Sequence[Sequence[Effector]], betas: npt.ArrayLike | None, genders: str | Sequence[str], refine: int
    ) -> None:
        self.people = [list(effectors) for effectors in people]
        self.count = len(self.people)
        if self.count < 1:
            raise wrong_shape("effectors for nobody; give at least one person's", "counts")
        for row, effectors in enumerate(self.people):
            if not 1 <= len(effectors) <= EFFECTORS_PER_PERSON_MAX:
                raise wrong_shape(
                    f"person {row} has {len(effectors)} effectors, 1…{EFFECTORS_PER_PERSON_MAX} may be given", "counts")
            for place, effector in enumerate(effectors):
                if len(effector.values) != 6:
                    raise wrong_shape(
                        f"person {row}, effector {place}: {len(effector.values)} values, an effector has six", "values")
        shapes = np.zeros((self.count, 10), np.float32) if betas is None else np.asarray(betas, np.float32)
        if shapes.shape == (10,):
            shapes = np.broadcast_to(shapes, (self.count, 10))
        if shapes.shape != (self.count, 10):
            raise wrong_shape(
                f"betas: shape {list(shapes.shape)}, expected [10] for all or [{self.count}, 10]", "betas")
        self.betas = shapes
        given = [genders] if isinstance(genders, str) else [str(each) for each in genders]
        if len(given) not in (0, 1, self.count):
            raise wrong_shape(f"{len(given)} genders for {self.count} people; give none, one for all, or one each", "genders")
        for gender in dict.fromkeys(given):
            if gender not in GENDERS:
                raise InvalidArgument(
                    f"gender “{gender}” is not one of {', '.join(GENDERS)}", ErrorCode.UNKNOWN_GENDER, "genders")
        self.genders = given if len(given) == self.count else (given or ["neutral"]) * self.count
        if not 0 <= refine <= REFINE_STEPS_MAX:
            raise InvalidArgument(
                f"refine is {refine!r}, outside 0…{REFINE_STEPS_MAX} steps", ErrorCode.OUT_OF_RANGE, "refine")
        self.refine = refine

    def message(self, rows: range, start: object = None, with_tracks: bool = True) -> SolveEffectorsRequest:
        """The message with some neighbouring people."""
        people = self.people[rows.start : rows.stop]
        flat = [effector for effectors in people for effector in effectors]
        return SolveEffectorsRequest(
            counts=Tensor(np.array([len(effectors) for effectors in people], np.int32)),
            kinds=Tensor(np.array([effector.kind for effector in flat], np.uint8)),
            joints=Tensor(np.array([effector.joint for effector in flat], np.uint8)),
            values=Tensor(np.array([effector.values for effector in flat], np.float32)),
            tolerances=Tensor(np.array([effector.tolerance for effector in flat], np.float32)),
            weights=Tensor(np.array([effector.weight for effector in flat], np.float32)),
            betas=Tensor(self.betas[rows.start : rows.stop]), genders=self.genders[rows.start : rows.stop],
            refine=self.refine or None)

    def betas_of(self) -> npt.NDArray[np.float32]:
        return self.betas

    def genders_of(self) -> list[str]:
        return self.genders
