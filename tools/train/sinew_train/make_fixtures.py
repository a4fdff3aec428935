"""Golden vectors for the Swift tests: networks of reduced width at the official interfaces, run densely in float64.

`python -m sinew_train.make_fixtures --out ../../Tests/SinewModelsTests/Fixtures` writes, per case, a repository folder `<name>/1/` and
`<name>.safetensors` with inputs and every intermediate vector. With `--shipped ../../Sources/SinewModels/Resources/models` it writes
`<name>_shipped.safetensors` for each shipped network that sees bone vectors instead (64 people, some joints missing).
"""

import argparse
import json
import math
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from . import conditioning, noise
from .body import JointTable, forward_kinematics
from .checkpoint import read_model, write_model
from .conditioning import Observations
from .coupling import LAYER_COUNT, mask_table
from .dense import DenseModel
from .hybrik import decompose
from .rotations import about_y, from_axis_angle, from_rows6d, to_rows6d

HIDDEN = 13
"""Odd and small: tile remainders everywhere, and fixtures of about a megabyte."""


def random_linear(out: int, columns: int, generator: torch.Generator, gain: float = 1.0) -> tuple[Tensor, Tensor]:
    bound = gain / math.sqrt(columns)
    return noise.uniform((out, columns), -bound, bound, generator), noise.uniform((out,), -bound, bound, generator)


def random_flow(dim: int, extra: int, prefixes: list[str], slots: list[int], generator: torch.Generator) -> dict[str, Tensor]:
    """Dense random nets: the entries that a mask hides are not zero, so a loader that keeps them fails."""
    out = {}
    sizes = [(HIDDEN, dim + extra, 1.5), (HIDDEN, HIDDEN, 1.5), (dim, HIDDEN, 0.7)]
    for layer in range(LAYER_COUNT):
        for prefix in prefixes:
            for slot, (rows, columns, gain) in zip(slots, sizes):
                key = f"{prefix.format(layer)}.{slot}"
                out[f"{key}.weight"], out[f"{key}.bias"] = random_linear(rows, columns, generator, gain)
    return out


def random_tensors(architecture: str, gates: bool, generator: torch.Generator) -> dict[str, Tensor]:
    if architecture == "mlp-ik":
        sizes = [162, HIDDEN, HIDDEN, HIDDEN, 144]
        out = {}
        for layer, (columns, rows) in enumerate(zip(sizes, sizes[1:])):
            out[f"layers.{layer}.weight"], out[f"layers.{layer}.bias"] = random_linear(rows, columns, generator, 1.7)
        return out
    if architecture in ("niki-one-stage", "inn"):
        out = random_flow(176, 0, ["flow.t.{}", "flow.s.{}"], [0, 2, 4], generator)
        return out | {"flow.mask": mask_table(176)}
    out = random_flow(
        176, 10, ["flow_j2s.jts_nett.{}.encoder", "flow_j2s.jts_nets.{}.encoder"], [0, 3, 6], generator)
    out |= random_flow(190, 0, ["flow_s2r.t.{}", "flow_s2r.s.{}"], [0, 3, 6], generator)
    gate = noise.uniform((LAYER_COUNT,), -1, 1, generator) if gates else torch.zeros(LAYER_COUNT)
    return out | {"flow_j2s.jts_masks": mask_table(176), "flow_j2s.shape_masks": gate, "flow_s2r.mask": mask_table(190)}


def people(count: int, whole: bool, generator: torch.Generator) -> tuple[Observations, Tensor, Tensor, Tensor]:
    """Random poses seen with `occlusion` noise anywhere in space; unless `whole`, joints and twists are missing in many ways."""
    betas = noise.normal((count, 10), generator)
    rest = JointTable.load().rest(betas)
    local = from_axis_angle(0.35 * noise.normal((count, 24, 3), generator))
    yaw = noise.uniform((count,), -math.pi, math.pi, generator)
    local[:, 0] = about_y(yaw.cos(), yaw.sin()) @ local[:, 0]
    joints, _ = forward_kinematics(local, rest)
    _, twists = decompose(local, rest)
    seen = noise.corrupt("occlusion", joints, twists, generator)
    seen.joints = seen.joints + 0.3 * noise.normal((count, 1, 3), generator)
    if not whole:
        missing = [
            [], [24, 25, 26, 27, 28], [0], [0, 1], [0, 1, 2], [16], [16, 2], [18, 20, 22, 25], list(range(3, 29)),
            [1, 2, 16, 17], [4, 7, 10, 27, 5, 8, 11, 28], list(range(1, 29)),
        ]
        for person in range(count):
            if person < len(missing):
                seen.observed[person, missing[person]] = False
            elif person % 2:
                seen.observed[person] = torch.rand(29, generator=generator) > 0.25
                seen.observed[person, 9] = True
            seen.has_twists[person] = person % 3 != 1
        seen.sigma[0, 5] = 0.9  # clipped to 0.4 by heading-bones
    return seen, betas, rest, local


def golden(model: DenseModel, kind: str, seen: Observations, betas: Tensor, rest: Tensor, local: Tensor, padding: Tensor) -> dict[str, Tensor]:
    """Every vector from the observation to the rotations, and the FK direction from the true rotations with a random latent."""
    seen64 = Observations(seen.joints.double(), seen.sigma.double(), seen.observed, seen.twists.double(), seen.has_twists)
    betas64, rest64, padding64 = betas.double(), rest.double(), padding.double()
    bones = kind == "heading-bones"
    given = conditioning.heading_bones(seen64, rest64) if bones else conditioning.root_relative(seen64)
    rotation6d, swing6d, latent = model.inverse(given, betas64)
    rotations = from_rows6d(rotation6d.unflatten(1, (24, 6)))
    rotations = conditioning.restore_root(rotations, given) if bones else rotations
    out = {
        "joints": seen.joints, "sigma": seen.sigma, "observed": seen.observed.to(torch.uint8), "twists": seen.twists,
        "has_twists": seen.has_twists.to(torch.uint8), "betas": betas, "rest": rest, "padding": padding,
        "heading": torch.stack([given.cos, given.sin], 1), "phi": given.phi, "rotation6d": rotation6d, "latent": latent,
        "latent_norm": latent.norm(dim=1), "rotations": rotations,
    }
    if model.architecture == "mlp-ik":
        del out["latent"]
        return out | {"input": given.mlp_input()}
    out["input"] = given.flow_input()
    out["rotation6d_padded"], _, out["latent_padded"] = model.inverse(given, betas64, padding64)
    if swing6d is not None:
        out["swing6d"] = swing6d
    start = local.double()
    if bones:
        start = torch.cat([(given.heading().transpose(1, 2) @ start[:, 0])[:, None], start[:, 1:]], 1)
    fk_rotation6d = to_rows6d(start).flatten(1)
    fk_latent = 0.3 * torch.randn(latent.shape, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    observation, fk_swing6d, fk_phi = model.forward(fk_rotation6d, fk_latent, betas64)
    placed = observation[:, :87].unflatten(1, (29, 3))
    if bones:
        placed = conditioning.turn(conditioning.joints_of_bones(placed, given.lengths), given.cos, -given.sin)
    out |= {"fk_rotations": local, "fk_rotation6d": fk_rotation6d, "fk_latent": fk_latent, "fk_observation": observation, "fk_joints": placed}
    if fk_swing6d is not None:
        out["fk_swing6d"] = fk_swing6d
    if fk_phi is not None:
        out["fk_phi"] = fk_phi
    return out


def save(out: dict[str, Tensor], path: Path) -> None:
    save_file({k: (v.float() if v.is_floating_point() else v).contiguous() for k, v in out.items()}, path)
    print(path)


CASES = [
    ("niki_ts_none", "niki-twist-and-swing", "none", True),
    ("niki_ts_heading", "niki-twist-and-swing", "heading-bones", False),
    ("niki_one_stage_none", "niki-one-stage", "none", False),
    ("niki_one_stage_heading", "niki-one-stage", "heading-bones", False),
    ("mlp_ik_heading", "mlp-ik", "heading-bones", False),
    ("inn_heading", "inn", "heading-bones", False),
]


def reduced(out: Path, seed: int) -> None:
    for index, (name, architecture, kind, gates) in enumerate(CASES):
        generator = torch.Generator().manual_seed(seed + index)
        tensors = random_tensors(architecture, gates, generator)
        write_model(
            out / name / "1", name, "1", architecture, HIDDEN, 0 if architecture == "mlp-ik" else LAYER_COUNT, kind, tensors,
            {"data": "none: random weights for tests", "seed": seed + index}, {})
        model, _ = read_model(out / name / "1", dtype=torch.float64)
        seen, betas, rest, local = people(16, kind == "none", generator)
        padding = 1e-1 * noise.normal((16, 60), generator)
        save(golden(model, kind, seen, betas, rest, local, padding), out / f"{name}.safetensors")


SOLVERS = {architecture for _, architecture, _, _ in CASES}


def shipped(out: Path, repository: Path, seed: int) -> None:
    for path in sorted(repository.glob("*/1/model.json")):
        if json.loads(path.read_text())["architecture"] not in SOLVERS:
            continue
        generator = torch.Generator().manual_seed(seed)
        model, described = read_model(path.parent, dtype=torch.float64)
        seen, betas, rest, local = people(64, False, generator)
        padding = 1e-3 * noise.normal((64, 60), generator)
        result = golden(model, described["conditioning"], seen, betas, rest, local, padding)
        save(result, out / f"{described['name'].replace('-', '_')}_shipped.safetensors")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--shipped", type=Path, help="the model repository whose checkpoints to record")
    parser.add_argument("--seed", type=int, default=20260101)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.shipped:
        shipped(arguments.out, arguments.shipped, arguments.seed)
    else:
        reduced(arguments.out, arguments.seed)


if __name__ == "__main__":
    main()
