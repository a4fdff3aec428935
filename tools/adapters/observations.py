"""People that an adapter was given, and their solving: as a call where they are few, as a durable job where they are many."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import sinew
from cameras import AdapterError, Array, Frame, numbers

JOINTS = sinew.SMPL29.joint_names
#: Joints that the annotator put into place are exact; one that was marked as occluded is a guess, metres.
SIGMA, SIGMA_MOVED, SIGMA_OCCLUDED = 0.02, 0.0, 0.1
#: Steps after the model, so that moved joints are reached.
REFINE_MOVED = 20
#: More people than this are a durable job: the same content asked for again goes on where it was.
PEOPLE_PER_CALL_MAX = 256
#: What is known of fewer joints says too little about a body.
JOINTS_MIN = 4
#: What a path made of a clip's name may hold. The name comes from outside.
CLIP = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}){0,7}")

TWO_DIMENSIONAL = (
    "{what} has keypoints in the image only. The solver turns joints in space into rotations, and from one image the depth of a joint "
    "is not known: every guess would look right in the picture and be wrong in the body. Give 3D joints in metres as {where}, from a "
    "3D estimator or from triangulated views")


def refuse_two_dimensional(what: str, where: str) -> AdapterError:
    """The refusal of keypoints without depth."""
    return AdapterError(TWO_DIMENSIONAL.format(what=what, where=where))


@dataclass
class Observation:
    """One person in one frame, in the model frame: metres, y up."""

    #: Joint positions [29, 3]; rows that were not observed hold zeros.
    joints: Array
    observed: Any
    #: Uncertainty of each joint [29], metres.
    sigma: Array
    frame: int
    track: str
    betas: Array | None = None
    gender: str = "neutral"
    #: Joints that the annotator moved, by name: the solution has to go through them.
    moved: dict[str, Array] = field(default_factory=dict)

    @classmethod
    def of_joints(
        cls, joints: Mapping[str, Any], frame_of: Frame, frame: int, track: str, what: str, occluded: Sequence[str] = (),
    ) -> Observation:
        """From positions by joint name, in the task's coordinates."""
        positions, observed, sigma = np.zeros((29, 3)), np.zeros(29, bool), np.full(29, SIGMA)
        for name, position in joints.items():
            if name not in JOINTS:
                raise AdapterError(f"{what}: there is no joint “{name}”; the joints are {', '.join(JOINTS)}")
            if isinstance(position, (list, tuple)) and len(position) == 2:
                raise refuse_two_dimensional(what, "[x, y, z]")
            index = JOINTS.index(name)
            positions[index] = numbers(position, (3,), f"{what}, {name}")
            observed[index] = True
            if name in occluded:
                sigma[index] = SIGMA_OCCLUDED
        if observed.sum() < JOINTS_MIN:
            raise AdapterError(f"{what}: {int(observed.sum())} joints with a position in space, at least {JOINTS_MIN} are needed")
        positions[observed] = frame_of.to_model(positions[observed])
        return cls(positions, observed, sigma, frame, track)

    @classmethod
    def of_array(cls, joints: Any, frame_of: Frame, frame: int, track: str, what: str) -> Observation:
        """From positions in the order of ``smpl-29`` or ``smpl-24``, in the task's coordinates."""
        array = joints if isinstance(joints, list) else []
        if array and all(isinstance(row, (list, tuple)) and len(row) == 2 for row in array):
            raise refuse_two_dimensional(what, "[x, y, z]")
        if len(array) not in (24, 29):
            raise AdapterError(f"{what}: joints3d has {len(array)} joints; smpl-29 has 29 and smpl-24 has 24, or give them by name")
        return cls.of_joints(dict(zip(JOINTS, array)), frame_of, frame, track, what)

    def describe(self, record: Mapping[str, Any], what: str) -> None:
        """Takes β and gender from a record that may have them."""
        if record.get("betas") is not None:
            self.betas = numbers(record["betas"], (10,), f"{what}: betas")
        self.gender = str(record.get("gender", "neutral"))
        if self.gender not in ("neutral", "female", "male"):
            raise AdapterError(f"{what}: gender is {self.gender!r}; use neutral, female or male")


def track_name(value: Any, row: int, what: str) -> str:
    """A track's name, which corrections say; without one, what `sinew solve` calls the person in that place."""
    if value is None or value == "":
        return f"person-{row}"
    name = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if not 0 < len(name) <= 100 or not name.isprintable():
        raise AdapterError(f"{what}: track is {value!r}; use a name of at most 100 characters")
    return name


def frame_number(value: Any, what: str) -> int:
    """A frame's number in its clip."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 31:
        raise AdapterError(f"{what}: frame is {value!r}; use a whole number from 0")
    return value


def clip_name(value: Any) -> str:
    """A clip's name that can be a path below a folder, and only there."""
    if not isinstance(value, str) or not CLIP.fullmatch(value):
        raise AdapterError(
            f"clip is {value!r}; use letters, digits, “_”, “-” and “.”, parts with “/” between them that do not begin with “.”")
    return value


def people_of(observations: Sequence[Observation]) -> sinew.People:
    """The request: a row for each, moved joints where the annotator put them."""
    joints = np.stack([each.joints for each in observations])
    observed = np.stack([each.observed for each in observations])
    sigma = np.stack([each.sigma for each in observations])
    for row, each in enumerate(observations):
        for name, position in each.moved.items():
            index = JOINTS.index(name)
            joints[row, index], observed[row, index], sigma[row, index] = position, True, SIGMA_MOVED
    betas = np.stack([np.zeros(10) if each.betas is None else each.betas for each in observations])
    return sinew.People(
        joints.astype(np.float32), sigma=sigma, observed=observed, betas=betas, genders=[each.gender for each in observations],
        refine=REFINE_MOVED if any(each.moved for each in observations) else 0)


def solve(
    client: sinew.Client, observations: Sequence[Observation], model: str, *, durable: bool | None = None, label: str = "",
) -> sinew.Poses:
    """Solves people in their order.

    :param durable: as a job, which outlives every process; None: when there are more than one call should hold.
    """
    people = people_of(observations)
    if durable or (durable is None and len(observations) > PEOPLE_PER_CALL_MAX):
        # The same content is the same job: whoever asks again after a crash or a timeout polls the one that runs already.
        return client.submit(people, model, label=label).poses()
    return client.solve(people, model)


def score_of(residual_mm: float) -> float:
    """1 for a pose that goes through its joints, 0.5 at 20 mm, towards 0: what annotation tools sort by."""
    return 1.0 / (1.0 + float(residual_mm) / 20.0)
