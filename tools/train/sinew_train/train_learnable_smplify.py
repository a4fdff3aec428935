"""Trains Learnable SMPLify on clips; resumable, seeded, CPU or GPU.

    python -m sinew_train.train_learnable_smplify --out out/learnable --steps 4000
    python -m sinew_train.train_learnable_smplify --out out/learnable --resume
"""

import argparse
import json
import math

import torch
from torch import Tensor

from . import processes, training_loop, training_options
from .body import JointTable, forward_kinematics
from .data import load_clips, split_names
from .learnable_smplify import Layout, LearnableSMPLify, step
from .learnable_smplify_data import Pair, RolloutSampler, Skin
from .metrics import mpjpe, rotation_error
from .muon import Muon
from .training_loop import Training
from .training_options import clips_folder

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


class PairTraining(Training):
    """Learnable SMPLify on people under way through clips, who are part of the state."""

    def __init__(self, options: argparse.Namespace):
        if processes.count() > 1:
            raise SystemExit("The people of this training are on their way through clips and live in one process. Start it without torch.distributed.run.")
        device = options.device
        torch.manual_seed(options.seed)
        self.layout = Layout(channels=options.channels, blocks=[tuple(block) for block in options.blocks], hidden=options.hidden,
                             joint_width=options.joint_width)
        model = LearnableSMPLify(self.layout).to(device)
        matrices = [p for name, p in model.named_parameters() if p.ndim >= 2 and self._is_matrix(name)]
        rest = [p for name, p in model.named_parameters() if p.ndim < 2 or not self._is_matrix(name)]
        optimisers = [Muon(matrices, options.lr, weight_decay=options.weight_decay), torch.optim.Adam(rest, options.adam_lr, betas=(0.9, 0.98))]
        super().__init__(options, model, optimisers, torch.Generator(device).manual_seed(options.seed))
        clips = [load_clips(clips_folder(options), [name]).to(device) for name in split_names(options.split, "train")]
        self.skin = Skin.load(device=device)
        self.sampler = RolloutSampler(clips, JointTable.load(device=device), options.batch, self.generator)

    @staticmethod
    def _is_matrix(name: str) -> bool:
        return name.split(".")[-1] in ("weight", "joint_weight") and not name.endswith("norm.weight")

    def batch(self) -> tuple[Tensor, dict[str, Tensor]]:
        with torch.no_grad():
            pair = self.sampler.draw()
        solved = step(self.model, self.layout, pair.start, pair.betas, pair.rest, pair.seen)
        self.sampler.advance(solved)
        found = terms(pair, solved, self.skin)
        with torch.no_grad():
            before, _ = forward_kinematics(pair.start, pair.rest)
            after, _ = forward_kinematics(solved, pair.rest)
            figures = {
                "start_mm": mpjpe(before, pair.joints).mean(), "solved_mm": mpjpe(after, pair.joints).mean(),
                "solved_rad": rotation_error(solved, pair.local).mean(),
            }
        return sum(found.values()), found | figures

    def further_state(self) -> dict:
        return {"sampler": self.sampler.state()}

    def restore_further(self, state: dict) -> None:
        self.sampler.restore(state["sampler"])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    training_options.add_options(parser, steps=4000, batch=256, lr=0.015, weight_decay=0.05, seed=42)
    parser.add_argument("--channels", type=int, default=32)
    parser.add_argument("--blocks", type=json.loads, default=[[32, 64, 2], [64, 64, 1], [64, 64, 1]], help="[[in, out, stride], ...]")
    parser.add_argument("--hidden", type=int, default=192)
    parser.add_argument("--joint-width", type=int, default=32)
    return training_options.parse(parser)


def main() -> None:
    training_loop.run(PairTraining, arguments())


if __name__ == "__main__":
    main()
