"""The network as trained equals the published dense form; its inputs do not depend on where the person stands; a resumed training goes on."""

import sys

import pytest
import torch

from sinew_train import noise, train_learnable_smplify
from sinew_train.body import JointTable, forward_kinematics
from sinew_train.learnable_smplify import (
    DenseLearnableSMPLify, Layout, LearnableSMPLify, NTU_EDGES, adjacency, axis_angle, from_interleaved6d, human_frame, inputs, step)
from sinew_train.rotations import about_y, from_axis_angle


def person(count, seed=3):
    generator = torch.Generator().manual_seed(seed)
    betas = torch.randn(count, 10, generator=generator)
    rest = JointTable.load().rest(betas)
    local = from_axis_angle(0.3 * torch.randn(count, 24, 3, generator=generator))
    joints, _ = forward_kinematics(local, rest)
    start = local @ from_axis_angle(0.1 * torch.randn(count, 24, 3, generator=generator))
    return local, start, betas, rest, noise.corrupt("standard", joints, torch.zeros(count, 23), generator)


def trained(layout):
    """A network whose every tensor, the norms' statistics too, is away from its first value."""
    torch.manual_seed(5)
    model = LearnableSMPLify(layout)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_(0, 0.1)
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 1.5)
    return model.eval()


def test_published_graph_is_ntus():
    table = adjacency(25, [(a - 1, b - 1) for a, b in NTU_EDGES])
    assert float(table[1].sum()) == pytest.approx(24) and float(table[2].sum()) == pytest.approx(20)


def test_published_layout_has_the_published_tensors():
    tensors = LearnableSMPLify(Layout.published()).tensors()
    # 218 entries less the counters of the norms and the keypoint regressor, which is SMPL's.
    norms = sum(name.endswith("running_mean") for name in tensors)
    assert len(tensors) + norms + 1 == 218
    assert tensors["backbone.backbone.6.tcn1.conv.weight"].shape == (256, 256, 9, 1)
    assert tensors["backbone.gcn0.conv_list.2.weight"].shape == (64, 3, 1, 1)
    assert tensors["linear.0.weight"].shape == (256, 335) and tensors["linear.2.weight"].shape == (5632, 256)
    assert tensors["regressor.layers.1.weight"].shape == (22, 6, 256)


@pytest.mark.parametrize("layout", [Layout(), Layout.published()], ids=["ours", "published"])
def test_pruned_taps_equal_the_dense_network(layout):
    _, start, betas, rest, seen = person(7)
    given = inputs(layout, start, betas, rest, seen)
    with torch.no_grad():
        found = trained(layout)(given)
        expected = DenseLearnableSMPLify(layout, trained(layout).tensors())(given)
    assert float((found - expected).abs().max()) <= 1e-5 * max(1, float(expected.abs().max()))


def test_a_new_network_changes_nothing():
    _, start, betas, rest, seen = person(4)
    torch.testing.assert_close(step(LearnableSMPLify(Layout()).eval(), Layout(), start, betas, rest, seen), start, atol=2e-6, rtol=0)


def test_inputs_do_not_depend_on_place_and_heading():
    _, start, betas, rest, seen = person(4)
    first = inputs(Layout(), start, betas, rest, seen)
    turn = about_y(torch.tensor(0.6).cos(), torch.tensor(0.6).sin())
    start[:, 0] = turn @ start[:, 0]
    seen.joints = (turn @ seen.joints[..., None])[..., 0] + torch.tensor([3.0, 0, -2])
    second = inputs(Layout(), start, betas, rest, seen)
    torch.testing.assert_close(second.graph, first.graph, atol=1e-5, rtol=0)
    torch.testing.assert_close(second.body, first.body, atol=1e-6, rtol=0)


def test_a_missing_keypoint_has_no_say():
    _, start, betas, rest, seen = person(4)
    seen.observed[:, 18] = False
    first = inputs(Layout(), start, betas, rest, seen)
    seen.joints[:, 18] += 7
    torch.testing.assert_close(inputs(Layout(), start, betas, rest, seen).graph, first.graph)
    assert float(first.graph[:, 1, 18, 6].abs().max()) == 0


def test_frame_is_left_handed():
    local, _, _, rest, _ = person(4)
    joints, _ = forward_kinematics(local, rest)
    assert torch.allclose(torch.linalg.det(human_frame(joints, [0, 1, 2, 12])), torch.full((4,), -1.0), atol=1e-5)


def test_axis_angle_and_interleaved_layout():
    rotations = from_axis_angle(torch.randn(50, 3, generator=torch.Generator().manual_seed(1)))
    torch.testing.assert_close(from_axis_angle(axis_angle(rotations)), rotations, atol=2e-6, rtol=0)
    quarter = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    assert from_interleaved6d(torch.tensor([0.0, -1, 1, 0, 0, 0])).allclose(quarter)


@pytest.fixture
def clips(tmp_path, monkeypatch):
    """Two short clips and a split that names them."""
    import json

    import numpy as np

    from sinew_train import data

    generator = np.random.default_rng(0)
    for name in ("a", "b"):
        poses = np.cumsum(0.02 * generator.standard_normal((40, 72)), 0).astype(np.float32)
        np.savez(tmp_path / f"{name}.npz", poses=poses, mocap_framerate=30.0)
    (tmp_path / "tiny.json").write_text(json.dumps({"train": ["a"], "validation": ["b"]}))
    monkeypatch.setattr(data, "SPLITS", tmp_path)
    return tmp_path


def test_resumed_training_equals_an_unbroken_one(clips, tmp_path, monkeypatch):
    def run(out, *extra):
        words = ["--out", str(out), "--clips", str(clips), "--split", "tiny", "--channels", "4", "--blocks", "[[4,6,2]]", "--hidden", "8",
                 "--joint-width", "4", "--batch", "16", "--save-every", "3", *extra]
        monkeypatch.setattr(sys, "argv", ["train", *words])
        train_learnable_smplify.main()
        return torch.load(out / "state.pt", weights_only=True)

    whole = run(tmp_path / "whole", "--steps", "6")
    real = train_learnable_smplify.PairTraining.train_step

    def stopping(self):
        if self.step == 3:
            raise KeyboardInterrupt
        return real(self)

    monkeypatch.setattr(train_learnable_smplify.PairTraining, "train_step", stopping)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "broken", "--steps", "6")
    monkeypatch.setattr(train_learnable_smplify.PairTraining, "train_step", real)
    again = run(tmp_path / "broken", "--resume")
    assert whole["step"] == again["step"] == 6
    for name, value in whole["model"].items():
        assert torch.equal(value, again["model"][name]), name
