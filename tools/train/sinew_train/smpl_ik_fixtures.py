"""Golden vectors of SMPL-IK for the Swift tests: small random networks over ragged effector sets, run densely in float64.

`python -m sinew_train.smpl_ik_fixtures --out ../../Tests/SinewModelsTests/Fixtures` writes, per conditioning, a repository folder
`<case>/1/` and `<case>.safetensors`. With `--shipped ../../Sources/SinewModels/Resources/models` it writes `smpl_ik_shipped.safetensors`
from the shipped checkpoint instead.
"""

import argparse
from pathlib import Path

import torch
from torch import Tensor

from . import effectors, noise
from .body import JointTable, forward_kinematics
from .checkpoint import write_smpl_ik, read_smpl_ik
from .effectors import GENDERS, LOOK_AT, POSITION, ROTATION, EffectorSet
from .make_fixtures import save
from .rotations import from_axis_angle, from_rows6d, to_rows6d
from .smpl_ik import SMPLIK
from .smpl_ik_conditioning import centred, effector_heading, restore
from .smpl_ik_dense import DenseSMPLIK

WIDTH, EMBEDDING = 21, 5
"""Odd and small: tile remainders everywhere."""

CASES = [("smpl_ik_small", "none"), ("smpl_ik_heading", "effector-heading")]


def random_network(kind: str, generator: torch.Generator) -> SMPLIK:
    """Every parameter random, those that start at zero or one included, so that a loader that drops one fails."""
    model = SMPLIK(WIDTH, embedding=EMBEDDING, conditioning=kind)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            scale = 1.2 / max(parameter.shape[-1], 4) ** 0.5 if parameter.ndim == 2 else 0.3
            parameter.copy_(scale * torch.randn(parameter.shape, generator=generator) + (1 if name.endswith("a_2") else 0))
        if model.heading is not None:
            model.heading.pairs.sub_(model.heading.pairs.transpose(0, 1).clone())
    return model


def ragged_sets(count: int, generator: torch.Generator) -> EffectorSet:
    """One to twenty effectors of mixed kinds in any order, with weights (zeros too) and tolerances, anywhere in space; three genders."""
    betas = noise.normal((count, 10), generator)
    genders = torch.arange(count) % 3
    tables = [JointTable.load(gender=name) for name in GENDERS]
    rest = torch.cat([tables[int(g)].rest(betas[i : i + 1]) for i, g in enumerate(genders)])
    local = from_axis_angle(0.4 * noise.normal((count, 24, 3), generator))
    joints, rotations = forward_kinematics(local, rest)
    joints = joints[:, :24] + noise.normal((count, 1, 3), generator)
    rows = []
    for person in range(count):
        # Person 0: one position and nothing else, so that no heading can be told. Person 1: the same twice, stacked on each other.
        number = [1, 2][person] if person < 2 else int(torch.randint(2, 21, (), generator=generator))
        for index in range(number):
            kind = POSITION if index == 0 or person < 2 else int(torch.randint(3, (), generator=generator))
            joint = 5 if person < 2 else int(torch.randint(24, (), generator=generator))
            tolerance = 0.1 * float(torch.rand((), generator=generator)) ** 2
            weight = [1.0, 1.0, 0.25, 2.0, 0.0][int(torch.randint(5, (), generator=generator))] if index else 1.0
            direction = torch.nn.functional.normalize(noise.normal((3,), generator), dim=0)
            if kind == POSITION:
                values = torch.cat([joints[person, joint], torch.zeros(3)])
            elif kind == ROTATION:
                values = to_rows6d(rotations[person, joint])
            else:
                far = 0.0 if index == 3 else 3 * float(torch.rand((), generator=generator))
                values = torch.cat([joints[person, joint] + far * (rotations[person, joint] @ direction), direction])
            rows.append((person, kind, joint, values, tolerance if kind != LOOK_AT else 0.0, weight))
    counts = [sum(1 for row in rows if row[0] == person) for person in range(count)]
    return EffectorSet(
        [(1, each) for each in counts], torch.tensor([r[1] for r in rows]), torch.tensor([r[2] for r in rows]),
        torch.stack([r[3] for r in rows]), torch.tensor([r[4] for r in rows]), torch.tensor([r[5] for r in rows]), betas, genders,
        rest[:, :24].contiguous())


def golden(model: SMPLIK, given: EffectorSet) -> dict[str, Tensor]:
    """Inputs, the conditioned vectors and the result, from float64."""
    wide = given.double()
    model = model.double()
    conditioned = effector_heading(wide, model.heading) if model.heading is not None else centred(wide)
    dense = DenseSMPLIK({name: value.double() for name, value in model.tensors().items()})
    embedding, positions, rotation6d = dense.run(wide, conditioned.data)
    local, root = restore(from_rows6d(rotation6d), positions[:, 0], conditioned)
    translation = root - wide.rest[:, 0] if model.heading is not None else root
    return {
        "counts": torch.tensor([each for _, each in given.groups]), "kind": given.kind.to(torch.uint8),
        "joint": given.joint.to(torch.uint8), "values": given.values, "tolerance": given.tolerance, "weight": given.weight,
        "betas": given.betas, "genders": given.genders.to(torch.uint8), "rest": given.rest,
        "data": conditioned.data, "reference": conditioned.reference, "heading": torch.stack([conditioned.cos, conditioned.sin], 1),
        "scale": conditioned.scale, "embedding": embedding, "positions": positions, "rotation6d": rotation6d.flatten(1),
        "rotations": local, "translation": translation,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--shipped", type=Path, help="the model repository whose checkpoint to record")
    parser.add_argument("--seed", type=int, default=20260101)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(options.seed)
    with torch.no_grad():
        if options.shipped:
            model, _ = read_smpl_ik(options.shipped / "smpl-ik" / "1")
            save(golden(model, ragged_sets(48, generator)), options.out / "smpl_ik_shipped.safetensors")
            return
        for name, kind in CASES:
            model = random_network(kind, generator)
            training = {"data": "none: random weights for tests", "seed": options.seed}
            write_smpl_ik(options.out / name / "1", name, "1", model, training, {})
            save(golden(model, ragged_sets(16, generator)), options.out / f"{name}.safetensors")


if __name__ == "__main__":
    main()
