"""Which frames to look at, and what somebody moved in them."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import pathlib
from typing import Any

import numpy as np
import pytest
from client_fleet import Fleet, sinew as command
from client_motion import forward_kinematics

import sinew
from sinew._generated.error import ItemError


@pytest.fixture(scope="module")
def solved(fleet: Fleet, motion: dict[str, Any]) -> sinew.Poses:
    """A hundred frames of each person with a wrist that was seen far away in frames 40…49 of the second, and frame 70 of the first unseen."""
    joints = motion["noisy"][:, :100].copy()
    joints[1, 40:50, 20] += np.random.default_rng(3).normal(0, 0.3, (10, 3))
    observed = np.ones((200, 29), bool)
    observed[70] = False
    tracks = np.repeat([0, 1], 100)
    with sinew.Client(fleet.endpoint) as client:
        return client.solve(joints.reshape(200, 29, 3), "hybrik", observed=observed, tracks=tracks)


def turned_wrist(poses: sinew.Poses, row: int) -> Any:
    """Where the left wrist comes to when shoulder and elbow turn: a place that the body reaches, [3]."""
    theta = np.array(poses.theta[row : row + 1], np.float64)
    theta[0, 16] += (0.2, -0.3, 0.3)
    theta[0, 18] += (0.0, -0.4, 0.2)
    return forward_kinematics(theta, poses.translation[row : row + 1])[0, 20].astype(np.float64)


def test_what_is_worst_is_what_the_command_says(solved: sinew.Poses, tmp_path: pathlib.Path) -> None:
    found = solved.worst(6)
    assert found[0].row == 70 and found[0].score is None and "no joint of the person was observed" in found[0].reason
    assert (found[1].track, found[1].first_frame, found[1].last_frame, found[1].rows) == ("1", 40, 49, 10)
    assert found[1].reason.startswith("a bone") and found[1].score is not None and found[1].score > 1
    paths = solved.to_amass(tmp_path / "p.npz")
    assert len(paths) == 2
    for by in ("score", "residual", "bones", "unobserved"):
        for grouped in (True, False):
            words = ["triage", *map(str, paths), "--worst", "12", "--json", "--by", by] + ([] if grouped else ["--every-frame"])
            lines = [json.loads(line) for line in command(*words).stdout.splitlines()]
            ours = solved.worst(12, by=by, grouped=grouped)  # type: ignore[arg-type]
            assert len(lines) == len(ours)
            for line, each in zip(lines, ours):
                assert (line["track"], line["frame"], line["first_frame"], line["last_frame"], line["frames"]) == (
                    each.track, each.frame, each.first_frame, each.last_frame, each.rows)
                if each.score is None:
                    assert not line["solved"] and "score" not in line
                else:
                    assert line["score"] == pytest.approx(each.score, rel=1e-4) and line["reason"] == each.reason


def test_lost_neighbours_are_one_entry_and_numbers_that_are_none_come_first(solved: sinew.Poses) -> None:
    poses = dataclasses.replace(
        solved, latent_norm=np.where(np.arange(200) == 5, np.nan, solved.latent_norm).astype(np.float32),
        item_errors=[ItemError(row, 3, 0, "", "gone") for row in (80, 81, 82)])
    found = poses.worst(2)
    assert (found[0].first_frame, found[0].last_frame, found[0].reason) == (80, 82, "no pose: gone")
    assert found[1].row == 5
    assert [each.row for each in poses.worst(4, grouped=False)] == [80, 81, 82, 5]
    with pytest.raises(ValueError, match="residual, orientation"):
        poses.worst(by="taste")  # type: ignore[arg-type]


def test_a_moved_joint_lands_where_it_was_put_and_the_rest_stays(client: sinew.Client, solved: sinew.Poses) -> None:
    before = np.array(solved.joints)
    for row in (3, 145):
        target = turned_wrist(solved, row)
        assert np.linalg.norm(target - before[row, 20]) > 0.05
        fixed = client.correct(solved, row, {"left_wrist": target})
        went = np.linalg.norm(fixed.joints[row] - before[row], axis=-1)
        assert np.linalg.norm(fixed.joints[row, 20] - target) <= 0.002
        assert went[[2, 5, 8, 11, 1, 4, 7, 10]].max() <= 0.004, went
        assert np.abs(forward_kinematics(fixed.theta[row : row + 1], fixed.translation[row : row + 1])[0] - fixed.joints[row]).max() < 2e-3
        others = np.arange(200) != row
        for name in ("theta", "translation", "joints", "joint_residual_mm"):
            np.testing.assert_array_equal(getattr(fixed, name)[others], getattr(solved, name)[others])
        assert fixed.corrections == {row: sinew.Correction((20,), "smpl-ik/1")} and fixed.item_errors == solved.item_errors
    np.testing.assert_array_equal(solved.joints, before)
    assert solved.corrections == {}


def test_a_second_correction_keeps_the_first_and_files_tell_of_both(
    client: sinew.Client, solved: sinew.Poses, tmp_path: pathlib.Path
) -> None:
    target = turned_wrist(solved, 3)
    once = client.correct(solved, 3, {20: target})
    knee = np.array(once.joints[3, 5], np.float64)
    twice = client.correct(once, 3, {"right_knee": knee})
    assert twice.corrections[3].joints == (5, 20) and np.linalg.norm(twice.joints[3, 20] - target) <= 0.003
    paths = twice.to_amass(tmp_path / "p.npz")
    with np.load(paths[0]) as file, np.load(paths[1]) as other:
        assert file["corrected_joints"][3] == 1 << 5 | 1 << 20 and (np.delete(file["corrected_joints"], 3) == 0).all()
        assert file["corrected_by"][3] == "smpl-ik/1" and "corrected_joints" not in other
    # A cut keeps what belongs to its rows.
    assert list(twice[2:5].corrections) == [1] and not twice[4:9].corrections


def test_the_command_makes_the_same_of_the_same_move(client: sinew.Client, solved: sinew.Poses, tmp_path: pathlib.Path) -> None:
    paths = solved.to_amass(tmp_path / "p.npz")
    target = turned_wrist(solved, 120)
    fixed = client.correct(solved, 120, {"left_wrist": target})
    place = ",".join(map(repr, target.tolist()))
    command("correct", str(paths[1]), "--frame", "20", "--move", f"left_wrist={place}", "-o", str(tmp_path / "out.npz"), "--local")
    with np.load(tmp_path / "out.npz") as file:
        np.testing.assert_allclose(file["joints3d"][20], fixed.joints[120], atol=1e-3)
        np.testing.assert_array_equal(file["joints3d"][21], fixed.joints[121])


def test_async_correct_gives_the_same(fleet: Fleet, client: sinew.Client, solved: sinew.Poses) -> None:
    target = turned_wrist(solved, 9)

    async def run() -> sinew.Poses:
        async with sinew.AsyncClient(fleet.endpoint) as each:
            return await each.correct(solved, 9, {"left_wrist": target})

    np.testing.assert_array_equal(asyncio.run(run()).theta, client.correct(solved, 9, {"left_wrist": target}).theta)


@pytest.mark.parametrize("row, moved, message", [
    (70, {"left_wrist": (0, 1, 0)}, "no pose"), (3, {}, "nothing is moved"), (3, {"tail": (0, 1, 0)}, "tail"),
    (3, {"head": (0, 1)}, "three numbers"), (3, {"head": (0, np.nan, 0)}, "three numbers"), (3, {"head": (0, 1, 0), 15: (0, 1, 0)}, "twice"),
])
def test_what_cannot_be_corrected_is_refused(
    client: sinew.Client, solved: sinew.Poses, row: int, moved: dict[str | int, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        client.correct(solved, row, moved)
    with pytest.raises(IndexError):
        client.correct(solved, 200, {"head": (0, 1, 0)})
