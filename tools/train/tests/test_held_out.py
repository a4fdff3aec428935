"""The input files of `sinew solve` and the scores of its output: a program that answers with the truth is without error."""

import json

import numpy as np
import torch

from sinew_train import noise
from sinew_train.body import JointTable
from sinew_train.data import PoseSampler, truth_of
from sinew_train.effectors import GENDERS, LOOK_AT, POSITION, ROTATION
from sinew_train.held_out import Clips, EffectorSets, People
from sinew_train.learnable_smplify import axis_angle
from sinew_train.rotations import from_axis_angle
from sinew_train.smpl_ik_data import GenderedPoseSampler

FRAMES = 40


def frames() -> torch.Tensor:
    return from_axis_angle(0.3 * noise.normal((FRAMES, 24, 3), torch.Generator().manual_seed(5)))


def theta(local: torch.Tensor) -> np.ndarray:
    return axis_angle(local).flatten(1).numpy()


def test_people_solved_truly_have_no_error(tmp_path):
    people = People("occlusion", PoseSampler(frames(), JointTable.load(), mirror=False), 1100, 3)
    people.write(tmp_path / "in.npz")
    with np.load(tmp_path / "in.npz") as file:
        assert file["joints3d"].shape == (1100, 29, 3) and file["twist"].shape == (1100, 23)
        assert np.abs(file["joints3d"] - people.truth.joints.numpy()).max() > 0.05
    np.savez(tmp_path / "out.npz", poses=theta(people.truth.local))
    found = people.score(tmp_path / "out.npz")
    assert found["mpjpe_mm"] < 0.01 and found["pa_mpjpe_mm"] < 0.01 and found["ge_rad"] < 1e-3


def test_effector_sets_carry_every_row_and_place_the_body(tmp_path):
    sampler = GenderedPoseSampler.bundled(PoseSampler(frames(), None, mirror=False))
    sets = EffectorSets("random-effectors", sampler, 1100, 3)
    sets.write(tmp_path / "in.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "in.jsonl").read_text().splitlines()]
    given = sets.parts[0][1]
    rows = [effector for line in lines[: len(given.betas)] for effector in line["effectors"]]
    assert len(lines) == 1100 and len(rows) == len(given.kind)
    names = {POSITION: "position", ROTATION: "rotation_6d", LOOK_AT: "look_at"}
    for row, effector in enumerate(rows):
        kind = int(given.kind[row])
        assert effector["joint"] == int(given.joint[row]) and [name for name in names.values() if name in effector] == [names[kind]]
        told = effector[names[kind]] + effector.get("direction", [0, 0, 0] if kind == POSITION else [])
        assert torch.equal(torch.tensor(told), given.values[row])
    assert [line["gender"] for line in lines[:1000]] == [GENDERS[int(code)] for code in given.genders]
    local = torch.cat([truth.local for truth, _ in sets.parts])
    np.savez(tmp_path / "out.npz", poses=theta(local), trans=np.zeros((1100, 3), np.float32))
    found = sets.score(tmp_path / "out.npz")
    assert found["mpjpe_mm"] < 0.01 and found["ge_rad"] < 1e-3 and found["effector_mm"] < 1
    np.savez(tmp_path / "out.npz", poses=theta(local), trans=np.full((1100, 3), 0.03, np.float32))
    assert abs(sets.score(tmp_path / "out.npz")["effector_mm"] - 30 * 3**0.5) < 1


def test_clips_are_scored_track_by_track(tmp_path):
    generator = torch.Generator().manual_seed(9)
    truth = truth_of(frames(), noise.normal((FRAMES, 10), generator), JointTable.load())
    seen = noise.corrupt("standard", truth.joints, truth.twists, generator)
    clips = Clips("standard", ["one", "two"], [15, 25], truth, seen, twists=True)
    clips.write(tmp_path / "in.npz")
    with np.load(tmp_path / "in.npz") as file:
        assert file["track"].tolist() == ["one"] * 15 + ["two"] * 25 and file["twist"].shape == (FRAMES, 23)
    for name, rows in [("one", slice(0, 15)), ("two", slice(15, 40))]:
        poses = theta(truth.local[rows])
        np.savez(tmp_path / f"out.{name}.npz", poses=poses, solved=np.ones(len(poses), bool), outcome=np.zeros(len(poses)))
    found = clips.score(tmp_path / "out.npz")
    assert found["mpjpe_mm"] < 0.01 and found["ge_rad"] < 1e-3 and found["accel_mm"] < 0.02
    assert len(clips.outcome) == FRAMES
