"""What all trainings of networks share: the update with its relative clip, the state file, the log, stopping and going on."""

import argparse
import json
import math
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from . import processes
from .training_options import begun, resumed

WARM_UP = 100
"""Steps over which the learning rate rises to its full size."""


class Training(ABC):
    """Model, optimisers and the generator; with the further state of a subclass, everything that a state file holds.

    `state.pt` (torch.save, loads with weights_only): `options`, `step`, `model`, `optimisers`, `generator`, `torch` (random states),
    `usual_norm`, and what `further_state` adds.
    """

    def __init__(self, options: argparse.Namespace, model: nn.Module, optimisers: list[torch.optim.Optimizer], generator: torch.Generator):
        self.options, self.model, self.optimisers, self.generator = options, model, optimisers, generator
        self.step, self.usual_norm = 0, math.inf
        self.share = options.batch // processes.count()
        """People of a step whom this process draws."""

    @abstractmethod
    def batch(self) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of a new batch, and the figures for the log."""

    def rate(self) -> float:
        """Learning-rate factor: linear warm-up, then half a cosine down to zero."""
        warm = min(1.0, (self.step + 1) / WARM_UP)
        return warm * 0.5 * (1 + math.cos(math.pi * self.step / self.options.steps))

    def updated(self) -> None:
        """Called after each update."""

    def validate(self) -> dict | None:
        """Figures on held-out clips, every `--validate-every` steps, without touching the training's generator."""
        return None

    def further_state(self) -> dict:
        """What a subclass adds to the state file."""
        return {}

    def restore_further(self, state: dict) -> None:
        """Takes back what `further_state` gave."""

    def train_step(self) -> dict[str, float]:
        """One batch and one update."""
        options = self.options
        loss, figures = self.batch()
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        processes.average_gradients(self.model)
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
        self.updated()
        return {name: float(value.detach()) for name, value in figures.items()} | {"total": float(loss.detach()), "gradient": norm}

    def save(self) -> None:
        """Writes `state.pt` whole or not at all."""
        path = Path(self.options.out) / "state.pt"
        whole = {
            "options": vars(self.options), "step": self.step, "model": self.model.state_dict(),
            "optimisers": [o.state_dict() for o in self.optimisers], "generator": self.generator.get_state(),
            "torch": torch.get_rng_state(), "usual_norm": self.usual_norm,
        }
        torch.save(whole | self.further_state(), path.with_suffix(".part"))
        os.replace(path.with_suffix(".part"), path)

    def restore(self, state: dict) -> None:
        self.model.load_state_dict(state["model"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"]):
            optimiser.load_state_dict(saved)
        self.generator.set_state(state["generator"].cpu())
        torch.set_rng_state(state["torch"].cpu())
        self.step, self.usual_norm = state["step"], state["usual_norm"]
        self.restore_further(state)


def log_line(path: Path, fields: dict) -> None:
    with path.open("a") as file:
        file.write(json.dumps(fields) + "\n")


def run(make: Callable[[argparse.Namespace], Training], options: argparse.Namespace) -> None:
    """Trains to the end of the schedule, from the start or from the state in `--out`."""
    out = Path(options.out)
    state = None
    if options.resume:
        state = torch.load(out / "state.pt", weights_only=True)
        options = resumed(options, state)
    elif (out / "state.pt").exists():
        raise SystemExit(f"{out}/state.pt exists. Add --resume to go on with it, or choose another --out.")
    else:
        options = begun(options)
    out.mkdir(parents=True, exist_ok=True)
    if options.threads:
        torch.set_num_threads(options.threads)
    with processes.joined() as rank:
        train(make(options), state, rank)


def train(training: Training, state: dict | None, rank: int) -> None:
    """From the state, where there is one, to the end of the schedule. The process of rank 0 keeps log and state."""
    options = training.options
    if state:
        training.restore(state)
    if rank > 0:
        # The state holds the first process's draws; the others' begin anew at each start.
        training.generator.manual_seed(options.seed + 1_000_003 * training.step + rank)
    log = Path(options.out) / "log.jsonl"
    if rank == 0:
        log_line(log, {"options": vars(options), "parameters": sum(p.numel() for p in training.model.parameters())})
    started, sums, counted = time.monotonic(), {}, 0
    while training.step < options.steps:
        for name, value in training.train_step().items():
            sums[name] = sums.get(name, 0.0) + value
        counted += 1
        if rank > 0:
            continue
        last = training.step == options.steps
        if training.step % 50 == 0 or last:
            mean = {name: round(value / counted, 6) for name, value in sums.items()}
            log_line(log, {"step": training.step, "seconds": round(time.monotonic() - started, 1), "loss": mean})
            sums, counted = {}, 0
        if training.step % getattr(options, "validate_every", options.steps) == 0 or last:
            if (found := training.validate()) is not None:
                log_line(log, {"step": training.step, "validation": found})
        if training.step % options.save_every == 0 or last:
            training.save()
