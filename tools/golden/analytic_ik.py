"""Writes the golden vectors of HybrIK's analytic IK: float64, numpy's SVD, straight from models.md section 2.

The released code adds 1e-8 to every divisor; left out here, because on a short projected hip vector it costs a milliradian.
Rest joints are rounded to float32, as the solver is given them.

Run:  python tools/golden/analytic_ik.py FOLDER_WITH_OPEN_BODY_NPZ   (numpy, scipy; the fixture is committed)
"""
import sys
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

OUT = Path(__file__).resolve().parents[2] / "Tests/SinewModelsTests/Fixtures/analytic_ik.npz"
PARENTS = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21, 15, 22, 23, 10, 11]
CHILD = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 27, 28, 15, 16, 17, 24, 18, 19, 20, 21, 22, 23, 25, 26]


def cross_matrix(v):
    return np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])


def turn(axis, cos, sin):
    k = cross_matrix(axis)
    return np.eye(3) + sin * k + (1 - cos) * k @ k


def swing(t, q):
    norms = np.linalg.norm(t) * np.linalg.norm(q)
    cross = np.cross(t, q)
    size = np.linalg.norm(cross)
    return turn(cross / size, t @ q / norms, size / norms)


def root_svd(rest, p):
    s = sum(np.outer(rest[k] - rest[0], p[k] - p[0]) for k in (3, 1, 2))
    u, _, vt = np.linalg.svd(s)
    return vt.T @ np.diag([1, 1, np.linalg.det(vt.T @ u.T)]) @ u.T


def root_two_step(rest, p):
    spine = swing(rest[3] - rest[0], p[3] - p[0])
    axis = (p[3] - p[0]) / np.linalg.norm(p[3] - p[0])
    a = spine @ ((rest[1] + rest[2]) / 2 - rest[0])
    b = (p[1] + p[2]) / 2 - p[0]
    return swing(a - (a @ axis) * axis, b - (b @ axis) * axis) @ spine


def analytic_ik(rest, p, twists, adaptive):
    p = p - p[0] + rest[0]
    local, world = np.zeros((24, 3, 3)), np.zeros((24, 3, 3))
    placed = rest.copy()
    local[0] = world[0] = root_svd(rest, p) if adaptive else root_two_step(rest, p)
    for j in range(1, 24):
        parent, child = PARENTS[j], CHILD[j]
        placed[j] = placed[parent] + world[parent] @ (rest[j] - rest[parent])
        t = rest[child] - rest[j]
        vec = p[child] - p[j]
        if adaptive:
            w = vec * np.linalg.norm(t) / np.linalg.norm(vec)
            u = p[child] - placed[j]
            vec = w if np.linalg.norm(u - w) > 0.015 else u
        twist = turn(t / np.linalg.norm(t), np.cos(twists[j - 1]), np.sin(twists[j - 1]))
        local[j] = swing(t, world[parent].T @ vec) @ twist
        world[j] = world[parent] @ local[j]
    return local


def forward(local, rest):
    joints, world = rest.copy(), np.zeros((24, 3, 3))
    for j in range(29):
        parent = PARENTS[j]
        if parent >= 0:
            joints[j] = joints[parent] + world[parent] @ (rest[j] - rest[parent])
        if j < 24:
            world[j] = local[j] if parent < 0 else world[parent] @ local[j]
    return joints


if __name__ == "__main__":
    body = np.load(Path(sys.argv[1]) / "open_body_neutral.npz")
    rng = np.random.default_rng(4)
    rows = {k: [] for k in ("betas", "joints", "twists", "adaptive", "naive")}
    for index in range(60):
        beta = rng.normal(0, 1, 10).astype(np.float32).astype(np.float64)
        v = body["v_template"].astype(np.float64) + body["shapedirs"].astype(np.float64) @ beta
        rest = np.concatenate([body["J_regressor"].astype(np.float64) @ v, v[body["leaf_vertex_ids"]]])
        rest = rest.astype(np.float32).astype(np.float64)
        local = Rotation.from_rotvec(rng.normal(0, 0.6, (24, 3))).as_matrix()
        joints = forward(local, rest) + rng.normal(0, [0, 0.003, 0.03][index % 3], (29, 3)) + rng.normal(0, 1, 3)
        joints = joints.astype(np.float32).astype(np.float64)
        twists = rng.uniform(-3, 3, 23).astype(np.float32).astype(np.float64)
        rows["betas"].append(beta)
        rows["joints"].append(joints)
        rows["twists"].append(twists)
        rows["adaptive"].append(analytic_ik(rest, joints, twists, True))
        rows["naive"].append(analytic_ik(rest, joints, twists, False))
    np.savez_compressed(OUT, **{k: np.asarray(v, np.float32) for k, v in rows.items()})
