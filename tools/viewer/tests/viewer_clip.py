"""Two people who move, as files that `sinew view` draws."""

import os
import pathlib
import subprocess

import numpy as np
from viewer_body import Body

SINEW = os.environ.get("SINEW_BINARY", str(pathlib.Path(__file__).parents[3] / ".build/release/sinew"))
FRAMES = 40
GAP = (10, 13)
HOSTILE = "</script><img src=x onerror=\"window.pwned = 1\"> & 'left'"


class Person:
    """Smooth motion of one person."""

    def __init__(self, name, gender, seed, side):
        random = np.random.default_rng(seed)
        self.name, self.gender, self.body = name, gender, Body(gender)
        self.betas = random.normal(size=10).astype(np.float32)
        phase, pace = random.uniform(0, 6.28, 72), random.uniform(0.5, 2, 72)
        time = np.arange(FRAMES)[:, None] / 30
        self.theta = (0.35 * np.sin(phase + 6 * pace * time)).astype(np.float32)
        self.theta[:, :3] = [0, 0.3 * side, 0]
        self.translation = np.zeros((FRAMES, 3), np.float32)
        self.translation[:, 0] = side * 0.8
        self.translation[:, 2] = np.linspace(-0.5, 0.5, FRAMES)

    def joints(self, frame):
        return self.body.joints(self.theta[frame], self.betas, self.translation[frame])

    def write(self, path, model, turn=0.0, gap=None):
        theta = self.theta + np.float32(turn)
        if gap:
            theta[slice(*gap)] = np.nan
        np.savez(
            path, poses=theta, trans=self.translation, betas=self.betas, gender=self.gender, mocap_framerate=30.0,
            track=self.name, model=model, frame=np.arange(FRAMES),
            joint_residual_mm=np.linspace(5, 60, FRAMES, dtype=np.float32))
        return str(path)


class Clip:
    """Files and people; `draw` runs sinew view."""

    def __init__(self, folder):
        self.folder = folder
        self.people = [Person(HOSTILE, "female", 1, -1), Person("right", "male", 2, 1)]
        self.poses = [p.write(folder / f"pose{i}.npz", "niki/1", gap=GAP if i == 0 else None) for i, p in enumerate(self.people)]
        self.others = [p.write(folder / f"other{i}.npz", "hybrik/1", turn=0.05) for i, p in enumerate(self.people)]
        joints = np.array([[p.joints(frame) for p in self.people] for frame in range(FRAMES)])
        self.noise = np.random.default_rng(3).normal(scale=0.02, size=joints.shape)
        self.observed = str(folder / "joints.npz")
        np.savez(
            self.observed, joints3d=(joints + self.noise).astype(np.float32), track=[p.name for p in self.people], skeleton="smpl-29",
            unit="m", up_axis="y", fps=30.0)

    def draw(self, name, *arguments):
        path = self.folder / name
        subprocess.run([SINEW, "view", *arguments, "-o", str(path)], check=True, capture_output=True, text=True, timeout=120)
        return path
