"""What stands between effectors and the set network's 7 values per effector, for `none` and `effector-heading` (CONDITIONING.md)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .effectors import LOOK_AT, POSITION, ROTATION, EffectorSet, spread, sum_rows
from .rotations import about_y
from .skeleton import PARENTS

BONES_REFERENCE = 4.5
"""Metres: the sum of 23 rest bone lengths that counts as scale 1."""

TOLERANCE_REFERENCE = 0.1
LOOK_AT_REFERENCE = 0.5


@dataclass
class ConditionedEffectors:
    """`data` `[M, 7]` and what brings the output back: `reference` `[B, 3]`, `cos`, `sin`, `scale` `[B]`."""

    data: Tensor
    reference: Tensor
    cos: Tensor
    sin: Tensor
    scale: Tensor


def complex_product(a: Tensor, b: Tensor) -> Tensor:
    """`[..., 2]` times `[..., 2]`."""
    (ar, ai), (br, bi) = a.unbind(-1), b.unbind(-1)
    return torch.stack([ar * br - ai * bi, ar * bi + ai * br], -1)


def horizontal(v: Tensor) -> Tensor:
    """`(z, x)` of `[..., 3]`: a turn by psi about y multiplies it, as a complex number, by `e^(i psi)`."""
    return torch.stack([v[..., 2], v[..., 0]], -1)


def whole_rotation(values: Tensor) -> Tensor:
    """Rows 6D `[M, 6]` to matrices; the third row is the cross product (the rows are taken as orthonormal)."""
    a, b = values[..., :3], values[..., 3:]
    return torch.stack([a, b, torch.linalg.cross(a, b)], -2)


class HeadingTables(nn.Module):
    """The evidence that each effector gives about the heading: constants, fitted on motion before the network is trained.

    `pairs` `[24, 24, 2]` (antisymmetric), `rotations` and `look_ats` `[24, 3, 2]`: complex coefficients (real, imaginary).
    """

    def __init__(self):
        super().__init__()
        # Where nothing has been fitted yet: from the hips, and from every rotation's own turn about the vertical.
        pairs = torch.zeros(24, 24, 2)
        for left, right in [(1, 2), (4, 5), (7, 8), (13, 14), (16, 17), (18, 19), (20, 21)]:
            pairs[left, right, 1], pairs[right, left, 1] = -1.0, 1.0
        facing = torch.tensor([[0.0, -0.5], [0.0, 0.0], [0.5, 0.0]]).expand(24, 3, 2).clone()
        self.pairs = nn.Parameter(pairs, requires_grad=False)
        self.rotations = nn.Parameter(facing, requires_grad=False)
        self.look_ats = nn.Parameter(0.5 * torch.tensor([[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]]).expand(24, 3, 2).clone(), requires_grad=False)

    def evidence(self, given: EffectorSet, reference: Tensor, scale: Tensor) -> Tensor:
        """The sum of all evidence, `[B, 2]`; its direction is (cos, sin) of the heading."""
        groups = given.groups
        reliability = given.weight / (1 + (given.tolerance / TOLERANCE_REFERENCE).square())
        is_position = given.kind == POSITION
        moved = given.values[:, :3] - spread(reference, groups)
        of_positions = (reliability * is_position)[:, None] * horizontal(moved) / spread(scale, groups)[:, None]
        positions = sum_rows(complex_product(self._partners(given, reliability * is_position), of_positions), groups)
        positions = positions / sum_rows(reliability * is_position, groups).clamp_min(1e-6)[:, None]
        columns = whole_rotation(given.values)  # row 2 and row 0 of the matrix are the complex numbers' parts
        turned = torch.stack([columns[:, 2], columns[:, 0]], -1)
        rotations = complex_product(self.rotations[given.joint], turned).sum(1)
        seen = horizontal(moved) / (moved.norm(dim=-1, keepdim=True) + LOOK_AT_REFERENCE * spread(scale, groups)[:, None])
        expected = (self.look_ats[given.joint] * given.values[:, 3:, None]).sum(1)
        look_ats = complex_product(seen, expected * expected.new_tensor([1.0, -1.0]))
        others = torch.where((given.kind == ROTATION)[:, None], rotations, look_ats) * (reliability * ~is_position)[:, None]
        return positions + sum_rows(others, groups)

    def _partners(self, given: EffectorSet, reliability: Tensor) -> Tensor:
        """Each row's coefficient, summed over the same person's positions: `[M, 2]`."""
        parts, at = [], 0
        for people, each in given.groups:
            rows = slice(at, at + people * each)
            joint, trust = given.joint[rows].view(people, each), reliability[rows].view(people, each)
            table = self.pairs[joint[:, :, None], joint[:, None, :]]
            parts.append((table * trust[:, None, :, None]).sum(2).flatten(0, 1))
            at += people * each
        return torch.cat(parts)


def body_scale(rest: Tensor) -> Tensor:
    """`[B, 24, 3]` rest joints to the sum of 23 bone lengths over the reference, `[B]`."""
    return (rest[:, 1:24] - rest[:, PARENTS[1:24]]).norm(dim=-1).sum(1) / BONES_REFERENCE


def reference_of(given: EffectorSet) -> Tensor:
    """The weighted mean of the positional effectors, `[B, 3]`."""
    weight = given.weight * (given.kind == POSITION)
    total = sum_rows(weight, given.groups)
    if bool((total <= 0).any()):
        raise ValueError("a person has no positional effector with weight above 0: there is nothing to place the pose by")
    return sum_rows(weight[:, None] * given.values[:, :3], given.groups) / total[:, None]


def centred(given: EffectorSet) -> ConditionedEffectors:
    """`none`, the published form: positions and look-at targets minus the reference, nothing else."""
    reference = reference_of(given)
    moves = (given.kind != ROTATION)[:, None]
    shift = spread(reference, given.groups) * moves
    data = torch.cat([given.values[:, :3] - shift, given.values[:, 3:], given.tolerance[:, None]], 1)
    one = torch.ones_like(reference[:, 0])
    return ConditionedEffectors(data, reference, one, 0 * one, one)


def effector_heading(given: EffectorSet, tables: HeadingTables) -> ConditionedEffectors:
    """Steps 1 to 5 of `effector-heading`."""
    groups = given.groups
    reference, scale = reference_of(given), body_scale(given.rest)
    evidence = tables.evidence(given, reference, scale)
    length = evidence.norm(dim=-1)
    known = length >= 1e-6
    cos = torch.where(known, evidence[:, 0] / length.clamp_min(1e-12), torch.ones_like(length))
    sin = torch.where(known, evidence[:, 1] / length.clamp_min(1e-12), torch.zeros_like(length))
    c, s = spread(cos, groups)[:, None], spread(sin, groups)[:, None]

    def turned(v: Tensor) -> Tensor:
        x, y, z = v.split(1, 1)
        return torch.cat([c * x - s * z, y, s * x + c * z], 1)

    moved = turned(given.values[:, :3] - spread(reference, groups)) / spread(scale, groups)[:, None]
    distance = moved.norm(dim=-1, keepdim=True)
    squeezed = moved * torch.where(distance < 1e-6, torch.ones_like(distance), distance.log1p() / distance.clamp_min(1e-6))
    matrix = whole_rotation(given.values)
    first = c * matrix[:, 0] - s * matrix[:, 2]
    kind = given.kind[:, None]
    head = torch.where(kind == POSITION, moved, torch.where(kind == LOOK_AT, squeezed, first))
    tail = torch.where(kind == POSITION, torch.zeros_like(moved), given.values[:, 3:])
    return ConditionedEffectors(torch.cat([head, tail, given.tolerance[:, None]], 1), reference, cos, sin, scale)


def restore(local: Tensor, root: Tensor, conditioned: ConditionedEffectors) -> tuple[Tensor, Tensor]:
    """Brings local rotations `[B, 24, 3, 3]` and the root position `[B, 3]` back to the world."""
    back = about_y(conditioned.cos, conditioned.sin)
    turned = torch.cat([(back @ local[:, 0])[:, None], local[:, 1:]], 1)
    return turned, conditioned.reference + conditioned.scale[:, None] * (back @ root[..., None])[..., 0]
