"""What bfloat16 and int8 cost: the samples of `evaluate` through the `sinew` program in each precision, written into model.json.

    swift build -c release
    python -m sinew_train.precision_cost --sinew ../../.build/release/sinew --models ../../Sources/SinewModels/Resources/models niki mlp-ik

The figures under "precision_cost" are differences to float32 on the same samples: bfloat16 and int8 share one machine's arithmetic
with float32, so what is left is the rounding. The run stops when float32 is not what "evaluation" says, because then program,
weights or samples are not those the model was evaluated with.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch

from . import noise
from .data import PoseSampler, Truth
from .evaluate import CHUNK, SEED, errors, validation_sampler
from .rotations import from_axis_angle

PRECISIONS = ["bfloat16", "int8"]
# The program and the trainer's dense network round differently; this much of a mean over thousands of people.
AGREEMENT_MM = 0.02


def samples(sampler: PoseSampler, preset: str, count: int, seed: int) -> tuple[Truth, dict[str, np.ndarray]]:
    """The very samples of `evaluate.table`: the truth, and the arrays of an input file of `sinew solve`."""
    poses = torch.Generator().manual_seed(seed)
    corruption = torch.Generator().manual_seed(seed + 1 + noise.PRESETS.index(preset))
    truths, seen = [], []
    for start in range(0, count, CHUNK):
        truths.append(sampler.draw(min(CHUNK, count - start), poses))
        seen.append(noise.corrupt(preset, truths[-1].joints, truths[-1].twists, corruption))
    truth = Truth(*(torch.cat(parts) for parts in zip(*(vars(one).values() for one in truths))))
    return truth, {
        "joints3d": torch.cat([one.joints for one in seen]).numpy(), "sigma": torch.cat([one.sigma for one in seen]).numpy(),
        "twist": torch.cat([one.twists for one in seen]).numpy(), "betas": truth.betas.numpy(),
        "gender": np.array(["neutral"]), "unit": np.array("m"), "up_axis": np.array("y"),
    }


def solve(sinew: Path, models: Path, model: str, precision: str, source: Path) -> torch.Tensor:
    """Local rotations `[B, 24, 3, 3]` of `sinew solve --local`."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out.npz"
        subprocess.run(
            [sinew, "solve", source, "-o", target, "--local", "--models", models, "--model", model, "--precision", precision,
             "--threads", "1"], check=True, stderr=subprocess.PIPE)
        with np.load(target) as file:
            poses = torch.from_numpy(file["poses"])
    return from_axis_angle(poses.unflatten(1, (24, 3)))


def means(local: torch.Tensor, truth: Truth) -> dict[str, float]:
    """Mean of each metric."""
    return {name: float(values.double().mean()) for name, values in errors(local, truth).items()}


@torch.no_grad()
def measure(sinew: Path, models: Path, model: str, sampler: PoseSampler, count: int, seed: int) -> dict[str, dict]:
    """`precision -> preset -> metric`; `float32` has the errors themselves, the others the differences to it."""
    found: dict[str, dict] = {name: {} for name in ["float32", *PRECISIONS]}
    for preset in noise.PRESETS:
        truth, arrays = samples(sampler, preset, count, seed)
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "in.npz"
            np.savez(source, **arrays)
            exact = means(solve(sinew, models, model, "float32", source), truth)
            found["float32"][preset] = exact
            for precision in PRECISIONS:
                reduced = means(solve(sinew, models, model, precision, source), truth)
                found[precision][preset] = {name: round(reduced[name] - exact[name], 4) + 0.0 for name in exact}
    return found


def check(described: dict, found: dict[str, dict], path: Path, count: int, seed: int) -> None:
    """Stops unless float32 gives what the file says, where it was measured on the same samples."""
    said = described.get("evaluation", {})
    if (said.get("samples"), said.get("seed")) != (count, seed):
        print(f"{path}: \"evaluation\" was measured on other samples, so float32 is not checked against it")
        return
    for preset, exact in found.items():
        for metric in ["mpjpe_mm", "pa_mpjpe_mm"]:
            if abs(exact[metric] - said[preset][metric]) > AGREEMENT_MM:
                raise SystemExit(
                    f"{path}: \"evaluation\" says {metric} {said[preset][metric]} on {preset}, the program gives {exact[metric]:.4f} in "
                    "float32. Evaluate the model again (python -m sinew_train.evaluate), or build the program from the same commit.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", help="models of the repository, version 1 or as NAME/VERSION")
    parser.add_argument("--sinew", type=Path, required=True, help="the program")
    parser.add_argument("--models", type=Path, required=True, help="the repository")
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--split", default="cmu24")
    parser.add_argument("--samples", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--dry-run", action="store_true", help="print the figures, change no file")
    options = parser.parse_args()
    sampler = validation_sampler(options.clips, options.split)
    for name in options.names:
        name = name if "/" in name else f"{name}/1"
        path = options.models / name / "model.json"
        described = json.loads(path.read_text())
        found = measure(options.sinew, options.models, name, sampler, options.samples, options.seed)
        check(described, found["float32"], path, options.samples, options.seed)
        cost = {precision: found[precision] for precision in PRECISIONS}
        described["precision_cost"] = cost | {"samples": options.samples, "seed": options.seed}
        print(json.dumps({name: found}, indent=2))
        if not options.dry_run:
            path.write_text(json.dumps(described, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
