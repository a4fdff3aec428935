"""Solvers on whole held-out clips, frame after frame, through `sinew solve`: errors, jitter and time.

    python -m sinew_train.evaluate_clips --sinew ../../.build/release/sinew --models hybrik niki learnable-smplify --json clips.json

Every clip is a track of one file, its observations one of the three presets drawn anew in every frame. Keypoints alone are given unless
`--twists` asks for the twists too; the true betas are.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from . import metrics, noise
from .body import JointTable, data_root, forward_kinematics
from .data import load_clips, split_names
from .hybrik import decompose
from .rotations import from_axis_angle


class Clips:
    """Held-out clips one after the other: truth and what is seen of it."""

    def __init__(self, preset: str, frames: int, seed: int, split: str):
        generator = torch.Generator().manual_seed(seed)
        self.names = split_names(split, "validation")
        parts = [load_clips(data_root() / "cmu24", [name])[:frames] for name in self.names]
        self.lengths = [len(part) for part in parts]
        self.local = torch.cat(parts)
        betas = noise.normal((len(parts), 10), generator)
        self.betas = torch.repeat_interleave(betas, torch.tensor(self.lengths), 0)
        self.rest = JointTable.load().rest(self.betas)
        self.joints, _ = forward_kinematics(self.local, self.rest)
        _, twists = decompose(self.local, self.rest)
        self.seen = noise.corrupt(preset, self.joints, twists, generator)

    def write(self, path: Path, twists: bool) -> None:
        """The input of `sinew solve`."""
        labels = [name for name, count in zip(self.names, self.lengths) for _ in range(count)]
        arrays = {
            "joints3d": self.seen.joints.numpy(), "sigma": self.seen.sigma.numpy(), "betas": self.betas.numpy(), "track": np.array(labels),
            "skeleton": np.array("smpl-29"), "unit": np.array("m"), "up_axis": np.array("y"), "gender": np.array("neutral"), "fps": np.array(30.0),
        }
        if twists:
            arrays["twist"] = self.seen.twists.numpy()
        np.savez(path, **arrays)

    def read(self, path: Path) -> tuple[Tensor, np.ndarray]:
        """Solved local rotations `[frames, 24, 3, 3]` and outcomes, in the clips' order."""
        theta, outcome = [], []
        for name, count in zip(self.names, self.lengths):
            with np.load(path.with_suffix(f".{name}.npz"), allow_pickle=False) as file:
                assert len(file["poses"]) == count and bool(file["solved"].all())
                theta.append(torch.from_numpy(file["poses"]))
                outcome.append(file["outcome"])
        return from_axis_angle(torch.cat(theta).unflatten(1, (24, 3))), np.concatenate(outcome)

    def score(self, local: Tensor) -> dict[str, float]:
        """MPJPE, PA-MPJPE (mm), GE (rad) and acceleration error (mm per frame squared), means over frames."""
        joints, _ = forward_kinematics(local, self.rest)
        found = {
            "mpjpe_mm": metrics.mpjpe(joints, self.joints), "pa_mpjpe_mm": metrics.pa_mpjpe(joints, self.joints),
            "ge_rad": metrics.rotation_error(local, self.local), "accel_mm": self._acceleration(joints),
        }
        return {name: round(float(value.double().mean()), 4) for name, value in found.items()}

    def _acceleration(self, joints: Tensor) -> Tensor:
        errors, start = [], 0
        for count in self.lengths:
            a, b = (x[start : start + count, :24] - x[start : start + count, :1] for x in (joints, self.joints))
            errors.append((((a - b)[2:] - 2 * (a - b)[1:-1] + (a - b)[:-2]).norm(dim=-1).mean(1)) * 1000)
            start += count
        return torch.cat(errors)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sinew", type=Path, required=True, help="the program")
    parser.add_argument("--models", nargs="+", required=True)
    parser.add_argument("--model-folder", type=Path, help="a model repository (default: the models that ship with sinew)")
    parser.add_argument("--plug-in", nargs="*", default=[], help="also learnable-smplify started from these models' answers")
    parser.add_argument("--presets", nargs="+", default=noise.PRESETS)
    parser.add_argument("--frames", type=int, default=150, help="of each clip")
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--split", default="cmu24")
    parser.add_argument("--twists", action="store_true")
    parser.add_argument("--extra", nargs="*", default=[], help="further words for sinew solve")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    table: dict[str, dict[str, dict]] = {}
    folder = ["--models", str(options.model_folder)] if options.model_folder else []
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for preset in options.presets:
            clips = Clips(preset, options.frames, options.seed, options.split)
            source = scratch / f"{preset}.npz"
            clips.write(source, options.twists)
            runs = [(model, model, []) for model in options.models]
            for model in options.plug_in:
                starts = [word for clip in clips.names for word in ("--start", str(scratch / f"{preset}-{model}.{clip}.npz"))]
                runs.append((f"{model} + learnable-smplify", "learnable-smplify", starts))
            for label, model, extra in runs:
                out = scratch / f"{preset}-{label.replace(' ', '')}.npz"
                words = [str(options.sinew), "solve", str(source), "-o", str(out), "--local", "--threads", "1", "--json", "--model", model]
                done = subprocess.run([*words, *folder, *extra, *options.extra], capture_output=True, text=True)
                if done.returncode != 0:
                    raise SystemExit(f"{' '.join(words)}: status {done.returncode}\n{done.stderr}")
                local, outcome = clips.read(out)
                found = clips.score(local) | {"us_per_frame": round(json.loads(done.stdout)["seconds"] / len(local) * 1e6, 1)}
                found |= {"start_kept": int((outcome == 1).sum()), "restarted": int((outcome == 2).sum()), "frames": len(local)}
                table.setdefault(preset, {})[label] = found
                print(preset, label, found, flush=True)
    if options.json:
        options.json.write_text(json.dumps({"seed": options.seed, "frames": options.frames, "twists": options.twists, "presets": table}, indent=2) + "\n")


if __name__ == "__main__":
    main()
