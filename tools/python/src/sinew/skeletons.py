"""The joints that requests and replies name, in order."""

from __future__ import annotations

from dataclasses import dataclass

_SMPL = (
    ("pelvis", -1), ("left_hip", 0), ("right_hip", 0), ("spine1", 0), ("left_knee", 1), ("right_knee", 2), ("spine2", 3),
    ("left_ankle", 4), ("right_ankle", 5), ("spine3", 6), ("left_foot", 7), ("right_foot", 8), ("neck", 9),
    ("left_collar", 9), ("right_collar", 9), ("head", 12), ("left_shoulder", 13), ("right_shoulder", 14), ("left_elbow", 16),
    ("right_elbow", 17), ("left_wrist", 18), ("right_wrist", 19), ("left_hand", 20), ("right_hand", 21))
_LEAVES = (
    ("head_top", 15), ("left_middle", 22), ("right_middle", 23), ("left_bigtoe", 10), ("right_bigtoe", 11))


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A named tree of joints; ``parents`` is -1 for the root, and every parent comes before its children."""

    name: str
    joint_names: tuple[str, ...]
    parents: tuple[int, ...]

    @property
    def joint_count(self) -> int:
        return len(self.joint_names)

    def index(self, joint: str | int) -> int:
        """The index of a joint; raises ValueError that lists the names."""
        if isinstance(joint, str):
            if joint not in self.joint_names:
                raise ValueError(f"{self.name} has no joint “{joint}”; it has {', '.join(self.joint_names)}")
            return self.joint_names.index(joint)
        if not 0 <= joint < self.joint_count:
            raise ValueError(f"joint {joint} is outside 0…{self.joint_count - 1} of {self.name}")
        return int(joint)


def _make(name: str, joints: tuple[tuple[str, int], ...]) -> Skeleton:
    return Skeleton(name, tuple(joint for joint, _ in joints), tuple(parent for _, parent in joints))


#: SMPL's 24 joints; every one has a rotation.
SMPL24 = _make("smpl-24", _SMPL)
#: SMPL's joints and five leaves of the mesh, which have no rotation of their own.
SMPL29 = _make("smpl-29", _SMPL + _LEAVES)
#: Skeletons that a request may be in, by name.
SKELETONS = {skeleton.name: skeleton for skeleton in (SMPL24, SMPL29)}
