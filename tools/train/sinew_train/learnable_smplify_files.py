"""Learnable SMPLify's files: a version of the model repository from a training state, and the golden vectors of the Swift tests.

    python -m sinew_train.learnable_smplify_files export --state out/learnable --out ../../Sources/SinewModels/Resources/models
    python -m sinew_train.learnable_smplify_files fixtures --out ../../Tests/SinewModelsTests/Fixtures

With `--shipped ../../Sources/SinewModels/Resources/models`, `fixtures` writes `learnable_smplify_shipped.safetensors` from the shipped checkpoint instead.
"""

import argparse
import datetime
import json
from pathlib import Path

import torch
from torch import Tensor

from . import noise
from .checkpoint import read_tensors, write_model
from .conditioning import Observations
from .data import split_names
from .export import ACKNOWLEDGEMENT, DATA, LICENCE
from .learnable_smplify import (
    BODY25_JOINTS, BODY25_OFFSETS, DenseLearnableSMPLify, Layout, LearnableSMPLify, NTU_EDGES, axis_angle, from_interleaved6d, inputs, with_identity)
from .make_fixtures import people, save
from .rotations import from_axis_angle
from .training_options import command

NAME = LearnableSMPLify.architecture


def write(folder: Path, name: str, layout: Layout, tensors: dict[str, Tensor], training: dict, evaluation: dict) -> str:
    return write_model(folder, name, folder.name, NAME, layout.hidden, 0, "human-centric", tensors, training, evaluation, layout.graph_json())


def read(folder: Path, dtype=torch.float32) -> DenseLearnableSMPLify:
    """A version's folder as the dense reference."""
    tensors, described = read_tensors(folder, dtype=dtype)
    return DenseLearnableSMPLify(Layout.of(described), tensors)


def export(state_folder: Path, out: Path, version: str, evaluation: Path | None) -> None:
    state = torch.load(state_folder / "state.pt", weights_only=True, map_location="cpu")
    options = argparse.Namespace(**state["options"])
    layout = Layout(channels=options.channels, blocks=[tuple(b) for b in options.blocks], hidden=options.hidden, joint_width=options.joint_width)
    model = LearnableSMPLify(layout)
    model.load_state_dict(state["model"])
    names = ["channels", "hidden", "joint_width", "batch", "lr", "adam_lr", "weight_decay", "seed"]
    text = command(state["options"], "train_learnable_smplify", names, [f"--blocks '{json.dumps(options.blocks)}'"])
    training = {
        "data": f"{DATA}, {len(split_names(options.split, 'train'))} clips (splits/{options.split}.json)", "licence": LICENCE,
        "acknowledgement": ACKNOWLEDGEMENT, "seed": options.seed, "samples": state["step"] * options.batch, "command": text,
        "date": datetime.date.today().isoformat(),
    }
    found = json.loads(evaluation.read_text()) if evaluation else {}
    print(write(out / NAME / version, NAME, layout, model.tensors(), training, found))


def random_tensors(layout: Layout, generator: torch.Generator) -> dict[str, Tensor]:
    """Random values under every name: taps that never meet a frame and mask entries beside the graph are not zero."""
    torch.manual_seed(0)
    out = {}
    for name, tensor in LearnableSMPLify(layout).tensors().items():
        kind = name.split(".")[-1]
        if kind == "running_var":
            out[name] = noise.uniform(tuple(tensor.shape), 0.5, 1.5, generator)
        elif kind == "mask" or (kind == "weight" and tensor.ndim == 1):
            out[name] = noise.uniform(tuple(tensor.shape), 0.6, 1.4, generator)
        else:
            bound = 1.5 / max(tensor[0].numel(), 1) ** 0.5 if tensor.ndim > 1 else 0.3
            out[name] = noise.uniform(tuple(tensor.shape), -bound, bound, generator)
    return out


FIXTURES = {
    "learnable_smplify_ours": Layout(channels=5, blocks=[(5, 5, 1), (5, 7, 2), (7, 9, 1)], hidden=11, joint_width=3),
    "learnable_smplify_published": Layout(
        "position", list(BODY25_JOINTS), [(a - 1, b - 1) for a, b in NTU_EDGES], [8, 12, 9, 1], 5, [(5, 5, 1), (5, 7, 2), (7, 7, 1), (7, 9, 2)],
        9, "mean", 11, 3, 22, list(BODY25_OFFSETS)),
}
"""Odd and small widths; strides, ways around and both poolings all occur."""


def golden(model: DenseLearnableSMPLify, seen: Observations, betas: Tensor, rest: Tensor, theta: Tensor) -> dict[str, Tensor]:
    """Inputs, residuals and turned rotations of one pass, run in float64."""
    layout = model.layout
    seen64 = Observations(seen.joints.double(), seen.sigma.double(), seen.observed, seen.twists.double(), seen.has_twists)
    start = with_identity(from_axis_angle(theta.double()), layout.rotations)
    given = inputs(layout, start, betas.double(), rest.double(), seen64)
    residual = model(given)
    turned = torch.cat([start[:, : layout.rotations] @ from_interleaved6d(residual), start[:, layout.rotations :]], 1)
    return {
        "joints": seen.joints, "sigma": seen.sigma, "observed": seen.observed.to(torch.uint8), "betas": betas, "rest": rest, "theta": theta,
        "graph": given.graph.transpose(1, 2), "body": given.body, "rotation6d": residual, "rotations": turned,
    }


def fixtures(out: Path, seed: int) -> None:
    for index, (name, layout) in enumerate(FIXTURES.items()):
        generator = torch.Generator().manual_seed(seed + index)
        write(out / name / "1", name, layout, random_tensors(layout, generator), {"data": "none: random weights for tests", "seed": seed + index}, {})
        save(started_people(read(out / name / "1", torch.float64), 16, generator), out / f"{name}.safetensors")


def started_people(model: DenseLearnableSMPLify, count: int, generator: torch.Generator) -> dict[str, Tensor]:
    """The golden vectors of random people, some joints missing, each started from a pose near the true one."""
    seen, betas, rest, local = people(count, False, generator)
    return golden(model, seen, betas, rest, axis_angle(local @ from_axis_angle(0.2 * noise.normal((count, 24, 3), generator))))


def shipped(out: Path, repository: Path, seed: int) -> None:
    model = read(repository / NAME / "1", torch.float64)
    save(started_people(model, 64, torch.Generator().manual_seed(seed)), out / "learnable_smplify_shipped.safetensors")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    exporting = commands.add_parser("export")
    exporting.add_argument("--state", type=Path, required=True, help="the --out folder of a training")
    exporting.add_argument("--version", default="1")
    exporting.add_argument("--evaluation", type=Path, help="JSON with the figures to write into model.json")
    writing = commands.add_parser("fixtures")
    writing.add_argument("--seed", type=int, default=20260101)
    writing.add_argument("--shipped", type=Path, help="the model repository whose checkpoint to record")
    for command in (exporting, writing):
        command.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    if given.command == "export":
        export(given.state, given.out, given.version, given.evaluation)
    elif given.shipped:
        shipped(given.out, given.shipped, given.seed)
    else:
        fixtures(given.out, given.seed)


if __name__ == "__main__":
    main()
