"""Two people of real motion, seen by a camera: what the adapters' tests annotate."""

from __future__ import annotations

from typing import Any

import numpy as np
from client_motion import SCENE, forward_kinematics

WIDTH, HEIGHT = 1280, 720
CAMERAS = ("pinhole", "orthographic")
FRAME = 40


class Scene:
    """Frame 40 of the demo's scene, in metres with y up, and a camera that stands before it."""

    def __init__(self, kind: str = "pinhole") -> None:
        with np.load(SCENE) as scene:
            theta = scene["poses"][FRAME].reshape(2, 24, 3)
            translation = scene["trans"][FRAME]
        self.joints = np.concatenate([forward_kinematics(theta[None, each], translation[None, each]) for each in range(2)])
        centre = self.joints.mean((0, 1))
        # Looks along -z: x stays right, y turns down.
        rotation = np.diag([1.0, -1.0, -1.0])
        self.camera: dict[str, Any] = {
            "kind": kind, "fx": 600.0 if kind == "pinhole" else 150.0, "fy": 600.0 if kind == "pinhole" else 150.0,
            "cx": WIDTH / 2, "cy": HEIGHT / 2, "rotation": rotation.tolist(),
            "translation": (np.array([0, 0, 4.0]) - rotation @ centre).tolist()}

    def project(self, points: Any) -> Any:
        """The same by hand: pixels [n, 2] of points [n, 3]."""
        x, y, z = (np.asarray(points) @ np.array(self.camera["rotation"]).T + np.array(self.camera["translation"])).T
        depth = z if self.camera["kind"] == "pinhole" else np.ones_like(z)
        return np.stack([self.camera["fx"] * x / depth + WIDTH / 2, self.camera["fy"] * y / depth + HEIGHT / 2], 1)

    def task(self, number: int = 7, **changes: Any) -> dict[str, Any]:
        """A task of Label Studio; people as arrays and by name."""
        from observations import JOINTS

        record = {
            "clip": "demo/walk", "frame": FRAME, "width": WIDTH, "height": HEIGHT, "camera": self.camera,
            "people": [
                {"track": "anna", "joints3d": self.joints[0].tolist()},
                {"track": "ben", "joints3d": dict(zip(JOINTS, self.joints[1].tolist())), "gender": "female", "betas": [0.1] * 10}]}
        return {"id": number, "project": 1, "data": {"image": "frame.png", "sinew": record | changes}}
