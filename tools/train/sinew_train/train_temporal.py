"""Trains the temporal attention on a frozen static NIKI, and compares both on held-out clips.

    python -m sinew_train.train_temporal --base ../../Sources/SinewModels/Resources/models/niki/1 --out out/temporal
"""

import argparse
import datetime
import json
import time
from pathlib import Path

import torch
from torch import Tensor

from . import conditioning, metrics, noise
from .body import JointTable, data_root, forward_kinematics
from .checkpoint import read_model, write_weights
from .clip_noise import corrupt_clip
from .data import Truth, clips_of, split_names
from .evaluate import SEED
from .export import ACKNOWLEDGEMENT, DATA, LICENCE
from .rotations import from_rows6d, to_rows6d
from .temporal import TemporalAttention, acceleration_error


class StaticClip:
    """A clip as the frozen network solves it: everything that the attention reads, and the truth."""

    def __init__(self, model, preset: str, truth: Truth, generator: torch.Generator):
        seen = corrupt_clip(preset, truth.joints, truth.twists, generator)
        given = conditioning.heading_bones(seen, truth.rest)
        with torch.no_grad():
            rotation6d, _, latent = model.inverse(given, truth.betas)
        self.truth = truth
        self.rotations = conditioning.restore_root(from_rows6d(rotation6d.unflatten(1, (24, 6))), given)
        self.sigma, self.latent_norm = given.sigma, latent.norm(dim=1)

    def part(self, start: int, frames: int) -> "StaticClip":
        cut = object.__new__(StaticClip)
        rows = slice(start, start + frames)
        cut.truth = self.truth.rows(rows)
        cut.rotations, cut.sigma, cut.latent_norm = self.rotations[rows], self.sigma[rows], self.latent_norm[rows]
        return cut


def loss_of(found: Tensor, clip: StaticClip) -> Tensor:
    """Squared 6D error, L1 of the joints, and a tenth of the acceleration error in metres, of rotations `[T, 24, 3, 3]`."""
    joints, _ = forward_kinematics(found, clip.truth.rest)
    placed = (joints - clip.truth.joints).abs().mean()
    return (to_rows6d(found) - to_rows6d(clip.truth.local)).square().mean() + 4 * placed \
        + 1e-4 * acceleration_error(joints, clip.truth.joints).mean()


@torch.no_grad()
def compare(attention: TemporalAttention, clips: dict[str, list[StaticClip]]) -> dict[str, dict[str, dict[str, float]]]:
    """`preset -> static | temporal -> metric`, means over all frames."""
    out: dict[str, dict[str, dict[str, float]]] = {}
    for preset, ones in clips.items():
        for name in ["static", "temporal"]:
            sums: dict[str, list[Tensor]] = {}
            for clip in ones:
                local = clip.rotations if name == "static" else attention(clip.rotations, clip.sigma, clip.latent_norm)
                joints, _ = forward_kinematics(local, clip.truth.rest)
                true = clip.truth.joints
                for metric, values in [
                    ("mpjpe_mm", metrics.mpjpe(joints, true)), ("pa_mpjpe_mm", metrics.pa_mpjpe(joints, true)),
                    ("ge_rad", metrics.rotation_error(local, clip.truth.local)), ("accel_mm", acceleration_error(joints, true)),
                ]:
                    sums.setdefault(metric, []).append(values.double())
            out.setdefault(preset, {})[name] = {metric: round(float(torch.cat(v).mean()), 4) for metric, v in sums.items()}
    return out


def write_temporal(folder: Path, name: str, attention: TemporalAttention, base: Path, training: dict, evaluation: dict) -> str:
    """Writes a version whose `model.json` names the static model that it refines; returns the SHA-256 of the weights."""
    described = json.loads((base / "model.json").read_text())
    digest = write_weights(folder, attention.tensors())
    fields = {
        "name": name, "version": folder.name, "architecture": attention.architecture, "dims": {"reach": attention.reach},
        "precision": described["precision"], "conditioning": described["conditioning"], "body": "smpl-29",
        "rotation_layout": "rows",
        "base": {"model": f"{described['name']}/{described['version']}", "weights_sha256": described["weights_sha256"]},
        "weights_sha256": digest, "training": training, "evaluation": evaluation,
    }
    (folder / "model.json").write_text(json.dumps(fields, indent=2) + "\n")
    return digest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, required=True, help="folder of the static model")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--model-out", type=Path, help="also write the model here, for example .../models/niki-temporal/1")
    parser.add_argument("--reach", type=int, default=8, help="frames on each side")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--frames", type=int, default=96, help="frames of a training piece")
    parser.add_argument("--frames-max", type=int, default=400, help="frames of a clip that are used")
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=123123)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    log = (options.out / "log.jsonl").open("a")

    def write(fields: dict) -> None:
        log.write(json.dumps(fields, default=str) + "\n")
        log.flush()

    model, described = read_model(options.base)
    folder = options.clips or data_root() / "cmu24"
    table = JointTable.load()
    generator = torch.Generator().manual_seed(options.seed)
    truths = clips_of(split_names("cmu24", "train"), folder, table, generator, options.frames_max)
    started = time.monotonic()
    pieces = [StaticClip(model, preset, truth, generator) for truth in truths for preset in noise.PRESETS]
    write({"options": vars(options), "base": described["weights_sha256"], "frames": sum(len(p.rotations) for p in pieces),
           "seconds": round(time.monotonic() - started, 1)})
    attention = TemporalAttention(options.reach)
    optimiser = torch.optim.Adam(attention.parameters(), lr=options.lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, options.steps)
    for step in range(1, options.steps + 1):
        loss = 0.0
        for _ in range(4):
            clip = pieces[int(torch.randint(len(pieces), (1,), generator=generator))]
            start = int(torch.randint(max(1, len(clip.rotations) - options.frames), (1,), generator=generator))
            part = clip.part(start, options.frames)
            loss = loss + loss_of(attention(part.rotations, part.sigma, part.latent_norm), part) / 4
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 50 == 0:
            write({"step": step, "seconds": round(time.monotonic() - started, 1), "loss": round(float(loss.detach()), 6)})
    torch.save({"model": attention.state_dict(), "options": vars(options) | {"base": str(options.base), "out": str(options.out)},
                "base": described["weights_sha256"]}, options.out / "state.pt")
    held = torch.Generator().manual_seed(SEED)
    held_out = clips_of(split_names("cmu24", "validation"), folder, table, held, options.frames_max)
    found = compare(attention, {p: [StaticClip(model, p, truth, held) for truth in held_out] for p in noise.PRESETS})
    write({"validation": found})
    if options.model_out:
        command = "python -m sinew_train.train_temporal --base niki/1 --out out " + " ".join(
            f"--{name.replace('_', '-')} {getattr(options, name)}" for name in ["reach", "steps", "frames", "frames_max", "lr", "seed"])
        training = {
            "data": f"{DATA}, {len(truths)} clips (splits/cmu24.json)", "licence": LICENCE, "acknowledgement": ACKNOWLEDGEMENT,
            "seed": options.seed, "samples": options.steps * 4 * options.frames, "command": command,
            "date": datetime.date.today().isoformat(), "static": {preset: values["static"] for preset, values in found.items()},
        }
        evaluation = {preset: values["temporal"] for preset, values in found.items()}
        write_temporal(options.model_out, options.model_out.parent.name, attention, options.base, training,
                       evaluation | {"clips": len(held_out), "frames": options.frames_max, "seed": SEED})
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
