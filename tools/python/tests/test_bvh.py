"""BVH read back by its definition: offsets, and rotations of a child after those of its parent."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest
from client_motion import forward_kinematics

import sinew
from sinew.poses import zeroed


def read_bvh(text: str) -> dict[str, Any]:
    """Joints' places [frames, joints, 3] by name, by the definition of the format."""
    head, motion = text.split("MOTION\n")
    rows = np.array([[float(word) for word in line.split()] for line in motion.splitlines()[2:]])
    column, places = 0, {}
    stack: list[tuple[Any, Any]] = []
    name = ""
    turn = {"X": lambda c, s: [[1, 0, 0], [0, c, -s], [0, s, c]], "Y": lambda c, s: [[c, 0, s], [0, 1, 0], [-s, 0, c]],
            "Z": lambda c, s: [[c, -s, 0], [s, c, 0], [0, 0, 1]]}
    offset = np.zeros(3)
    for words in (line.split() for line in head.splitlines()[1:]):
        if words[0] in ("ROOT", "JOINT"):
            name = words[1]
        elif words[0] == "End":
            name = ""
        elif words[0] == "OFFSET":
            offset = np.array([float(word) for word in words[1:]])
            parent = stack[-1] if stack else (np.zeros((len(rows), 3)), np.broadcast_to(np.eye(3), (len(rows), 3, 3)))
            place = parent[0] + parent[1] @ offset
            stack.append((place, parent[1]))
            places[name or f"end of {len(places)}"] = place
        elif words[0] == "CHANNELS":
            place, rotation = stack.pop()
            for channel in words[2:]:
                values = rows[:, column]
                column += 1
                if channel.endswith("position"):
                    place = place.copy()
                    place[:, "XYZ".index(channel[0])] = values
                else:
                    angle = np.radians(values)
                    matrices = np.stack([np.array(turn[channel[0]](c, s)) for c, s in zip(np.cos(angle), np.sin(angle))])
                    rotation = rotation @ matrices
            stack.append((place, rotation))
            places[name] = place
        elif words[0] == "}":
            stack.pop()
    assert column == rows.shape[1] and not stack
    return places


def test_every_joint_of_a_bvh_is_where_the_pose_has_it(motion: dict[str, Any], tmp_path: pathlib.Path) -> None:
    theta = np.array(motion["theta"][0])
    # Straight up, where two of the three angles turn about one axis.
    theta[5, 16] = (0, 0, np.pi / 2)
    theta[6, 1] = (np.pi / 2, 0, 0)
    theta[7] = 0
    poses = zeroed(300)
    poses.theta[:], poses.joints[:] = theta, forward_kinematics(theta, np.zeros((300, 3)))
    (path,) = poses.to_bvh(tmp_path / "walk.bvh", fps=60)
    text = path.read_text()
    assert "Frames: 300\nFrame Time: 0.0166666667" in text
    places = read_bvh(text)
    for joint, name in enumerate(sinew.SMPL24.joint_names):
        assert np.abs(places[name] - poses.joints[:, joint]).max() < 1e-5, name


def test_bvh_refuses_what_it_cannot_hold(motion: dict[str, Any], tmp_path: pathlib.Path) -> None:
    poses = zeroed(2)
    poses.joints[:] = forward_kinematics(np.zeros((2, 24, 3)), np.zeros((2, 3)))
    poses.joints[1] *= 1.1
    with pytest.raises(ValueError, match="several bodies"):
        poses.to_bvh(tmp_path / "two.bvh")
    poses.joints[1] /= 1.1
    poses.item_errors.append(sinew.ItemError(1, 3, 120, "joints", "NaN"))
    with pytest.raises(ValueError, match="row 1 was not solved"):
        poses.to_bvh(tmp_path / "two.bvh")
    with pytest.raises(ValueError, match="end in .bvh"):
        poses.to_bvh(tmp_path / "two.npz")
    assert not list(tmp_path.iterdir())
