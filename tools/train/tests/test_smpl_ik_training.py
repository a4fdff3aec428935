"""SMPL-IK's training: terms with finite gradients, headings that can be told, resumable, exported with its figures."""

import json
import sys

import numpy as np
import pytest
import torch

from sinew_train import smpl_ik_export, smpl_ik_train, training_loop
from sinew_train.checkpoint import read_smpl_ik
from sinew_train.data import PoseSampler
from sinew_train.rotations import from_axis_angle, geodesic
from sinew_train.smpl_ik_conditioning import HeadingTables, body_scale, reference_of
from sinew_train.smpl_ik_data import GenderedPoseSampler, fit_heading, true_heading
from sinew_train.smpl_ik_losses import Solved, angle, published_terms, solved, whole_pose_terms


@pytest.fixture
def small_data(tmp_path, monkeypatch):
    """Three clips of random motion and a split that names them."""
    rng = np.random.default_rng(7)
    root = tmp_path / "data"
    (root / "cmu24").mkdir(parents=True)
    for name in "abc":
        np.savez(root / "cmu24" / f"{name}.npz", poses=rng.normal(0, 0.3, (40, 72)), mocap_framerate=30.0)
    splits = tmp_path / "splits"
    splits.mkdir()
    (splits / "cmu24.json").write_text(json.dumps({"train": ["a", "b"], "validation": ["c"]}))
    monkeypatch.setenv("SINEW_DATA", str(root))
    monkeypatch.setattr("sinew_train.data.SPLITS", splits)
    return tmp_path


def sampler(seed=3):
    local = from_axis_angle(0.3 * torch.randn((50, 24, 3), generator=torch.Generator().manual_seed(seed)))
    return GenderedPoseSampler.bundled(PoseSampler(local, None))


def run(monkeypatch, module, *words):
    monkeypatch.setattr(sys, "argv", ["run", *map(str, words)])
    module.main()


def test_the_angle_is_the_geodesic_one_and_its_gradient_is_finite_where_acos_has_none():
    generator = torch.Generator().manual_seed(1)
    a, b = (from_axis_angle(torch.randn((200, 3), generator=generator).double()) for _ in range(2))
    torch.testing.assert_close(angle(a, b), geodesic(a, b), atol=1e-9, rtol=0)
    half_turn = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
    same = torch.stack([torch.eye(3), half_turn]).requires_grad_(True)
    angle(same, torch.eye(3).expand(2, 3, 3)).sum().backward()
    assert same.grad.isfinite().all()


@pytest.mark.parametrize("terms_of", [published_terms, whole_pose_terms])
def test_the_true_pose_costs_nothing_and_a_wrong_one_something(terms_of):
    generator = torch.Generator().manual_seed(2)
    truth = sampler().draw(64, generator)
    given = truth.effectors(8, generator)
    model = smpl_ik_train.SMPLIK(8, dropout=0.0)
    conditioned = model.condition(given)
    positions, rotation6d = model(given, conditioned)
    found = solved(positions, rotation6d, given, conditioned, True)
    wrong = {name: value.detach() for name, value in terms_of(found, truth, given).items()}
    exact = type(found)(truth.local, truth.world, truth.joints, truth.joints)
    right = terms_of(exact, truth, given)
    assert set(wrong) == set(right) and len(right) >= 4
    for name in right:
        assert float(right[name]) < 0.01 < float(wrong[name]), name
    sum(terms_of(found, truth, given).values()).backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def test_another_body_keeps_its_effectors_and_has_no_true_joints():
    generator = torch.Generator().manual_seed(5)
    truth = sampler().draw(40, generator)
    given = truth.effectors(8, generator)
    changed = torch.rand(40, generator=generator) < 0.5
    other = given.on_next_bodies(changed)
    assert torch.equal(other.values, given.values) and torch.equal(other.kind, given.kind)
    for name in ("betas", "genders", "rest"):
        before, after = getattr(given, name), getattr(other, name)
        assert torch.equal(after[~changed], before[~changed])
        assert torch.equal(after[changed], before.roll(-1, 0)[changed]) and not torch.equal(after, before)
    # Joints that are wrong for changed people alone cost nothing; where their effectors are, they do.
    wrong = torch.where(changed[:, None, None], truth.joints + torch.tensor([0.3, 0.0, 0.0]) * torch.arange(24)[:, None], truth.joints)
    found = Solved(truth.local, truth.world, wrong, wrong)
    right = whole_pose_terms(found, truth, other, changed)
    assert float(right["joints"]) < 0.01 and float(right["first_joints"]) < 0.01 and float(right["effector_position"]) > 0.1
    assert float(whole_pose_terms(found, truth, other)["joints"]) > 0.1
    assert all(value.isfinite() for value in whole_pose_terms(found, truth, other, torch.ones_like(changed)).values())


def test_a_blended_pose_stands_between_two_frames():
    local = from_axis_angle(torch.stack([torch.zeros(24, 3), torch.tensor([0.8, 0.0, 0.0]).expand(24, 3)]))
    generator = torch.Generator().manual_seed(6)
    found = PoseSampler(local, None, mirror=False, blend=1.0).poses(500, generator)
    torch.testing.assert_close(found @ found.mT, torch.eye(3).expand_as(found), atol=1e-5, rtol=0)
    angles = geodesic(found[:, 1:], torch.eye(3).expand(500, 23, 3, 3))
    assert angles.min() < 0.01 and angles.max() < 0.801 and 50 < ((angles[:, 0] > 0.1) & (angles[:, 0] < 0.7)).sum()
    # One share for the whole body.
    torch.testing.assert_close(angles, angles[:, :1].expand_as(angles), atol=1e-5, rtol=0)


def test_what_changes_on_the_way_is_recorded_and_what_cannot_is_refused(small_data, monkeypatch):
    common = ["--width", 8, "--batch", 12, "--threads", 1, "--validation-samples", 20, "--heading-steps", 2]
    run(monkeypatch, smpl_ik_train, "--out", small_data / "run", *common, "--steps", 2)
    more = ["--out", small_data / "run", "--resume", "--validation-samples", 10]
    run(monkeypatch, smpl_ik_train, *more, "--steps", 3, "--lr", 0.004, "--change", 0.3)
    run(monkeypatch, smpl_ik_train, *more, "--steps", 4, "--lr", 0.004, "--batch", 6)
    state = torch.load(small_data / "run" / "state.pt", weights_only=True)
    assert state["step"] == 4 and state["options"]["lr"] == 0.004 and state["options"]["change"] == 0.3
    command = smpl_ik_export.command_of(state["options"], 4)
    assert "--change 0.0 " in command and "--batch 12 " in command and "--lr 0.02 " in command
    assert command.endswith(
        "--steps 2; stopped at step 2, then --resume --steps 3 --lr 0.004 --change 0.3; "
        "stopped at step 3, then --resume --steps 4 --batch 6"), command
    with pytest.raises(SystemExit, match="began with --width 8, which cannot change"):
        run(monkeypatch, smpl_ik_train, *more, "--width", 9)


def test_fitted_tables_tell_the_heading_of_poses_they_have_not_seen():
    generator = torch.Generator().manual_seed(4)
    tables = HeadingTables()
    fit_heading(tables, sampler(3), generator, 60, batch=256)
    pose = sampler(8).draw(600, generator)
    given = pose.effectors(10, generator)
    found = tables.evidence(given, reference_of(given), body_scale(given.rest))
    cosine = (found * true_heading(pose)).sum(-1) / found.norm(dim=-1)
    assert (1 - cosine).mean() < 0.1
    torch.testing.assert_close(tables.pairs, -tables.pairs.transpose(0, 1))


@pytest.mark.parametrize("words", [[], ["--conditioning", "none", "--loss", "published", "--dropout", 0.01]])
def test_a_resumed_training_ends_with_the_same_weights(words, small_data, monkeypatch):
    common = ["--width", 8, "--batch", 12, "--group", 5, "--steps", 6, "--fp32", "--threads", 1, "--validation-samples", 20,
              "--save-every", 3, "--heading-steps", 4, "--recombine", 0.3, "--jitter", 0.3, *words]
    run(monkeypatch, smpl_ik_train, "--out", small_data / "whole", *common)
    monkeypatch.setattr(training_loop, "log_line", _stop_after(3))
    with pytest.raises(KeyboardInterrupt):
        run(monkeypatch, smpl_ik_train, "--out", small_data / "parts", *common, "--validate-every", 4)
    monkeypatch.undo()
    monkeypatch.setenv("SINEW_DATA", str(small_data / "data"))
    monkeypatch.setattr("sinew_train.data.SPLITS", small_data / "splits")
    state = torch.load(small_data / "parts" / "state.pt", weights_only=True)
    assert state["step"] == 3 and state["samples"] == 36
    run(monkeypatch, smpl_ik_train, "--out", small_data / "parts", "--resume", "--threads", 1)
    whole = torch.load(small_data / "whole" / "state.pt", weights_only=True)
    parts = torch.load(small_data / "parts" / "state.pt", weights_only=True)
    for kind in ("model", "average"):
        assert all(torch.equal(whole[kind][name], parts[kind][name]) for name in whole[kind])


def _stop_after(step):
    """Interrupts the training at its first log line beyond `step`, as Ctrl-C would."""

    def log_line(path, fields):
        if fields.get("step", 0) > step:
            raise KeyboardInterrupt

    return log_line


def test_an_exported_model_holds_the_averaged_weights_and_its_figures(small_data, monkeypatch):
    run(monkeypatch, smpl_ik_train, "--out", small_data / "run", "--width", 8, "--batch", 12, "--steps", 3, "--threads", 1,
        "--validation-samples", 20, "--heading-steps", 2)
    run(monkeypatch, smpl_ik_export, "--state", small_data / "run", "--out", small_data / "models", "--samples", 60)
    model, described = read_smpl_ik(small_data / "models" / "smpl-ik" / "1")
    state = torch.load(small_data / "run" / "state.pt", weights_only=True)
    assert all(torch.equal(model.state_dict()[name], value) for name, value in state["average"].items())
    assert described["training"]["samples"] == 36 and "--width 8" in described["training"]["command"]
    run(monkeypatch, smpl_ik_export, "--state", small_data / "run", "--out", small_data / "models", "--samples", 60, "--name", "half",
        "--storage", "bfloat16")
    half, _ = read_smpl_ik(small_data / "models" / "half" / "1")
    assert all(torch.equal(half.state_dict()[name], value.bfloat16().float()) for name, value in state["average"].items())
    for protocol in ("random-effectors", "six-positions"):
        figures = described["evaluation"][protocol]
        assert 0 < figures["pa_mpjpe_mm"] <= figures["mpjpe_mm"] and 0 < figures["ge_rad"] < 3.2


def test_a_training_goes_on_from_an_exported_version(small_data, monkeypatch):
    common = ["--width", 8, "--batch", 12, "--threads", 1, "--validation-samples", 20]
    run(monkeypatch, smpl_ik_train, "--out", small_data / "run", *common, "--steps", 2, "--heading-steps", 2)
    run(monkeypatch, smpl_ik_export, "--state", small_data / "run", "--out", small_data / "models", "--samples", 60)
    folder = small_data / "models" / "smpl-ik" / "1"
    run(monkeypatch, smpl_ik_train, "--out", small_data / "more", *common, "--steps", 1, "--start", folder, "--lr", 0, "--adam-lr", 0)
    state = torch.load(small_data / "more" / "state.pt", weights_only=True)
    written, _ = read_smpl_ik(folder)
    assert state["samples"] == 36
    assert all(torch.equal(state["model"][name], value) for name, value in written.state_dict().items())
    with pytest.raises(SystemExit, match="width 8"):
        run(monkeypatch, smpl_ik_train, "--out", small_data / "other", "--width", 9, "--steps", 1, "--start", folder)
