"""Several cameras' files of one scene: the same people found in each, in one coordinate frame, and several people as one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .._rotations import axis_angle, matrix
from ..people import People
from ..skeletons import SKELETONS
from ._estimate import CAMERA_TO_MODEL, EstimateError, Floats, Track, check, turn

#: Two tracks must share so many frames before they may be called one person.
FRAMES_MIN = 5
#: A frame that its estimator gave up still counts a little: the other camera may have none at all.
_WEIGHT_MIN = 0.05
#: Cameras that disagree by more than this look wrongly placed, metres and degrees.
_APART_MAX, _TURNED_MAX = 0.2, 40.0


@dataclass(frozen=True, slots=True)
class CameraView:
    """What one camera's file holds, and where the camera stands: ``rotation @ scene + translation`` are the coordinates of the camera,
    x right, y down, z forward, as calibration tools write them. The scene is in metres, y up."""

    tracks: Sequence[Track]
    rotation: npt.ArrayLike
    translation: npt.ArrayLike
    #: Added to the file's frame numbers, for cameras that did not start together.
    first_frame: int = 0


@dataclass(slots=True)
class _Member:
    camera: str
    track: Track
    weight: npt.NDArray[np.float64]


def merge(views: Mapping[str, CameraView], *, distance_max: float = 0.5) -> list[Track]:
    """The people of a scene that several cameras saw, each once, in the scene's frame: metres, y up.

    Tracks are one person when they are less than ``distance_max`` metres apart, at the median over the frames that they share; two tracks
    of one camera that share a frame never are. Positions are means and rotations the rotations nearest to means (Moakher 2002), weighted by
    confidence, so a person is also where only one camera sees them. Where cameras disagree, ``warnings`` say so.

    Places are those that the estimators give: a translation counts as the place of the pelvis, which is exact for upright cameras and else
    wrong by what the pelvis of the rest pose is away from its origin. Raises :class:`EstimateError` for tracks without a place in
    their camera.
    """
    members = [
        _Member(name, placed, _weight(placed))
        for name, view in views.items() for placed in (_placed(name, track, view) for track in view.tracks)]
    groups = _grouped(members, distance_max)
    people = [_merged(str(number), [members[index] for index in group]) for number, group in enumerate(groups)]
    return [check(person) for person in people]


def people_of(tracks: Sequence[Track], *, refine: int = 0, start_poses: bool = False) -> People:
    """Several people in one coordinate frame as one request: ``tracks[k]`` is track k of it, and its rows follow each other.

    ``start_poses`` sends the estimators' poses too, for models that turn one towards the joints; others refuse them.

    Raises :class:`EstimateError` when there are none, or one has no joints of a skeleton that can be solved, or another's.
    """
    parts = [track.to_people(start_poses=start_poses) for track in tracks]
    if not parts or len({part.skeleton for part in parts}) > 1:
        raise EstimateError("no tracks at all" if not parts else "tracks of several skeletons cannot be one request; solve them one by one")
    joints = [np.asarray(part.joints) for part in parts]

    def rows(name: str, missing: float, *shape: int) -> Any:
        values = [getattr(part, name) for part in parts]
        if all(value is None for value in values):
            return None
        return np.concatenate([
            np.broadcast_to(np.float32(missing), (len(own), *shape)) if value is None
            else np.broadcast_to(value, (len(own), *shape)) for value, own in zip(values, joints)])

    width = joints[0].shape[1]
    twists = [part.twists for part in parts]
    return People(
        np.concatenate(joints), skeleton=parts[0].skeleton, sigma=rows("sigma", 0.02, width), observed=rows("observed", 1, width),
        betas=rows("betas", 0, 10), start_theta=rows("start_theta", np.nan, 24, 3),
        twists=np.concatenate([np.asarray(each) for each in twists]) if all(each is not None for each in twists) else None,
        tracks=np.repeat(np.arange(len(parts)), [len(each) for each in joints]), refine=refine)


# Into the scene


def _placed(camera: str, track: Track, view: CameraView) -> Track:
    """A track of a camera in the scene."""
    what = f"camera {camera}, track {track.name}"
    rotation, translation = np.asarray(view.rotation, np.float64), np.asarray(view.translation, np.float64)
    if rotation.shape != (3, 3) or translation.shape != (3,):
        raise EstimateError(f"camera {camera}: rotation is [3, 3] and translation [3], not {list(rotation.shape)} and {list(translation.shape)}")
    if np.abs(rotation @ rotation.T - np.eye(3)).max() > 1e-3 or np.linalg.det(rotation) < 0:
        raise EstimateError(f"camera {camera}: rotation is no rotation matrix")
    if track.convention.axes.startswith("world"):
        raise EstimateError(
            f"{what}: {track.convention.estimator} places people in a world of its own, which is another for each camera; merge files "
            "that are in the camera's coordinates")
    if track.translation is None:
        raise EstimateError(f"{what}: the file says nothing of where people are, only how they stand; it cannot be laid over another camera's")
    to_scene = rotation.T @ CAMERA_TO_MODEL
    placed = turn(replace(track, warnings=list(track.warnings)), to_scene)
    assert placed.translation is not None, "the track has a place"
    placed.translation = (placed.translation - rotation.T @ translation).astype(np.float32)
    placed.frames = track.frames + view.first_frame
    if placed.joints is None or track.joints is None or track.skeleton not in SKELETONS:
        placed.joints, placed.skeleton, placed.sigma, placed.twists = None, "", None, None
    elif np.nanmedian(np.linalg.norm(track.joints[:, 0], axis=-1)) < 1e-3:
        placed.joints = placed.joints + placed.translation[:, np.newaxis]
    else:
        placed.joints = (placed.joints - rotation.T @ translation).astype(np.float32)
    return placed


def _weight(track: Track) -> npt.NDArray[np.float64]:
    """How much each frame of a track counts, [T]."""
    if track.confidence is None:
        return np.ones(len(track))
    weight: npt.NDArray[np.float64] = np.clip(np.asarray(track.confidence, np.float64).reshape(len(track), -1).mean(1), _WEIGHT_MIN, 1)
    return weight


# Who is who


def _grouped(members: list[_Member], distance_max: float) -> list[list[int]]:
    """Members that are one person, nearest pairs first; ordered by first appearance."""
    pairs = []
    for a, one in enumerate(members):
        for b in range(a + 1, len(members)):
            if one.camera != members[b].camera and (distance := _distance(one.track, members[b].track)) is not None:
                if distance <= distance_max:
                    pairs.append((distance, a, b))
    group = {index: [index] for index in range(len(members))}
    for _, a, b in sorted(pairs):
        if group[a] is not group[b] and not any(_clash(members[i], members[j]) for i in group[a] for j in group[b]):
            joined = sorted(group[a] + group[b])
            for index in joined:
                group[index] = joined
    firsts = [index for index in range(len(members)) if group[index][0] == index]
    firsts.sort(key=lambda index: (min(int(members[each].track.frames.min(initial=0)) for each in group[index]), index))
    return [group[index] for index in firsts]


def _distance(a: Track, b: Track) -> float | None:
    """How far apart two tracks are at the median, metres; None when they share too few frames."""
    assert a.translation is not None and b.translation is not None, "placed tracks have places"
    _, rows_a, rows_b = np.intersect1d(a.frames, b.frames, return_indices=True)
    if len(rows_a) < FRAMES_MIN:
        return None
    return float(np.median(np.linalg.norm(a.translation[rows_a] - b.translation[rows_b], axis=1)))


def _clash(a: _Member, b: _Member) -> bool:
    """One camera cannot see one person twice in a frame."""
    return a.camera == b.camera and bool(np.intersect1d(a.track.frames, b.track.frames).size)


# One out of several


def _merged(name: str, members: list[_Member]) -> Track:
    frames = np.unique(np.concatenate([each.track.frames for each in members]))
    first = members[0].track
    result = Track(
        name, replace(first.convention, axes="scene: y up", estimator=" + ".join(dict.fromkeys(
            each.track.convention.estimator for each in members))), frames)
    for each in members:
        result.warnings += [f"camera {each.camera}: {warning}" for warning in each.track.warnings]
    result.translation = _mean(frames, members, "translation", (3,))
    theta = [each for each in members if each.track.theta is not None]
    if len(theta) == len(members):
        result.theta = _mean_rotation(frames, members)
    skeletons = [each.track.skeleton for each in members if each.track.joints is not None]
    if skeletons:
        result.skeleton = skeletons[0]
        alike = [each for each in members if each.track.skeleton == skeletons[0]]
        result.joints = _mean(frames, alike, "joints", (SKELETONS[skeletons[0]].joint_count, 3))
    shapes = [np.asarray(each.track.betas).mean(0) for each in members if each.track.betas is not None]
    if shapes:
        result.betas = np.broadcast_to(np.mean(shapes, 0), (len(frames), 10)).astype(np.float32)
    _warn_of_disagreement(result, members)
    return result


def _mean(frames: npt.NDArray[np.int64], members: list[_Member], name: str, shape: tuple[int, ...]) -> Floats:
    """The weighted mean of a field over the cameras that have it, [T, …]; NaN where none has."""
    total, weight = np.zeros((len(frames), *shape)), np.zeros((len(frames), *shape))
    for each in members:
        values = np.asarray(getattr(each.track, name), np.float64)
        rows = np.searchsorted(frames, each.track.frames)
        counts = np.where(np.isnan(values), 0.0, each.weight.reshape(-1, *[1] * len(shape)))
        total[rows] += counts * np.nan_to_num(values)
        weight[rows] += counts
    with np.errstate(invalid="ignore"):
        return np.where(weight > 0, total / weight, np.nan).astype(np.float32)


def _mean_rotation(frames: npt.NDArray[np.int64], members: list[_Member]) -> Floats:
    """The rotations nearest to the weighted means of rotation matrices, as axis-angle [T, 24, 3]."""
    total = np.zeros((len(frames), 24, 3, 3))
    for each in members:
        assert each.track.theta is not None, "every member has poses"
        rows = np.searchsorted(frames, each.track.frames)
        total[rows] += each.weight[:, np.newaxis, np.newaxis, np.newaxis] * matrix(each.track.theta)
    left, _, right = np.linalg.svd(total)
    left[..., 2] *= np.linalg.det(left @ right)[..., np.newaxis]
    return axis_angle(left @ right, "mean rotations")


def _warn_of_disagreement(result: Track, members: list[_Member]) -> None:
    for index, one in enumerate(members):
        for other in members[index + 1:]:
            apart = _distance(one.track, other.track)
            if apart is None:
                continue
            if apart > _APART_MAX:
                result.warnings.append(
                    f"cameras {one.camera} and {other.camera} see this person {apart:.2f} m apart: are they placed right, or is it the depth "
                    "that one camera cannot know?")
            if one.track.theta is not None and other.track.theta is not None:
                _, a, b = np.intersect1d(one.track.frames, other.track.frames, return_indices=True)
                off = np.swapaxes(matrix(one.track.theta[a, 0]), -1, -2) @ matrix(other.track.theta[b, 0])
                angle = float(np.degrees(np.median(np.arccos(np.clip((np.trace(off, axis1=-2, axis2=-1) - 1) / 2, -1, 1)))))
                if angle > _TURNED_MAX:
                    result.warnings.append(
                        f"cameras {one.camera} and {other.camera} see this person turned by {angle:.0f}°: is a camera's rotation of another "
                        "convention, or are these two people?")
