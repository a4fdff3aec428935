"""MPJPE, PA-MPJPE (mm) and geodesic error (radians), per person. Source: models.md 9."""

import torch
from torch import Tensor

from .rotations import geodesic


def mpjpe(found: Tensor, true: Tensor) -> Tensor:
    """Mean distance over the 24 joints after aligning the pelvis, millimetres, `[B]`. Inputs `[B, >= 24, 3]`, metres."""
    a, b = found[:, :24] - found[:, :1], true[:, :24] - true[:, :1]
    return (a - b).norm(dim=-1).mean(1) * 1000


def pa_mpjpe(found: Tensor, true: Tensor) -> Tensor:
    """The same after the best similarity (scale, rotation with determinant +1, translation), `[B]`."""
    x, y = found[:, :24].double(), true[:, :24].double()
    x, y = x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True)
    u, s, vt = torch.linalg.svd(x.transpose(1, 2) @ y)
    v = vt.transpose(1, 2)
    sign = torch.linalg.det(v @ u.transpose(1, 2)).sign()
    flip = torch.stack([torch.ones_like(sign), torch.ones_like(sign), sign], -1)
    rotation = v @ (flip[..., None] * u.transpose(1, 2))
    scale = (s * flip).sum(1) / x.square().sum((1, 2)).clamp_min(1e-12)
    moved = scale[:, None, None] * (x @ rotation.transpose(1, 2))
    return ((moved - y).norm(dim=-1).mean(1) * 1000).float()


def rotation_error(found: Tensor, true: Tensor) -> Tensor:
    """Mean geodesic error over the 24 local rotations, `[B]`."""
    return geodesic(found, true).mean(1)
