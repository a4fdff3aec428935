"""Writes the observation files that SinewFormatsTests reads, as numpy and Python's json write them.

Run:  python tools/golden/pose_files.py   (numpy; the fixtures are committed)

A stick figure of adult size in the 24-joint order, two people, five frames, z up, in millimetres for one file.
"""
import json
from pathlib import Path

import numpy as np

OUT = Path(__file__).resolve().parents[2] / "Tests/SinewFormatsTests/Fixtures"
# Pelvis, hips, spine1, knees, spine2, ankles, spine3, feet, neck, collars, head, shoulders, elbows, wrists, hands: x, y, z in metres, y up.
FIGURE = np.array([
    [0, 0.95, 0], [0.09, 0.88, 0], [-0.09, 0.88, 0], [0, 1.06, 0], [0.1, 0.48, 0], [-0.1, 0.48, 0], [0, 1.19, 0],
    [0.1, 0.07, -0.02], [-0.1, 0.07, -0.02], [0, 1.25, 0], [0.1, 0.02, 0.11], [-0.1, 0.02, 0.11], [0, 1.46, 0],
    [0.08, 1.38, 0], [-0.08, 1.38, 0], [0, 1.55, 0.03], [0.19, 1.4, 0], [-0.19, 1.4, 0], [0.45, 1.4, 0],
    [-0.45, 1.4, 0], [0.7, 1.4, 0], [-0.7, 1.4, 0], [0.78, 1.4, 0], [-0.78, 1.4, 0]])


def scene():
    """(5, 2, 24, 3): the second person a metre to the side, both walking forward."""
    offsets = np.zeros((5, 2, 1, 3))
    offsets[:, 1, 0, 0] = 1
    offsets[:, :, 0, 2] = 0.1 * np.arange(5)[:, None]
    return FIGURE + offsets


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    joints = scene()
    np.savez_compressed(
        OUT / "two_people.npz", joints3d=joints, skeleton="smpl-24", unit="m", fps=25,
        confidence=np.full((5, 2, 24), 0.9, np.float32), betas=np.array([[1] + [0] * 15, [-1] + [0] * 15], float),
        gender=np.array(["female", "male"]), track=np.array(["anna", "ben"]))
    z_up = np.stack([joints[..., 0], -joints[..., 2], joints[..., 1]], -1)
    np.savez(OUT / "z_up_millimetres.npz", joints3d=np.asfortranarray((1000 * z_up[:, 0]).astype(np.float32)))
    with open(OUT / "two_people.jsonl", "w") as file:
        file.write(json.dumps({"skeleton": "smpl-24", "unit": "m", "fps": 25, "gender": ["female", "male"]}) + "\n")
        for frame in joints:
            people = frame.tolist()
            people[1][20] = None
            file.write(json.dumps({"joints3d": people, "track": ["anna", "ben"], "sigma": [[0.03] * 24] * 2}) + "\n")
    joints[3, 1, 20, 2] = np.nan
    np.savez(OUT / "not_a_number.npz", joints3d=joints, skeleton="smpl-24", unit="m")
    with open(OUT / "not_a_number.jsonl", "w") as file:
        for frame in joints:
            file.write(json.dumps({"joints3d": frame.tolist()}) + "\n")
