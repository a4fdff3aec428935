"""A frame that somebody corrected, as goals for the solver: the arithmetic of ``sinew correct``."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ._rotations import world_rotations
from .effectors import Effector, EffectorPeople
from .skeletons import SMPL24

if TYPE_CHECKING:
    from .poses import Poses

#: How far off a joint may be that nobody moved, metres; one that has to follow a moved one; and a joint's turn in the world, radians.
HELD_TOLERANCE, FOLLOWING_TOLERANCE, TURN_TOLERANCE = 0.02, 0.1, 0.1
#: Moved joints count for more, so that a pose out of reach costs the others and not them.
MOVED_WEIGHT = 10.0
#: Steps after the model; with them moved joints land on their places.
REFINE = 20
#: Pelvis, spine, neck and collars: what a limb hangs on.
_TRUNK = frozenset((0, 3, 6, 9, 12, 13, 14))


@dataclass(frozen=True, slots=True)
class Correction:
    """What was corrected in a row."""

    #: Which of SMPL's 24 joints were moved, ascending.
    joints: tuple[int, ...]
    #: Who solved the row again, ``name/version``.
    model: str


class Corrected:
    """A row of a result whose joints were moved."""

    def __init__(self, poses: Poses, row: int, moved: Mapping[str | int, npt.ArrayLike]) -> None:
        if not -len(poses) <= row < len(poses):
            raise IndexError(f"frame {row} is none of the {len(poses)} rows; Poses.worst names rows")
        self.row = row % len(poses)
        if not poses.solved[self.row]:
            raise ValueError(f"row {self.row} has no pose to correct; solve its joints, or effectors (solve_effectors)")
        if not moved:
            raise ValueError("nothing is moved: moved={'left_wrist': (x, y, z)}")
        self.poses = poses
        self.joints = np.asarray(poses.joints[self.row], np.float64)
        places: dict[int, npt.NDArray[np.float64]] = {}
        for joint, place in moved.items():
            index, target = SMPL24.index(joint), np.asarray(place, np.float64)
            if target.shape != (3,) or not np.isfinite(target).all():
                raise ValueError(f"moved[{joint!r}] is not three numbers, metres, y up")
            if index in places:
                raise ValueError(f"joint {SMPL24.joint_names[index]} is moved twice")
            places[index] = target
        before = poses.corrections.get(self.row)
        # What was moved before stays where it is, as if moved there again.
        for index in before.joints if before else ():
            places.setdefault(index, self.joints[index])
        self.moved = dict(sorted(places.items()))

    def effectors(self) -> list[Effector]:
        """Moved joints as exact places, the others held by place and turn."""
        turning, carried = self._turning(), self._carried()
        world = world_rotations(self.poses.theta[self.row][np.newaxis])[0]
        goals = [Effector.position(joint, place, weight=MOVED_WEIGHT) for joint, place in self.moved.items()]
        for joint in range(24):
            if joint not in self.moved and joint not in carried:
                tolerance = FOLLOWING_TOLERANCE if joint in turning else HELD_TOLERANCE
                goals.append(Effector.position(joint, self.joints[joint], tolerance=tolerance))
            if joint not in turning:
                goals.append(Effector.rotation(joint, world[joint], tolerance=TURN_TOLERANCE))
        return goals

    def request(self, refine: int) -> EffectorPeople:
        return EffectorPeople([self.effectors()], self.poses.betas[self.row], self.poses.genders[self.row], refine)

    def result(self, solved: Poses) -> Poses:
        """The poses with the row in its place, as a new result; the old one stays as it is."""
        from .poses import ROW_FIELDS

        solved.raise_for_errors()
        new = copy.copy(self.poses)
        for name in ROW_FIELDS:
            if name == "betas":
                continue
            values: Any = np.array(getattr(self.poses, name))
            values[self.row] = getattr(solved, name)[0]
            setattr(new, name, values)
        version = solved.parts[0].model_version if solved.parts else ""
        new.corrections = {**self.poses.corrections, self.row: Correction(tuple(self.moved), f"{solved.model}/{version}")}
        return new

    def _turning(self) -> set[int]:
        """Joints that turn so that the moved ones get to their places: these, those above them in their limb, and where the limb is
        none, the one above."""
        turning = set(self.moved)
        for joint in self.moved:
            above = SMPL24.parents[joint]
            if above in _TRUNK:
                turning.add(above)
            while above >= 0 and above not in _TRUNK:
                turning.add(above)
                above = SMPL24.parents[above]
        return turning

    def _carried(self) -> set[int]:
        """Hands, feet and the head whose wrist, ankle or neck was moved: they go along."""
        return {
            joint for joint in range(1, 24)
            if joint not in self.moved and joint not in SMPL24.parents and SMPL24.parents[joint] in self.moved}


