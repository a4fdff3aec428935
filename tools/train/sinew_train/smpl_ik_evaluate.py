"""SMPL-IK's benchmarks on clips that were not trained on: randomised effectors (the paper's) and six fixed positions.

    python -m sinew_train.smpl_ik_evaluate --models ../../Sources/SinewModels/Resources/models/smpl-ik/1 --samples 6000

MPJPE (pelvis-aligned) and PA-MPJPE over 24 joints in mm, GE over 24 local rotations in radians, and the mean distance of exact
positional effectors from the solved pose in mm.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import torch

from . import metrics
from .body import data_root
from .checkpoint import read_smpl_ik
from .data import PoseSampler, load_clips, split_names
from .effectors import POSITION, EffectorSet
from .smpl_ik import SMPLIK
from .smpl_ik_data import GenderedPoseSampler, Pose
from .smpl_ik_losses import Solved, solved

SEED = 20260101
GROUP = 50
"""People who share a draw of counts: small, because the counts decide most of the error and 6000 people should see many of them."""

CHUNK = 1000
PROTOCOLS = ["random-effectors", "six-positions"]


def solve(model: SMPLIK, given) -> Solved:
    conditioned = model.condition(given)
    positions, rotation6d = model(given, conditioned)
    return solved(positions, rotation6d, given, conditioned, model.heading is not None)


def errors(found: Solved, truth: Pose, given) -> dict[str, torch.Tensor]:
    """Sums over people, and over exact positional effectors with their number."""
    rows = (given.kind == POSITION) & (given.tolerance < 1e-3)
    who, joint = given.person()[rows], given.joint[rows]
    apart = (found.joints[who, joint] - truth.joints[who, joint]).norm(dim=-1) * 1000
    return {
        "mpjpe_mm": metrics.mpjpe(found.joints, truth.joints), "pa_mpjpe_mm": metrics.pa_mpjpe(found.joints, truth.joints),
        "ge_rad": metrics.rotation_error(found.local, truth.local), "effector_mm": apart,
    }


def samples(protocol: str, sampler: GenderedPoseSampler, count: int, seed: int) -> Iterator[tuple[Pose, EffectorSet]]:
    """The benchmark's people in chunks; every protocol has the same poses."""
    generator = torch.Generator(sampler.base.device).manual_seed(seed)
    draws = torch.Generator(sampler.base.device).manual_seed(seed + 1)
    for start in range(0, count, CHUNK):
        truth = sampler.draw(min(CHUNK, count - start), generator)
        yield truth, truth.effectors(GROUP, draws) if protocol == "random-effectors" else truth.six_points()


@torch.no_grad()
def score(model: SMPLIK, sampler: GenderedPoseSampler, count: int, seed: int) -> dict[str, dict[str, float]]:
    """`protocol -> metric`."""
    was_training = model.training
    model.eval()
    out = {}
    for protocol in PROTOCOLS:
        parts: dict[str, list[torch.Tensor]] = {}
        for truth, given in samples(protocol, sampler, count, seed):
            for metric, values in errors(solve(model, given), truth, given).items():
                parts.setdefault(metric, []).append(values)
        out[protocol] = {metric: round(float(torch.cat(values).double().mean()), 4) for metric, values in parts.items()}
    model.train(was_training)
    return out


def validation_sampler(clips: Path | None, split: str, up: str = "y", device: str = "cpu") -> GenderedPoseSampler:
    """Held-out frames, not mirrored, with random yaw, shape and gender."""
    local = load_clips(clips or data_root() / "cmu24", split_names(split, "validation"), up=up).to(device)
    return GenderedPoseSampler.bundled(PoseSampler(local, None, mirror=False), device)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, nargs="+", required=True, help="folders with model.json and weights.safetensors")
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--split", default="cmu24")
    parser.add_argument("--samples", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    sampler = validation_sampler(options.clips, options.split)
    found = {}
    print(f"{options.samples} samples, seed {options.seed}; MPJPE / PA-MPJPE / GE / exact effectors' distance (mm, mm, rad, mm)")
    for folder in options.models:
        model, described = read_smpl_ik(folder)
        name = f"{described['name']}/{described['version']}"
        found[name] = score(model, sampler, options.samples, options.seed)
        for protocol, v in found[name].items():
            print(f"{name} {protocol}: {v['mpjpe_mm']:.1f} / {v['pa_mpjpe_mm']:.1f} / {v['ge_rad']:.3f} / {v['effector_mm']:.1f}")
    if options.json:
        options.json.write_text(json.dumps({"samples": options.samples, "seed": options.seed, "errors": found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
