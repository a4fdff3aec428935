"""Writes the golden vectors of SinewBodyTests: forward kinematics and skinning in float64, by numpy and scipy.

Run:  python tools/golden/body.py FOLDER_WITH_OPEN_BODY_NPZ   (numpy, scipy; the fixtures are committed)
"""
import sys
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

OUT = Path(__file__).resolve().parents[2] / "Tests/SinewBodyTests/Fixtures"
PARENTS = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21]
LEAF_PARENTS = [15, 22, 23, 10, 11]


def forward(body, theta, beta):
    """Joints (24), rigidly moved leaves (5) and posed vertices of one person."""
    v = body["v_template"].astype(np.float64) + body["shapedirs"][:, :, :10].astype(np.float64) @ beta
    rest = body["J_regressor"].astype(np.float64) @ v
    leaf_rest = v[body["leaf_vertex_ids"]]
    local = Rotation.from_rotvec(theta.reshape(24, 3)).as_matrix()
    if body["posedirs"].shape[2]:
        v = v + body["posedirs"].astype(np.float64) @ (local[1:] - np.eye(3)).reshape(-1)
    world = np.zeros((24, 4, 4))
    for i, p in enumerate(PARENTS):
        t = np.eye(4)
        t[:3, :3] = local[i]
        t[:3, 3] = rest[i] - (rest[p] if p >= 0 else 0)
        world[i] = t if p < 0 else world[p] @ t
    joints = world[:, :3, 3].copy()
    leaves = np.stack([world[p, :3, :3] @ (leaf_rest[k] - rest[p]) + joints[p] for k, p in enumerate(LEAF_PARENTS)])
    skin = world.copy()
    skin[:, :3, 3] -= np.einsum("iab,ib->ia", world[:, :3, :3], rest)
    blended = np.einsum("vi,iab->vab", body["weights"].astype(np.float64), skin)
    posed = np.einsum("vab,vb->va", blended[:, :3, :3], v) + blended[:, :3, 3]
    return rest, leaf_rest, joints, leaves, posed


def golden(body, name, count, vertex_ids, rng):
    rows = {k: [] for k in ("theta", "betas", "rest", "joints", "vertices", "skinned_leaves")}
    for _ in range(count):
        theta = rng.normal(0, 0.8, 72).astype(np.float32).astype(np.float64)
        beta = rng.normal(0, 1.0, 10).astype(np.float32).astype(np.float64)
        rest, leaf_rest, joints, leaves, posed = forward(body, theta, beta)
        rows["theta"].append(theta)
        rows["betas"].append(beta)
        rows["rest"].append(np.concatenate([rest, leaf_rest]))
        rows["joints"].append(np.concatenate([joints, leaves]))
        rows["vertices"].append(posed[vertex_ids])
        rows["skinned_leaves"].append(posed[body["leaf_vertex_ids"]])
    arrays = {k: np.asarray(v, np.float32) for k, v in rows.items()}
    np.savez_compressed(OUT / f"{name}.npz", vertex_ids=np.asarray(vertex_ids), **arrays)


def tiny_body(rng):
    """A mesh of 40 vertices in SMPL's layout with pose directions and twelve shape directions."""
    open_body = np.load(Path(sys.argv[1]) / "open_body_neutral.npz")
    rest = open_body["J_regressor"] @ open_body["v_template"]
    leaves = open_body["v_template"][open_body["leaf_vertex_ids"]]
    v = np.concatenate([rest, leaves, rng.normal(0, 0.5, (11, 3))])
    weights = rng.random((40, 24)) * (rng.random((40, 24)) < 0.15)
    weights[np.arange(40), rng.integers(0, 24, 40)] += 1
    regressor = np.zeros((24, 40))
    regressor[np.arange(24), np.arange(24)] = 0.9
    regressor[np.arange(24), np.maximum(PARENTS, 0)] += 0.1
    table = np.stack([np.asarray(PARENTS), np.arange(24)])
    table[0, 0] = 2**32 - 1
    return {
        "v_template": v, "shapedirs": rng.normal(0, 0.01, (40, 3, 12)), "posedirs": rng.normal(0, 0.01, (40, 3, 207)),
        "J_regressor": regressor, "weights": weights / weights.sum(1, keepdims=True),
        "kintree_table": table.astype(np.uint32), "f": rng.integers(0, 40, (30, 3)).astype(np.uint32),
        "leaf_vertex_ids": np.arange(24, 29), "gender": np.array("female"),
    }


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(20)
    for gender in ("neutral", "female", "male"):
        body = dict(np.load(Path(sys.argv[1]) / f"open_body_{gender}.npz"))
        ids = np.sort(rng.choice(len(body["v_template"]), 20, replace=False))
        golden(body, f"open_{gender}", 100 if gender == "neutral" else 10, ids, rng)
    body = {k: (v.astype(np.float32) if v.dtype == np.float64 else v) for k, v in tiny_body(rng).items()}
    np.savez_compressed(OUT / "tiny_smpl_layout.npz", **body)
    golden(body, "tiny_golden", 20, np.arange(40), rng)
