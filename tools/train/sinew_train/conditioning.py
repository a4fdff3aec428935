"""From observed joints to the vectors a network works on, and back. CONDITIONING.md is the specification; the step numbers are its."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .body import rest_offsets
from .rotations import about_y
from .skeleton import JOINT_COUNT, PARENTS

SIGMA_MAX = 0.4
PAIRS = [(1, 2), (16, 17)]


@dataclass
class Observations:
    """A batch as a caller sees it. Metres and radians, y up.

    `joints` `[B, 29, 3]`, `sigma` `[B, 29]`, `observed` `[B, 29]` bool, `twists` `[B, 23]`, `has_twists` `[B]` bool.
    """

    joints: Tensor
    sigma: Tensor
    observed: Tensor
    twists: Tensor
    has_twists: Tensor


@dataclass
class Conditioned:
    """`bones` `[B, 29, 3]`, `sigma` `[B, 29]`, `phi` `[B, 46]`, heading `cos`, `sin` `[B]`, bone lengths `lengths` `[B, 29]`."""

    bones: Tensor
    sigma: Tensor
    phi: Tensor
    cos: Tensor
    sin: Tensor
    lengths: Tensor

    def flow_input(self, padding: Tensor | None = None) -> Tensor:
        """The 176 values of a flow; the last 60 are `padding` or zeros."""
        zeros = self.bones.new_zeros(len(self.bones), 60) if padding is None else padding
        return torch.cat([self.bones.flatten(1), self.sigma, zeros], 1)

    def mlp_input(self) -> Tensor:
        """The 162 values of the MLP."""
        return torch.cat([self.bones.flatten(1), self.sigma, self.phi], 1)

    def heading(self) -> Tensor:
        """`R_y(psi)` `[B, 3, 3]`."""
        return about_y(self.cos, self.sin)


def twist_pairs(twists: Tensor, has_twists: Tensor) -> Tensor:
    """Step 7: (cos, sin) of each angle, normalised; zeros for people without twists. `[B, 46]`."""
    pairs = torch.stack([twists.cos(), twists.sin()], -1)
    pairs = pairs / (pairs.norm(dim=-1, keepdim=True) + 1e-8)
    return (pairs * has_twists[:, None, None]).flatten(1)


def lengths_of(rest: Tensor) -> Tensor:
    """Rest bone lengths `[B, 29]`, at least 1e-6; entry 0 is not used."""
    return rest_offsets(rest).norm(dim=-1).clamp_min(1e-6)


def _root(joints: Tensor, observed: Tensor) -> Tensor:
    """Step 1's pelvis for each person."""
    weight = observed.to(joints)
    mean = (joints * weight[..., None]).sum(1) / weight.sum(1).clamp_min(1)[:, None]
    left, right = observed[:, 1, None], observed[:, 2, None]
    hips = torch.where(left & right, (joints[:, 1] + joints[:, 2]) * 0.5, torch.where(left, joints[:, 1], joints[:, 2]))
    filled = torch.where(left | right, hips, mean)
    return torch.where(observed[:, :1], joints[:, 0], filled)


def heading_of(q: Tensor, sigma: Tensor, observed: Tensor) -> tuple[Tensor, Tensor]:
    """Step 2: cos and sin of the heading, `[B]` each."""
    dx, dz = torch.zeros_like(q[:, 0, 0]), torch.zeros_like(q[:, 0, 0])
    for left, right in PAIRS:
        weight = 1 / ((sigma[:, left] ** 2 + sigma[:, right] ** 2) * 0.5 + 0.0004)
        weight = weight * (observed[:, left] & observed[:, right])
        dx = dx + weight * (q[:, left, 0] - q[:, right, 0])
        dz = dz + weight * (q[:, left, 2] - q[:, right, 2])
    norm = (dx * dx + dz * dz).sqrt()
    lost = norm < 1e-6
    safe = torch.where(lost, torch.ones_like(norm), norm)
    return torch.where(lost, torch.ones_like(dx), dx / safe), torch.where(lost, torch.zeros_like(dz), -dz / safe)


def turn(q: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """`R_y(-psi) q` for every joint (step 3); with `-sin` the way back."""
    c, s = cos[:, None], sin[:, None]
    return torch.stack([c * q[..., 0] - s * q[..., 2], q[..., 1], s * q[..., 0] + c * q[..., 2]], -1)


def heading_bones(seen: Observations, rest: Tensor) -> Conditioned:
    """Steps 0...7 of `heading-bones`."""
    sigma = seen.sigma.clamp(0, SIGMA_MAX)
    sigma = torch.where(seen.observed, sigma, torch.full_like(sigma, SIGMA_MAX))
    root = _root(seen.joints, seen.observed)
    q = seen.joints - root[:, None]
    cos, sin = heading_of(q, sigma, seen.observed)
    q = turn(q, cos, sin)
    offsets = rest_offsets(rest)
    placed = [torch.zeros_like(q[:, 0])]
    for j in range(1, JOINT_COUNT):
        laid_out = placed[PARENTS[j]] + offsets[:, j]
        placed.append(torch.where(seen.observed[:, j, None], q[:, j], laid_out))
    q = torch.stack(placed, 1)
    lengths = lengths_of(rest)
    bones = (q - q[:, [max(parent, 0) for parent in PARENTS]]) / lengths[..., None]
    return Conditioned(bones, sigma, twist_pairs(seen.twists, seen.has_twists), cos, sin, lengths)


def root_relative(seen: Observations) -> Conditioned:
    """The `none` conditioning of the published checkpoints; `bones` then holds root-relative joints."""
    q = seen.joints - seen.joints[:, :1]
    one = torch.ones_like(q[:, 0, 0])
    return Conditioned(
        q, seen.sigma, twist_pairs(seen.twists, seen.has_twists), one, torch.zeros_like(one), torch.ones_like(q[..., 0]))


def restore_root(rotations: Tensor, given: Conditioned) -> Tensor:
    """Step 8: local rotations `[B, 24, 3, 3]` out of the heading frame."""
    return torch.cat([(given.heading() @ rotations[:, 0])[:, None], rotations[:, 1:]], 1)


def joints_of_bones(bones: Tensor, lengths: Tensor) -> Tensor:
    """FK direction, step 3: unit-length bones `[B, 29, 3]` back to pelvis-relative joints, heading frame."""
    placed = [torch.zeros_like(bones[:, 0])]
    for j in range(1, JOINT_COUNT):
        placed.append(placed[PARENTS[j]] + bones[:, j] * lengths[:, j, None])
    return torch.stack(placed, 1)
