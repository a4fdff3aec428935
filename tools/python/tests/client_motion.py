"""Real motion for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from client_fleet import REPOSITORY

import sinew
from sinew._rotations import world_rotations

#: Two people of CMU motion capture, ten seconds.
SCENE = REPOSITORY / "Sources/SinewCommands/Resources/demo/scene.npz"


def forward_kinematics(theta: Any, translation: Any) -> Any:
    """Joints [n, 29, 3] of poses [n, 24, 3] on the neutral body of mean shape. SMPL, equation 4 of the paper."""
    rest = rest_joints().astype(np.float64)
    world = world_rotations(theta)
    joints = np.zeros((len(theta), 29, 3))
    joints[:, 0] = rest[0] + translation
    for joint in range(1, 29):
        parent = sinew.SMPL29.parents[joint]
        joints[:, joint] = joints[:, parent] + world[:, parent] @ (rest[joint] - rest[parent])
    return joints.astype(np.float32)


def rest_joints() -> np.ndarray[Any, np.dtype[np.float32]]:
    """The 29 joints of the neutral open body in its rest pose, as the example client has them."""
    namespace: dict[str, Any] = {"__name__": "example_client"}
    exec(compile((REPOSITORY / "proto/example_client.py").read_text(), "example_client.py", "exec"), namespace)
    return np.array(namespace["REST"], np.float32).reshape(29, 3)
