"""Rotation conversions on tensors `[..., 3, 3]`. Row-6D is the layout of NIKI (models.md 1.4); it is not the transpose-free choice."""

import torch
from torch import Tensor
from torch.nn import functional


def cross_matrix(v: Tensor) -> Tensor:
    """`[..., 3]` to the matrix `K` with `K u = v x u`."""
    x, y, z = v.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))


def from_axis_angle(v: Tensor) -> Tensor:
    """Rotation vectors (radians) to matrices; exact near zero (no epsilon is added to the components)."""
    angle = v.norm(dim=-1, keepdim=True)
    axis = v / angle.clamp_min(1e-12)
    return from_axis_and_angle(axis, angle.cos()[..., 0], angle.sin()[..., 0])


def from_axis_and_angle(axis: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rodrigues' formula with a unit axis `[..., 3]`, `cos` and `sin` `[...]`."""
    k = cross_matrix(axis)
    identity = torch.eye(3, dtype=axis.dtype, device=axis.device)
    return identity + sin[..., None, None] * k + (1 - cos)[..., None, None] * (k @ k)


def to_rows6d(matrix: Tensor) -> Tensor:
    """`[..., 3, 3]` to `[..., 6]`: the first two rows."""
    return matrix[..., :2, :].flatten(-2)


def from_rows6d(d6: Tensor) -> Tensor:
    """Gram-Schmidt of two rows: `[..., 6]` to `[..., 3, 3]`."""
    b1 = functional.normalize(d6[..., :3], dim=-1)
    second = d6[..., 3:]
    b2 = functional.normalize(second - (b1 * second).sum(-1, keepdim=True) * b1, dim=-1)
    return torch.stack([b1, b2, torch.linalg.cross(b1, b2)], -2)


def about_y(cos: Tensor, sin: Tensor) -> Tensor:
    """`R_y(angle)`: turns +z towards +x for a positive angle."""
    zero, one = torch.zeros_like(cos), torch.ones_like(cos)
    return torch.stack([cos, zero, sin, zero, one, zero, -sin, zero, cos], -1).unflatten(-1, (3, 3))


def geodesic(a: Tensor, b: Tensor) -> Tensor:
    """Angle between rotations (radians), by atan2 so that it is exact near 0 and near pi."""
    relative = a @ b.transpose(-1, -2)
    skew = torch.stack([
        relative[..., 2, 1] - relative[..., 1, 2],
        relative[..., 0, 2] - relative[..., 2, 0],
        relative[..., 1, 0] - relative[..., 0, 1],
    ], -1)
    trace = relative.diagonal(dim1=-2, dim2=-1).sum(-1)
    return torch.atan2(skew.norm(dim=-1) / 2, (trace - 1) / 2)


def swing_between(rest: Tensor, target: Tensor) -> Tensor:
    """The smallest rotation that takes direction `rest` to direction `target` (both `[..., 3]`, any length).

    Antiparallel directions give a half turn about an axis normal to `rest`, where the published code gives the identity. A vector
    of no length gives the identity.
    """
    a, b = functional.normalize(rest, dim=-1), functional.normalize(target, dim=-1)
    cross = torch.linalg.cross(a, b)
    cos = (a * b).sum(-1)
    sin = cross.norm(dim=-1)
    # The normal for a half turn: the coordinate axis that is least along the bone, made orthogonal to it.
    least = functional.one_hot(a.abs().argmin(-1), 3).to(a.dtype)
    normal = functional.normalize(least - (least * a).sum(-1, keepdim=True) * a, dim=-1)
    turned = (cos < 0) & (sin < 1e-6)
    axis = torch.where(turned[..., None], normal, cross / sin.clamp_min(1e-12)[..., None])
    known = (a.norm(dim=-1) > 0.5) & (b.norm(dim=-1) > 0.5)
    cos = torch.where(known, torch.where(turned, -torch.ones_like(cos), cos), torch.ones_like(cos))
    sin = torch.where(known & ~turned, sin, torch.zeros_like(sin))
    return from_axis_and_angle(axis, cos, sin)
