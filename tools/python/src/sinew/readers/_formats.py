"""Result files of estimators, from their documented layouts. Each reader says what the format promises and returns tracks."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from .._rotations import matrix
from . import _unpickle
from ._estimate import (
    CAMERA_TO_MODEL, Convention, EstimateError, Floats, Track, array_of, check, field_of, turn, vectors_of,
)

Path = str | os.PathLike[str]

_CAMERA = "camera: x right, y down, z forward"
HYBRIK = Convention(
    "HybrIK", "metres", _CAMERA, "rotation matrices, relative to the parent, row by row",
    "joints relative to the pelvis; transl is SMPL's, in the camera", "pred_scores: 1 is certain")
NIKI = Convention(
    "NIKI", "metres", _CAMERA, "rotation matrices, relative to the parent, row by row",
    "joints relative to the pelvis; transl is SMPL's, in the camera", "pred_sigma: a standard deviation, 0 is certain")
PHALP = Convention(
    "4D-Humans (PHALP)", "metres, by an assumed focal length", _CAMERA, "rotation matrices, relative to the parent",
    "camera is SMPL's transl in the camera", "conf: the detector's, 1 is certain")
WHAM = Convention(
    "WHAM", "metres", "world: y vertical; which end is up shows in how people stand", "axis-angle, 72 numbers", "SMPL's transl", "none")
GVHMR = Convention(
    "GVHMR", "metres", "world: y up, gravity along -y", "axis-angle of SMPL-X, 3 + 63 numbers", "SMPL-X's transl", "none")
ROMP = Convention(
    "ROMP/BEV", "metres, by an assumed focal length", _CAMERA, "axis-angle, 72 numbers", "cam_trans is SMPL's transl in the camera",
    "center_confs: 1 is certain")
SAM_3D_BODY = Convention(
    "SAM 3D Body", "metres", _CAMERA, "none that SMPL has (MHR's own); positions only", "keypoints relative to the body's origin, which "
    "pred_cam_t places in the camera", "none")


def read_hybrik(path: Path) -> list[Track]:
    """HybrIK's ``res.pk``: ``pred_thetas``, ``pred_xyz_29``, ``pred_betas``, ``pred_phi``, ``transl``, ``pred_scores``, a row per frame.

    ``pred_xyz_29`` is relative to the pelvis and in units of the network's depth range where an older version wrote it: bones say so.
    """
    return [_hybrik(field_dict(_unpickle.load(path), path), HYBRIK, str(path))]


def read_niki(path: Path) -> list[Track]:
    """NIKI's results in HybrIK's layout, with ``pred_sigma``: the uncertainty of each joint in metres."""
    return [_hybrik(field_dict(_unpickle.load(path), path), NIKI, str(path))]


def _hybrik(record: dict[Any, Any], convention: Convention, where: str) -> Track:
    theta = vectors_of(array_of(field_of(record, "pred_thetas", where), "pred_thetas", (None, 24, 3, 3)), "pred_thetas")
    count = len(theta)
    track = Track("0", convention, _frames_of_names(record.get("img_path"), count), theta, skeleton="smpl-29")
    track.joints = array_of(field_of(record, "pred_xyz_29", where), "pred_xyz_29", (None, 29, 3))
    track.betas = array_of(field_of(record, "pred_betas", where), "pred_betas", (None, 10))
    if "transl" in record:
        track.translation = array_of(record["transl"], "transl", (None, 3))
    if "pred_phi" in record:
        phi = array_of(record["pred_phi"], "pred_phi", (None, 23, 2))
        norm = np.linalg.norm(phi, axis=-1)
        if np.abs(norm - 1).max() > 0.1:
            track.warnings.append(f"pred_phi: cosine and sine of a twist have length {norm.min():.2g}…{norm.max():.2g}, not 1")
        track.twists = np.arctan2(phi[..., 1], phi[..., 0]).astype(np.float32)
    if "pred_sigma" in record:
        track.sigma = array_of(record["pred_sigma"], "pred_sigma", (None, 29))
    elif "pred_scores" in record:
        scores = array_of(record["pred_scores"], "pred_scores", (None, 29))
        track.confidence = scores
    _same_length(track, count, where)
    return check(turn(track, CAMERA_TO_MODEL))


def read_phalp(path: Path) -> list[Track]:
    """The ``.pkl`` of 4D-Humans' ``track.py``: a dictionary per frame with lists ``tid``, ``smpl``, ``camera``, ``conf``, ``tracked_time``.

    Entries that the tracker predicted without seeing anybody (``tracked_time`` above 0) are left out.
    """
    frames = field_dict(_unpickle.load(path), path)
    rows: dict[Any, list[tuple[int, Any, Any, float | None]]] = {}
    ghosts = 0
    for number, (name, frame) in enumerate(sorted(frames.items(), key=lambda item: _natural(item[0]))):
        where = f"{path}, frame {name}"
        ids, poses = field_of(frame, "tid", where), field_of(frame, "smpl", where)
        seen = frame.get("tracked_time") or [0] * len(ids)
        cameras, confidences = frame.get("camera") or [], frame.get("conf") or []
        for place, identity in enumerate(ids):
            if place >= len(poses):
                raise EstimateError(f"{where}: {len(ids)} people and {len(poses)} poses")
            if place < len(seen) and np.asarray(seen[place]).reshape(-1)[0] > 0:
                ghosts += 1
                continue
            confidence = float(np.asarray(confidences[place]).reshape(-1)[0]) if place < len(confidences) else None
            camera = cameras[place] if place < len(cameras) else None
            rows.setdefault(int(identity), []).append((number, poses[place], camera, confidence))
    tracks = []
    for identity in sorted(rows):
        seen_rows = rows[identity]
        where = f"{path}, person {identity}"
        orient = np.stack([array_of(field_of(pose, "global_orient", where), "global_orient", (1, 3, 3)) for _, pose, _, _ in seen_rows])
        body = np.stack([array_of(field_of(pose, "body_pose", where), "body_pose", (23, 3, 3)) for _, pose, _, _ in seen_rows])
        track = Track(
            str(identity), PHALP, np.array([number for number, *_ in seen_rows], np.int64),
            vectors_of(np.concatenate([orient, body], 1), "global_orient and body_pose"))
        track.betas = np.stack([array_of(field_of(pose, "betas", where), "betas", (10,)) for _, pose, _, _ in seen_rows])
        if all(camera is not None for *_, camera, _ in seen_rows):
            track.translation = np.stack([array_of(camera, "camera", (3,)) for *_, camera, _ in seen_rows])
        if all(confidence is not None for *_, confidence in seen_rows):
            track.confidence = np.array([confidence for *_, confidence in seen_rows], np.float32)
        if ghosts:
            track.warnings.append(f"{ghosts} predicted entries without a detection were left out")
        tracks.append(check(turn(track, CAMERA_TO_MODEL)))
    return tracks


def read_wham(path: Path) -> list[Track]:
    """WHAM's ``wham_output.pkl`` (joblib): a dictionary per person with ``pose_world``, ``trans_world``, ``betas``, ``frame_ids``."""
    tracks = []
    for identity, record in sorted(field_dict(_unpickle.load(path), path).items(), key=lambda item: _natural(item[0])):
        where = f"{path}, person {identity}"
        theta = array_of(field_of(record, "pose_world", where), "pose_world", (None, 24, 3))
        frames = np.asarray(field_of(record, "frame_ids", where)).reshape(-1)
        track = Track(str(identity), WHAM, frames.astype(np.int64), theta)
        track.translation = array_of(field_of(record, "trans_world", where), "trans_world", (None, 3))
        track.betas = array_of(field_of(record, "betas", where), "betas", (None, 10))
        _same_length(track, len(theta), where)
        if len(theta) and np.median(matrix(theta[:, 0])[:, 1, 1]) < 0:
            turn(track, CAMERA_TO_MODEL)
        tracks.append(check(track))
    return tracks


def read_gvhmr(path: Path) -> list[Track]:
    """GVHMR's ``hmr4d_results.pt``: ``smpl_params_global`` with ``global_orient``, ``body_pose`` (21 joints), ``transl``, ``betas``.

    SMPL-X has no rotations of SMPL's two hands; they stay unturned. SMPL-X's betas are of another body than SMPL's and are left out.
    """
    record = field_of(_unpickle.load(path), "smpl_params_global", str(path))
    where = f"{path}, smpl_params_global"
    orient = array_of(field_of(record, "global_orient", where), "global_orient", (None, 1, 3))
    body = array_of(field_of(record, "body_pose", where), "body_pose", (None, 21, 3))
    if len(body) != len(orient):
        raise EstimateError(f"{where}: {len(orient)} orientations and {len(body)} poses")
    theta = np.concatenate([orient, body, np.zeros((len(body), 2, 3), np.float32)], 1)
    track = Track("0", GVHMR, np.arange(len(theta)), theta)
    track.translation = array_of(field_of(record, "transl", where), "transl", (None, 3))
    _same_length(track, len(theta), where)
    track.warnings.append("betas are SMPL-X's and were left out; the hands have no rotations and stay unturned")
    return [check(track)]


def read_romp(path: Path) -> list[Track]:
    """The ``.npz`` of ROMP and BEV: ``results`` with ``smpl_thetas``, ``smpl_betas``, ``cam_trans``, and ``track_ids`` where it tracked.

    A video's file holds such a dictionary per frame. BEV's eleventh beta (how much of a child) has no place in SMPL's ten.
    """
    results = _unpickle.load_npz(path)
    record = field_of(results, "results", str(path))
    frames = [record] if isinstance(record, dict) and "smpl_thetas" in record else [
        each for _, each in sorted(field_dict(record, path).items(), key=lambda item: _natural(item[0]))]
    rows: dict[str, list[tuple[int, Floats, Floats, Floats, float | None]]] = {}
    has_age = False
    for number, frame in enumerate(frames):
        where = f"{path}, frame {number}"
        theta = array_of(field_of(frame, "smpl_thetas", where), "smpl_thetas", (None, 24, 3))
        betas = np.asarray(field_of(frame, "smpl_betas", where), np.float32).reshape(len(theta), -1)
        if betas.shape[1] not in (10, 11):
            raise EstimateError(f"{where}: smpl_betas has {betas.shape[1]} numbers for each person, 10 or BEV's 11 were expected")
        has_age |= betas.shape[1] == 11
        translation = array_of(field_of(frame, "cam_trans", where), "cam_trans", (None, 3))
        ids = frame.get("track_ids")
        names = [str(int(each)) for each in np.asarray(ids).reshape(-1)] if ids is not None else [str(row) for row in range(len(theta))]
        confidence = frame.get("center_confs")
        sure = [None] * len(theta) if confidence is None else [float(each) for each in np.asarray(confidence).reshape(-1)]
        if not len(theta) == len(translation) == len(names) == len(sure):
            raise EstimateError(f"{where}: {len(theta)} poses, {len(translation)} places, {len(names)} names, {len(sure)} confidences")
        for row, name in enumerate(names):
            rows.setdefault(name, []).append((number, theta[row], betas[row, :10], translation[row], sure[row]))
    tracks = []
    for name in sorted(rows, key=_natural):
        track = Track(name, ROMP, np.array([row[0] for row in rows[name]], np.int64), np.stack([row[1] for row in rows[name]]))
        track.betas, track.translation = np.stack([row[2] for row in rows[name]]), np.stack([row[3] for row in rows[name]])
        if all(row[4] is not None for row in rows[name]):
            track.confidence = np.array([row[4] for row in rows[name]], np.float32)
        if has_age:
            track.warnings.append("BEV's eleventh beta, how much of a child somebody is, was left out")
        if len(frames) > 1 and "track_ids" not in frames[0]:
            track.warnings.append("the file names nobody: people are told apart by their place in each frame, which may change hands")
        tracks.append(check(turn(track, CAMERA_TO_MODEL)))
    return tracks


#: Joints of SMPL among SAM 3D Body's 70 keypoints (MHR70), by index. Its hips, knees and shoulders are those of bones, not of the surface.
_MHR70 = {1: 9, 2: 10, 4: 11, 5: 12, 7: 13, 8: 14, 16: 5, 17: 6, 18: 7, 19: 8, 20: 62, 21: 41}


def read_sam_3d_body(path: Path) -> list[Track]:
    """A pickle of what SAM 3D Body's estimator returns: a list of people, or a list of such lists, one per frame.

    Twelve of SMPL's joints are among its keypoints; pelvis and neck lie between hips and shoulders, the rest is not observed.
    """
    data = _unpickle.load(path)
    if not isinstance(data, list) or not data:
        raise EstimateError(f"{path}: a list of people was expected, found {type(data).__name__}")
    frames = data if isinstance(data[0], list) else [data]
    rows: dict[int, list[tuple[int, Floats, Floats]]] = {}
    for number, people in enumerate(frames):
        for place, person in enumerate(people):
            where = f"{path}, frame {number}, person {place}"
            keypoints = array_of(field_of(person, "pred_keypoints_3d", where), "pred_keypoints_3d", (70, 3))
            camera = array_of(field_of(person, "pred_cam_t", where), "pred_cam_t", (3,))
            rows.setdefault(place, []).append((number, keypoints, camera))
    tracks = []
    for place, seen in sorted(rows.items()):
        keypoints = np.stack([row[1] for row in seen])
        joints = np.full((len(seen), 24, 3), np.nan, np.float32)
        for joint, keypoint in _MHR70.items():
            joints[:, joint] = keypoints[:, keypoint]
        joints[:, 0] = (joints[:, 1] + joints[:, 2]) / 2
        joints[:, 12] = (joints[:, 16] + joints[:, 17]) / 2
        track = Track(str(place), SAM_3D_BODY, np.array([row[0] for row in seen], np.int64), skeleton="smpl-24")
        track.joints = joints + np.stack([row[2] for row in seen])[:, np.newaxis]
        track.warnings.append("12 of 24 joints are observed; pelvis and neck are midpoints of hips and shoulders")
        if len(frames) > 1:
            track.warnings.append("the file names nobody: people are told apart by their place in each frame, which may change hands")
        tracks.append(check(turn(track, CAMERA_TO_MODEL)))
    return tracks


# Helpers


def field_dict(value: Any, path: Any) -> dict[Any, Any]:
    """What the file must hold."""
    if not isinstance(value, dict) or not value:
        raise EstimateError(f"{path}: a dictionary was expected, found {type(value).__name__}")
    return value


def _same_length(track: Track, count: int, where: str) -> None:
    for name in ("frames", "translation", "betas", "joints", "twists", "confidence", "sigma"):
        value = getattr(track, name)
        if value is not None and len(value) != count:
            raise EstimateError(f"{where}: {len(value)} rows of {name} and {count} poses")


def _frames_of_names(names: Any, count: int) -> Any:
    """Frame numbers out of the names of pictures, where each has one; else 0, 1, 2 …"""
    if isinstance(names, list) and len(names) == count:
        found = [re.findall(r"\d+", str(name).rpartition("/")[2]) for name in names]
        if all(found):
            numbers = np.array([int(digits[-1][-15:]) for digits in found], np.int64)
            if (np.diff(numbers) > 0).all():
                return numbers
    return np.arange(count)


def _natural(key: Any) -> tuple[Any, ...]:
    """2 before 10, in names too."""
    return tuple((0, int(part[-18:]), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", str(key)))
