"""Writes what SinewFormatsTests compares clips with: resampled, smoothed and averaged by scipy, numpy and OneEuroFilter's own package.

Run:  python tools/golden/clips.py   (numpy, scipy, OneEuroFilter; the fixture is committed)

Joints wander from frame to frame; frames 7 and 8 and a few joints are missing. All numbers are float32 as the files have them.
"""
from pathlib import Path

import numpy as np
from OneEuroFilter import OneEuroFilter
from scipy.interpolate import CubicHermiteSpline
from scipy.spatial.transform import Rotation, Slerp

OUT = Path(__file__).resolve().parents[2] / "Tests/SinewFormatsTests/Fixtures/clips.npz"
RATE, NEW = 30.0, 50.0
CUTOFF, BETA = 1.2, 4.0


def new_frames(numbers):
    """The frames of the new rate that lie within the old ones."""
    first, last = numbers[0] / RATE, numbers[-1] / RATE
    return np.arange(np.ceil(first * NEW - 1e-9), np.floor(last * NEW + 1e-9) + 1).astype(int)


def one_euro(times, values):
    rows = np.empty_like(values)
    for column in range(values.shape[1]):
        signal = OneEuroFilter(RATE, CUTOFF, BETA, 1.0)
        for row, time in enumerate(times):
            rows[row, column] = signal(values[row, column], time)
    return rows


def one_euro_rotations(times, rotations):
    """The same filter with angles: share of the way along the shortest arc."""
    def share(cutoff, step):
        return 1 / (1 + 1 / (2 * np.pi * cutoff) / step)
    value, speed, result = rotations[0], 0.0, [rotations[0].as_rotvec()]
    for before, time, raw in zip(times, times[1:], rotations[1:]):
        step = time - before
        turn = (value.inv() * raw).as_rotvec()
        rate = share(1.0, step)
        speed = rate * np.linalg.norm(turn) / step + (1 - rate) * speed
        value = value * Rotation.from_rotvec(turn * share(CUTOFF + BETA * speed, step))
        result.append(value.as_rotvec())
    return np.array(result)


if __name__ == "__main__":
    random = np.random.default_rng(7)
    numbers = np.array([n for n in range(16) if n not in (7, 8)])
    figure = random.normal(0, 0.4, (1, 29, 3)) + [0, 1, 0]
    joints = (figure + np.cumsum(random.normal(0, 0.03, (len(numbers), 29, 3)), 0)).astype(np.float32)
    times = numbers / RATE
    frames = new_frames(numbers)
    wide = joints.astype(np.float64).reshape(len(numbers), -1)
    linear = np.stack([np.interp(frames / NEW, times, column) for column in wide.T], 1)
    cubic = CubicHermiteSpline(times, wide, np.gradient(wide, times, axis=0))(frames / NEW)
    theta = random.normal(0, 0.5, (1, 24, 3)) + np.cumsum(random.normal(0, 0.15, (len(numbers), 24, 3)), 0)
    theta = np.stack([Rotation.from_rotvec(row).as_rotvec() for row in theta]).astype(np.float32)
    slerped = np.stack(
        [Slerp(times, Rotation.from_rotvec(theta[:, joint]))(frames / NEW).as_matrix() for joint in range(24)], 1)
    smoothed_theta = np.stack(
        [one_euro_rotations(times, [Rotation.from_rotvec(row) for row in theta[:, joint]]) for joint in range(24)], 1)
    # Betas of 9 rows with weights; the smallest value with half of the weight at or below it.
    betas = random.normal(0, 1, 9).astype(np.float32)
    weights = np.array([3, 0, 1, 2, 5, 0, 1, 1, 2], float)
    order = np.argsort(betas)
    median = betas[order][np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)]
    np.savez_compressed(
        OUT, frame=numbers, joints3d=joints, new_frame=frames, linear=linear.astype(np.float32).reshape(-1, 29, 3),
        cubic=cubic.astype(np.float32).reshape(-1, 29, 3),
        smoothed=one_euro(times, wide).astype(np.float32).reshape(-1, 29, 3), poses=theta.reshape(-1, 72),
        slerped=slerped.astype(np.float32), smoothed_poses=smoothed_theta.astype(np.float32).reshape(-1, 72), betas=betas,
        weights=weights, median=median)
