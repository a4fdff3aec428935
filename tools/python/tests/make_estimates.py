#!/usr/bin/env python3
"""Writes result files in the layouts of other estimators, out of one known motion; the tests of the readers call it.

usage: make_estimates.py FOLDER        needs: pip install numpy joblib (torch is not needed)
"""

from __future__ import annotations

import io
import pathlib
import pickle
import struct
import sys
import zipfile
from typing import Any

import numpy as np

FRAMES = 20


def rotation(vectors: Any) -> Any:
    """Rodrigues' formula."""
    v = np.asarray(vectors, np.float64)
    angle = np.linalg.norm(v, axis=-1)[..., None, None]
    k = np.zeros((*v.shape[:-1], 3, 3))
    k[..., 0, 1], k[..., 0, 2], k[..., 1, 2] = -v[..., 2], v[..., 1], -v[..., 0]
    k -= np.swapaxes(k, -1, -2)
    k /= np.maximum(angle, 1e-12)
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k)


def motion() -> dict[str, Any]:
    """Somebody who walks about and is seen by a camera: y down, z forward."""
    random = np.random.default_rng(11)
    theta = random.normal(0, 0.2, (FRAMES, 24, 3))
    theta[:, 0] = 0
    theta[:, 0, 1] = np.linspace(-1, 1, FRAMES)
    half_turn = np.diag([1.0, -1.0, -1.0])
    matrices = rotation(theta)
    camera = matrices.copy()
    camera[:, 0] = half_turn @ matrices[:, 0]
    place = random.normal(0, 0.5, (FRAMES, 3))
    return {
        "theta": theta.astype(np.float32), "camera": camera.astype(np.float32), "place": place.astype(np.float32),
        "camera_place": (place @ half_turn).astype(np.float32), "betas": random.normal(size=(FRAMES, 10)).astype(np.float32),
    }


def write(folder: pathlib.Path, joints: Any) -> dict[str, Any]:
    """``joints`` [FRAMES, 29, 3] in the model frame; returns what the readers should find."""
    import joblib

    known = motion()
    flip = np.array([1, -1, -1], np.float32)
    hybrik = {
        "pred_thetas": list(known["camera"].reshape(FRAMES, 216)), "pred_xyz_29": list((joints * flip).reshape(FRAMES, 87)),
        "pred_betas": list(known["betas"]), "transl": list(known["camera_place"]),
        "pred_phi": [np.stack([np.cos(angles), np.sin(angles)], -1) for angles in np.linspace(-1, 1, FRAMES * 23).reshape(FRAMES, 23)],
        "pred_scores": [np.full((29, 1), 0.9, np.float32)] * FRAMES, "img_path": [f"pictures/{5 + 2 * n:06d}.jpg" for n in range(FRAMES)]}
    with (folder / "hybrik.pk").open("wb") as file:
        pickle.dump(hybrik, file, protocol=2)
    with (folder / "niki.pk").open("wb") as file:
        pickle.dump(hybrik | {"pred_sigma": [np.full((29, 1), 0.03)] * FRAMES}, file)
    phalp = {}
    for n in range(FRAMES):
        pose = {"global_orient": known["camera"][n, :1], "body_pose": known["camera"][n, 1:], "betas": known["betas"][n]}
        phalp[f"outputs/_DEMO/frame_{n + 1:06d}.jpg"] = {
            "time": n, "tid": [3, 7], "smpl": [pose, pose], "camera": [known["camera_place"][n], known["camera_place"][n]],
            "conf": [np.float32(0.8), np.float32(0.5)], "tracked_time": [0, 0 if n < 10 else n - 9]}
    joblib.dump(phalp, folder / "phalp.pkl", compress=3)
    wham = {
        4: {"pose": known["theta"].reshape(FRAMES, 72), "trans": known["place"], "pose_world": known["theta"].reshape(FRAMES, 72),
            "trans_world": known["place"], "betas": known["betas"], "verts": np.zeros((FRAMES, 6890, 3), np.float32),
            "frame_ids": np.arange(10, 10 + FRAMES)}}
    joblib.dump(wham, folder / "wham.pkl")
    write_torch(folder / "gvhmr.pt", {
        "smpl_params_global": {
            "global_orient": known["theta"][:, 0], "body_pose": known["theta"][:, 1:22].reshape(FRAMES, 63), "betas": known["betas"],
            "transl": known["place"]}})
    frames = {}
    for n in range(FRAMES):
        vectors = known["theta"][n].copy()
        vectors[0] = log(known["camera"][n, 0])
        frames[f"{n:08d}.jpg"] = {
            "smpl_thetas": vectors.reshape(1, 72), "smpl_betas": np.concatenate([known["betas"][n], [0.3]])[None].astype(np.float32),
            "cam_trans": known["camera_place"][n:n + 1], "track_ids": np.array([2]), "center_confs": np.array([0.7], np.float32)}
    np.savez(folder / "romp.npz", results=np.array(frames, dtype=object))
    people = []
    mhr = {1: 9, 2: 10, 4: 11, 5: 12, 7: 13, 8: 14, 16: 5, 17: 6, 18: 7, 19: 8, 20: 62, 21: 41}
    for n in range(FRAMES):
        keypoints = np.zeros((70, 3), np.float32)
        for joint, keypoint in mhr.items():
            keypoints[keypoint] = joints[n, joint] * flip
        people.append([{"pred_keypoints_3d": keypoints, "pred_cam_t": known["camera_place"][n], "bbox": np.zeros(4)}])
    with (folder / "sam.pkl").open("wb") as file:
        pickle.dump(people, file)
    return known


def log(matrix: Any) -> Any:
    """Axis-angle of a rotation about y followed by half a turn about x: by its axis, which the matrix leaves where it is."""
    symmetric = (matrix + matrix.T) / 2
    values, vectors = np.linalg.eigh(symmetric)
    axis = vectors[:, -1]
    angle = np.arccos(np.clip((np.trace(matrix) - 1) / 2, -1, 1))
    twist = np.array([matrix[2, 1] - matrix[1, 2], matrix[0, 2] - matrix[2, 0], matrix[1, 0] - matrix[0, 1]])
    return axis * angle * (1 if axis @ twist >= 0 else -1)


def write_torch(path: pathlib.Path, tree: dict[str, Any]) -> None:
    """A ``.pt`` as torch ≥ 1.6 writes it (docs/source/notes/serialization.rst): a zip of data.pkl and one file for each storage."""
    storages: list[bytes] = []
    out = io.BytesIO()

    def text(word: str) -> bytes:
        return b"X" + struct.pack("<I", len(word.encode())) + word.encode()

    def number(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    def put(value: Any) -> None:
        if isinstance(value, dict):
            out.write(b"}(")
            for key, each in value.items():
                out.write(text(key))
                put(each)
            out.write(b"u")
            return
        array = np.ascontiguousarray(value, "<f4")
        strides = [stride // 4 for stride in array.strides]
        out.write(b"ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + b"ctorch\nFloatStorage\n" + text(str(len(storages))))
        out.write(text("cpu") + number(array.size) + b"tQ" + number(0) + b"(" + b"".join(map(number, array.shape)) + b"t(")
        out.write(b"".join(map(number, strides)) + b"t\x89ccollections\nOrderedDict\n)RtR")
        storages.append(array.tobytes())

    out.write(b"\x80\x02")
    put(tree)
    out.write(b".")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", out.getvalue())
        for index, data in enumerate(storages):
            archive.writestr(f"archive/data/{index}", data)
        archive.writestr("archive/version", "3\n")


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]), np.zeros((FRAMES, 29, 3), np.float32))
