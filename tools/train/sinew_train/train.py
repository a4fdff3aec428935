"""Trains NIKI (two-stage or one-stage), the vanilla INN or the MLP baseline on clips; resumable, seeded, CPU or GPU.

    python -m sinew_train.train --out out/niki --architecture niki-twist-and-swing --steps 1200
    python -m sinew_train.train --out out/niki --resume
    python -m sinew_train.train --out out/more --start ../../Sources/SinewModels/Resources/models/niki/1

`--start` goes on from an exported version where the state is gone: only the optimisers' short memory is lost. Its samples are counted on.
"""

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn

from . import conditioning, corruption, losses, noise, training_loop, training_options
from .body import JointTable
from .checkpoint import read_tensors
from .data import PoseSampler, load_clips, split_names
from .evaluate import score
from .inn import INN
from .mlp import MLP
from .muon import optimisers
from .niki import OneStage, TwistAndSwing
from .training_loop import Training
from .training_options import clips_folder

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


class NetworkTraining(Training):
    """A network that sees joints, on poses drawn from clips and seen through the training mixture of noise."""

    def __init__(self, options: argparse.Namespace):
        generator = torch.Generator(options.device).manual_seed(options.seed)
        model = build(options).to(options.device)
        set_compute(model, torch.bfloat16 if options.bf16 else torch.float32)
        super().__init__(options, model, optimisers(model, options.lr, options.adam_lr, options.weight_decay), generator)
        table = JointTable.load(options.body and Path(options.body), device=options.device)
        local, held_out = (
            load_clips(clips_folder(options), split_names(options.split, part), up=options.up).to(options.device)
            for part in ("train", "validation"))
        self.sampler = PoseSampler(local, table, recombine=options.recombine, jitter=options.jitter, blend=options.blend)
        self.validation = PoseSampler(held_out, table, mirror=False)
        self.samples = self._start() if options.start and not options.resume else 0

    def _start(self) -> int:
        """Takes the exported weights and returns how many samples they have seen."""
        options = self.options
        tensors, described = read_tensors(Path(options.start), options.device)
        if (described["architecture"], described["dims"]["hidden"]) != (options.architecture, options.hidden):
            raise SystemExit(
                f"{options.start} is {described['architecture']} with hidden width {described['dims']['hidden']}. "
                "Give the same --architecture and --hidden.")
        self.model.load_tensors(tensors)
        return described["training"]["samples"]

    def updated(self) -> None:
        self.samples += self.options.batch

    def further_state(self) -> dict:
        return {"samples": self.samples}

    def restore_further(self, state: dict) -> None:
        self.samples = state["samples"]

    def batch(self) -> tuple[Tensor, dict[str, Tensor]]:
        options = self.options
        with torch.no_grad():
            truth = self.sampler.draw(self.share, self.generator)
            seen = corruption.training_mixture(truth.joints, truth.twists, self.generator)
            given = conditioning.heading_bones(seen, truth.rest)
            wanted = losses.targets(truth, given)
            part = truth.rows(slice(0, self.share // 3))
            exact = conditioning.heading_bones(noise.clean(part.joints, part.twists), part.rest)
            exact_wanted = losses.targets(part, exact)
        if options.architecture == "mlp-ik":
            terms = losses.rotation_and_joint_terms(self.model.solve(given.mlp_input()), wanted, "inverse")
        elif options.architecture == "inn":
            terms = losses.inn_terms(self.model, given, wanted)
        else:
            terms = losses.niki_terms(
                self.model, given, wanted, exact, exact_wanted, self.generator, options.forward_inferred)
        return losses.total(terms, options.without), terms

    def validate(self) -> dict[str, dict[str, float]]:
        """The three presets with a fixed seed."""
        return score(self.model, self.validation, samples=self.options.validation_samples, seed=1)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    training_options.add_options(parser, steps=1200, batch=768, lr=0.015, weight_decay=0.05)
    training_options.add_pose_options(parser, recombine=0.25, jitter=0.1)
    parser.add_argument("--architecture", choices=sorted(ARCHITECTURES), default="niki-twist-and-swing")
    parser.add_argument("--body", help="SMPL-layout .npz with leaf_vertex_ids (default: the bundled open body, neutral)")
    parser.add_argument("--hidden", type=int, default=160)
    parser.add_argument("--dropout", type=float, default=0.0, help="stage B (published: 0.5)")
    parser.add_argument("--start", help="an exported version (folder) whose weights to start from, instead of random ones")
    parser.add_argument("--forward-inferred", action="store_true", help="add the paper's L_fwd with the inferred error code")
    parser.add_argument("--without", nargs="+", default=[], choices=sorted(losses.ABLATIONS), help="of NIKI: terms to leave out")
    options = training_options.parse(parser)
    if options.without and not options.architecture.startswith("niki") or "swing" in options.without and "swing" not in options.architecture:
        parser.error(f"--without {' '.join(options.without)} names terms that {options.architecture} does not have")
    return options


def main() -> None:
    training_loop.run(NetworkTraining, arguments())


if __name__ == "__main__":
    main()
