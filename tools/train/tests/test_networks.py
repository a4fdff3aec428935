"""The packed networks equal the published dense form, invert exactly, and a resumed training goes on as if never stopped."""

import json
import sys

import numpy as np
import pytest
import torch

from sinew_train import export, losses, train, training_loop
from sinew_train.checkpoint import read_model, write_model
from sinew_train.dense import DenseModel
from sinew_train.export import command_of
from sinew_train.inn import INN, inn_input
from sinew_train.mlp import MLP
from sinew_train.muon import orthogonalise
from sinew_train.niki import OneStage, TwistAndSwing

EXPECTED_SHAPES = {
    "niki-twist-and-swing": {
        "flow_j2s.jts_masks": (16, 176), "flow_j2s.shape_masks": (16,), "flow_s2r.mask": (16, 190),
        "flow_j2s.jts_nett.3.encoder.0.weight": (24, 186), "flow_j2s.jts_nets.15.encoder.6.weight": (176, 24),
        "flow_s2r.t.0.3.weight": (24, 24), "flow_s2r.s.15.6.bias": (190,),
    },
    "inn": {"flow.mask": (16, 176), "flow.s.15.4.weight": (176, 24)},
    "niki-one-stage": {"flow.mask": (16, 176), "flow.t.0.0.weight": (24, 176), "flow.s.15.4.weight": (176, 24)},
}


class Given:
    """Stands for a conditioned batch."""

    def __init__(self, count):
        generator = torch.Generator().manual_seed(2)
        self.x = torch.randn(count, 176, generator=generator)
        self.phi = torch.randn(count, 46, generator=generator)

    def flow_input(self, padding=None):
        return self.x


def large(kind):
    """A stack whose last layers are not near zero."""
    torch.manual_seed(4)
    model = kind(24)
    with torch.no_grad():
        for stack in model.stacks():
            stack.w3.mul_(8)
    return model


@pytest.mark.parametrize("kind", [TwistAndSwing, OneStage, INN])
def test_packed_equals_dense_in_both_directions(kind):
    model, given = large(kind), Given(50)
    tensors = model.tensors()
    assert len(tensors) == {TwistAndSwing: 387, OneStage: 193, INN: 193}[kind]
    for name, shape in EXPECTED_SHAPES[kind.architecture].items():
        assert tuple(tensors[name].shape) == shape
    dense = DenseModel(kind.architecture, tensors)
    solved = model.inverse(given.x, given.phi)
    rotation6d, _, latent = dense.inverse(given, torch.zeros(50, 10))
    torch.testing.assert_close(solved.rotation6d, rotation6d, atol=2e-5, rtol=0)
    torch.testing.assert_close(solved.latent, latent, atol=2e-5, rtol=0)
    seen = inn_input(given.x, given.phi) if kind is INN else given.x
    back = model(rotation6d, latent)
    torch.testing.assert_close(back.observation, seen, atol=2e-5, rtol=0)
    observation, _, phi = dense.forward(rotation6d, latent, torch.zeros(50, 10))
    torch.testing.assert_close(observation, seen, atol=2e-5, rtol=0)
    assert (phi is None) == (kind is OneStage)
    if phi is not None:
        torch.testing.assert_close(phi, given.phi, atol=2e-5, rtol=0)


def test_muon_updates_are_nearly_orthogonal_for_wide_and_tall_stacks():
    for shape in [(3, 2, 24, 40), (2, 2, 50, 20)]:
        update = orthogonalise(torch.randn(shape, generator=torch.Generator().manual_seed(1)), dtype=torch.float32)
        values = torch.linalg.svdvals(update)
        assert values.min() > 0.4 and values.max() < 1.3


def test_a_changed_weight_file_is_refused(tmp_path):
    torch.manual_seed(0)
    write_model(tmp_path, "mlp-ik", "1", "mlp-ik", 8, 0, "heading-bones", MLP(8).tensors(), {}, {})
    read_model(tmp_path)
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    with pytest.raises(SystemExit, match="SHA-256"):
        read_model(tmp_path)


def test_a_file_of_bfloat16_weights_is_half_as_large_and_says_float32(tmp_path):
    torch.manual_seed(0)
    tensors = MLP(64).tensors()
    sizes = {}
    for storage in ["float32", "bfloat16"]:
        write_model(tmp_path / storage, "mlp-ik", "1", "mlp-ik", 64, 0, "heading-bones", tensors, {}, {}, storage=storage)
        sizes[storage] = (tmp_path / storage / "weights.safetensors").stat().st_size
        model, described = read_model(tmp_path / storage)
        assert described["precision"] == "float32"
        for name, value in tensors.items():
            assert torch.equal(model.tensors[name], value.to(getattr(torch, storage)).float())
    assert sizes["bfloat16"] < 0.52 * sizes["float32"]


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


def run(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["train", *map(str, words)])
    train.main()


@pytest.mark.parametrize("architecture", ["niki-twist-and-swing", "niki-one-stage", "inn", "mlp-ik"])
def test_a_resumed_training_ends_with_the_same_weights(architecture, small_data, monkeypatch):
    common = ["--architecture", architecture, "--hidden", 8, "--batch", 12, "--steps", 6, "--fp32", "--threads", 1,
              "--validation-samples", 20, "--recombine", 0.3, "--jitter", 0.3, "--save-every", 3, "--forward-inferred"]
    run(monkeypatch, "--out", small_data / "whole", *common)
    monkeypatch.setattr(training_loop, "log_line", _stop_after(3))
    with pytest.raises(KeyboardInterrupt):
        run(monkeypatch, "--out", small_data / "parts", *common, "--validate-every", 4)
    monkeypatch.undo()
    monkeypatch.setenv("SINEW_DATA", str(small_data / "data"))
    monkeypatch.setattr("sinew_train.data.SPLITS", small_data / "splits")
    state = torch.load(small_data / "parts" / "state.pt", weights_only=True)
    assert state["step"] == 3
    run(monkeypatch, "--out", small_data / "parts", "--resume", "--threads", 1)
    whole = torch.load(small_data / "whole" / "state.pt", weights_only=True)["model"]
    parts = torch.load(small_data / "parts" / "state.pt", weights_only=True)["model"]
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


@pytest.mark.parametrize("architecture", ["niki-twist-and-swing", "niki-one-stage"])
def test_an_ablated_training_logs_what_it_leaves_out_and_does_not_minimise_it(architecture, small_data, monkeypatch):
    common = ["--architecture", architecture, "--hidden", 8, "--batch", 12, "--steps", 1, "--fp32", "--threads", 1, "--validation-samples", 20]

    def trained(name, *words):
        run(monkeypatch, "--out", small_data / name, *common, *words)
        lines = [json.loads(line) for line in (small_data / name / "log.jsonl").read_text().splitlines()]
        return next(line["loss"] for line in lines if "loss" in line), torch.load(small_data / name / "state.pt", weights_only=True)

    whole, _ = trained("whole")
    for ablation, terms in losses.ABLATIONS.items():
        if architecture == "niki-one-stage" and ablation == "swing":
            continue
        found, state = trained(ablation, "--without", ablation)
        gone = sum(losses.WEIGHTS.get(term, 1.0) * whole.get(term, 0.0) for term in terms)
        assert gone > 0.01 and abs(whole["total"] - gone - found["total"]) < 1e-4, ablation
        assert f"--without {ablation}" in command_of(state["options"])
    for other in ["mlp-ik", "niki-one-stage"]:
        with pytest.raises(SystemExit):
            run(monkeypatch, "--out", small_data / "other", "--architecture", other, "--without", "swing")


@pytest.mark.parametrize("architecture", ["niki-twist-and-swing", "niki-one-stage", "inn", "mlp-ik"])
def test_a_training_starts_from_exported_weights_and_counts_on(architecture, small_data, monkeypatch):
    common = ["--architecture", architecture, "--hidden", 8, "--batch", 12, "--fp32", "--threads", 1, "--validation-samples", 20]
    run(monkeypatch, "--out", small_data / "run", *common, "--steps", 2)
    monkeypatch.setattr(sys, "argv", ["export", "--state", str(small_data / "run"), "--name", "one", "--out", str(small_data / "models"), "--samples", "20"])
    export.main()
    folder = small_data / "models" / "one" / "1"
    assert json.loads((folder / "model.json").read_text())["training"]["samples"] == 24
    run(monkeypatch, "--out", small_data / "more", *common, "--steps", 1, "--start", folder, "--lr", 0, "--adam-lr", 0)
    old, new = (torch.load(small_data / name / "state.pt", weights_only=True) for name in ("run", "more"))
    assert all(torch.equal(old["model"][name], new["model"][name]) for name in old["model"])
    assert new["samples"] == 36 and f"--start {folder}" in command_of(new["options"])
    with pytest.raises(SystemExit, match="--hidden"):
        run(monkeypatch, "--out", small_data / "other", *common, "--hidden", 9, "--steps", 1, "--start", folder)


def _stop_after(step):
    """Interrupts the training at its first log line beyond `step`, as Ctrl-C would."""

    def log_line(path, fields):
        if fields.get("step", 0) > step:
            raise KeyboardInterrupt

    return log_line


def test_the_record_names_every_change_of_the_schedule(small_data, monkeypatch):
    """The command in model.json must repeat the weights, also after `--resume --steps`."""
    common = ["--hidden", 8, "--batch", 12, "--threads", 1, "--validation-samples", 20]
    run(monkeypatch, "--out", small_data / "run", *common, "--steps", 2)
    run(monkeypatch, "--out", small_data / "run", "--resume", "--steps", 4)
    state = torch.load(small_data / "run" / "state.pt", weights_only=True)
    assert state["step"] == 4
    command = command_of(state["options"])
    assert "--steps 2; stopped at step 2, then --resume --steps 4" in command and "--hidden 8 --batch 12" in command
