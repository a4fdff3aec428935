"""Several cameras' tracks become one scene; the cameras are simulated from motion that is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from client_motion import forward_kinematics

import sinew
from sinew._rotations import axis_angle, matrix
from sinew.readers import CameraView, EstimateError, Track, merge, people_of
from sinew.readers._estimate import CAMERA_TO_MODEL
from sinew.readers._formats import GVHMR, HYBRIK

SEED = 11


def camera(angle: float, height: float = 1.5, distance: float = 5.0) -> tuple[Any, Any]:
    """A level camera on a circle that looks at the middle: rotation and translation from the scene to the camera."""
    c, s = np.cos(angle), np.sin(angle)
    # At angle 0 it stands on +z and looks along -z: right is +x, down is -y.
    rotation = np.diag([1.0, -1.0, -1.0]) @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
    return rotation, -rotation @ np.array([distance * s, height, distance * c])


def seen(
    motion: dict[str, Any], person: int, view: tuple[Any, Any], noise: float, random: np.random.Generator, rows: slice = slice(None),
    first_frame: int = 0,
) -> Track:
    """A person as an estimator in a camera's coordinates gives them, with noise in metres (and radians)."""
    rotation, translation = view
    theta, joints = motion["theta"][person][rows].astype(np.float64), motion["joints"][person][rows].astype(np.float64)
    in_camera = joints @ rotation.T + translation
    to_model = CAMERA_TO_MODEL @ rotation
    theta[:, 0] = axis_angle(to_model @ matrix(theta[:, 0]), "root")
    theta += random.normal(0, noise, theta.shape)
    place = in_camera[:, 0] @ CAMERA_TO_MODEL.T + random.normal(0, noise, (len(theta), 3))
    relative = (in_camera - in_camera[:, :1]) @ CAMERA_TO_MODEL.T
    relative[:, 1:] += random.normal(0, noise, relative[:, 1:].shape)
    return Track(
        "x", HYBRIK, np.arange(300)[rows] - first_frame, theta.astype(np.float32), place.astype(np.float32),
        np.full((len(theta), 10), 0.1, np.float32), relative.astype(np.float32), "smpl-29")


def degrees(a: Any, b: Any) -> float:
    off = np.swapaxes(matrix(a), -1, -2) @ matrix(b)
    return float(np.degrees(np.arccos(np.clip((np.trace(off, axis1=-2, axis2=-1) - 1) / 2, -1, 1))).mean())


@pytest.fixture
def cameras() -> dict[str, tuple[Any, Any]]:
    return {"left": camera(-0.8), "front": camera(0.1, 2.0), "back": camera(2.6, 1.0, 6.0)}


def test_exact_views_give_back_the_scene(motion: dict[str, Any], cameras: dict[str, Any]) -> None:
    random = np.random.default_rng(SEED)
    views = {
        name: CameraView([seen(motion, person, view, 0, random) for person in order], *view)
        for (name, view), order in zip(cameras.items(), ([0, 1], [1, 0], [1, 0]))}
    people = merge(views)
    assert [person.name for person in people] == ["0", "1"] and [len(person) for person in people] == [300, 300]
    for person, track in enumerate(people):
        np.testing.assert_allclose(track.joints, motion["joints"][person], atol=2e-5)
        np.testing.assert_allclose(track.translation, motion["joints"][person][:, 0], atol=2e-5)
        assert degrees(track.theta, motion["theta"][person]) < 0.01 and track.warnings == []
        assert track.convention.axes == "scene: y up" and np.allclose(track.betas, 0.1)


def test_several_cameras_are_better_than_one(motion: dict[str, Any], cameras: dict[str, Any]) -> None:
    print("seed", SEED)
    random = np.random.default_rng(SEED)
    views = {name: CameraView([seen(motion, 0, view, 0.05, random)], *view) for name, view in cameras.items()}

    def error(found: list[Track]) -> tuple[float, float]:
        (track,) = found
        return float(np.linalg.norm(track.joints - motion["joints"][0], axis=-1).mean()), degrees(track.theta, motion["theta"][0])

    together, alone = error(merge(views)), error(merge({"left": views["left"]}))
    # Three independent views: √3 times as good.
    assert together[0] < 0.65 * alone[0] and together[1] < 0.65 * alone[1]


def test_tracks_with_gaps_and_cameras_that_start_late_are_laid_on_each_other(motion: dict[str, Any], cameras: dict[str, Any]) -> None:
    random = np.random.default_rng(SEED)
    late = cameras["front"]
    views = {
        # This camera lost the person in the middle and called them someone else afterwards.
        "left": CameraView([seen(motion, 0, cameras["left"], 0, random, slice(0, 120)), seen(motion, 0, cameras["left"], 0, random, slice(170, 300))],
                           *cameras["left"]),
        "front": CameraView([seen(motion, 0, late, 0, random, slice(100, 200), first_frame=100)], *late, first_frame=100)}
    (person,) = merge(views)
    assert person.frames.tolist() == list(range(300))
    np.testing.assert_allclose(person.joints, motion["joints"][0], atol=2e-5)


def test_two_people_of_one_camera_are_never_one(motion: dict[str, Any], cameras: dict[str, Any]) -> None:
    random = np.random.default_rng(SEED)
    near = {key: np.stack([value[0], value[0]]) for key, value in motion.items()}
    near["joints"][1] = near["joints"][1] + np.float32([0.3, 0, 0])
    views = {name: CameraView([seen(near, person, cameras[name], 0, random) for person in (0, 1)], *cameras[name]) for name in ("left", "front")}
    people = merge(views)
    assert len(people) == 2
    for person, track in enumerate(people):
        np.testing.assert_allclose(track.joints, near["joints"][person], atol=2e-5)
    # Too far apart to be one person, and too few frames in common to say.
    apart = merge(views, distance_max=1e-7)
    assert len(apart) == 4
    short = replace(views["front"], tracks=[seen(near, 0, cameras["front"], 0, random, slice(0, 4))])
    assert len(merge({"left": CameraView(views["left"].tracks[:1], *cameras["left"]), "front": short})) == 2


def test_a_doubtful_frame_counts_less(motion: dict[str, Any], cameras: dict[str, Any]) -> None:
    random = np.random.default_rng(SEED)
    good, bad = (seen(motion, 0, cameras[name], 0, random) for name in ("left", "front"))
    bad.translation = bad.translation + np.float32([0.3, 0, 0])
    bad.confidence, good.confidence = np.full(300, 0.1, np.float32), np.full(300, 0.9, np.float32)
    (person,) = merge({"left": CameraView([good], *cameras["left"]), "front": CameraView([bad], *cameras["front"])})
    off = np.linalg.norm(person.translation - motion["joints"][0][:, 0], axis=1)
    np.testing.assert_allclose(off, 0.03, atol=1e-4)
    assert "0.30 m apart" in person.warnings[0]


def test_what_cannot_be_laid_together_says_why(motion: dict[str, Any], cameras: dict[str, Any]) -> None:
    track = seen(motion, 0, cameras["left"], 0, np.random.default_rng(SEED))
    rotation, translation = cameras["left"]
    for wrong, said in (
        (CameraView([replace(track, convention=GVHMR)], rotation, translation), "world of its own"),
        (CameraView([replace(track, translation=None)], rotation, translation), "nothing of where"),
        (CameraView([track], rotation[:2], translation), r"rotation is \[3, 3\]"),
        (CameraView([track], 2 * rotation, translation), "no rotation matrix"),
        (CameraView([track], np.diag([1, 1, -1]), translation), "no rotation matrix"),
    ):
        with pytest.raises(EstimateError, match=said):
            merge({"left": wrong})
    turned = replace(track, theta=track.theta.copy())
    turned.theta[:, 0] = axis_angle(np.diag([-1.0, 1, -1]) @ matrix(turned.theta[:, 0]), "root")
    (person,) = merge({"left": CameraView([track], *cameras["left"]), "again": CameraView([turned], *cameras["left"])})
    assert any("turned by 180°" in warning for warning in person.warnings)


def test_a_merged_scene_is_solved_in_one_request(motion: dict[str, Any], cameras: dict[str, Any], client: sinew.Client) -> None:
    random = np.random.default_rng(SEED)
    views = {name: CameraView([seen(motion, person, view, 0.01, random) for person in (0, 1)], *view) for name, view in cameras.items()}
    tracks = merge(views)
    tracks[1].joints[7, 3] = np.nan
    tracks[0].betas = None
    people = people_of(tracks)
    assert people.count == 600 and np.asarray(people.tracks).tolist() == [0] * 300 + [1] * 300
    assert np.asarray(people.observed)[307, 3] == 0 and np.asarray(people.observed).sum() == 600 * 29 - 1
    assert not np.asarray(people.betas)[:300].any() and np.asarray(people.betas)[300:].min() > 0
    poses = client.solve(people, "niki")
    assert poses.solved.all() and poses.tracks.tolist() == [0] * 300 + [1] * 300
    # Both people stand where they stood, in the scene's frame.
    for person in (0, 1):
        off = poses.joints[300 * person:300 * (person + 1), 0] - motion["joints"][person][:, 0]
        assert np.linalg.norm(off, axis=1).mean() < 0.05
    # Models that start from a pose get the estimators'; a row without one starts anew.
    tracks[1].theta = None
    started = people_of([tracks[0], tracks[1]], start_poses=True)
    assert np.isnan(np.asarray(started.start_theta)[300:]).all() and not np.isnan(np.asarray(started.start_theta)[:300]).any()
    refined = client.solve(started, "learnable-smplify")
    assert refined.solved.all()
    with pytest.raises(EstimateError, match="no tracks"):
        people_of([])
    with pytest.raises(EstimateError, match="no joints"):
        people_of([replace(tracks[0], joints=None)])


def test_a_theta_without_joints_is_merged_as_well(motion: dict[str, Any], cameras: dict[str, Any]) -> None:
    random = np.random.default_rng(SEED)
    views = {
        name: CameraView([replace(seen(motion, 0, view, 0, random), joints=None, skeleton="")], *view) for name, view in cameras.items()}
    (person,) = merge(views)
    assert person.joints is None
    joints = forward_kinematics(person.theta, np.zeros((300, 3)))
    np.testing.assert_allclose(joints - joints[:, :1], motion["joints"][0] - motion["joints"][0][:, :1], atol=2e-4)
    np.testing.assert_allclose(person.translation, motion["joints"][0][:, 0], atol=2e-5)
