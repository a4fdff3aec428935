"""Analytic inverse kinematics of HybrIK: naive and adaptive, whole batches. Source: models.md 2."""

import math

import torch
from torch import Tensor

from .body import rest_offsets
from .rotations import from_axis_and_angle, swing_between
from .skeleton import CHILDREN, LEVELS, PARENTS, ROTATION_COUNT

ADAPTIVE_GATE = 0.015
"""Metres: beyond this the candidate that carries the accumulated error is dropped (models.md 2.6)."""


def bone_vectors(rest: Tensor) -> Tensor:
    """Rest vector from each of the 24 joints to the child that orients it, `[B, 24, 3]`."""
    return rest[:, CHILDREN[:ROTATION_COUNT]] - rest[:, :ROTATION_COUNT]


def twist_rotations(rest: Tensor, twists: Tensor) -> Tensor:
    """Rotations `[B, 24, 3, 3]` about the rest bones; the root's is the identity. `twists` `[B, 23]` radians."""
    bones = bone_vectors(rest)[:, 1:]
    axis = bones / bones.norm(dim=-1, keepdim=True)
    turned = from_axis_and_angle(axis, twists.cos(), twists.sin())
    root = torch.eye(3, dtype=rest.dtype, device=rest.device).expand(len(rest), 1, 3, 3)
    return torch.cat([root, turned], 1)


def decompose(local: Tensor, rest: Tensor) -> tuple[Tensor, Tensor]:
    """Splits `R_j = R_swing R_twist`: swings `[B, 24, 3, 3]` (entry 0 is the whole root rotation) and twist angles `[B, 23]` in (-pi, pi]."""
    bones = bone_vectors(rest)[:, 1:]
    rotations = local[:, 1:]
    swing = swing_between(bones, (rotations @ bones[..., None])[..., 0])
    twist = swing.transpose(-1, -2) @ rotations
    axis = bones / bones.norm(dim=-1, keepdim=True)
    skew = torch.stack([
        twist[..., 2, 1] - twist[..., 1, 2], twist[..., 0, 2] - twist[..., 2, 0], twist[..., 1, 0] - twist[..., 0, 1],
    ], -1)
    sin = (skew * axis).sum(-1) / 2
    cos = (twist.diagonal(dim1=-2, dim2=-1).sum(-1) - 1) / 2
    angle = torch.atan2(sin, cos)
    return torch.cat([local[:, :1], swing], 1), torch.where(angle <= -math.pi, angle + 2 * math.pi, angle)


def root_two_step(joints: Tensor, rest: Tensor) -> Tensor:
    """Pelvis orientation of training and decomposition: spine first, then the hips about it."""
    spine_rest, spine = rest[:, 3] - rest[:, 0], joints[:, 3] - joints[:, 0]
    first = swing_between(spine_rest, spine)
    hips_rest = (first @ ((rest[:, 1] + rest[:, 2]) / 2 - rest[:, 0])[..., None])[..., 0]
    hips = (joints[:, 1] + joints[:, 2]) / 2 - joints[:, 0]
    axis = spine / spine.norm(dim=-1, keepdim=True)
    hips_rest = hips_rest - (hips_rest * axis).sum(-1, keepdim=True) * axis
    hips = hips - (hips * axis).sum(-1, keepdim=True) * axis
    return swing_between(hips_rest, hips) @ first


def root_by_svd(joints: Tensor, rest: Tensor) -> Tensor:
    """Pelvis orientation at inference: the rotation nearest to the three vectors spine1 and hips."""
    a = rest[:, [3, 1, 2]] - rest[:, :1]
    b = joints[:, [3, 1, 2]] - joints[:, :1]
    u, _, vt = torch.linalg.svd(a.transpose(1, 2) @ b)
    sign = torch.linalg.det(vt.transpose(1, 2) @ u.transpose(1, 2))
    scale = torch.stack([torch.ones_like(sign), torch.ones_like(sign), sign], -1)
    return vt.transpose(1, 2) @ (scale[..., None] * u.transpose(1, 2))


def solve_naive(joints: Tensor, rest: Tensor, twists: Tensor) -> Tensor:
    """Bones straight from the observed joints, root by two steps: local rotations `[B, 24, 3, 3]`."""
    bones = bone_vectors(rest)
    twist = twist_rotations(rest, twists)
    local: list[Tensor] = [root_two_step(joints, rest)] + [joints.new_empty(0)] * (ROTATION_COUNT - 1)
    globals_ = list(local)
    for level in LEVELS:
        for j in level:
            parent = globals_[PARENTS[j]]
            target = (parent.transpose(1, 2) @ (joints[:, CHILDREN[j]] - joints[:, j])[..., None])[..., 0]
            local[j] = swing_between(bones[:, j], target) @ twist[:, j]
            globals_[j] = parent @ local[j]
    return torch.stack(local, 1)


def solve_adaptive(joints: Tensor, rest: Tensor, twists: Tensor) -> Tensor:
    """HybrIK's inference variant: each bone may make up for the error of the chain above it, within 15 mm."""
    offsets = rest_offsets(rest)
    bones = bone_vectors(rest)
    twist = twist_rotations(rest, twists)
    shifted = joints - joints[:, :1] + rest[:, :1]
    local = [root_by_svd(joints, rest)]
    globals_ = [local[0]]
    placed = [rest[:, 0]]
    for j in range(1, ROTATION_COUNT):
        up = PARENTS[j]
        parent = globals_[up]
        placed.append(placed[up] + (parent @ offsets[:, j, :, None])[..., 0])
        child = CHILDREN[j]
        candidate = shifted[:, child] - placed[j]
        direct = joints[:, child] - joints[:, j]
        length = direct.norm(dim=-1, keepdim=True).clamp_min(1e-12)
        direct = direct * (bones[:, j].norm(dim=-1, keepdim=True) / length)
        far = (candidate - direct).norm(dim=-1, keepdim=True) > ADAPTIVE_GATE
        target = (parent.transpose(1, 2) @ torch.where(far, direct, candidate)[..., None])[..., 0]
        local.append(swing_between(bones[:, j], target) @ twist[:, j])
        globals_.append(parent @ local[j])
    return torch.stack(local, 1)
