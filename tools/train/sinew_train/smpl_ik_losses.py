"""Training terms of SMPL-IK: the published ones (models.md 5.7) and ours, which supervise the whole pose."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .body import forward_kinematics
from .effectors import LOOK_AT, POSITION, ROTATION, EffectorSet
from .rotations import from_rows6d
from .smpl_ik_conditioning import ConditionedEffectors, restore
from .smpl_ik_data import Pose

TOLERANCE_MIN = 1e-3
COS_MARGIN = 1e-6
ROTATION_WEIGHT = 2.5
"""On local rotations, where `--rotation-weight` says nothing else. With 1 instead, after 256 000 samples: 96.4 mm and 0.261 rad, against 97.2 mm and 0.259 rad."""

POSITION_WEIGHT = 3.0
"""On the distance of positional effectors, 1/m, where `--position-weight` says nothing else."""


@dataclass
class Solved:
    """World rotations and joints that the network's output means, and its first decoder's joints, in the world."""

    local: Tensor
    world: Tensor
    joints: Tensor
    first_joints: Tensor


def angle(a: Tensor, b: Tensor) -> Tensor:
    """The geodesic angle of `[..., 3, 3]` (radians) with gradients that stay finite at 0 and at pi.

    By atan2, with 1e-12 under the root: the published clamp of acos has a gradient of 0 times infinity where both agree.
    """
    a0, a1, a2 = a.unbind(-2)
    b0, b1, b2 = b.unbind(-2)
    # The skew part of a b^T; its length is 2 sin, and trace - 1 is 2 cos.
    x = (a2 * b1 - a1 * b2).sum(-1)
    y = (a0 * b2 - a2 * b0).sum(-1)
    z = (a1 * b0 - a0 * b1).sum(-1)
    trace = (a * b).sum((-1, -2))
    return torch.atan2((x * x + y * y + z * z + 1e-12).sqrt(), trace - 1)


def distance(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distance over the last axis, with a finite gradient at zero."""
    return ((a - b).square().sum(-1) + 1e-10).sqrt()


def solved(positions: Tensor, rotation6d: Tensor, given: EffectorSet, conditioned: ConditionedEffectors, pelvis_rows: bool) -> Solved:
    """The pose in the world. `pelvis_rows`: row 0 is the pelvis (`effector-heading`); otherwise it is transl (`none`)."""
    local, root = restore(from_rows6d(rotation6d), positions[:, 0], conditioned)
    pelvis = root if pelvis_rows else root + given.rest[:, 0]
    joints, world = forward_kinematics(local, given.rest)
    back = torch.stack([
        conditioned.cos[:, None] * positions[..., 0] + conditioned.sin[:, None] * positions[..., 2], positions[..., 1],
        conditioned.cos[:, None] * positions[..., 2] - conditioned.sin[:, None] * positions[..., 0]], -1)
    first = conditioned.reference[:, None] + conditioned.scale[:, None, None] * back
    return Solved(local, world, joints + pelvis[:, None], first)


def effector_terms(found: Solved, truth: Pose, given: EffectorSet) -> dict[str, tuple[Tensor, Tensor]]:
    """Error and published weight of each effector: squared position error / 3, world angle, look-at angle."""
    person = given.person()
    omega = 1 / given.tolerance.clamp_min(TOLERANCE_MIN)
    out = {}
    for name, kind in [("effector_position", POSITION), ("effector_rotation", ROTATION), ("effector_look_at", LOOK_AT)]:
        rows = given.kind == kind
        who, joint, weight = person[rows], given.joint[rows], omega[rows]
        if not len(who):
            continue
        if kind == POSITION:
            error = (found.joints[who, joint] - truth.joints[who, joint]).square().sum(-1) / 3
        elif kind == ROTATION:
            error = angle(found.world[who, joint], truth.world[who, joint])
        else:
            toward = given.values[rows, :3] - found.joints[who, joint]
            toward = toward / (toward.square().sum(-1, keepdim=True) + 1e-10).sqrt()
            seen = (found.world[who, joint] @ given.values[rows, 3:, None])[..., 0]
            error = (seen * toward).sum(-1).clamp(-1 + COS_MARGIN, 1 - COS_MARGIN).acos()
        out[name] = (error, weight)
    return out


def published_terms(found: Solved, truth: Pose, given: EffectorSet) -> dict[str, Tensor]:
    """The published losses with their scales, without the constant offset."""
    terms = {"rotation": angle(found.local, truth.local).mean()}
    for name, (error, weight) in effector_terms(found, truth, given).items():
        if name == "effector_look_at":
            terms[name] = error.mean()
        else:
            scale = 100.0 if name == "effector_position" else 1.0
            terms[name] = scale * (weight * error).sum() / (weight.sum() + 1e-6)
    return terms


def whole_pose_terms(
    found: Solved, truth: Pose, given: EffectorSet, changed: Tensor | None = None, rotation_weight: float = ROTATION_WEIGHT,
    position_weight: float = POSITION_WEIGHT,
) -> dict[str, Tensor]:
    """Ours: distances, not squares, of every joint (pelvis-relative, as MPJPE measures it) and of the first decoder's joints.

    The published terms weigh only the effectors' joints, exact ones a hundred times more than loose ones; with few samples the other
    joints then learn from rotations alone. People who got another body (`changed` `[B]`) have no true joints: they keep their rotations
    as far as the effectors allow, which stay where they were.
    """
    own = torch.ones_like(given.genders) if changed is None else (~changed).long()

    def of_own(errors: Tensor) -> Tensor:
        return (own[:, None] * errors).sum() / (own.sum() * errors.shape[1]).clamp_min(1)

    relative = distance(found.joints - found.joints[:, :1], truth.joints - truth.joints[:, :1])
    terms = {
        "rotation": rotation_weight * angle(found.local, truth.local).mean(),
        "joints": 5 * of_own(relative),
        "first_joints": 5 * of_own(distance(found.first_joints, truth.joints)),
    }
    for name, (error, _) in effector_terms(found, truth, given).items():
        if name == "effector_position":
            terms[name] = position_weight * (3 * error + 1e-10).sqrt().mean()
        else:
            terms[name] = 0.2 * error.mean()
    return terms
