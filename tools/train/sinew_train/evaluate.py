"""The accuracy table: three noise presets x noisy input, analytic IK and checkpoints, on clips that no checkpoint was trained on.

    python -m sinew_train.evaluate --models ../../Sources/SinewModels/Resources/models/niki/1 ... --json table.json
    python -m sinew_train.evaluate --sinew ../../.build/release/sinew --solve smplify smplify-lbfgs niki+refine5
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from . import conditioning, hybrik, metrics, noise
from .body import JointTable, data_root, forward_kinematics
from .checkpoint import read_model
from .conditioning import Observations
from .data import PoseSampler, Truth, load_clips, split_names
from .rotations import from_axis_angle, from_rows6d

SEED = 20260101
CHUNK = 1000


def solve(model, seen: Observations, truth: Truth) -> Tensor:
    """Local rotations `[B, 24, 3, 3]` in the input's frame, from a network being trained or a `DenseModel`."""
    given = conditioning.heading_bones(seen, truth.rest)
    if hasattr(model, "tensors") and isinstance(model.tensors, dict):
        rotation6d = model.inverse(given, truth.betas)[0]
    elif hasattr(model, "solve"):
        rotation6d = model.solve(given.mlp_input())
    else:
        rotation6d = model.inverse(given.flow_input(), given.phi).rotation6d
    return conditioning.restore_root(from_rows6d(rotation6d.unflatten(1, (24, 6))), given)


def analytic(seen: Observations, truth: Truth) -> Tensor:
    """Adaptive HybrIK on the same observation."""
    return hybrik.solve_adaptive(seen.joints, truth.rest, seen.twists)


def through_command(sinew: Path, spec: str):
    """A solver that runs `sinew solve --local`; `spec` is a model's name, with `+refineN` for N Gauss-Newton steps after it."""
    model, _, steps = spec.partition("+refine")
    options = ["--refine", steps] if steps else []

    def solver(seen: Observations, truth: Truth) -> Tensor:
        with tempfile.TemporaryDirectory() as folder:
            given, found = f"{folder}/in.npz", f"{folder}/out.npz"
            arrays = {"joints3d": seen.joints, "sigma": seen.sigma, "twist": seen.twists, "betas": truth.betas}
            np.savez(given, **{name: value.float().cpu().numpy() for name, value in arrays.items()})
            subprocess.run(
                [sinew, "solve", given, "-o", found, "--local", "--model", model, "--skeleton", "smpl-29", *options], check=True,
                stderr=subprocess.PIPE)
            with np.load(found, allow_pickle=False) as file:
                theta = torch.from_numpy(file["poses"])
        return from_axis_angle(theta.unflatten(1, (24, 3))).to(truth.local)

    return solver


def errors(local: Tensor, truth: Truth) -> dict[str, Tensor]:
    """Per-person errors of local rotations, posed with the true shape."""
    joints, _ = forward_kinematics(local, truth.rest)
    return {
        "mpjpe_mm": metrics.mpjpe(joints, truth.joints), "pa_mpjpe_mm": metrics.pa_mpjpe(joints, truth.joints),
        "ge_rad": metrics.rotation_error(local, truth.local),
    }


@torch.no_grad()
def table(solvers: dict, sampler: PoseSampler, samples: int, seed: int) -> dict[str, dict[str, dict[str, float]]]:
    """`preset -> solver -> metric`. Each solver is a function of (observations, truth); every one sees the same samples."""
    device = sampler.local.device
    out: dict[str, dict[str, dict[str, float]]] = {}
    for index, preset in enumerate(noise.PRESETS):
        poses = torch.Generator(device).manual_seed(seed)
        corruption = torch.Generator(device).manual_seed(seed + 1 + index)
        sums: dict[str, dict[str, float]] = {}
        for start in range(0, samples, CHUNK):
            truth = sampler.draw(min(CHUNK, samples - start), poses)
            seen = noise.corrupt(preset, truth.joints, truth.twists, corruption)
            found = {"input": {
                "mpjpe_mm": metrics.mpjpe(seen.joints, truth.joints), "pa_mpjpe_mm": metrics.pa_mpjpe(seen.joints, truth.joints)}}
            found |= {name: errors(solver(seen, truth), truth) for name, solver in solvers.items()}
            for name, values in found.items():
                for metric, value in values.items():
                    into = sums.setdefault(name, {})
                    into[metric] = into.get(metric, 0.0) + float(value.double().sum())
        out[preset] = {name: {m: round(v / samples, 4) for m, v in values.items()} for name, values in sums.items()}
    return out


def score(model, sampler: PoseSampler, samples: int, seed: int) -> dict[str, dict[str, float]]:
    """One model's figures per preset."""
    found = table({"model": lambda seen, truth: solve(model, seen, truth)}, sampler, samples, seed)
    return {preset: found[preset]["model"] for preset in found}


def validation_sampler(clips: Path | None, split: str, device: str = "cpu") -> PoseSampler:
    """Held-out frames, not mirrored, with random yaw and shape."""
    local = load_clips(clips or data_root() / "cmu24", split_names(split, "validation")).to(device)
    return PoseSampler(local, JointTable.load(device=device), mirror=False)


def show(found: dict, samples: int, seed: int) -> str:
    """The table as Markdown."""
    names = list(next(iter(found.values())))
    lines = [
        f"{samples} samples per preset, seed {seed}; MPJPE / PA-MPJPE (mm) over 24 joints / GE (rad) over 24 rotations", "",
        "| preset | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|",
    ]
    for preset, values in found.items():
        cells = []
        for v in values.values():
            turned = f" / {v['ge_rad']:.3f}" if "ge_rad" in v else ""
            cells.append(f"{v['mpjpe_mm']:.1f} / {v['pa_mpjpe_mm']:.1f}{turned}")
        lines.append(f"| {preset} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, nargs="*", default=[], help="folders with model.json and weights.safetensors")
    parser.add_argument("--sinew", type=Path, help="the sinew executable, for --solve")
    parser.add_argument("--solve", nargs="*", default=[], metavar="NAME[+refineN]", help="models that sinew solves with")
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--split", default="cmu24")
    parser.add_argument("--samples", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    solvers = {"analytic IK": analytic}
    for folder in options.models:
        model, described = read_model(folder, options.device)
        solvers[f"{described['name']}/{described['version']}"] = lambda seen, truth, model=model: solve(model, seen, truth)
    if options.solve and not options.sinew:
        parser.error("--solve needs --sinew, the path of the executable")
    solvers |= {spec: through_command(options.sinew, spec) for spec in options.solve}
    sampler = validation_sampler(options.clips, options.split, options.device)
    found = table(solvers, sampler, options.samples, options.seed)
    print(show(found, options.samples, options.seed))
    if options.json:
        options.json.write_text(json.dumps({"samples": options.samples, "seed": options.seed, "presets": found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
