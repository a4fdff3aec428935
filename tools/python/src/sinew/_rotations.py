"""Rotations in their forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .skeletons import SMPL24


def axis_angle(matrices: npt.NDArray[Any], name: str) -> npt.NDArray[np.float32]:
    """Rotation matrices [..., 3, 3] as axis-angle [..., 3]; raises ValueError when they are none.

    Source: the quaternion of largest component (Shepperd 1978), which is exact at half a turn too.
    """
    m = np.asarray(matrices, np.float64)
    error = np.abs(m @ np.swapaxes(m, -1, -2) - np.eye(3)).max(initial=0)
    if error > 0.02 or (np.linalg.det(m) < 0).any():
        raise ValueError(f"{name}: no rotation matrices (off by {error:.3g}); is it another rotation form, or rows for columns?")
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    squares = np.stack([1 + xx + yy + zz, 1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz], -1)
    a, b, c = m[..., 2, 1], m[..., 0, 2], m[..., 1, 0]
    d, e, f = m[..., 1, 2], m[..., 2, 0], m[..., 0, 1]
    rows = np.stack([
        np.stack([squares[..., 0], a - d, b - e, c - f], -1), np.stack([a - d, squares[..., 1], c + f, b + e], -1),
        np.stack([b - e, c + f, squares[..., 2], a + d], -1), np.stack([c - f, b + e, a + d, squares[..., 3]], -1)], -2)
    largest = squares.argmax(-1)
    q = np.take_along_axis(rows, largest[..., np.newaxis, np.newaxis], -2)[..., 0, :]
    q /= np.linalg.norm(q, axis=-1, keepdims=True)
    q *= np.where(q[..., :1] < 0, -1, 1)
    sine = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    angle = 2 * np.arctan2(sine, q[..., :1])
    vector: npt.NDArray[np.float32] = (q[..., 1:] * np.where(sine > 1e-12, angle / np.maximum(sine, 1e-12), 2)).astype(np.float32)
    return vector


def matrix(vectors: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Axis-angle [..., 3] as rotation matrices [..., 3, 3]. Rodrigues' formula."""
    v = np.asarray(vectors, np.float64)
    angle = np.linalg.norm(v, axis=-1)[..., np.newaxis, np.newaxis]
    x, y, z = np.moveaxis(v, -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*x.shape, 3, 3)
    rotations: npt.NDArray[np.float64] = (
        np.eye(3) + np.sinc(angle / np.pi) * cross + 0.5 * np.sinc(angle / (2 * np.pi)) ** 2 * (cross @ cross))
    return rotations


def world_rotations(theta: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The joints' rotations in the model frame, [n, 24, 3, 3], from parent-relative axis-angle [n, 24, 3], radians."""
    world = matrix(np.asarray(theta))
    for joint in range(1, 24):
        world[:, joint] = world[:, SMPL24.parents[joint]] @ world[:, joint]
    return world
