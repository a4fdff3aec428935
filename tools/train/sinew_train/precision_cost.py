"""What bfloat16 and int8 cost: held-out samples through the `sinew` program in each precision, written into model.json.

    swift build -c release
    python -m sinew_train.precision_cost --sinew ../../.build/release/sinew --models ../../Sources/SinewModels/Resources/models niki smpl-ik

Each model has the samples of its own benchmark: people for the networks that see joints, effector sets for SMPL-IK, whole clips for those that
look at other frames. The figures under "precision_cost" are differences to float32 on the same samples: bfloat16 and int8 share one machine's
arithmetic with float32, so what is left is the rounding. The run stops when float32 is not what "evaluation" says, because then program,
weights or samples are not those the model was evaluated with. A model without "evaluation" gets the float32 figures as such.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

from . import evaluate, noise, smpl_ik_evaluate
from .data import split_names
from .evaluate import SEED
from .held_out import Clips, EffectorSets, People

PRECISIONS = ["bfloat16", "int8"]
# The program and the trainer's dense network round differently; this much of a mean over thousands of people.
AGREEMENT_MM = 0.02
CLIP_FRAMES = {"learnable-smplify": 150, "niki-temporal": 400}
"""Frames of each clip, as in `evaluate_clips` and `train_temporal`."""


def cases(architecture: str, options: argparse.Namespace) -> tuple[list, dict[str, int]]:
    """The samples of the architecture's benchmark, one entry per preset or protocol, and how many there are."""
    if architecture in CLIP_FRAMES:
        frames = CLIP_FRAMES[architecture]
        counted = {"clips": len(split_names(options.split, "validation")), "frames": frames, "seed": options.seed}
        if architecture == "niki-temporal":
            return Clips.lasting(frames, options.seed, options.split), counted
        return [Clips.anew(preset, frames, options.seed, options.split) for preset in noise.PRESETS], counted
    counted = {"samples": options.samples, "seed": options.seed}
    if architecture == "smpl-ik":
        gendered = smpl_ik_evaluate.validation_sampler(options.clips, options.split)
        return [EffectorSets(name, gendered, options.samples, options.seed) for name in smpl_ik_evaluate.PROTOCOLS], counted
    sampler = evaluate.validation_sampler(options.clips, options.split)
    return [People(preset, sampler, options.samples, options.seed) for preset in noise.PRESETS], counted


def solve(options: argparse.Namespace, model: str, precision: str, case, folder: Path) -> dict[str, float]:
    """The errors of `sinew solve --local` on a case that was written into `folder`."""
    target = folder / f"{precision}.npz"
    source = ["--effectors", folder / "in.jsonl"] if isinstance(case, EffectorSets) else [folder / "in.npz"]
    done = subprocess.run(
        [options.sinew, "solve", *source, "-o", target, "--local", "--models", options.models, "--model", model, "--precision", precision,
         "--threads", "1"], stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"sinew solve --model {model} --precision {precision}, {case.name}: status {done.returncode}\n{done.stderr}")
    return case.score(target)


def measure(options: argparse.Namespace, model: str, some_cases: list) -> dict[str, dict]:
    """`precision -> preset -> metric`; `float32` has the errors themselves, the others the differences to it."""
    found: dict[str, dict] = {name: {} for name in ["float32", *PRECISIONS]}
    for case in some_cases:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            case.write(folder / ("in.jsonl" if isinstance(case, EffectorSets) else "in.npz"))
            exact = solve(options, model, "float32", case, folder)
            found["float32"][case.name] = exact
            for precision in PRECISIONS:
                reduced = solve(options, model, precision, case, folder)
                found[precision][case.name] = {name: round(reduced[name] - exact[name], 4) + 0.0 for name in exact}
    return found


def check(said: dict, found: dict[str, dict], path: Path, counted: dict[str, int]) -> None:
    """Stops unless float32 gives what the file says, where it was measured on the same samples."""
    if any(said[name] != count for name, count in counted.items() if name in said):
        print(f"{path}: \"evaluation\" was measured on other samples, so float32 is not checked against it")
        return
    for preset, exact in found.items():
        for metric in ["mpjpe_mm", "pa_mpjpe_mm"]:
            if abs(exact[metric] - said[preset][metric]) > AGREEMENT_MM:
                raise SystemExit(
                    f"{path}: \"evaluation\" says {metric} {said[preset][metric]} on {preset}, the program gives {exact[metric]:.4f} in "
                    "float32. Evaluate the model again (python -m sinew_train.evaluate), or build the program from the same commit.")


def rounded(figures: dict[str, dict]) -> dict[str, dict]:
    return {preset: {metric: round(value, 4) for metric, value in values.items()} for preset, values in figures.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", help="models of the repository, version 1 or as NAME/VERSION")
    parser.add_argument("--sinew", type=Path, required=True, help="the program")
    parser.add_argument("--models", type=Path, required=True, help="the repository")
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--split", default="cmu24")
    parser.add_argument("--samples", type=int, default=6000, help="people per preset, where a model is not measured on clips")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--dry-run", action="store_true", help="print the figures, change no file")
    options = parser.parse_args()
    for name in options.names:
        name = name if "/" in name else f"{name}/1"
        path = options.models / name / "model.json"
        described = json.loads(path.read_text())
        some_cases, counted = cases(described["architecture"], options)
        found = measure(options, name, some_cases)
        if described["evaluation"]:
            check(described["evaluation"], found["float32"], path, counted)
        else:
            described["evaluation"] = rounded(found["float32"]) | counted
        described["precision_cost"] = {precision: found[precision] for precision in PRECISIONS} | counted
        print(json.dumps({name: found}, indent=2))
        if not options.dry_run:
            path.write_text(json.dumps(described, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
