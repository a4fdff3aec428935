"""Trains SMPL-IK on clips; resumable, seeded, CPU or GPU.

    python -m sinew_train.smpl_ik_train --out out/smpl-ik --width 128 --steps 20000
    python -m sinew_train.smpl_ik_train --out out/smpl-ik --resume
    python -m sinew_train.smpl_ik_train --out out/more --start ../../Sources/SinewModels/Resources/models/smpl-ik/1

`--start` goes on from an exported version where the state is gone: only the optimisers' short memory is lost. Its samples are counted on.

`state.pt` (torch.save, loads with weights_only): `options`, `step`, `samples`, `model` and `average` (state dicts: as trained, and the running mean
of the weights that is evaluated and exported), `optimisers`, `generator`, `torch` (random states), `usual_norm`, `heading_error`.
"""

import argparse
import json
import math
import os
import time
from pathlib import Path

import torch
from torch import nn

from . import smpl_ik_evaluate
from .body import data_root
from .checkpoint import read_smpl_ik
from .data import PoseSampler, load_clips, split_names
from .muon import Muon
from .smpl_ik import SMPLIK
from .smpl_ik_data import GenderedPoseSampler, fit_heading
from .smpl_ik_losses import published_terms, solved, whole_pose_terms
from .train import log_line, resumed

WARM_UP = 100
SETTLED = 0.6
"""The share of the schedule after which the learning rate falls to zero on a straight line."""


def build(options: argparse.Namespace) -> SMPLIK:
    """A fresh network with the seed's weights, whose output starts at the pose and places given."""
    torch.manual_seed(options.seed)
    return SMPLIK(options.width, dropout=options.dropout, conditioning=options.conditioning)


def optimisers(model: SMPLIK, lr: float, adam_lr: float, weight_decay: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices between layers; Adam for biases, norms and the two tables of embeddings."""
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    matrices = [p for name, p in named if p.ndim == 2 and not name.startswith("embeddings")]
    rest = [p for name, p in named if p.ndim != 2 or name.startswith("embeddings")]
    return [Muon(matrices, lr, weight_decay=weight_decay), torch.optim.Adam(rest, adam_lr, betas=(0.9, 0.98))]


@torch.no_grad()
def start_at_the_mean(model: SMPLIK, sampler: GenderedPoseSampler, generator: torch.Generator) -> None:
    """The decoders' last biases become the mean pose (6D) and mean joints in the conditioned frame; their matrices start small."""
    pose = sampler.draw(2000, generator)
    given = pose.effectors(50, generator)
    conditioned = model.condition(given)
    c, s = conditioned.cos[:, None], conditioned.sin[:, None]
    v = (pose.joints - conditioned.reference[:, None]) / conditioned.scale[:, None, None]
    joints = torch.stack([c * v[..., 0] - s * v[..., 2], v[..., 1], s * v[..., 0] + c * v[..., 2]], -1)
    rows = pose.local[:, :, :2].clone()
    root = pose.local[:, 0]
    rows[:, 0, 0] = c * root[:, 0] - s * root[:, 2]
    for stack, mean in [(model.decoder_stage1, joints.mean(0)), (model.decoder_stage2, rows.mean(0))]:
        for index, block in enumerate(stack.blocks):
            block.forward_projection.weight.mul_(0.3)
            block.forward_projection.bias.copy_(mean.flatten() if index == 0 else torch.zeros_like(block.forward_projection.bias))


class Trainer:
    """Model, optimisers, data and the generator: everything that a state file holds."""

    def __init__(self, options: argparse.Namespace, fresh: bool):
        self.options = options
        self.generator = torch.Generator(options.device).manual_seed(options.seed)
        self.model = build(options).to(options.device)
        self.model.set_compute(torch.bfloat16 if options.bf16 else None)
        clips = Path(options.clips) if options.clips else data_root() / "cmu24"
        local = load_clips(clips, split_names(options.split, "train"), up=options.up).to(options.device)
        self.sampler = GenderedPoseSampler.bundled(
            PoseSampler(local, None, recombine=options.recombine, jitter=options.jitter), options.device)
        self.validation = smpl_ik_evaluate.validation_sampler(clips, options.split, options.up, options.device)
        self.heading_error = 0.0
        self.samples = 0
        if fresh and options.start:
            written, described = read_smpl_ik(Path(options.start))
            if (described["dims"]["width"], described["conditioning"]) != (options.width, options.conditioning):
                raise SystemExit(
                    f"{options.start} has width {described['dims']['width']} and conditioning {described['conditioning']}. "
                    "Give the same --width and --conditioning.")
            self.model.load_state_dict(written.state_dict())
            self.samples = described["training"]["samples"]
        elif fresh:
            if self.model.heading is not None:
                plain = GenderedPoseSampler.bundled(PoseSampler(local, None), options.device)
                self.heading_error = fit_heading(self.model.heading, plain, self.generator, options.heading_steps)
            start_at_the_mean(self.model, self.sampler, self.generator)
        self.average = build(options).to(options.device)
        self.average.load_state_dict(self.model.state_dict())
        self.optimisers = optimisers(self.model, options.lr, options.adam_lr, options.weight_decay)
        self.step, self.usual_norm = 0, math.inf

    def rate(self) -> float:
        """Learning-rate factor: linear warm-up, constant, then a straight line to zero."""
        done = self.step / self.options.steps
        return min(1.0, (self.step + 1) / WARM_UP) * min(1.0, (1 - done) / (1 - SETTLED))

    def train_step(self) -> dict[str, float]:
        """One batch: poses, a draw of effectors, all terms, one update."""
        options = self.options
        with torch.no_grad():
            truth = self.sampler.draw(options.batch, self.generator)
            given = truth.effectors(options.group, self.generator)
            conditioned = self.model.condition(given)
        positions, rotation6d = self.model(given, conditioned)
        found = solved(positions, rotation6d, given, conditioned, self.model.heading is not None)
        terms = (published_terms if options.loss == "published" else whole_pose_terms)(found, truth, given)
        loss = sum(terms.values())
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), 2 * self.usual_norm))
        if not math.isfinite(norm):
            raise SystemExit(f"step {self.step}: the gradient is not finite. Train again with a smaller --lr.")
        self.usual_norm = norm if math.isinf(self.usual_norm) else 0.98 * self.usual_norm + 0.02 * min(norm, 2 * self.usual_norm)
        factor = self.rate()
        for optimiser, lr in zip(self.optimisers, (options.lr, options.adam_lr)):
            for group in optimiser.param_groups:
                group["lr"] = lr * factor
            optimiser.step()
        self.step += 1
        self.samples += options.batch
        self._average()
        return {name: float(value.detach()) for name, value in terms.items()} | {"total": float(loss.detach()), "gradient": norm}

    @torch.no_grad()
    def _average(self) -> None:
        """A running mean over the last `--average` steps or so; shorter at the start, where weights still move fast."""
        share = max(1 / self.options.average, 1 / (1 + self.step / 10))
        for mean, now in zip(self.average.parameters(), self.model.parameters()):
            mean.lerp_(now, share)

    def save(self) -> None:
        """Writes `state.pt` whole or not at all."""
        path = Path(self.options.out) / "state.pt"
        whole = {
            "options": vars(self.options), "step": self.step, "samples": self.samples, "model": self.model.state_dict(),
            "average": self.average.state_dict(), "optimisers": [o.state_dict() for o in self.optimisers],
            "generator": self.generator.get_state(), "torch": torch.get_rng_state(), "usual_norm": self.usual_norm,
            "heading_error": self.heading_error,
        }
        torch.save(whole, path.with_suffix(".part"))
        os.replace(path.with_suffix(".part"), path)

    def restore(self, state: dict) -> None:
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"]):
            optimiser.load_state_dict(saved)
        self.generator.set_state(state["generator"].cpu())
        torch.set_rng_state(state["torch"].cpu())
        self.step, self.samples, self.usual_norm = state["step"], state["samples"], state["usual_norm"]
        self.heading_error = state["heading_error"]

    def validate(self) -> dict[str, dict[str, float]]:
        """Both protocols on held-out clips with the averaged weights, fixed seed, without touching the training generator."""
        return smpl_ik_evaluate.score(self.average, self.validation, self.options.validation_samples, seed=1)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="folder for state.pt and log.jsonl")
    parser.add_argument("--resume", action="store_true", help="go on from state.pt with its own options")
    parser.add_argument("--clips", help="folder of AMASS-layout .npz files (default: cmu24 of the data folder)")
    parser.add_argument("--split", default="cmu24", help="file name under splits/, without .json")
    parser.add_argument("--up", choices=["y", "z"], default="y", help="vertical axis of the clips (AMASS: z)")
    parser.add_argument("--width", type=int, default=128, help="of every layer (published: 1024)")
    parser.add_argument("--conditioning", choices=["none", "effector-heading"], default="effector-heading")
    parser.add_argument("--loss", choices=["whole-pose", "published"], default="whole-pose")
    parser.add_argument("--dropout", type=float, default=0.0, help="published: 0.01")
    parser.add_argument("--start", help="an exported version (folder) whose weights to start from, instead of random ones")
    parser.add_argument("--steps", type=int, help="length of the schedule (20000); with --resume: another length from here on")
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--group", type=int, default=128, help="people of a batch who share a draw of effector counts (published: all)")
    parser.add_argument("--lr", type=float, default=0.02, help="Muon, spectral size of an update")
    parser.add_argument("--adam-lr", type=float, default=2e-3, help="Adam, for biases, norms and embeddings")
    parser.add_argument("--weight-decay", type=float, default=0.02)
    parser.add_argument("--average", type=int, default=400, help="steps that the running mean of the weights looks back")
    parser.add_argument("--recombine", type=float, default=0.1, help="share of people whose limbs come from several frames")
    parser.add_argument("--jitter", type=float, default=0.05, help="share of people whose joints are turned at random")
    parser.add_argument("--heading-steps", type=int, default=300, help="steps that fit the heading tables, before the training")
    parser.add_argument("--fp32", dest="bf16", action="store_false", help="float32 products instead of bfloat16")
    parser.add_argument("--seed", type=int, default=123123)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads (0: PyTorch's choice)")
    parser.add_argument("--save-every", type=int, default=100)
    parser.add_argument("--validate-every", type=int, default=500)
    parser.add_argument("--validation-samples", type=int, default=1000)
    return parser.parse_args()


def main() -> None:
    options = arguments()
    out = Path(options.out)
    state = None
    if options.resume:
        state = torch.load(out / "state.pt", weights_only=True)
        options = resumed(options, state)
    elif (out / "state.pt").exists():
        raise SystemExit(f"{out}/state.pt exists. Add --resume to go on with it, or choose another --out.")
    else:
        options.steps = options.steps or 20000
        options.schedule = [[0, options.steps]]
    out.mkdir(parents=True, exist_ok=True)
    if options.threads:
        torch.set_num_threads(options.threads)
    trainer = Trainer(options, fresh=state is None)
    if state:
        trainer.restore(state)
    log = out / "log.jsonl"
    parameters = sum(p.numel() for p in trainer.model.parameters())
    log_line(log, {"options": vars(options), "parameters": parameters, "heading_error": round(trainer.heading_error, 5)})
    started, sums, counted = time.monotonic(), {}, 0
    while trainer.step < options.steps:
        for name, value in trainer.train_step().items():
            sums[name] = sums.get(name, 0.0) + value
        counted += 1
        last = trainer.step == options.steps
        if trainer.step % 50 == 0 or last:
            mean = {name: round(value / counted, 6) for name, value in sums.items()}
            log_line(log, {"step": trainer.step, "seconds": round(time.monotonic() - started, 1), "loss": mean})
            sums, counted = {}, 0
        if trainer.step % options.validate_every == 0 or last:
            log_line(log, {"step": trainer.step, "samples": trainer.samples, "validation": trainer.validate()})
        if trainer.step % options.save_every == 0 or last:
            trainer.save()


if __name__ == "__main__":
    main()
