"""From joints in space to points in an image and back: the cameras that the adapters' tasks and files name.

A camera maps the coordinates of its task, in the task's unit and axes, to pixels: x right, y down, the origin at the top left corner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001}
#: Rows: the axes of the model frame (x, y up, z) in the task's coordinates, for what points up there.
UP = {
    "+y": [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "-y": [[1, 0, 0], [0, -1, 0], [0, 0, -1]],
    "+z": [[1, 0, 0], [0, 0, 1], [0, -1, 0]], "-z": [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
    "+x": [[0, -1, 0], [1, 0, 0], [0, 0, 1]], "-x": [[0, 1, 0], [-1, 0, 0], [0, 0, 1]],
}
#: Nearer to a camera than this there is no picture of a joint, metres.
NEAREST = 0.05


class AdapterError(ValueError):
    """A task or file that cannot be used: a sentence that says what is wrong, where, and what to do."""


def numbers(value: Any, shape: tuple[int, ...], what: str) -> Array:
    """``value`` as finite numbers of a shape."""
    try:
        array = np.array(value, np.float64)
    except (TypeError, ValueError):
        raise AdapterError(f"{what}: not an array of numbers of shape {list(shape)}") from None
    if array.shape != shape:
        raise AdapterError(f"{what}: shape {list(array.shape)}, expected {list(shape)}")
    if not np.isfinite(array).all():
        raise AdapterError(f"{what}: holds a NaN or an infinity; leave out what is not known")
    return array


@dataclass(frozen=True)
class Frame:
    """The unit and the axes of a task's coordinates. The model frame is metres, y up."""

    unit: str = "m"
    up: str = "+y"

    @classmethod
    def read(cls, record: dict[str, Any]) -> Frame:
        unit, up = record.get("unit", "m"), str(record.get("up_axis", "+y"))
        up = up if up[:1] in ("+", "-") else f"+{up}"
        if unit not in METRES:
            raise AdapterError(f"unit is {unit!r}; use {', '.join(METRES)}")
        if up not in UP:
            raise AdapterError(f"up_axis is {record.get('up_axis')!r}; use x, y, z, -x, -y or -z")
        return cls(unit, up)

    def to_model(self, points: Array) -> Array:
        """Points [..., 3] of the task in the model frame."""
        turned: Array = points @ np.array(UP[self.up], np.float64).T * METRES[self.unit]
        return turned

    def from_model(self, points: Array) -> Array:
        """Points [..., 3] of the model frame in the task's coordinates."""
        turned: Array = points @ np.array(UP[self.up], np.float64) / METRES[self.unit]
        return turned


@dataclass(frozen=True)
class Camera:
    """A pinhole or orthographic camera and the frame of what it sees. Lens distortion is not modelled: give undistorted images."""

    is_pinhole: bool
    #: Pixels per unit of slope (pinhole) or per unit of length (orthographic), [2].
    focal: Array
    #: Where the axis meets the image, pixels, [2].
    centre: Array
    #: Camera coordinates are ``rotation @ point + translation``: x right, y down, z forward.
    rotation: Array
    translation: Array
    frame: Frame

    @classmethod
    def read(cls, record: Any, frame: Frame) -> Camera:
        """A camera as tasks and files write it: {"kind", "fx", "fy", "cx", "cy", "rotation" [3, 3], "translation" [3]}."""
        if not isinstance(record, dict):
            raise AdapterError("camera: not an object with kind, fx, fy, cx, cy, rotation and translation")
        kind = record.get("kind", "pinhole")
        if kind not in ("pinhole", "orthographic"):
            raise AdapterError(f"camera: kind is {kind!r}; use pinhole or orthographic")
        intrinsics = numbers([record.get(name) for name in ("fx", "fy", "cx", "cy")], (4,), "camera: fx, fy, cx, cy")
        rotation = numbers(record.get("rotation", np.eye(3).tolist()), (3, 3), "camera: rotation")
        if np.abs(rotation @ rotation.T - np.eye(3)).max() > 1e-3 or np.linalg.det(rotation) < 0:
            raise AdapterError("camera: rotation is no rotation matrix (its rows are not orthogonal unit vectors, or it mirrors)")
        if (intrinsics[:2] == 0).any():
            raise AdapterError("camera: fx and fy must not be 0")
        return cls(
            kind == "pinhole", intrinsics[:2], intrinsics[2:], rotation,
            numbers(record.get("translation", [0, 0, 0]), (3,), "camera: translation"), frame)

    def project(self, joints: Array) -> tuple[Array, Array]:
        """Pixels [n, 2] and depths [n] of joints [n, 3] in the model frame; NaN pixels for what is behind the camera."""
        seen = self.frame.from_model(joints) @ self.rotation.T + self.translation
        depth = seen[:, 2]
        if not self.is_pinhole:
            return seen[:, :2] * self.focal + self.centre, depth
        in_front = depth * METRES[self.frame.unit] > NEAREST
        slope = np.full((len(joints), 2), np.nan)
        slope[in_front] = seen[in_front, :2] / depth[in_front, None]
        return slope * self.focal + self.centre, depth

    def unproject(self, pixel: Array, depth: float) -> Array:
        """The point [3] of the model frame that is seen at a pixel, at a depth."""
        plane = (pixel - self.centre) / self.focal * (depth if self.is_pinhole else 1.0)
        seen = np.array([plane[0], plane[1], depth])
        return self.frame.to_model(self.rotation.T @ (seen - self.translation))
