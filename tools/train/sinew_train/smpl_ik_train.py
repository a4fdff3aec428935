"""Trains SMPL-IK on clips; resumable, seeded, CPU or GPU.

    python -m sinew_train.smpl_ik_train --out out/smpl-ik --width 128 --steps 20000
    python -m sinew_train.smpl_ik_train --out out/smpl-ik --resume
    python -m sinew_train.smpl_ik_train --out out/more --start ../../Sources/SinewModels/Resources/models/smpl-ik/1

`--start` goes on from an exported version where the state is gone: only the optimisers' short memory is lost. Its samples are counted on.

`state.pt` has besides `training_loop`'s entries `average` (the running mean of the weights, which is evaluated and exported), `samples` and `heading_error`.
"""

import argparse
from pathlib import Path

import torch
from torch import Tensor

from . import smpl_ik_evaluate, training_loop, training_options
from .checkpoint import read_smpl_ik
from .data import PoseSampler, load_clips, split_names
from .muon import Muon
from .smpl_ik import SMPLIK
from .smpl_ik_data import GenderedPoseSampler, fit_heading
from .smpl_ik_losses import POSITION_WEIGHT, ROTATION_WEIGHT, published_terms, solved, whole_pose_terms
from .training_loop import WARM_UP, Training
from .training_options import clips_folder

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


class EffectorTraining(Training):
    """SMPL-IK on poses drawn from clips, with a new draw of effectors for each batch."""

    def __init__(self, options: argparse.Namespace):
        generator = torch.Generator(options.device).manual_seed(options.seed)
        model = build(options).to(options.device)
        model.set_compute(torch.bfloat16 if options.bf16 else None)
        super().__init__(options, model, optimisers(model, options.lr, options.adam_lr, options.weight_decay), generator)
        self.frames = load_clips(clips_folder(options), split_names(options.split, "train"), up=options.up).to(options.device)
        self.sampler = GenderedPoseSampler.bundled(
            PoseSampler(self.frames, None, recombine=options.recombine, jitter=options.jitter, blend=options.blend),
            options.device)
        self.validation = smpl_ik_evaluate.validation_sampler(clips_folder(options), options.split, options.up, options.device)
        self.samples, self.heading_error = 0, 0.0
        if not options.resume:
            self._start()
        self.average = build(options).to(options.device)
        self.average.load_state_dict(self.model.state_dict())

    def _start(self) -> None:
        """Exported weights, or random ones behind fitted heading tables."""
        options = self.options
        if options.start:
            written, described = read_smpl_ik(Path(options.start))
            if (described["dims"]["width"], described["conditioning"]) != (options.width, options.conditioning):
                raise SystemExit(
                    f"{options.start} has width {described['dims']['width']} and conditioning {described['conditioning']}. "
                    "Give the same --width and --conditioning.")
            self.model.load_state_dict(written.state_dict())
            self.samples, self.heading_error = (described["training"][name] for name in ("samples", "heading_error"))
            return
        if self.model.heading is not None:
            plain = GenderedPoseSampler.bundled(PoseSampler(self.frames, None), options.device)
            self.heading_error = fit_heading(self.model.heading, plain, self.generator, options.heading_steps)
        start_at_the_mean(self.model, self.sampler, self.generator)

    def rate(self) -> float:
        """Learning-rate factor: linear warm-up, constant, then a straight line to zero."""
        done = self.step / self.options.steps
        return min(1.0, (self.step + 1) / WARM_UP) * min(1.0, (1 - done) / (1 - SETTLED))

    def batch(self) -> tuple[Tensor, dict[str, Tensor]]:
        options = self.options
        with torch.no_grad():
            truth = self.sampler.draw(self.share, self.generator)
            given = truth.effectors(options.group, self.generator)
            changed = None
            if options.change:
                changed = torch.rand(self.share, generator=self.generator, device=options.device) < options.change
                given = given.on_next_bodies(changed)
            conditioned = self.model.condition(given)
        positions, rotation6d = self.model(given, conditioned)
        found = solved(positions, rotation6d, given, conditioned, self.model.heading is not None)
        terms = published_terms(found, truth, given) if options.loss == "published" else \
            whole_pose_terms(found, truth, given, changed, options.rotation_weight, options.position_weight)
        return sum(terms.values()), terms

    @torch.no_grad()
    def updated(self) -> None:
        """A running mean over the last `--average` steps or so; shorter at the start, where weights still move fast."""
        self.samples += self.options.batch
        share = max(1 / self.options.average, 1 / (1 + self.step / 10))
        for mean, now in zip(self.average.parameters(), self.model.parameters()):
            mean.lerp_(now, share)

    def further_state(self) -> dict:
        return {"samples": self.samples, "average": self.average.state_dict(), "heading_error": self.heading_error}

    def restore_further(self, state: dict) -> None:
        self.average.load_state_dict(state["average"])
        self.samples, self.heading_error = state["samples"], state["heading_error"]

    def validate(self) -> dict[str, dict[str, float]]:
        """Both protocols with the averaged weights and a fixed seed."""
        return smpl_ik_evaluate.score(self.average, self.validation, self.options.validation_samples, seed=1)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    training_options.add_options(parser, steps=20000, batch=1024, lr=0.02, weight_decay=0.02)
    training_options.add_pose_options(parser, recombine=0.1, jitter=0.05)
    parser.add_argument("--width", type=int, default=128, help="of every layer (published: 1024)")
    parser.add_argument("--conditioning", choices=["none", "effector-heading"], default="effector-heading")
    parser.add_argument("--loss", choices=["whole-pose", "published"], default="whole-pose")
    parser.add_argument("--rotation-weight", type=float, default=ROTATION_WEIGHT, help="of local rotations in the whole-pose loss")
    parser.add_argument("--position-weight", type=float, default=POSITION_WEIGHT, help="of positional effectors in the whole-pose loss, 1/m")
    parser.add_argument("--change", type=float, default=0.0, help="share of people whose effectors come from another body, in the whole-pose loss")
    parser.add_argument("--dropout", type=float, default=0.0, help="published: 0.01")
    parser.add_argument("--start", help="an exported version (folder) whose weights to start from, instead of random ones")
    parser.add_argument("--group", type=int, default=128, help="people of a batch who share a draw of effector counts (published: all)")
    parser.add_argument("--average", type=int, default=400, help="steps that the running mean of the weights looks back")
    parser.add_argument("--heading-steps", type=int, default=300, help="steps that fit the heading tables, before the training")
    options = training_options.parse(parser)
    for name, default in [("rotation_weight", ROTATION_WEIGHT), ("position_weight", POSITION_WEIGHT), ("change", 0.0)]:
        if options.loss == "published" and getattr(options, name) != default:
            parser.error(f"--{name.replace('_', '-')} belongs to --loss whole-pose; the published loss has its own scales")
    return options


def main() -> None:
    training_loop.run(EffectorTraining, arguments())


if __name__ == "__main__":
    main()
