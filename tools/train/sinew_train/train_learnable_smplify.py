"""Trains Learnable SMPLify on clips; resumable, seeded, CPU or GPU.

    python -m sinew_train.train_learnable_smplify --out out/learnable --steps 4000
    python -m sinew_train.train_learnable_smplify --out out/learnable --resume
"""

import argparse
import json
import math
import os
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from .body import JointTable, data_root, forward_kinematics
from .data import load_clips, split_names
from .learnable_smplify import Layout, LearnableSMPLify, step
from .learnable_smplify_data import Pair, RolloutSampler, Skin
from .metrics import mpjpe, rotation_error
from .muon import Muon

ACOS_MARGIN = 1e-6


def terms(pair: Pair, solved: Tensor, skin: Skin) -> dict[str, Tensor]:
    """The three published terms (models.md 7.7): keypoints, rotations, vertices."""
    joints, globals_ = forward_kinematics(solved, pair.rest)
    with torch.no_grad():
        shaped = skin.shaped(pair.betas)
        true_joints, true_globals = forward_kinematics(pair.local, pair.rest)
        true_vertices = skin.posed(shaped, pair.rest, true_joints, true_globals)
    trace = (pair.local * solved).sum((-1, -2))
    cosine = ((trace - 1) / 2).clamp(-1 + ACOS_MARGIN, 1 - ACOS_MARGIN)
    vertices = skin.posed(shaped, pair.rest, joints, globals_)
    return {
        "keypoints": 5.0 * (joints - true_joints).norm(dim=-1).mean(),
        "rotations": (2 / math.pi) * cosine.acos().mean(),
        "vertices": (vertices - true_vertices).norm(dim=-1).mean(),
    }


class Trainer:
    """Model, optimisers, the people under way and the generator: everything that a state file holds."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        device = options.device
        torch.manual_seed(options.seed)
        self.layout = Layout(channels=options.channels, blocks=[tuple(block) for block in options.blocks], hidden=options.hidden,
                             joint_width=options.joint_width)
        self.model = LearnableSMPLify(self.layout).to(device)
        matrices = [p for name, p in self.model.named_parameters() if p.ndim >= 2 and self._is_matrix(name)]
        rest = [p for name, p in self.model.named_parameters() if p.ndim < 2 or not self._is_matrix(name)]
        self.optimisers = [Muon(matrices, options.lr, weight_decay=options.weight_decay), torch.optim.Adam(rest, options.adam_lr, betas=(0.9, 0.98))]
        self.generator = torch.Generator(device).manual_seed(options.seed)
        folder = Path(options.clips) if options.clips else data_root() / "cmu24"
        clips = [load_clips(folder, [name]).to(device) for name in split_names(options.split, "train")]
        self.skin = Skin.load(device=device)
        self.sampler = RolloutSampler(clips, JointTable.load(device=device), options.batch, self.generator)
        self.step = 0
        self.usual_norm = math.inf

    @staticmethod
    def _is_matrix(name: str) -> bool:
        return name.split(".")[-1] in ("weight", "joint_weight") and not name.endswith("norm.weight")

    def rate(self) -> float:
        """Linear warm-up, then half a cosine down to zero."""
        return min(1.0, (self.step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * self.step / self.options.steps))

    def train_step(self) -> dict[str, float]:
        options = self.options
        with torch.no_grad():
            pair = self.sampler.draw()
        solved = step(self.model, self.layout, pair.start, pair.betas, pair.rest, pair.seen)
        self.sampler.advance(solved)
        found = terms(pair, solved, self.skin)
        loss = sum(found.values())
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        # Clipped at twice the usual norm: momentum would carry one outlier batch through the next twenty updates.
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), 2 * self.usual_norm))
        if not math.isfinite(norm):
            raise SystemExit(f"step {self.step}: the gradient is not finite. Train again with a smaller --lr.")
        self.usual_norm = norm if math.isinf(self.usual_norm) else 0.98 * self.usual_norm + 0.02 * min(norm, 2 * self.usual_norm)
        for optimiser, lr in zip(self.optimisers, (options.lr, options.adam_lr)):
            for group in optimiser.param_groups:
                group["lr"] = lr * self.rate()
            optimiser.step()
        self.step += 1
        with torch.no_grad():
            before, _ = forward_kinematics(pair.start, pair.rest)
            after, _ = forward_kinematics(solved, pair.rest)
            figures = {
                "start_mm": mpjpe(before, pair.joints).mean(), "solved_mm": mpjpe(after, pair.joints).mean(),
                "solved_rad": rotation_error(solved, pair.local).mean(),
            }
        return {name: float(value.detach()) for name, value in (found | figures).items()} | {"total": float(loss.detach()), "gradient": norm}

    def save(self) -> None:
        """Writes `state.pt` whole or not at all."""
        path = Path(self.options.out) / "state.pt"
        whole = {
            "options": vars(self.options), "step": self.step, "model": self.model.state_dict(), "sampler": self.sampler.state(),
            "optimisers": [o.state_dict() for o in self.optimisers], "generator": self.generator.get_state(), "usual_norm": self.usual_norm,
        }
        torch.save(whole, path.with_suffix(".new"))
        os.replace(path.with_suffix(".new"), path)

    def restore(self, state: dict) -> None:
        self.step, self.usual_norm = state["step"], state["usual_norm"]
        self.model.load_state_dict(state["model"])
        self.sampler.restore(state["sampler"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"]):
            optimiser.load_state_dict(saved)
        self.generator.set_state(state["generator"].cpu())


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="folder for state.pt and log.jsonl")
    parser.add_argument("--resume", action="store_true", help="go on from state.pt with its own options")
    parser.add_argument("--clips", help="folder of AMASS-layout .npz files (default: cmu24 of the data folder)")
    parser.add_argument("--split", default="cmu24", help="file name under splits/, without .json")
    parser.add_argument("--channels", type=int, default=32)
    parser.add_argument("--blocks", type=json.loads, default=[[32, 64, 2], [64, 64, 1], [64, 64, 1]], help="[[in, out, stride], ...]")
    parser.add_argument("--hidden", type=int, default=192)
    parser.add_argument("--joint-width", type=int, default=32)
    parser.add_argument("--steps", type=int, help="length of the schedule (4000); with --resume: another length from here on")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--lr", type=float, default=0.015, help="Muon, spectral size of an update")
    parser.add_argument("--adam-lr", type=float, default=2e-3, help="Adam, for biases, norms and masks")
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--save-every", type=int, default=100)
    return parser.parse_args()


def main() -> None:
    options = arguments()
    out, state = Path(options.out), None
    if options.resume:
        state = torch.load(out / "state.pt", weights_only=True)
        steps = options.steps
        options = argparse.Namespace(**(vars(options) | state["options"] | {"out": options.out}))
        if steps and steps != options.steps:
            options.schedule, options.steps = options.schedule + [[state["step"], steps]], steps
    elif (out / "state.pt").exists():
        raise SystemExit(f"{out}/state.pt exists. Add --resume to go on with it, or choose another --out.")
    else:
        options.steps = options.steps or 4000
        options.schedule = [[0, options.steps]]
    out.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(options)
    if state:
        trainer.restore(state)
    started, sums, counted = time.monotonic(), {}, 0
    with (out / "log.jsonl").open("a") as log:
        print(json.dumps({"options": vars(options), "parameters": sum(p.numel() for p in trainer.model.parameters())}), file=log, flush=True)
        while trainer.step < options.steps:
            for name, value in trainer.train_step().items():
                sums[name] = sums.get(name, 0.0) + value
            counted += 1
            last = trainer.step == options.steps
            if trainer.step % 50 == 0 or last:
                mean = {name: round(value / counted, 5) for name, value in sums.items()}
                print(json.dumps({"step": trainer.step, "seconds": round(time.monotonic() - started, 1), "mean": mean}), file=log, flush=True)
                sums, counted = {}, 0
            if trainer.step % options.save_every == 0 or last:
                trainer.save()


if __name__ == "__main__":
    main()
