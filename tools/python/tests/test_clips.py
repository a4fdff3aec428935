"""Files of joints: Python's reader beside the command's, on the same files."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import numpy as np
import pytest
from client_fleet import Fleet, sinew as command

import sinew
from sinew import readers


def scene(motion: dict[str, Any], frames: int = 12) -> Any:
    """[T, P, 29, 3], metres, y up."""
    return np.swapaxes(motion["noisy"][:, :frames], 0, 1).copy()


CASES: dict[str, Any] = {
    "one person": lambda joints: {"joints3d": joints[:, 0]},
    "two people": lambda joints: {"joints3d": joints, "track": np.array(["anna", "ben"]), "gender": np.array(["female", "m"])},
    "millimetres, z up": lambda joints: {
        "joints3d": 1000 * joints @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0.0]]), "unit": "mm", "up_axis": "+z", "skeleton": "smpl-29",
        "sigma": np.full(joints.shape[:3], 30.0)},
    "confidence": lambda joints: {
        "joints3d": joints, "confidence": np.where(np.arange(29) % 9 == 4, 0.0, 0.95) * np.ones(joints.shape[:3]), "up_axis": "y"},
    "one body each": lambda joints: {"joints3d": joints, "betas": np.stack([np.full(16, 0.2), np.full(16, -0.3)])},
    "24 joints": lambda joints: {"joints3d": joints[:, :, :24], "betas": np.full(10, 0.1), "observed": np.arange(24) % 7 != 3 | np.zeros((12, 2, 24), bool)},
    "tracks in a list": lambda joints: {"joints3d": joints[:, 0], "track": np.repeat(["a", "b"], 6), "twist": np.zeros((12, 23))},
}


@pytest.mark.parametrize("case", list(CASES))
def test_a_file_is_read_as_the_command_reads_it(
    motion: dict[str, Any], fleet: Fleet, client: sinew.Client, case: str, tmp_path: pathlib.Path
) -> None:
    fields = CASES[case](scene(motion))
    np.savez(tmp_path / "clip.npz", **fields)
    people = readers.read_clip(tmp_path / "clip.npz")
    ours = client.solve(people, "niki").theta
    command("solve", str(tmp_path / "clip.npz"), "-o", str(tmp_path / "out.jsonl"), "--model", "niki", "--broker", fleet.endpoint)
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()[1:]]
    names = list(dict.fromkeys(row["track"] for row in rows))
    theirs = np.array([row["poses"] for name in names for row in rows if row["track"] == name]).reshape(-1, 24, 3)
    np.testing.assert_allclose(ours, theirs, atol=2e-4)
    assert len(names) == len(set(np.asarray(people.tracks).tolist())) and readers.track_names(tmp_path / "clip.npz") == names


def test_joints_that_are_nan_were_not_seen(motion: dict[str, Any], tmp_path: pathlib.Path) -> None:
    joints = scene(motion)[:, 0]
    joints[3, 7] = np.nan
    np.savez(tmp_path / "clip.npz", joints3d=joints)
    people = readers.read_clip(tmp_path / "clip.npz")
    assert np.argwhere(np.asarray(people.observed) == 0).tolist() == [[3, 7]] and np.isfinite(people.joints).all()


def test_a_folder_becomes_one_job(motion: dict[str, Any], client: sinew.Client, tmp_path: pathlib.Path) -> None:
    joints = scene(motion)
    (tmp_path / "monday").mkdir()
    np.savez(tmp_path / "monday/walk.npz", joints3d=joints)
    np.savez(tmp_path / "turn.npz", joints3d=joints[:5, 0])
    clips = readers.read_clips(tmp_path)
    assert list(clips) == ["monday/walk", "turn"] and [each.count for each in clips.values()] == [24, 5]
    poses = client.submit(clips, "hybrik").collect()
    assert {name: len(each) for name, each in poses.items()} == {"monday/walk": 24, "turn": 5}
    np.testing.assert_allclose(poses["turn"].theta, client.solve(joints[:5, 0], "hybrik").theta, atol=1e-6)
    with pytest.raises(readers.EstimateError, match="0 files"):
        readers.read_clips(tmp_path / "monday/walk.npz")


@pytest.mark.parametrize(("fields", "said"), [
    ({"poses": np.zeros((3, 72))}, "no joints3d; there are poses"),
    ({"joints3d": np.zeros((3, 29, 2))}, "depth cannot be told"),
    ({"joints3d": np.zeros((3, 87))}, r"\[n, J, 3\]"),
    ({"joints3d": np.zeros((0, 29, 3))}, r"\[0, 29, 3\]"),
    ({"joints3d": np.zeros((3, 17, 3))}, "no skeleton has 17 joints"),
    ({"joints3d": np.array(["a"])}, "no numbers"),
    ({"joints3d": np.zeros((3, 29, 3)), "unit": "inch"}, "inch"),
    ({"joints3d": np.zeros((3, 29, 3)), "up_axis": "w"}, "use m, cm or mm"),
    ({"joints3d": np.zeros((3, 29, 3)), "sigma": np.zeros((3, 24))}, r"sigma has shape \[3, 24\]"),
    ({"joints3d": np.zeros((3, 29, 3)), "sigma": np.full((3, 29), -1)}, "zero or more"),
    ({"joints3d": np.zeros((3, 29, 3)), "confidence": np.full((3, 29), 2)}, "between 0"),
    ({"joints3d": np.zeros((3, 29, 3)), "confidence": np.ones((3, 29)), "sigma": np.ones((3, 29))}, "both"),
    ({"joints3d": np.zeros((3, 29, 3)), "betas": np.zeros((2, 10))}, "betas has shape"),
    ({"joints3d": np.zeros((3, 29, 3)), "gender": np.array(["female", "male"])}, "gender has 2"),
    ({"joints3d": np.zeros((3, 29, 3)), "gender": "divers"}, "divers"),
    ({"joints3d": np.zeros((3, 29, 3)), "track": np.array(["a", "b"])}, "track has 2"),
    ({"joints3d": np.zeros((3, 29, 3)), "track": np.array(["a", "b", "a"])}, "goes on at row 2"),
    ({"joints3d": np.zeros((3, 2, 29, 3)), "track": np.array(["a", "a"])}, "1 of them different"),
    ({"joints3d": np.zeros((3, 29, 3)), "unit": np.array([print], object)}, "builtins"),
])
def test_a_wrong_file_names_itself_and_the_field(fields: dict[str, Any], said: str, tmp_path: pathlib.Path) -> None:
    np.savez(tmp_path / "clip.npz", **fields)
    with pytest.raises(readers.EstimateError, match=said) as caught:
        readers.read_clip(tmp_path / "clip.npz")
    assert "clip.npz" in str(caught.value)
