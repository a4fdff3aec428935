"""Trains NIKI (two-stage or one-stage), the vanilla INN or the MLP baseline on clips; resumable, seeded, CPU or GPU.

    python -m sinew_train.train --out out/niki --architecture niki-twist-and-swing --steps 1200
    python -m sinew_train.train --out out/niki --resume
"""

import argparse
import json
import math
import os
import time
from pathlib import Path

import torch
from torch import nn

from . import conditioning, corruption, losses, noise
from .body import JointTable, data_root
from .data import PoseSampler, load_clips, split_names
from .evaluate import score
from .inn import INN
from .mlp import MLP
from .muon import optimisers
from .niki import OneStage, TwistAndSwing

ARCHITECTURES = {model.architecture: model for model in (TwistAndSwing, OneStage, INN, MLP)}


def build(options: argparse.Namespace) -> nn.Module:
    """A fresh network with the seed's weights."""
    torch.manual_seed(options.seed)
    if options.architecture == "mlp-ik":
        return MLP(options.hidden)
    return ARCHITECTURES[options.architecture](options.hidden, dropout=options.dropout)


def set_compute(model: nn.Module, kind: torch.dtype) -> None:
    """The type of the matrix products; parameters stay float32."""
    for stack in model.stacks():
        stack.compute = kind


class Trainer:
    """Model, optimisers, data and the generator: everything that a state file holds."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.device = torch.device(options.device)
        self.generator = torch.Generator(self.device).manual_seed(options.seed)
        self.model = build(options).to(self.device)
        set_compute(self.model, torch.bfloat16 if options.bf16 else torch.float32)
        self.optimisers = optimisers(self.model, options.lr, options.adam_lr, options.weight_decay)
        self.table = JointTable.load(options.body and Path(options.body), device=options.device)
        clips = Path(options.clips) if options.clips else data_root() / "cmu24"
        local = load_clips(clips, split_names(options.split, "train"), up=options.up).to(self.device)
        self.sampler = PoseSampler(local, self.table, recombine=options.recombine, jitter=options.jitter)
        held_out = load_clips(clips, split_names(options.split, "validation"), up=options.up).to(self.device)
        self.validation = PoseSampler(held_out, self.table, mirror=False)
        self.step = 0
        self.usual_norm = math.inf

    def rate(self) -> float:
        """Learning-rate factor: linear warm-up, then half a cosine down to zero."""
        warm = min(1.0, (self.step + 1) / 100)
        return warm * 0.5 * (1 + math.cos(math.pi * self.step / self.options.steps))

    def train_step(self) -> dict[str, float]:
        """One batch through all terms."""
        options = self.options
        with torch.no_grad():
            truth = self.sampler.draw(options.batch, self.generator)
            seen = corruption.training_mixture(truth.joints, truth.twists, self.generator)
            given = conditioning.heading_bones(seen, truth.rest)
            wanted = losses.targets(truth, given)
            part = truth.rows(slice(0, options.batch // 3))
            exact = conditioning.heading_bones(noise.clean(part.joints, part.twists), part.rest)
            exact_wanted = losses.targets(part, exact)
        if options.architecture == "mlp-ik":
            terms = losses.rotation_and_joint_terms(self.model.solve(given.mlp_input()), wanted, "inverse")
        elif options.architecture == "inn":
            terms = losses.inn_terms(self.model, given, wanted)
        else:
            terms = losses.niki_terms(
                self.model, given, wanted, exact, exact_wanted, self.generator, options.forward_inferred)
        loss = losses.total(terms)
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        # Clipped at twice the usual norm: momentum would carry one outlier batch through the next twenty updates.
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
        return {name: float(value.detach()) for name, value in terms.items()} | {"total": float(loss.detach()), "gradient": norm}

    def save(self) -> None:
        """Writes `state.pt` whole or not at all."""
        path = Path(self.options.out) / "state.pt"
        whole = {
            "options": vars(self.options), "step": self.step, "model": self.model.state_dict(),
            "optimisers": [o.state_dict() for o in self.optimisers], "generator": self.generator.get_state(),
            "torch": torch.get_rng_state(), "usual_norm": self.usual_norm,
        }
        torch.save(whole, path.with_suffix(".part"))
        os.replace(path.with_suffix(".part"), path)

    def restore(self, state: dict) -> None:
        self.model.load_state_dict(state["model"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"]):
            optimiser.load_state_dict(saved)
        self.generator.set_state(state["generator"].cpu())
        torch.set_rng_state(state["torch"].cpu())
        self.step, self.usual_norm = state["step"], state["usual_norm"]

    def validate(self) -> dict[str, dict[str, float]]:
        """The three presets on held-out clips, fixed seed, without touching the training generator."""
        return score(self.model, self.validation, samples=self.options.validation_samples, seed=1)


def log_line(path: Path, fields: dict) -> None:
    with path.open("a") as file:
        file.write(json.dumps(fields) + "\n")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="folder for state.pt and log.jsonl")
    parser.add_argument("--resume", action="store_true", help="go on from state.pt with its own options")
    parser.add_argument("--architecture", choices=sorted(ARCHITECTURES), default="niki-twist-and-swing")
    parser.add_argument("--clips", help="folder of AMASS-layout .npz files (default: cmu24 of the data folder)")
    parser.add_argument("--split", default="cmu24", help="file name under splits/, without .json")
    parser.add_argument("--body", help="SMPL-layout .npz with leaf_vertex_ids (default: the bundled open body, neutral)")
    parser.add_argument("--up", choices=["y", "z"], default="y", help="vertical axis of the clips (AMASS: z)")
    parser.add_argument("--hidden", type=int, default=160)
    parser.add_argument("--dropout", type=float, default=0.0, help="stage B (published: 0.5)")
    parser.add_argument("--steps", type=int, help="length of the schedule (1200); with --resume: another length from here on")
    parser.add_argument("--batch", type=int, default=768)
    parser.add_argument("--lr", type=float, default=0.015, help="Muon, spectral size of an update")
    parser.add_argument("--adam-lr", type=float, default=2e-3, help="Adam, for the biases")
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--recombine", type=float, default=0.25, help="share of people whose limbs come from several frames")
    parser.add_argument("--jitter", type=float, default=0.1, help="share of people whose joints are turned at random")
    parser.add_argument("--forward-inferred", action="store_true", help="add the paper's L_fwd with the inferred error code")
    parser.add_argument("--fp32", dest="bf16", action="store_false", help="float32 products instead of bfloat16")
    parser.add_argument("--seed", type=int, default=123123)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads (0: PyTorch's choice)")
    parser.add_argument("--save-every", type=int, default=100)
    parser.add_argument("--validate-every", type=int, default=500)
    parser.add_argument("--validation-samples", type=int, default=1000)
    return parser.parse_args()


def resumed(given: argparse.Namespace, state: dict) -> argparse.Namespace:
    """The state's own options; a changed schedule is written down, because it is part of how the weights came about."""
    kept = {"schedule": [[0, state["options"]["steps"]]]} | state["options"]
    options = argparse.Namespace(**(vars(given) | kept | {"resume": True, "out": given.out, "threads": given.threads}))
    if given.steps and given.steps != options.steps:
        options.schedule = options.schedule + [[state["step"], given.steps]]
        options.steps = given.steps
    return options


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
        options.steps = options.steps or 1200
        options.schedule = [[0, options.steps]]
    out.mkdir(parents=True, exist_ok=True)
    if options.threads:
        torch.set_num_threads(options.threads)
    trainer = Trainer(options)
    if state:
        trainer.restore(state)
    log = out / "log.jsonl"
    log_line(log, {"options": vars(options), "parameters": sum(p.numel() for p in trainer.model.parameters())})
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
            log_line(log, {"step": trainer.step, "validation": trainer.validate()})
        if trainer.step % options.save_every == 0 or last:
            trainer.save()


if __name__ == "__main__":
    main()
